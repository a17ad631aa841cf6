package kvasir.kvm;

import java.util.Optional;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.kvm.mm.Mm;

/**
 * KVM_SET_USER_MEMORY_REGION and KVM_SET_USER_MEMORY_REGION2 (kvm_main.c, kvm_set_memory_region and kvm_set_memslot;
 * x86.c, kvm_arch_prepare_memory_region). The checks stand in the kernel's order.
 */
final class SetUserMemoryRegion {
    /** KVM_USER_MEM_SLOTS: ids below it are user space's. */
    static final int USER_MEM_SLOTS = 32764;

    private static final long MAX_PAGES = (1L << 31) - 1;
    private static final long PAGE_MASK = 4095;
    private static final long UNTAGGED = (1L << 56) - 1;

    private final Vm vm;
    private final SlotSets sets;
    private final MemoryRegion region;

    private enum Change {
        CREATE,
        DELETE,
        MOVE,
        FLAGS_ONLY
    }

    private SetUserMemoryRegion(Vm vm, SlotSets sets, MemoryRegion region) {
        this.vm = vm;
        this.sets = sets;
        this.region = region;
    }

    /** The ioctl; {@code v2} tells the version. */
    static IoctlResult call(Vm vm, SlotSets sets, MemoryRegion region, boolean v2) {
        if (vm.copyFaults()) {
            return Check.SLOT_COPY.refuse("kvm_vm_ioctl: the struct cannot be read");
        }
        if (!v2 && (region.flags() & ~(Memslot.LOG_DIRTY_PAGES | Memslot.READONLY)) != 0) {
            return Check.SLOT_V1_FLAGS.refuse(
                    "kvm_vm_ioctl: version 1 knows only KVM_MEM_LOG_DIRTY_PAGES and KVM_MEM_READONLY");
        }
        if (region.id() >= USER_MEM_SLOTS) {
            return Check.SLOT_ID.refuse(
                    "kvm_vm_ioctl_set_memory_region: slot id " + region.id() + " is not below 32764");
        }
        vm.slotsLock().lock();
        IoctlResult result = new SetUserMemoryRegion(vm, sets, region).locked();
        vm.slotsLock().unlock();
        return result;
    }

    private static IoctlResult invalid(Check check, String reason) {
        return check.refuse("kvm_set_memory_region: " + reason);
    }

    private IoctlResult locked() {
        Optional<IoctlResult> refusal = checkFields();
        if (refusal.isPresent()) {
            return refusal.get();
        }
        Memslots slots = sets.active(region.addressSpace());
        Memslot old = slots.byId(region.id());
        if (region.memorySize() == 0) {
            if (!old.exists()) {
                return invalid(Check.SLOT_DELETE_NONE, "size 0 deletes, and slot " + region.id() + " does not exist");
            }
            return set(Change.DELETE, old, Memslot.NONE);
        }
        long base = region.baseGfn();
        Change change;
        if (!old.exists()) {
            change = Change.CREATE;
            long total = sets.pages();
            if (total + region.npages() < total) {
                return invalid(Check.SLOT_TOTAL, "the sum of all slots' pages overflows");
            }
        } else {
            if (region.wantsGmem()) {
                return invalid(Check.SLOT_GMEM_CHANGE, "a slot with KVM_MEM_GUEST_MEMFD can only be deleted");
            }
            int changed = region.flags() ^ old.flags();
            boolean dropsGmem =
                    (changed & Memslot.GUEST_MEMFD) != 0 && vm.kvm().version().atLeast(6, 19);
            if (region.userspaceAddr() != old.userspaceAddr()
                    || region.npages() != old.npages()
                    || (changed & Memslot.READONLY) != 0
                    || dropsGmem) {
                return invalid(
                        Check.SLOT_CHANGE,
                        "userspace_addr, memory_size and KVM_MEM_READONLY of slot " + region.id() + " cannot change");
            }
            if (base != old.baseGfn()) {
                change = Change.MOVE;
            } else if (changed != 0) {
                change = Change.FLAGS_ONLY;
            } else {
                return IoctlResult.done();
            }
        }
        if (change != Change.FLAGS_ONLY) {
            for (Memslot other : slots.intersecting(base, base + region.npages())) {
                if (other.id() != region.id()) {
                    return Check.SLOT_OVERLAP.refuse("kvm_set_memory_region: the range overlaps %s".formatted(other));
                }
            }
        }
        if (vm.slabFails()) {
            return Check.SLOT_MEMORY.refuse("kvm_set_memory_region: no memory for the slot");
        }
        var binding = new Memslot.Gmem();
        int flags = region.flags();
        Optional<GuestMemfd> file = Optional.empty();
        if (region.wantsGmem()) {
            IoctlResult bound =
                    GuestMemfd.canBind(vm, region.guestMemfd(), region.guestMemfdOffset(), region.memorySize());
            if (!bound.succeeded()) {
                return bound;
            }
            file = vm.mm().descriptors().get(region.guestMemfd(), GuestMemfd.class);
            binding.pgoff = region.guestMemfdOffset() >>> 12;
            binding.file = file;
            if (file.filter(GuestMemfd::mappable).isPresent()) {
                flags |= Memslot.GMEM_ONLY;
            }
        }
        var fresh = new Memslot(
                region.id(),
                region.addressSpace(),
                base,
                region.npages(),
                region.userspaceAddr(),
                flags,
                Optional.empty(),
                Optional.empty(),
                binding);
        file.ifPresent(gmem -> gmem.bind(fresh));
        IoctlResult result = set(change, old, fresh);
        if (!result.succeeded()) {
            file.ifPresent(gmem -> gmem.unbind(fresh));
        }
        return result;
    }

