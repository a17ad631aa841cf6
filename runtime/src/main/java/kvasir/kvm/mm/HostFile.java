package kvasir.kvm.mm;

import java.util.List;

/** A file whose pages the VMM can map: a memfd, a hugetlb memfd, or a regular file with content. */
public final class HostFile {
    private final int fd;
    private final long pages;
    private final int level;
    private final boolean hugetlb;
    private final PageExtents cache = new PageExtents();

    /**
     * @param fd descriptor
     * @param pages size in 4 KiB pages
     * @param level largest page the file is made of: 1, 2, or 3 for hugetlb
     * @param hugetlb whether every page has that size
     */
    HostFile(int fd, long pages, int level, boolean hugetlb) {
        this.fd = fd;
        this.pages = pages;
        this.level = level;
        this.hugetlb = hugetlb;
    }

    public int fd() {
        return fd;
    }

    /** Size in 4 KiB pages. */
    public long pages() {
        return pages;
    }

    /** Largest page the file is made of. */
    public int level() {
        return level;
    }

    /** Whether every page has the size of {@link #level()}. */
    public boolean hugetlb() {
        return hugetlb;
    }

    /** pfn of the page at {@code index}, allocated and zero filled if need be; -1 when memory is exhausted. */
    long page(long index, HostPages host) {
        long pfn = cache.get(index);
        if (pfn >= 0) {
            return pfn;
        }
        long leaf = 1L << (9 * (level - 1));
        long block = index & -leaf;
        if (level > 1 && block + leaf <= pages && !cache.any(block, block + leaf)) {
            long first = host.allocateHuge(level);
            if (first >= 0) {
                cache.put(block, leaf, first);
                return first + index - block;
            }
        }
        if (hugetlb) {
            return -1;
        }
        pfn = host.allocate(HostPages.Use.MOVABLE);
        if (pfn >= 0) {
            cache.put(index, 1, pfn);
        }
        return pfn;
    }

    /** pfn of the page at {@code index}; -1 if there is none yet. */
    long peek(long index) {
        return cache.get(index);
    }

    /** Whether the aligned block of {@code leaf} pages around {@code index} is contiguous and aligned in memory. */
    boolean contiguous(long index, long leaf) {
        long block = index & -leaf;
        long first = cache.get(block);
        return first >= 0 && (first & (leaf - 1)) == 0 && cache.get(block + leaf - 1) == first + leaf - 1;
    }

    /** Removes the pages of indices {@code [start, end)} and returns them. */
    List<PageExtents.Run> punch(long start, long end) {
        return cache.remove(start, end);
    }

    /** The pages it has, as a number. */
    long fingerprint() {
        return fd * 31L + cache.runs().toString().hashCode();
    }

    Runnable checkpoint() {
        return cache.checkpoint();
    }
}
