package kvasir.kvm;

import java.util.Map;
import java.util.Optional;
import kvasir.registry.Bytes;

/**
 * Dirty logging of a VM as its ioctls see it: KVM_GET_DIRTY_LOG, KVM_CLEAR_DIRTY_LOG, KVM_RESET_DIRTY_RINGS and the
 * capabilities that choose between them (kvm_main.c).
 */
final class DirtyLog {
    private static final int ENTRY_BYTES = 16;
    private static final int MAX_ENTRIES = 65536;
    private static final int BATCH = 64;

    private static final String NO_SUCH_ID = ": no such address space or slot id";

    private static final Call GET =
            new Call("kvm_get_dirty_log", Check.GET_LOG_RING, Check.GET_LOG_ID, Check.GET_LOG_SLOT);
    private static final Call CLEAR =
            new Call("kvm_clear_dirty_log_protect", Check.CLEAR_LOG_RING, Check.CLEAR_LOG_ID, Check.CLEAR_LOG_SLOT);

    /** One of the two ioctls on a bitmap, with the rows of its checks. */
    private record Call(String function, Check ring, Check id, Check slot) {}

    private final Vm vm;
    private boolean manual;
    private boolean initiallySet;
    private int ringEntries;
    private boolean ringWithBitmap;
    private int loggingSlots;

    DirtyLog(Vm vm) {
        this.vm = vm;
    }

    boolean usesBitmap() {
        return ringEntries == 0 || ringWithBitmap;
    }

    boolean usesRing() {
        return ringEntries != 0;
    }

    int ringEntries() {
        return ringEntries;
    }

    boolean initiallySet() {
        return initiallySet;
    }

    /** Whether any slot logs (kvm->nr_memslots_dirty_logging). */
    boolean anySlotLogs() {
        return loggingSlots != 0;
    }

    /** kvm_mmu_update_cpu_dirty_logging: the first slot to log, or the last to stop, switches PML on all vCPUs. */
    void changed(Memslot before, Memslot after) {
        int delta = (after.logsDirty() ? 1 : 0) - (before.logsDirty() ? 1 : 0);
        int previous = loggingSlots;
        loggingSlots += delta;
        if (delta != 0 && (previous == 0 || loggingSlots == 0)) {
            vm.makeAllVcpusRequest(Requests.UPDATE_CPU_DIRTY_LOGGING);
        }
    }

    /** KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2. */
    IoctlResult enableManual(long arg) {
        if ((arg & ~3) != 0 || arg == 2) {
            return Check.CAP_MANUAL.refuse("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: INITIALLY_SET needs ENABLE");
        }
        manual = (arg & 1) != 0;
        initiallySet = (arg & 2) != 0;
        return IoctlResult.done();
    }

    /** KVM_CAP_DIRTY_LOG_RING and its ACQ_REL form; {@code bytes} per vCPU. */
    IoctlResult enableRing(long bytes) {
        if (bytes <= 0 || (bytes & (bytes - 1)) != 0) {
            return Check.CAP_RING_SIZE.refuse("KVM_CAP_DIRTY_LOG_RING: size is not a power of two");
        }
        long reserved = DirtyRing.reserved(vm.usesPml()) * (long) ENTRY_BYTES;
        if (bytes < reserved || bytes < 4096) {
            return Check.CAP_RING_SMALL.refuse("KVM_CAP_DIRTY_LOG_RING: size is below the reserved entries");
        }
        if (bytes > (long) MAX_ENTRIES * ENTRY_BYTES) {
            return Check.CAP_RING_BIG.refuse("KVM_CAP_DIRTY_LOG_RING: more than 65536 entries");
        }
        if (ringEntries != 0) {
            return Check.CAP_RING_TWICE.refuse("KVM_CAP_DIRTY_LOG_RING: already enabled");
        }
        if (!vm.vcpus().isEmpty()) {
            return Check.CAP_RING_VCPU.refuse("KVM_CAP_DIRTY_LOG_RING: a vCPU exists");
        }
        ringEntries = (int) (bytes / ENTRY_BYTES);
        return IoctlResult.done();
    }

    /** KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP. */
    IoctlResult enableRingWithBitmap() {
        if (ringEntries == 0 || loggingSlots != 0) {
            return Check.CAP_RING_BITMAP.refuse(
                    "KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP: needs a ring, and no slot with a bitmap");
        }
        ringWithBitmap = true;
        return IoctlResult.done();
    }