    private Optional<IoctlResult> checkFields() {
        long size = region.memorySize();
        if ((region.flags() & ~allowedFlags()) != 0) {
            return Optional.of(invalid(
                    Check.SLOT_FLAGS,
                    "check_memory_region_flags: flags 0x%x are not allowed for this VM and request"
                            .formatted(region.flags() & ~allowedFlags())));
        }
        if ((size & PAGE_MASK) != 0) {
            return Optional.of(invalid(Check.SLOT_SIZE, "memory_size is not a multiple of 4 KiB"));
        }
        if ((region.guestPhysAddr() & PAGE_MASK) != 0) {
            return Optional.of(invalid(Check.SLOT_GPA, "guest_phys_addr is not a multiple of 4 KiB"));
        }
        long hva = region.userspaceAddr();
        if ((hva & PAGE_MASK) != 0
                || (hva & UNTAGGED) != hva
                || Long.compareUnsigned(size, Mm.TASK_SIZE) > 0
                || Long.compareUnsigned(hva, Mm.TASK_SIZE - size) > 0) {
            return Optional.of(invalid(Check.SLOT_HVA, "userspace_addr is unaligned, or not in user space"));
        }
        if (region.wantsGmem()) {
            long offset = region.guestMemfdOffset();
            if ((offset & PAGE_MASK) != 0 || Long.compareUnsigned(offset + size, offset) < 0) {
                return Optional.of(
                        invalid(Check.SLOT_GMEM_OFFSET, "guest_memfd_offset is unaligned, or offset + size wraps"));
            }
        }
        if (region.addressSpace() >= sets.spaces()) {
            return Optional.of(invalid(Check.SLOT_SPACE, "address space " + region.addressSpace() + " does not exist"));
        }
        if (Long.compareUnsigned(region.guestPhysAddr() + size, region.guestPhysAddr()) < 0) {
            return Optional.of(invalid(Check.SLOT_WRAP, "guest_phys_addr +memory_size wraps"));
        }
        if (region.npages() > MAX_PAGES) {
            return Optional.of(invalid(Check.SLOT_PAGES, "more than 2^31 - 1 pages"));
        }
        return Optional.empty();
    }

    private int allowedFlags() {
        int allowed = Memslot.LOG_DIRTY_PAGES;
        if (vm.type().hasPrivateMemory() || vm.kvm().version().atLeast(6, 18)) {
            allowed |= Memslot.GUEST_MEMFD;
        }
        if (region.wantsGmem()) {
            return allowed & ~Memslot.LOG_DIRTY_PAGES;
        }
        return vm.type().hasReadonlyMemory() ? allowed | Memslot.READONLY : allowed;
    }

