package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import kvasir.event.Event;
import kvasir.event.Events;
import kvasir.kvm.Kvm;
import kvasir.kvm.Vm;
import kvasir.kvm.VmEvent;
import kvasir.kvm.mmu.Level;
import kvasir.kvm.mmu.TdpMmu;

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
            new UsedPageIsAssigned(),
            new PamtCountsAgree(),
            new MeasurementIsItsLedger(),
            new BlockIsInAnEpoch(),
            new ModuleLocksAtRest(),
            new UnacceptedPageUnseen(),
            new PrivatePageIsHeld(),
            new RmpFieldsAgree(),
            new RmpCountsAreTrue(),
            new Vmpl0IsFull(),
            new GpaValidatedOnce(),
            new PrivateLeafIsOwned(),
            new SharedLeafIsTheHosts(),
            new FreePageIsUnassigned(),
            new AsidGoesWithItsGuest(),
            new ContextPageIsOneGuests(),
            new NoLostDirty(),
            new SlotsDisjoint(),
            new MixedTellsAttributes());

    /** A check of the state may follow an event for each so many leaves: what is large is looked at less often. */
    private static final int LEAVES_AN_EVENT = 256;

    /** With more leaves than this even the time that an event takes for checks goes down. */
    private static final int MANY_LEAVES = 4096;

    private final Supplier<List<Vm>> vms;
    private final List<StreamInvariant> stream;
    private Optional<String> broken = Optional.empty();
    private long pause;

    /** @param kvm whose VMs are watched; add this as a listener to its events */
    public Invariants(Kvm kvm) {
        this(kvm::vms);
    }

    /** @param vms what is watched, asked again at every check */
    public Invariants(Supplier<List<Vm>> vms) {
        this.vms = vms;
        stream = List.of(
                new LeafKeepsPfn(),
                new NoNewHugeLeafWhileLogging(vms),
                new PreFaultIsTruthful(vms),
                new CallsTerminate(),
                new WriteProtectionIsFlushed(vms),
                new ValidatedByItsGuest(),
                new EncryptedAccessIsTheOwners(vms),
                new HostWritesItsOwn(vms),
                new PreGuestIsInsideTheLaunch(vms),
                new DigestGrowsByTheLaunch(),
                new AsidIsFlushedBeforeReuse(vms),
                new SmashedOnce(),
                new MessageCountsRise(vms),
                new GhcbBitmapIsTheHosts(),
                new RemovedPageIsUncached(vms),
                new RemovedPageIsFlushed(vms),
                new AcceptedPageIsZero(vms));
    }

    /** Those that are read from a VM's state. */
    public static List<Invariant> all() {
        return ALL;
    }

    /** Names of all, in the order in which they are checked. */
    public List<String> names() {
        return Stream.concat(
                        stream.stream().map(StreamInvariant::name), ALL.stream().map(Invariant::name))
                .toList();
    }

    /** The first violation seen: the invariant's name, its sentence, what broke it. */
    public Optional<String> broken() {
        return broken;
    }

    @Override
    public void on(long sequence, Event event) {
        if (event instanceof VmEvent.Restored) {
            stream.forEach(StreamInvariant::forget);
        }
        for (StreamInvariant invariant : stream) {
            Optional<String> violation = invariant.violation(event);
            if (broken.isEmpty() && violation.isPresent()) {
                broken = Optional.of("%s: %s %s (event %d)"
                        .formatted(invariant.name(), invariant.statement(), violation.get(), sequence));
            }
        }
        if (broken.isEmpty() && pause-- <= 0) {
            broken =
                    firstViolation().map(what -> "%s (after event %d: %s)".formatted(what, sequence, event.describe()));
            long leaves = leaves();
            pause = leaves / LEAVES_AN_EVENT * Math.max(1, leaves / MANY_LEAVES);
        }
    }

    private long leaves() {
        long leaves = 0;
        for (Vm vm : vms.get()) {
            for (int level = Level.PG_4K; level <= Level.PG_1G; level++) {
                leaves += ((TdpMmu) vm.mmu()).stats().pages(level);
            }
        }
        return leaves;
    }

    /** The first violation there is now. VMs whose mmu_lock is held are in the middle of something and not looked at. */
    public Optional<String> firstViolation() {
        for (Vm vm : vms.get()) {
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
