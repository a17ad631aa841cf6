package kvasir.kvm;

import java.util.List;

/** KVM_SET_MEMORY_ATTRIBUTES (kvm_main.c, kvm_vm_set_mem_attributes; mmu.c, kvm_arch_{pre,post}_set_memory_attributes). */
final class SetMemoryAttributes {
    private final Vm vm;
    private final long start;
    private final long end;
    private final boolean toPrivate;

    private SetMemoryAttributes(Vm vm, long start, long end, boolean toPrivate) {
        this.vm = vm;
        this.start = start;
        this.end = end;
        this.toPrivate = toPrivate;
    }

    static IoctlResult call(Vm vm, long address, long size, long attributes, long flags) {
        if (vm.copyFaults()) {
            return Check.ATTRIBUTES_COPY.refuse("kvm_vm_ioctl: the struct cannot be read");
        }
        if (flags != 0) {
            return invalid(Check.ATTRIBUTES_FLAGS, "flags must be 0");
        }
        long supported = vm.type().hasPrivateMemory() ? MemoryAttributes.PRIVATE : 0;
        if ((attributes & ~supported) != 0) {
            return invalid(
                    Check.ATTRIBUTES_BIT,
                    "attributes 0x%x are not supported by this VM type".formatted(attributes & ~supported));
        }
        if (size == 0 || Long.compareUnsigned(address + size, address) < 0) {
            return invalid(Check.ATTRIBUTES_RANGE, "size is 0, or address + size wraps");
        }
        if (((address | size) & 4095) != 0) {
            return invalid(Check.ATTRIBUTES_ALIGN, "address or size is not a multiple of 4 KiB");
        }
        vm.slotsLock().lock();
        IoctlResult result =
                new SetMemoryAttributes(vm, address >>> 12, (address + size) >>> 12, attributes != 0).locked();
        vm.slotsLock().unlock();
        return result;
    }

    private static IoctlResult invalid(Check check, String reason) {
        return check.refuse("kvm_vm_ioctl_set_mem_attributes: " + reason);
    }

    private IoctlResult locked() {
        if (vm.attributes().uniform(start, end, toPrivate)) {
            return IoctlResult.done();
        }
        if (vm.slabFails()) {
            return Check.ATTRIBUTES_MEMORY.refuse("kvm_vm_set_mem_attributes: xa_reserve finds no memory");
        }
        List<Memslot> touched = vm.allSlots().stream()
                .filter(slot -> slot.baseGfn() < end && slot.endGfn() > start)
                .toList();
        if (!touched.isEmpty()) {
            before(touched);
        }
        vm.seams().at(Seam.ATTRIBUTES, this);
        vm.attributes().set(start, end, toPrivate);
        if (vm.events().listening()) {
            vm.events().emit(new VmEvent.Attributes(vm.name(), start, end, toPrivate));
        }
        if (!touched.isEmpty()) {
            after(touched);
        }
        return IoctlResult.done();
    }

    private void before(List<Memslot> touched) {
        vm.mmuLock().lock();
        vm.invalidate().begin();
        boolean flush = false;
        for (Memslot slot : touched) {
            long first = Math.max(start, slot.baseGfn());
            long last = Math.min(end, slot.endGfn());
            vm.invalidate().add(first, last);
            if (vm.kvm().version().atLeast(6, 15)) {
                widenWindow(slot, first, last);
            }
            flush |= vm.mmu()
                    .unmap(new GfnRange(
                            slot, first, last, toPrivate ? GfnRange.Filter.SHARED : GfnRange.Filter.PRIVATE, true));
        }
        if (flush) {
            vm.flushRemoteTlbs(start, end);
        }
        vm.mmuLock().unlock();
    }

    /** No huge page may appear over the first and last large block while attributes change in a part of it. */
    private void widenWindow(Memslot slot, long first, long last) {
        for (int level = 2; level <= 3; level++) {
            long pages = 1L << (9 * (level - 1));
            addBlock(slot, first & -pages, pages, level, first, last);
            addBlock(slot, (last - 1) & -pages, pages, level, first, last);
        }
    }

    private void addBlock(Memslot slot, long block, long pages, int level, long first, long last) {
        boolean straddles = block < first || block + pages > last;
        boolean contained = block >= slot.baseGfn() && block + pages <= slot.endGfn();
        if (straddles && contained && !slot.lpage().mixed(block, level)) {
            vm.invalidate().add(block, block + pages);
        }
    }

    private void after(List<Memslot> touched) {
        vm.mmuLock().lock();
        vm.invalidate().end();
        for (Memslot slot : touched) {
            vm.attributes().updateMixed(slot, Math.max(start, slot.baseGfn()), Math.min(end, slot.endGfn()));
        }
        vm.mmuLock().unlock();
    }

    @Override
    public String toString() {
        return "attributes of gfns 0x%x..0x%x".formatted(start, end);
    }
}
