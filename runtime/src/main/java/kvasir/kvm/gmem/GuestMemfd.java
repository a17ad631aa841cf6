package kvasir.kvm.gmem;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.kvm.Check;
import kvasir.kvm.Errno;
import kvasir.kvm.Footprint;
import kvasir.kvm.GfnRange;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.KernelLock;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.kvm.mm.HostPages;
import kvasir.kvm.mm.PageExtents;
import kvasir.kvm.mm.PageRanges;
import kvasir.kvm.mm.Pfn;

/** One guest_memfd file. Pages are 4 KiB, zeroed at first use, and stay where they are. */
public final class GuestMemfd {
    /** GUEST_MEMFD_FLAG_MMAP. */
    public static final long FLAG_MMAP = 1;

    /** GUEST_MEMFD_FLAG_INIT_SHARED. */
    public static final long FLAG_INIT_SHARED = 1 << 1;

    /** FALLOC_FL_KEEP_SIZE. */
    public static final int FALLOC_KEEP_SIZE = 1;

    /** FALLOC_FL_PUNCH_HOLE. */
    public static final int FALLOC_PUNCH_HOLE = 2;

    private final Vm vm;
    private final int fd;
    private final long size;
    private final long flags;
    private final KernelLock invalidateLock;
    private final PageExtents pages = new PageExtents();
    private final PageRanges prepared = new PageRanges();
    private final PageRanges poisoned = new PageRanges();
    private final String pagesCell;
    private List<Binding> bindings = new ArrayList<>();
    private boolean closed;

    /** Indices {@code [start, end)} back a slot. */
    private record Binding(long start, long end, Memslot slot) {}

    private GuestMemfd(Vm vm, int fd, long size, long flags) {
        this.vm = vm;
        this.fd = fd;
        this.size = size;
        this.flags = flags;
        pagesCell = vm.name() + ".gmem" + fd + "[";
        invalidateLock = new KernelLock(vm.name() + ".gmem" + fd + ".invalidate_lock", vm.seams(), vm.events());
    }

    /** KVM_CREATE_GUEST_MEMFD; the value is the descriptor. */
    public static IoctlResult create(Vm vm, long size, long flags) {
        if (vm.copyFaults()) {
            return Check.GMEM_COPY.refuse("kvm_vm_ioctl: the struct cannot be read");
        }
        if ((flags & ~validFlags(vm)) != 0) {
            return Check.GMEM_FLAGS.refuse("kvm_gmem_create: unknown flags 0x%x".formatted(flags & ~validFlags(vm)));
        }
        if (size <= 0 || (size & 4095) != 0) {
            return Check.GMEM_SIZE.refuse("kvm_gmem_create: size is not positive, or not a multiple of 4 KiB");
        }
        if (vm.mm().descriptors().full()) {
            return Check.GMEM_FDS.refuse("get_unused_fd_flags: RLIMIT_NOFILE is reached");
        }
        if (vm.slabFails()) {
            return Check.GMEM_MEMORY.refuse("__kvm_gmem_create: no memory for the file");
        }
        int fd = vm.mm().descriptors().nextFree();
        var file = new GuestMemfd(vm, fd, size, flags);
        vm.mm().descriptors().open(file);
        vm.addGmem(file);
        return IoctlResult.ok(fd);
    }

    /** KVM_CAP_GUEST_MEMFD_FLAGS on a VM. */
    public static long validFlags(Vm vm) {
        if (!vm.kvm().version().atLeast(6, 18)) {
            return 0;
        }
        return vm.type().hasPrivateMemory() ? FLAG_MMAP : FLAG_MMAP | FLAG_INIT_SHARED;
    }

    /** Whether a new slot could be bound: the checks of kvm_gmem_bind in its order. */
    public static IoctlResult canBind(Vm vm, int fd, long offset, long bytes) {
        Optional<Object> open = vm.mm().descriptors().get(fd);
        if (open.isEmpty()) {
            return Check.BIND_FD.refuse("kvm_gmem_bind: descriptor " + fd + " is not open");
        }
        if (!(open.get() instanceof GuestMemfd file)) {
            return Check.BIND_FILE.refuse("kvm_gmem_bind: descriptor " + fd + " is not a guest_memfd");
        }
        if (file.vm != vm) {
            return Check.BIND_VM.refuse("kvm_gmem_bind: the guest_memfd belongs to another VM");
        }
        if ((offset & 4095) != 0 || Long.compareUnsigned(offset + bytes, file.size) > 0) {
            return Check.BIND_RANGE.refuse("kvm_gmem_bind: offset + size is beyond the end of the file");
        }
        for (Binding binding : file.bindings) {
            if (binding.start < (offset + bytes) >>> 12 && binding.end > offset >>> 12) {
                return Check.BIND_BOUND.refuse("kvm_gmem_bind: a page is already bound to %s".formatted(binding.slot));
            }
        }
        return IoctlResult.done();
    }

