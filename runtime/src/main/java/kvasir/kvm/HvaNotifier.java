package kvasir.kvm;

import java.util.ArrayList;
import java.util.List;
import kvasir.kvm.mm.MmuNotifier;

/** KVM's notifier on the VMM's address space (kvm_main.c, kvm_mmu_notifier_invalidate_range_start and _end). */
final class HvaNotifier implements MmuNotifier {
    private final Vm vm;

    HvaNotifier(Vm vm) {
        this.vm = vm;
    }

    @Override
    public void invalidateRangeStart(long start, long end) {
        vm.invalidate().notifierStarts();
        int section = vm.srcu().readLock();
        boolean begun = false;
        boolean flush = false;
        for (GfnRange range : hit(start, end)) {
            if (!begun) {
                vm.mmuLock().lock();
                vm.invalidateBegin();
                begun = true;
            }
            vm.invalidateAdd(range.start(), range.end());
            flush |= vm.mmu().unmap(range);
        }
        if (flush) {
            vm.flushRemoteTlbs(vm.invalidate().windowStart(), vm.invalidate().windowEnd());
        }
        if (begun) {
            vm.mmuLock().unlock();
        }
        vm.srcu().readUnlock(section);
    }

    @Override
    public void invalidateRangeEnd(long start, long end) {
        int section = vm.srcu().readLock();
        if (!hit(start, end).isEmpty()) {
            vm.mmuLock().lock();
            vm.invalidateEnd();
            vm.mmuLock().unlock();
        }
        vm.srcu().readUnlock(section);
        vm.invalidate().notifierEnds();
    }

    @Override
    public boolean young(long start, long end, boolean clear) {
        int section = vm.srcu().readLock();
        boolean young = false;
        for (GfnRange range : hit(start, end)) {
            young |= vm.mmu().age(range, clear);
        }
        vm.srcu().readUnlock(section);
        return young;
    }

    private List<GfnRange> hit(long start, long end) {
        var ranges = new ArrayList<GfnRange>();
        for (int space = 0; space < vm.type().addressSpaces(); space++) {
            for (Memslot slot : vm.memslots(space).mapping(start, end)) {
                long slotStart = slot.userspaceAddr();
                long slotEnd = slotStart + (slot.npages() << 12);
                long first = slot.baseGfn() + ((Math.max(start, slotStart) - slotStart) >>> 12);
                long last = slot.baseGfn() + ((Math.min(end, slotEnd) - slotStart + 4095) >>> 12);
                ranges.add(new GfnRange(slot, first, last, GfnRange.Filter.SHARED, true));
            }
        }
        return ranges;
    }
}