    /** kvm_set_memslot. */
    private IoctlResult set(Change change, Memslot old, Memslot wanted) {
        vm.slotsArchLock().lock();
        if (change == Change.DELETE || change == Change.MOVE) {
            if (vm.slabFails()) {
                vm.slotsArchLock().unlock();
                return Check.SLOT_DELETE_MEMORY.refuse("kvm_set_memslot: no memory for the INVALID copy");
            }
            invalidate(old);
        }
        Prepared prepared = prepare(change, old, wanted);
        if (!prepared.result().succeeded()) {
            if (change == Change.DELETE || change == Change.MOVE) {
                sets.publish(old, old);
                sets.told(MemslotEvent.Step.UNDO, old, sets.active(old.addressSpace()));
            } else {
                vm.slotsArchLock().unlock();
            }
            return prepared.result();
        }
        sets.publish(old, prepared.slot());
        if (change == Change.DELETE) {
            old.gmem().ifPresent(gmem -> gmem.unbind(old));
            sets.told(MemslotEvent.Step.FREE, old, sets.active(old.addressSpace()));
        } else {
            sets.told(MemslotEvent.Step.COMMIT, prepared.slot(), sets.active(wanted.addressSpace()));
        }
        vm.dirtyLoggingChanged(old, prepared.slot());
        if (change == Change.FLAGS_ONLY) {
            vm.mmu().flagsChanged(old, prepared.slot());
        }
        return IoctlResult.done();
    }

    /** kvm_invalidate_memslot: readers see the slot INVALID, then its mappings go. */
    private void invalidate(Memslot old) {
        Memslot invalid = old.with(old.flags() | Memslot.INVALID, old.dirty());
        sets.told(MemslotEvent.Step.INVALID_COPY, invalid, sets.active(old.addressSpace()));
        sets.publish(old, invalid);
        if (vm.type() == VmType.DEFAULT && vm.hasQuirk(Vm.QUIRK_SLOT_ZAP_ALL)) {
            vm.mmu().zapAllFast();
        } else {
            vm.mmuLock().lock();
            boolean flush = vm.mmu()
                    .unmap(new GfnRange(invalid, invalid.baseGfn(), invalid.endGfn(), GfnRange.Filter.BOTH, true));
            if (flush) {
                vm.flushRemoteTlbs(invalid.baseGfn(), invalid.endGfn());
            }
            vm.mmuLock().unlock();
        }
        sets.told(MemslotEvent.Step.ZAP, invalid, sets.active(old.addressSpace()));
        vm.slotsArchLock().lock();
    }

    private record Prepared(IoctlResult result, Memslot slot) {}

    /** kvm_prepare_memory_region. */
    private Prepared prepare(Change change, Memslot old, Memslot wanted) {
        if (change == Change.DELETE) {
            return new Prepared(IoctlResult.done(), Memslot.NONE);
        }
        Optional<DirtyBitmap> dirty = Optional.empty();
        if (wanted.logsDirty() && vm.usesDirtyBitmap()) {
            dirty = old.dirty();
            if (dirty.isEmpty()) {
                if (vm.slabFails()) {
                    return new Prepared(
                            Check.SLOT_BITMAP.refuse("kvm_alloc_dirty_bitmap: no memory for the bitmap"), wanted);
                }
                var bitmap = new DirtyBitmap(wanted.npages());
                if (vm.dirtyLogInitiallySet()) {
                    bitmap.fill();
                }
                dirty = Optional.of(bitmap);
            }
        }
        if (change == Change.FLAGS_ONLY) {
            return new Prepared(IoctlResult.done(), old.with(wanted.flags(), dirty));
        }
        if (change == Change.MOVE && vm.mmu().externallyTracked()) {
            return new Prepared(
                    Check.SLOT_TRACKER.refuse(
                            "kvm_arch_prepare_memory_region: an external write-tracker cannot follow a move"),
                    wanted);
        }
        long last = wanted.endGfn() - 1;
        if (last > vm.kvm().host().maxGfn()) {
            return new Prepared(
                    Check.SLOT_MAX_GFN.refuse("kvm_arch_prepare_memory_region: the last gfn is above MAXPHYADDR"),
                    wanted);
        }
        if ((last & vm.vendor().gfnDirectBits()) != 0) {
            return new Prepared(
                    Check.SLOT_SHARED_BIT.refuse("kvm_arch_prepare_memory_region: the last gfn has the shared bit set"),
                    wanted);
        }
        if (vm.slabFails()) {
            return new Prepared(
                    Check.SLOT_METADATA.refuse("kvm_alloc_memslot_metadata: no memory for lpage_info"), wanted);
        }
        var lpage = new LpageInfo(wanted.baseGfn(), wanted.npages(), wanted.userspaceAddr() >>> 12);
        var slot = new Memslot(
                wanted.id(),
                wanted.addressSpace(),
                wanted.baseGfn(),
                wanted.npages(),
                wanted.userspaceAddr(),
                wanted.flags(),
                dirty,
                Optional.of(lpage),
                wanted.binding());
        if (vm.type().hasPrivateMemory()) {
            vm.attributes().initializeMixed(slot);
        }
        return new Prepared(IoctlResult.done(), slot);
    }
}