    /** Binds a slot that {@link #canBind} allowed. */
    public void bind(Memslot slot) {
        invalidateLock.lock();
        bindings.add(new Binding(slot.gmemPgoff(), slot.gmemPgoff() + slot.npages(), slot));
        invalidateLock.unlock();
    }

    /** kvm_gmem_unbind: the pages stay. */
    public void unbind(Memslot slot) {
        invalidateLock.lock();
        bindings.removeIf(binding -> binding.slot.id() == slot.id() && binding.start == slot.gmemPgoff());
        invalidateLock.unlock();
    }

    public int fd() {
        return fd;
    }

    /** Bytes. */
    public long size() {
        return size;
    }

    /** FLAG_*. */
    public long flags() {
        return flags;
    }

    /** Whether user space may map the file. */
    public boolean mappable() {
        return (flags & FLAG_MMAP) != 0;
    }

    /** The inode's invalidate lock. */
    public KernelLock invalidateLock() {
        return invalidateLock;
    }

    /** The page at {@code index}, -1 if it was never allocated or was punched out. */
    public long pageAt(long index) {
        return pages.get(index);
    }

    /** Allocated pages as runs, index and pfn going up together. */
    public List<PageExtents.Run> extents() {
        return pages.runs();
    }

    /** Whether the page was used as guest memory since it was allocated (folio up to date). */
    public boolean preparedAt(long index) {
        goesBy(index);
        return prepared.contains(index);
    }

    /** Marks the page as used; the vendor's populate path does this itself (kvm_gmem_mark_prepared). */
    public void markPrepared(long index) {
        long before = page(index);
        prepared.add(index, index + 1);
        changed(index, before);
    }

    /** What is known of a page, as a number. */
    private long page(long index) {
        return (pages.get(index) + 1) << 2 | (prepared.contains(index) ? 2 : 0) | (poisoned.contains(index) ? 1 : 0);
    }

    private void goesBy(long index) {
        Footprint footprint = vm.seams().footprint();
        if (footprint.listening()) {
            footprint.read(pagesCell + index, page(index));
        }
    }

    private void changed(long index, long before) {
        Footprint footprint = vm.seams().footprint();
        if (footprint.listening()) {
            footprint.wrote(pagesCell + index, before, page(index));
        }
    }

    /** The page was taken back before its first use was complete. */
    public void forgetPrepared(long index) {
        long before = page(index);
        prepared.remove(index, index + 1);
        changed(index, before);
    }

    /**
     * kvm_gmem_get_pfn: allocates on first use and lets the vendor prepare the page.
     *
     * @return a {@link Pfn} word, or a negative errno: EFAULT, EIO, ENOMEM, EHWPOISON, or the vendor's
     */
    public long getPfn(Memslot slot, long gfn) {
        if (closed) {
            return -Errno.EFAULT.number();
        }
        long index = slot.gmemIndex(gfn);
        if (bindings.stream().noneMatch(b -> index >= b.start && index < b.end && b.slot.id() == slot.id())) {
            return -Errno.EIO.number();
        }
        long pfn = folio(index);
        if (pfn < 0) {
            return pfn;
        }
        if (poisoned.contains(index)) {
            return -Errno.EHWPOISON.number();
        }
        int error = vm.vendor().gmemPrepare(pfn, gfn, 0);
        if (error != 0) {
            return error;
        }
        if (!prepared.contains(index)) {
            markPrepared(index);
        }
        return pfn | (slot.readonly() ? 0 : Pfn.WRITABLE);
    }

