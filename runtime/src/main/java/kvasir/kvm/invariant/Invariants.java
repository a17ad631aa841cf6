package kvasir.kvm.invariant;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import kvasir.event.Event;
import kvasir.event.Events;
import kvasir.kvm.KernelLock;
import kvasir.kvm.Kvm;
import kvasir.kvm.Vm;
import kvasir.kvm.VmEvent;
import kvasir.metal.cpu.PageWalked;

/**
 * Checks the invariants of all VMs, and remembers the first that broke.
 *
 * <p>After every event what it touched is looked at: entries of tables, slots, RMP entries, and counts that the stream
 * itself gives. What no event tells of, and the sentences about the whole ({@link Invariant} that are not
 * {@link LocalInvariant} or leave their local half empty), are looked at after every event while tables are small, after
 * a number of events that grows with the tables when they are large, and at the end ({@link #checkAll}).
 */
public final class Invariants implements Events.Listener {
    private static final List<LeafInvariant> OF_LEAVES = List.of(
            new NoStaleMapping(),
            new MappingFitsAttribute(),
            new HugeLeafFits(),
            new WritableTriples(),
            new NoLostDirty(),
            new PrivateLeafIsOwned(),
            new SharedLeafIsTheHosts());

    private static final List<Invariant> OF_STATE = List.of(
            new InvalidationBalanced(),
            new FrozenIsOwned(),
            new TableHasOneParent(),
            new PageStatsAreTrue(),
            new RootReferences(),
            new SlotsDisjoint(),
            new MixedTellsAttributes(),
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
            new FreePageIsUnassigned(),
            new AsidGoesWithItsGuest(),
            new ContextPageIsOneGuests());

    private static final List<LocalInvariant> LOCAL = OF_STATE.stream()
            .filter(LocalInvariant.class::isInstance)
            .map(LocalInvariant.class::cast)
            .toList();

    /** The next look at everything waits for one event for each so many entries of the tables. */
    private static final int ENTRIES_AN_EVENT = 4;

    private final Supplier<List<Vm>> vms;
    private final List<StreamInvariant> stream;
    private final IdentityHashMap<Vm, Touched> touched = new IdentityHashMap<>();
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
                new VmplGrantsItsOwn(),
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
        return Stream.<Invariant>concat(OF_LEAVES.stream(), OF_STATE.stream()).toList();
    }

    /** Names of all, in the order in which they are checked. */
    public List<String> names() {
        return Stream.concat(
                        stream.stream().map(StreamInvariant::name),
                        all().stream().map(Invariant::name))
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
            touched.clear();
            pause = 0;
        }
        for (StreamInvariant invariant : stream) {
            Optional<String> violation = invariant.violation(event);
            if (broken.isEmpty() && violation.isPresent()) {
                broken = Optional.of("%s: %s %s (event %d)"
                        .formatted(invariant.name(), invariant.statement(), violation.get(), sequence));
            }
        }
        touched.values().forEach(of -> of.note(event));
        if (broken.isEmpty()) {
            boolean idle = event instanceof KernelLock.Changed || event instanceof PageWalked;
            Optional<String> violation = !idle && pause-- <= 0 ? lookAtAll() : whereTouched();
            broken = violation.map(what -> "%s (after event %d: %s)".formatted(what, sequence, event.describe()));
        }
    }

    /** The first violation seen, or there is now where events have touched the machine. */
    public Optional<String> check() {
        return broken.or(this::whereTouched);
    }

    /** The first violation seen, or there is now anywhere. */
    public Optional<String> checkAll() {
        return broken.or(this::firstViolation);
    }

    private Optional<String> lookAtAll() {
        Optional<String> violation = firstViolation();
        List<Vm> now = vms.get();
        touched.keySet().retainAll(now);
        long entries = 0;
        for (Vm vm : now) {
            Touched of = touched.computeIfAbsent(vm, Touched::new);
            if (!vm.mmuLock().held()) {
                of.count();
                of.looked();
            }
            if (TdInvariant.settled(vm).isPresent()) {
                of.lookedAtModule();
            }
            entries += of.entries();
        }
        pause = entries / ENTRIES_AN_EVENT;
        return violation;
    }

    private Optional<String> whereTouched() {
        for (Vm vm : vms.get()) {
            Touched of = touched.get(vm);
            if (of != null && of.anything() && !vm.mmuLock().held() && !vm.dead()) {
                Optional<String> violation = Mappings.firstOf(vm, OF_LEAVES, of.gfns())
                        .or(() -> firstOf(LOCAL, invariant -> invariant.violation(vm, of)));
                of.looked();
                if (TdInvariant.settled(vm).isPresent()) {
                    of.lookedAtModule();
                }
                if (violation.isPresent()) {
                    return violation;
                }
            }
        }
        return Optional.empty();
    }

    /** The first violation there is now. VMs whose mmu_lock is held are in the middle of something and not looked at. */
    public Optional<String> firstViolation() {
        for (Vm vm : vms.get()) {
            if (!vm.mmuLock().held() && !vm.dead()) {
                Optional<String> violation = Mappings.firstOf(vm, OF_LEAVES)
                        .or(() -> firstOf(OF_STATE, invariant -> invariant.violation(vm)));
                if (violation.isPresent()) {
                    return violation;
                }
            }
        }
        return Optional.empty();
    }

    private static <I extends Invariant> Optional<String> firstOf(
            List<I> invariants, Function<I, Optional<String>> asked) {
        for (I invariant : invariants) {
            Optional<String> violation = asked.apply(invariant);
            if (violation.isPresent()) {
                return Optional.of("%s: %s %s".formatted(invariant.name(), invariant.statement(), violation.get()));
            }
        }
        return Optional.empty();
    }
}
