package kvasir.vmm;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import kvasir.kvm.mm.HostFile;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.mm.Vma;

/** What the VMM maps to back guest memory. */
enum Backing {
    /** A memfd mapped shared, with huge pages where they fit: the host entry is writable even after a read. */
    MEMFD,
    /** A memfd mapped shared, 4 KiB pages only. */
    MEMFD_4K,
    /** Private anonymous memory with transparent huge pages: a read maps the huge zero page. */
    THP,
    /** Private anonymous memory, 4 KiB pages only: a read maps the zero page. */
    ANON,
    /** hugetlb memory of 2 MiB pages. */
    HUGETLB2M,
    /** hugetlb memory of 1 GiB pages. */
    HUGETLB1G,
    /** A file mapped privately: a read maps the file's page, a write copies it. */
    FILE;

    /** As scripts write them. */
    static String[] words() {
        return Arrays.stream(values()).map(Backing::word).toArray(String[]::new);
    }

    static Backing of(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** mmap of {@code pages} pages, at {@code hva} or congruent to {@code gpa}; returns the hva. */
    long map(Mm mm, Optional<Long> hva, long gpa, long pages) {
        return mm.mmap(hva, gpa, pages, like(mm, pages));
    }

    private Vma like(Mm mm, long pages) {
        return switch (this) {
            case THP -> Mm.anonymous(true);
            case ANON -> Mm.anonymous(false);
            case MEMFD -> shared(mm.memfd(pages, 2, false));
            case MEMFD_4K -> shared(mm.memfd(pages, 1, false));
            case HUGETLB2M -> shared(mm.memfd(roundUp(pages, 512), 2, true));
            case HUGETLB1G -> shared(mm.memfd(roundUp(pages, 512 * 512), 3, true));
            case FILE -> Mm.mapping(mm.memfd(pages, 1, false), 0, false);
        };
    }

    private static Vma shared(HostFile file) {
        return Mm.mapping(file, 0, true);
    }

    private static long roundUp(long pages, long unit) {
        return (pages + unit - 1) / unit * unit;
    }
}