    /** KVM_GET_DIRTY_LOG; detail {@code bitmap} holds the bytes copied out. */
    IoctlResult get(int slotField) {
        if (vm.copyFaults()) {
            return Check.GET_LOG_COPY_IN.refuse("kvm_vm_ioctl: the struct cannot be read");
        }
        return withSlot(slotField, GET, slot -> {
            DirtyBitmap bitmap = slot.dirty().orElseThrow();
            long[] copy = new long[bitmap.length()];
            if (manual) {
                for (int i = 0; i < copy.length; i++) {
                    copy[i] = bitmap.word(i);
                }
            } else {
                vm.mmuLock().lock();
                boolean any = false;
                for (int i = 0; i < copy.length; i++) {
                    copy[i] = bitmap.clear(i, -1L);
                    if (copy[i] != 0) {
                        any = true;
                        vm.mmu().protectMasked(slot, i * 64L, copy[i]);
                    }
                }
                vm.mmuLock().unlock();
                if (any) {
                    vm.flushRemoteTlbs(slot.baseGfn(), slot.endGfn());
                }
            }
            if (vm.copyFaults()) {
                return Check.GET_LOG_COPY_OUT.refuse("kvm_get_dirty_log_protect: the bitmap cannot be written");
            }
            return new IoctlResult.Ok(0, Map.of("bitmap", bytes(copy)));
        });
    }

    /** KVM_CLEAR_DIRTY_LOG. */
    IoctlResult clear(int slotField, long firstPage, int numPages, Bytes wanted) {
        if (vm.copyFaults()) {
            return Check.CLEAR_LOG_COPY_IN.refuse("kvm_vm_ioctl: the struct cannot be read");
        }
        if (!usesBitmap()) {
            return Check.CLEAR_LOG_RING.refuse("kvm_clear_dirty_log_protect: the dirty ring is in use");
        }
        if (noSuchId(slotField)) {
            return CLEAR.id.refuse(CLEAR.function + NO_SUCH_ID);
        }
        if ((firstPage & 63) != 0) {
            return Check.CLEAR_LOG_FIRST.refuse("kvm_clear_dirty_log_protect: first_page is not a multiple of 64");
        }
        return withSlot(slotField, CLEAR, slot -> {
            long pages = Integer.toUnsignedLong(numPages);
            boolean outside = firstPage < 0 || firstPage > slot.npages() || pages > slot.npages() - firstPage;
            if (outside || (pages < slot.npages() - firstPage && (pages & 63) != 0)) {
                return Check.CLEAR_LOG_RANGE.refuse(
                        "kvm_clear_dirty_log_protect: the range is outside the slot, or num_pages odd");
            }
            if (wanted.length() < (pages + 63) / 64 * 8) {
                return Check.CLEAR_LOG_BITMAP.refuse("kvm_clear_dirty_log_protect: the bitmap cannot be read");
            }
            DirtyBitmap bitmap = slot.dirty().orElseThrow();
            boolean any = false;
            vm.mmuLock().lock();
            for (long i = 0; i < (pages + 63) / 64; i++) {
                long reaped = bitmap.clear((int) (firstPage / 64 + i), word(wanted, (int) i));
                if (reaped != 0) {
                    any = true;
                    vm.mmu().protectMasked(slot, firstPage + i * 64, reaped);
                }
            }
            vm.mmuLock().unlock();
            if (any) {
                vm.flushRemoteTlbs(slot.baseGfn(), slot.endGfn());
            }
            return IoctlResult.done();
        });
    }

    /** KVM_RESET_DIRTY_RINGS; the value is the number of entries over all vCPUs. */
    IoctlResult resetRings() {
        if (ringEntries == 0) {
            return Check.RESET_RINGS_NONE.refuse("kvm_vm_ioctl_reset_dirty_pages: there is no dirty ring");
        }
        vm.slotsLock().lock();
        long count = 0;
        for (Vcpu vcpu : vm.vcpus()) {
            Reset reset = reset(vcpu.dirtyRing().orElseThrow());
            count += reset.count;
            if (reset.interrupted) {
                break;
            }
        }
        vm.slotsLock().unlock();
        if (count != 0) {
            vm.flushRemoteTlbs(0, vm.kvm().host().maxGfn() + 1);
        }
        return IoctlResult.ok(count);
    }

