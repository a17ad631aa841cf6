package kvasir.kvm;

import java.util.ArrayList;
import java.util.List;
import kvasir.kvm.mmu.MmuRule;

/** The two slot sets of each address space, and how the inactive one is published (kvm_swap_active_memslots). */
final class SlotSets {
    private static final long MMIO_GENERATION_MASK = (1L << 19) - 1;

    private final Vm vm;
    private final Memslots[] active;
    private final Memslots[] inactive;
    private final String[] activeCells;
    private final String[] inactiveCells;

    SlotSets(Vm vm) {
        this.vm = vm;
        int spaces = vm.type().addressSpaces();
        active = new Memslots[spaces];
        inactive = new Memslots[spaces];
        activeCells = new String[spaces];
        inactiveCells = new String[spaces];
        for (int as = 0; as < spaces; as++) {
            active[as] = new Memslots(as);
            inactive[as] = new Memslots(as);
            activeCells[as] = vm.name() + ".memslots" + as;
            inactiveCells[as] = vm.name() + ".inactive_memslots" + as;
        }
    }

    private void goesBy(int as) {
        if (vm.seams().footprint().listening()) {
            vm.seams().footprint().read(activeCells[as], active[as].fingerprint());
        }
    }

    /** Changes both sets of an address space. */
    private void changing(int as, Runnable change) {
        Footprint footprint = vm.seams().footprint();
        if (!footprint.listening()) {
            change.run();
            return;
        }
        long before = active[as].fingerprint();
        long inactiveBefore = inactive[as].fingerprint();
        footprint.read(activeCells[as], before);
        footprint.read(inactiveCells[as], inactiveBefore);
        change.run();
        footprint.wrote(activeCells[as], before, active[as].fingerprint());
        footprint.wrote(inactiveCells[as], inactiveBefore, inactive[as].fingerprint());
    }

    Memslots active(int addressSpace) {
        goesBy(addressSpace);
        return active[addressSpace];
    }

    int spaces() {
        return active.length;
    }

    /** Every published slot of every address space. */
    List<Memslot> all() {
        var slots = new ArrayList<Memslot>();
        for (int as = 0; as < active.length; as++) {
            slots.addAll(active(as).all());
        }
        return slots;
    }

    /** Pages of all slots (kvm->nr_memslot_pages). */
    long pages() {
        for (int as = 0; as < active.length; as++) {
            goesBy(as);
        }
        return java.util.Arrays.stream(active).mapToLong(Memslots::pages).sum();
    }

    /**
     * kvm_activate_memslot: edits the inactive set, publishes it, and makes the same edit in the other copy. Called with
     * slots_arch_lock held; it is dropped.
     */
    void publish(Memslot removed, Memslot added) {
        int as = added.exists() ? added.addressSpace() : removed.addressSpace();
        Memslot subject = added.exists() ? added : removed;
        changing(as, () -> edit(inactive[as], removed, added));
        swap(as, subject);
        changing(as, () -> edit(inactive[as], removed, added));
    }

    private static void edit(Memslots set, Memslot removed, Memslot added) {
        if (removed.exists()) {
            set.remove(removed);
        }
        if (added.exists()) {
            set.insert(added);
        }
    }

    private void swap(int as, Memslot subject) {
        Memslots next = inactive[as];
        changing(as, () -> next.setGeneration(active[as].generation() | Memslots.UPDATE_IN_PROGRESS));
        vm.seams().at(Seam.PUBLISH, next);
        // mn_invalidate_lock: no notifier begins between the look at the count and the publication
        InvalidateState invalidate = vm.invalidate();
        if (vm.mmu().keeps(MmuRule.NOTIFIERS_HOLD_SLOTS) && invalidate.activeNotifiers() != 0) {
            vm.seams().await("mn_active_invalidate_count", () -> invalidate.activeNotifiers() == 0);
        }
        changing(as, () -> {
            inactive[as] = active[as];
            active[as] = next;
        });
        told(MemslotEvent.Step.PUBLISH, subject, next);
        vm.slotsArchLock().unlock();
        vm.srcu().synchronize();
        told(MemslotEvent.Step.GRACE_PERIOD, subject, next);
        long generation = (next.generation() & ~Memslots.UPDATE_IN_PROGRESS) + active.length;
        if ((generation & MMIO_GENERATION_MASK & -active.length) == 0) {
            vm.mmu().zapAllFast();
        }
        changing(as, () -> next.setGeneration(generation));
        told(MemslotEvent.Step.GENERATION, subject, next);
        vm.kickAll();
    }

    void told(MemslotEvent.Step step, Memslot subject, Memslots set) {
        if (vm.events().listening()) {
            vm.events().emit(new MemslotEvent(vm.name(), step, subject, set.generation()));
        }
    }

    long fingerprint() {
        long hash = 0;
        for (Memslots set : active) {
            for (Memslot slot : set.all()) {
                hash = hash * 31 + slot.metadata();
            }
        }
        return hash;
    }

    Runnable checkpoint() {
        Memslots[] savedActive =
                java.util.Arrays.stream(active).map(Memslots::copy).toArray(Memslots[]::new);
        Memslots[] savedInactive =
                java.util.Arrays.stream(inactive).map(Memslots::copy).toArray(Memslots[]::new);
        var slots = new ArrayList<Runnable>();
        all().forEach(slot -> slots.add(slot.checkpoint()));
        return () -> {
            for (int as = 0; as < active.length; as++) {
                active[as] = savedActive[as].copy();
                inactive[as] = savedInactive[as].copy();
            }
            slots.forEach(Runnable::run);
        };
    }
}
