package kvasir.kvm.mm;

import java.util.Optional;

/**
 * A range of the process's addresses with one backing and one protection.
 *
 * @param start first page number, hva &gt;&gt; 12
 * @param end one past the last page number
 * @param read PROT_READ
 * @param write PROT_WRITE
 * @param shared MAP_SHARED
 * @param huge whether transparent huge pages may be used
 * @param file what is mapped; empty for anonymous memory
 * @param pgoff index in the file of the first page
 */
public record Vma(
        long start,
        long end,
        boolean read,
        boolean write,
        boolean shared,
        boolean huge,
        Optional<HostFile> file,
        long pgoff) {
    /** Index in the file of page number {@code page}. */
    public long index(long page) {
        return page - start + pgoff;
    }

    /** Whether every page of it has the size of the file's. */
    boolean hugetlb() {
        return file.filter(HostFile::hugetlb).isPresent();
    }

    /** Pages of 4 KiB in the smallest page that can be mapped. */
    long leafPages() {
        return file.filter(HostFile::hugetlb)
                .map(f -> 1L << 9 * (f.level() - 1))
                .orElse(1L);
    }

    /** Whether {@code [first, last)}, a part of it, begins or ends inside such a page. */
    boolean cutsHugetlb(long first, long last) {
        return ((first | last) & leafPages() - 1) != 0;
    }

    /** All of it as a number that is the same in every run. */
    long fingerprint() {
        long flags = (read ? 1 : 0) | (write ? 2 : 0) | (shared ? 4 : 0) | (huge ? 8 : 0);
        return (((start * 31 + end) * 31 + flags) * 31 + file.map(HostFile::fd).orElse(-1)) * 31 + pgoff;
    }

    Vma part(long from, long to) {
        return new Vma(from, to, read, write, shared, huge, file, pgoff + from - start);
    }

    Vma withProtection(boolean mayRead, boolean mayWrite) {
        return new Vma(start, end, mayRead, mayWrite, shared, huge, file, pgoff);
    }

    Vma withHuge(boolean advised) {
        return new Vma(start, end, read, write, shared, advised, file, pgoff);
    }

    boolean continuedBy(Vma next) {
        return end == next.start
                && read == next.read
                && write == next.write
                && shared == next.shared
                && huge == next.huge
                && file.equals(next.file)
                && (file.isEmpty() || pgoff + end - start == next.pgoff);
    }

    /** As in /proc/PID/maps: {@code rw-p anonymous}. */
    public String describe() {
        String what =
                file.map(f -> (f.hugetlb() ? "hugetlb fd " : "fd ") + f.fd()).orElse("anonymous");
        return (read ? "r" : "-") + (write ? "w" : "-") + "-" + (shared ? "s " : "p ") + what;
    }
}