    /** Entries taken off one ring, and whether a signal ended it. */
    private record Reset(long count, boolean interrupted) {}

    /**
     * kvm_dirty_ring_reset: entries of one slot that lie within 64 pages are protected together. A signal ends it at once, and
     * the entries that wait for their neighbours are not protected at all (dirty_ring.c, 6.17).
     */
    private Reset reset(DirtyRing ring) {
        boolean heedsSignals = vm.kvm().version().atLeast(6, 17);
        long count = 0;
        int slot = 0;
        long base = 0;
        long mask = 0;
        while (true) {
            if (heedsSignals && vm.mm().signalPending()) {
                return new Reset(count, true);
            }
            DirtyRing.Entry entry = ring.takeHarvested();
            if (entry.flags() == 0) {
                break;
            }
            count++;
            if (mask != 0 && entry.slot() == slot) {
                long delta = entry.offset() - base;
                if (delta >= 0 && delta < BATCH) {
                    mask |= 1L << delta;
                    continue;
                }
                if (delta < 0 && delta > -BATCH && mask << -delta >>> -delta == mask) {
                    base = entry.offset();
                    mask = mask << -delta | 1;
                    continue;
                }
            }
            protect(slot, base, mask);
            slot = entry.slot();
            base = entry.offset();
            mask = 1;
        }
        protect(slot, base, mask);
        return new Reset(count, false);
    }

    /** kvm_reset_dirty_gfn: a batch that reaches past the slot, which has changed meanwhile, is dropped. */
    private void protect(int slotField, long offset, long mask) {
        if (mask == 0 || noSuchId(slotField)) {
            return;
        }
        Memslot slot = vm.memslots(slotField >>> 16).byId(slotField & 0xffff);
        long last = offset + 63 - Long.numberOfLeadingZeros(mask);
        if (slot.exists() && Long.compareUnsigned(last, slot.npages()) < 0) {
            vm.mmuLock().lock();
            vm.mmu().protectMasked(slot, offset, mask);
            vm.mmuLock().unlock();
        }
    }

    private IoctlResult withSlot(int slotField, Call call, java.util.function.Function<Memslot, IoctlResult> body) {
        if (!usesBitmap()) {
            return call.ring.refuse(call.function + ": the dirty ring is in use");
        }
        if (noSuchId(slotField)) {
            return call.id.refuse(call.function + NO_SUCH_ID);
        }
        int id = slotField & 0xffff;
        vm.slotsLock().lock();
        Memslot slot = vm.memslots(slotField >>> 16).byId(id);
        Optional<DirtyBitmap> bitmap = slot.dirty();
        IoctlResult result = bitmap.isEmpty()
                ? call.slot.refuse(call.function + ": slot " + id + " does not exist or does not log")
                : body.apply(slot);
        vm.slotsLock().unlock();
        return result;
    }

    private boolean noSuchId(int slotField) {
        return slotField >>> 16 >= vm.type().addressSpaces()
                || (slotField & 0xffff) >= SetUserMemoryRegion.USER_MEM_SLOTS;
    }

    private static Bytes bytes(long[] words) {
        var bytes = new byte[words.length * 8];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (words[i / 8] >>> (8 * (i % 8)));
        }
        return Bytes.of(bytes);
    }

    private static long word(Bytes bytes, int index) {
        long word = 0;
        for (int i = 0; i < 8; i++) {
            word |= (long) bytes.at(index * 8 + i) << (8 * i);
        }
        return word;
    }

    long fingerprint() {
        int flags = (manual ? 1 : 0) | (initiallySet ? 2 : 0) | (ringWithBitmap ? 4 : 0);
        return (flags * 31L + ringEntries) * 31 + loggingSlots;
    }

    Runnable checkpoint() {
        boolean savedManual = manual;
        boolean savedInitially = initiallySet;
        int savedEntries = ringEntries;
        boolean savedBoth = ringWithBitmap;
        int savedSlots = loggingSlots;
        return () -> {
            manual = savedManual;
            initiallySet = savedInitially;
            ringEntries = savedEntries;
            ringWithBitmap = savedBoth;
            loggingSlots = savedSlots;
        };
    }
}