    /** kvm_gmem_get_folio: the page at {@code index}, allocated if need be; a negative errno on failure. */
    public long folio(long index) {
        goesBy(index);
        long pfn = pages.get(index);
        if (pfn >= 0) {
            return pfn;
        }
        pfn = vm.kvm().pages().allocate(HostPages.Use.GMEM);
        if (pfn < 0) {
            return -Errno.ENOMEM.number();
        }
        long before = page(index);
        pages.put(index, 1, pfn);
        changed(index, before);
        if (vm.events().listening()) {
            vm.events().emit(new GmemEvent.Allocated(vm.name(), fd, index, pfn));
        }
        return pfn;
    }

    /** fallocate. */
    public IoctlResult fallocate(int mode, long offset, long length) {
        return vm.answered(allocateOrPunch(mode, offset, length));
    }

    private IoctlResult allocateOrPunch(int mode, long offset, long length) {
        if (offset < 0 || length <= 0) {
            return Check.FALLOCATE_RANGE.refuse("vfs_fallocate: offset is negative or length not positive");
        }
        if ((mode & FALLOC_KEEP_SIZE) == 0) {
            return Check.FALLOCATE_KEEP_SIZE.refuse("kvm_gmem_fallocate: FALLOC_FL_KEEP_SIZE is required");
        }
        if ((mode & ~(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE)) != 0) {
            return Check.FALLOCATE_MODE.refuse("kvm_gmem_fallocate: only punching holes and allocating");
        }
        if (((offset | length) & 4095) != 0) {
            return Check.FALLOCATE_ALIGN.refuse("kvm_gmem_fallocate: offset or length is not a multiple of 4 KiB");
        }
        if ((mode & FALLOC_PUNCH_HOLE) != 0) {
            punch(offset >>> 12, (offset + length) >>> 12);
            return IoctlResult.done();
        }
        if (Long.compareUnsigned(offset + length, size) > 0) {
            return Check.FALLOCATE_END.refuse("kvm_gmem_allocate: the range reaches past the end of the file");
        }
        invalidateLock.lock(KernelLock.Mode.READ);
        IoctlResult result = IoctlResult.done();
        for (long index = offset >>> 12; index < (offset + length) >>> 12; index++) {
            if (vm.mm().signalPending()) {
                result = Check.FALLOCATE_SIGNAL.refuse("kvm_gmem_allocate: a signal is pending");
                break;
            }
            if (folio(index) < 0) {
                result = Check.FALLOCATE_MEMORY.refuse("kvm_gmem_allocate: memory is exhausted");
                break;
            }
        }
        invalidateLock.unlock(KernelLock.Mode.READ);
        return result;
    }

    /** ftruncate, or any other change of the inode. */
    public IoctlResult truncate() {
        return vm.answered(Check.GMEM_TRUNCATE.refuse("kvm_gmem_setattr: the size is set once and for all"));
    }

    /** read, write, pread or pwrite. */
    public IoctlResult readOrWrite() {
        return vm.answered(Check.GMEM_READ_WRITE.refuse("vfs: a guest_memfd has no such file operation"));
    }

    /** mmap: whether it may be. */
    public IoctlResult canMap(boolean shared) {
        if (!mappable()) {
            return vm.answered(Check.GMEM_MMAP.refuse("kvm_gmem_mmap: the file has no GUEST_MEMFD_FLAG_MMAP"));
        }
        return shared
                ? IoctlResult.done()
                : vm.answered(Check.GMEM_MMAP_PRIVATE.refuse("kvm_gmem_mmap: a mapping must be shared"));
    }

    /** madvise on a mapping of the file; {@code collapse} is MADV_COLLAPSE. */
    public IoctlResult madvise(boolean collapse) {
        return collapse
                ? vm.answered(Check.GMEM_COLLAPSE.refuse("madvise(MADV_COLLAPSE): a guest_memfd has no huge pages"))
                : IoctlResult.done();
    }

    /** A user access of a mapping of the file: the pfn, or -1 for SIGBUS. */
    public long userFault(long index) {
        return vm.mm().faulting(() -> vm.kvm().gmemFaultLocks() ? lockedFault(index) : fault(index));
    }

    private long lockedFault(long index) {
        invalidateLock.lock(KernelLock.Mode.READ);
        try {
            return fault(index);
        } finally {
            invalidateLock.unlock(KernelLock.Mode.READ);
        }
    }

    private long fault(long index) {
        boolean allowed = (flags & FLAG_INIT_SHARED) != 0 && index >= 0 && index < size >>> 12;
        return allowed && !poisoned.contains(index) ? folio(index) : -1;
    }

