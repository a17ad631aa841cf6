package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import kvasir.event.Event;
import kvasir.event.Events;
import kvasir.kvm.Kvm;
import kvasir.kvm.Vm;

/** Checks all invariants of all VMs after every event, and remembers the first that broke. */
public final class Invariants implements Events.Listener {
    private static final List<Invariant> ALL = List.of(
            new NoStaleMapping(),
            new MappingFitsAttribute(),
            new HugeLeafFits(),
            new InvalidationBalanced(),
            new FrozenIsOwned(),
            new TableHasOneParent(),
            new PageStatsAreTrue(),
            new RootReferences(),
            new WritableTriples(),
            new SeptHasMetadata(),
            new SeptPageOnce(),
            new SeptEntryAtRest(),
            new ChildrenCounted(),
            new VcpusCounted(),
            new KeyOwned(),
            new MirrorEqualsSept(),
            new RmpFieldsAgree(),
            new RmpCountsAreTrue(),
            new Vmpl0IsFull(),
            new GpaValidatedOnce(),
            new PrivateLeafIsOwned(),
            new SharedLeafIsTheHosts(),
            new FreePageIsUnassigned(),
            new AsidGoesWithItsGuest());

    private final Kvm kvm;
    private final LeafKeepsPfn leafKeepsPfn = new LeafKeepsPfn();
    private Optional<String> broken = Optional.empty();

    /** @param kvm whose VMs are watched; add this as a listener to its events */
    public Invariants(Kvm kvm) {
        this.kvm = kvm;
    }

    /** Those that are read from a VM's state. */
    public static List<Invariant> all() {
        return ALL;
    }

    /** The first violation seen: the invariant's name, its sentence, what broke it. */
    public Optional<String> broken() {
        return broken;
    }

    @Override
    public void on(long sequence, Event event) {
        if (broken.isEmpty()) {
            broken = leafKeepsPfn.violation(event).map(what -> text(sequence, leafKeepsPfn.statement(), what));
        }
        if (broken.isEmpty()) {
            broken = firstViolation().map(what -> "after event " + sequence + " (" + event.describe() + "): " + what);
        }
    }

    private static String text(long sequence, String statement, String what) {
        return "after event %d: %s: %s".formatted(sequence, statement, what);
    }

    /** The first violation there is now. VMs whose mmu_lock is held are in the middle of something and not looked at. */
    public Optional<String> firstViolation() {
        for (Vm vm : kvm.vms()) {
            if (vm.mmuLock().held() || vm.dead()) {
                continue;
            }
            for (Invariant invariant : ALL) {
                Optional<String> violation = invariant.violation(vm);
                if (violation.isPresent()) {
                    return Optional.of("%s: %s %s".formatted(invariant.name(), invariant.statement(), violation.get()));
                }
            }
        }
        return Optional.empty();
    }
}
