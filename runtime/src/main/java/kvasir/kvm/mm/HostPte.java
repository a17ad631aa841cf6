package kvasir.kvm.mm;

/**
 * A run of present host page-table entries of one kind.
 *
 * @param start first page number, hva &gt;&gt; 12
 * @param pages 4 KiB pages in the run
 * @param pfn pfn of the first page
 * @param level level of the leaves: 1 is 4 KiB, 2 is 2 MiB, 3 is 1 GiB
 * @param writable whether the entries allow writes
 * @param kind whose pages these are
 */
public record HostPte(long start, long pages, long pfn, int level, boolean writable, Kind kind) {
    /** Whose pages the entries point to. */
    public enum Kind {
        /** The shared zero page, or the huge zero page. */
        ZERO,
        /** Pages of this process alone. */
        ANON,
        /** Pages of a file. */
        FILE
    }

    /** One past the last page number. */
    public long end() {
        return start + pages;
    }

    /** Pages that one leaf maps. */
    public long leafPages() {
        return 1L << (9 * (level - 1));
    }

    /** pfn of page number {@code page}, which lies in the run. */
    public long pfnAt(long page) {
        if (kind == Kind.ZERO) {
            return pfn + (page & (leafPages() - 1));
        }
        return pfn + page - start;
    }

    boolean continuedBy(HostPte next) {
        return end() == next.start
                && level == next.level
                && writable == next.writable
                && kind == next.kind
                && next.pfn == (kind == Kind.ZERO ? pfn : pfn + pages);
    }

    HostPte withPages(long count) {
        return new HostPte(start, count, pfn, level, writable, kind);
    }

    HostPte withWritable(boolean allowed) {
        return new HostPte(start, pages, pfn, level, allowed, kind);
    }

    HostPte part(long from, long to, int newLevel) {
        return new HostPte(from, to - from, kind == Kind.ZERO ? pfn : pfn + from - start, newLevel, writable, kind);
    }
}