    /** kvm_gmem_error_folio: the page has an uncorrectable error; it is unmapped from guests and kept. */
    public void poison(long index) {
        invalidateLock.lock(KernelLock.Mode.READ);
        boolean begun = invalidateBegin(index, index + 1);
        long before = page(index);
        poisoned.add(index, index + 1);
        changed(index, before);
        if (begun) {
            invalidateEnd();
        }
        invalidateLock.unlock(KernelLock.Mode.READ);
    }

    /** The last descriptor was closed (kvm_gmem_release): mappings go, slots stay without a file, pages go. */
    public void release() {
        vm.slotsLock().lock();
        invalidateLock.lock();
        closed = true;
        bindings.forEach(binding -> binding.slot.forgetGmem());
        boolean begun = invalidateBegin(0, Long.MAX_VALUE);
        free(0, size >>> 12);
        if (begun) {
            invalidateEnd();
        }
        bindings.clear();
        invalidateLock.unlock();
        vm.slotsLock().unlock();
    }

    /** All but the pages, as a number ({@link kvasir.kvm.Kvm#fingerprint}). */
    public long fingerprint() {
        long hash = closed ? 1 : 0;
        for (Binding binding : bindings) {
            hash = ((hash * 31 + binding.start) * 31 + binding.end) * 31 + binding.slot.id();
        }
        return hash;
    }

    /** The fields as they are, as an action that puts them back. */
    public Runnable checkpoint() {
        var parts = List.of(pages.checkpoint(), prepared.checkpoint(), poisoned.checkpoint());
        var savedBindings = List.copyOf(bindings);
        boolean savedClosed = closed;
        return () -> {
            parts.forEach(Runnable::run);
            bindings = new ArrayList<>(savedBindings);
            closed = savedClosed;
        };
    }

    private void punch(long start, long end) {
        invalidateLock.lock();
        boolean begun = invalidateBegin(start, end);
        free(start, end);
        if (begun) {
            invalidateEnd();
        }
        invalidateLock.unlock();
    }

    /** kvm_gmem_invalidate_begin; whether any slot was concerned. */
    private boolean invalidateBegin(long start, long end) {
        boolean begun = false;
        boolean flush = false;
        var filter = (flags & FLAG_INIT_SHARED) != 0 ? GfnRange.Filter.SHARED : GfnRange.Filter.PRIVATE;
        for (Binding binding : bindings) {
            if (binding.start >= end || binding.end <= start) {
                continue;
            }
            if (!begun) {
                vm.mmuLock().lock();
                vm.invalidateBegin();
                begun = true;
            }
            long base = binding.slot.baseGfn() - binding.start;
            long first = base + Math.max(start, binding.start);
            long last = base + Math.min(end, binding.end);
            vm.invalidateAdd(first, last);
            flush |= vm.mmu().unmap(new GfnRange(binding.slot, first, last, filter, true));
        }
        if (flush) {
            vm.flushRemoteTlbs(vm.invalidate().windowStart(), vm.invalidate().windowEnd());
        }
        if (begun) {
            vm.mmuLock().unlock();
        }
        return begun;
    }

    private void invalidateEnd() {
        vm.mmuLock().lock();
        vm.invalidateEnd();
        vm.mmuLock().unlock();
    }

    private void free(long start, long end) {
        Footprint footprint = vm.seams().footprint();
        if (footprint.listening()) {
            for (long index = start; index < Math.min(end, size >>> 12); index++) {
                goesBy(index);
                if (pages.get(index) >= 0) {
                    footprint.wrote(pagesCell + index, page(index), 0);
                }
            }
        }
        List<PageExtents.Run> removed = pages.remove(start, end);
        prepared.remove(start, end);
        for (PageExtents.Run run : removed) {
            vm.vendor().gmemInvalidate(run.pfn(), run.pfn() + run.pages());
            for (long page = 0; page < run.pages(); page++) {
                // a poisoned page is never given out again
                if (!poisoned.contains(run.index() + page)) {
                    vm.kvm().pages().free(run.pfn() + page, 1, HostPages.Use.GMEM);
                }
            }
        }
        poisoned.remove(start, end);
        if (!removed.isEmpty() && vm.events().listening()) {
            vm.events().emit(new GmemEvent.Freed(vm.name(), fd, start, Math.min(end, size >>> 12)));
        }
    }

    @Override
    public String toString() {
        return vm.name() + ".gmem" + fd;
    }
}
