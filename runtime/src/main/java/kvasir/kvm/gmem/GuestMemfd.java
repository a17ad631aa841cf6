package kvasir.kvm.gmem;

import kvasir.kvm.Vm;
import kvasir.kvm.mm.HostPages;
import kvasir.kvm.mm.Pfn;

/** One guest_memfd file. */
public final class GuestMemfd {
    /** GUEST_MEMFD_FLAG_MMAP. */
    public static final long FLAG_MMAP = 1;

    /** GUEST_MEMFD_FLAG_INIT_SHARED. */
    public static final long FLAG_INIT_SHARED = 1 << 1;

    private final Vm vm;
    private final int fd;
    private final long size;
    private final long flags;
    private final PageExtents pages = new PageExtents();

    /**
     * @param fd the first descriptor
     * @param size bytes
     */
    public GuestMemfd(Vm vm, int fd, long size, long flags) {
        this.vm = vm;
        this.fd = fd;
        this.size = size;
        this.flags = flags;
    }

    public int fd() {
        return fd;
    }

    /** Bytes. */
    public long size() {
        return size;
    }

    public long flags() {
        return flags;
    }

    /** The page at {@code index}, -1 if it was never allocated or was punched out. */
    public long pageAt(long index) {
        return pages.get(index);
    }

    /**
     * kvm_gmem_get_pfn without the vendor's preparation: allocates and zeroes on first use.
     *
     * @return a {@link Pfn} word
     */
    public long getPfn(long index) {
        long pfn = pages.get(index);
        if (pfn < 0) {
            pfn = vm.kvm().pages().allocate(HostPages.Use.GMEM);
            pages.put(index, pfn);
        }
        return pfn | Pfn.WRITABLE;
    }
}
