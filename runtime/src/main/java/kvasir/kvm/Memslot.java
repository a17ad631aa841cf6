package kvasir.kvm;

import java.util.Optional;
import kvasir.kvm.gmem.GuestMemfd;

/**
 * One memory slot as published (struct kvm_memory_slot). Slots are replaced, never edited; copies that stand for the
 * same slot share the dirty bitmap, the large-page metadata and the guest_memfd binding.
 */
public final class Memslot {
    /** KVM_MEM_LOG_DIRTY_PAGES. */
    public static final int LOG_DIRTY_PAGES = 1;

    /** KVM_MEM_READONLY. */
    public static final int READONLY = 1 << 1;

    /** KVM_MEM_GUEST_MEMFD. */
    public static final int GUEST_MEMFD = 1 << 2;

    /** KVM_MEMSLOT_INVALID: being deleted or moved. */
    public static final int INVALID = 1 << 16;

    /** KVM_MEMSLOT_GMEM_ONLY: shared faults are served from guest_memfd too. */
    public static final int GMEM_ONLY = 1 << 17;

    /** What a lookup gives when no slot contains the gfn. */
    public static final Memslot NONE = new Memslot(-1, 0, 0, 0, 0, 0, Optional.empty(), Optional.empty(), new Gmem());

    private final int id;
    private final int addressSpace;
    private final long baseGfn;
    private final long npages;
    private final long userspaceAddr;
    private final int flags;
    private final Optional<DirtyBitmap> dirty;
    private final Optional<LpageInfo> lpage;
    private final Gmem gmem;

    /** The binding to a guest_memfd; it is cleared when the file's last descriptor is closed. */
    static final class Gmem {
        Optional<GuestMemfd> file = Optional.empty();
        long pgoff;
    }

    Memslot(
            int id,
            int addressSpace,
            long baseGfn,
            long npages,
            long userspaceAddr,
            int flags,
            Optional<DirtyBitmap> dirty,
            Optional<LpageInfo> lpage,
            Gmem gmem) {
        this.id = id;
        this.addressSpace = addressSpace;
        this.baseGfn = baseGfn;
        this.npages = npages;
        this.userspaceAddr = userspaceAddr;
        this.flags = flags;
        this.dirty = dirty;
        this.lpage = lpage;
        this.gmem = gmem;
    }

    /** Whether this is a slot at all, and not {@link #NONE}. */
    public boolean exists() {
        return this != NONE;
    }

    /** Slot id within its address space, 0 to 32766. */
    public int id() {
        return id;
    }

    /** 0 normal, 1 SMM. */
    public int addressSpace() {
        return addressSpace;
    }

    /** First gfn. */
    public long baseGfn() {
        return baseGfn;
    }

    /** Number of pages. */
    public long npages() {
        return npages;
    }

    /** One past the last gfn. */
    public long endGfn() {
        return baseGfn + npages;
    }

    /** hva of the first byte. */
    public long userspaceAddr() {
        return userspaceAddr;
    }

    /** User and internal flags. */
    public int flags() {
        return flags;
    }

    /** Whether {@code gfn} lies in the slot. */
    public boolean contains(long gfn) {
        return gfn - baseGfn >= 0 && gfn - baseGfn < npages;
    }

    /** hva of {@code gfn}, which lies in the slot (__gfn_to_hva_memslot). */
    public long hva(long gfn) {
        return userspaceAddr + ((gfn - baseGfn) << 12);
    }

    public boolean invalid() {
        return (flags & INVALID) != 0;
    }

    public boolean readonly() {
        return (flags & READONLY) != 0;
    }

    public boolean logsDirty() {
        return (flags & LOG_DIRTY_PAGES) != 0;
    }

    /** Whether the slot was created with KVM_MEM_GUEST_MEMFD (kvm_slot_has_gmem). */
    public boolean hasGmem() {
        return (flags & GUEST_MEMFD) != 0;
    }

    public boolean gmemOnly() {
        return (flags & GMEM_ONLY) != 0;
    }

    /** The bound file; empty if there never was one, or its last descriptor was closed. */
    public Optional<GuestMemfd> gmem() {
        return gmem.file;
    }

    /** Index in the guest_memfd of {@code gfn} (kvm_gmem_get_index). */
    public long gmemIndex(long gfn) {
        return gfn - baseGfn + gmem.pgoff;
    }

    /** Page offset of the slot in its guest_memfd. */
    public long gmemPgoff() {
        return gmem.pgoff;
    }

    /** The dirty bitmap, if the slot logs into one. */
    public Optional<DirtyBitmap> dirty() {
        return dirty;
    }

    /** Large-page metadata; only {@link #NONE} has none. */
    public LpageInfo lpage() {
        return lpage.orElseThrow(() -> new IllegalStateException("no slot"));
    }

    Gmem binding() {
        return gmem;
    }

    Memslot with(int newFlags, Optional<DirtyBitmap> newDirty) {
        return new Memslot(id, addressSpace, baseGfn, npages, userspaceAddr, newFlags, newDirty, lpage, gmem);
    }

    /** The last descriptor of the bound file was closed. */
    public void forgetGmem() {
        gmem.file = Optional.empty();
    }

    /** What makes it this slot, as a number that is the same in every run. */
    long fingerprint() {
        long hash = ((id * 31L + addressSpace) * 31 + baseGfn) * 31 + npages;
        hash = ((hash * 31 + userspaceAddr) * 31 + flags) * 31
                + gmem.file.map(GuestMemfd::fd).orElse(-1);
        return hash * 31 + gmem.pgoff;
    }

    /** What hangs on it and changes, as a number. */
    long metadata() {
        return dirty.map(DirtyBitmap::fingerprint).orElse(0L) * 31
                + lpage.map(LpageInfo::fingerprint).orElse(0L);
    }

    Runnable checkpoint() {
        Optional<GuestMemfd> file = gmem.file;
        Optional<Runnable> bits = dirty.map(DirtyBitmap::checkpoint);
        Optional<Runnable> large = lpage.map(LpageInfo::checkpoint);
        return () -> {
            gmem.file = file;
            bits.ifPresent(Runnable::run);
            large.ifPresent(Runnable::run);
        };
    }

    @Override
    public String toString() {
        return exists() ? "slot" + id : "no slot";
    }
}
