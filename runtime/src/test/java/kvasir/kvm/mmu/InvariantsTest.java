package kvasir.kvm.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import kvasir.kvm.HostConfig;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.VcpuEvent;
import kvasir.kvm.VmEvent;
import kvasir.kvm.VmType;
import kvasir.kvm.invariant.Invariants;
import kvasir.kvm.mm.Mm;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each invariant is broken by hand, by one write to memory, and says so. */
final class InvariantsTest {
    private static final long M = 1 << 20;
    private final Rig rig = new Rig(HostConfig.intel(), "v6.19", VmType.DEFAULT);
    private final Invariants invariants = new Invariants(rig.kvm);

    @BeforeEach
    void tables() {
        rig.slot(0, 0, 4 * M + 8192, 0, true);
        Rig.must(rig.map(0, 4 * M + 8192));
        assertEquals(Optional.empty(), invariants.firstViolation());
    }

    private void poke(long gpa, java.util.function.LongUnaryOperator change) {
        TdpEntry entry = rig.entry(gpa);
        rig.memory.write64(entry.sptep, change.applyAsLong(entry.raw));
    }

    private void breaks(String name) {
        String said = invariants.firstViolation().orElse("nothing");
        assertTrue(said.startsWith(name + ":"), said);
    }

    @Test
    void aForeignFrame() {
        poke(4 * M, raw -> raw + 4096);
        breaks("no_stale_mapping");
    }

    @Test
    void aFrozenEntryWithoutOwner() {
        poke(6 * M, raw -> Spte.FROZEN);
        breaks("frozen_is_owned");
    }

    @Test
    void aTableInTwoPlaces() {
        TdpEntry table = rig.entry(4 * M);
        rig.memory.write64(rig.entry(6 * M).sptep, rig.mmu.format().nonLeaf(table.sptep >>> 12));
        rig.mmu.stats().addPages(Level.PG_4K, 2);
        String said = invariants.firstViolation().orElse("nothing");
        assertTrue(said.startsWith("no_stale_mapping") || said.startsWith("table_has_one_parent"), said);
    }

    @Test
    void aLostLeaf() {
        poke(4 * M, raw -> Spte.EMPTY);
        breaks("page_stats");
    }

    @Test
    void anIllegalTriple() {
        poke(4 * M, raw -> raw & ~rig.mmu.format().mmuWritable());
        breaks("writable_triples");
    }

    @Test
    void aRootNobodyCounts() {
        rig.vcpuMmu().root().references = 1;
        breaks("root_references");
    }

    private void streamBreaks(String name) {
        String said = invariants.broken().orElse("nothing");
        assertTrue(said.startsWith(name + ":"), said);
    }

    @Test
    void aWritableLeafNobodyReported() {
        rig.slot(1, 16 * M, M, 1, true);
        Rig.must(rig.map(16 * M, 4096));
        assertEquals(Optional.empty(), invariants.firstViolation());
        rig.vm.memslots(0).byId(1).dirty().orElseThrow().clear(0, -1L);
        breaks("no_lost_dirty");
    }

    @Test
    void aLeafThatChangesItsPage() {
        invariants.on(1, new MmuEvent.SpteChanged("vm.ept", 1024, 1, rig.raw(4 * M), rig.raw(4 * M) + 4096));
        streamBreaks("leaf_keeps_pfn");
    }

    @Test
    void aHugeLeafWhereWritesAreLogged() {
        rig.slot(1, 16 * M, 4 * M, 1, true);
        long huge = rig.raw(0);
        invariants.on(1, new MmuEvent.SpteChanged(rig.vcpuMmu().root().space, 16 * M >>> 12, 2, Spte.EMPTY, huge));
        streamBreaks("no_new_huge_leaf_while_logging");
    }

    @Test
    void aPreFaultThatMapsNothing() {
        String space = rig.vcpuMmu().root().space;
        invariants.on(1, new MmuEvent.Faulted(space, 32 * M, 0, true, 2, "SPURIOUS"));
        streamBreaks("pre_fault_is_truthful");
    }

    @Test
    void aPreFaultThatReturnsZeroForNothing() {
        invariants.on(1, new VcpuEvent.PreFaulted("vm.vcpu0", 4096, 4096, Optional.empty()));
        streamBreaks("pre_fault_is_truthful");
    }

    @Test
    void aCallThatNeverEnds() {
        invariants.on(1, new VcpuEvent.Endless("vm.vcpu0", "retry"));
        streamBreaks("calls_terminate");
    }

    @Test
    void aRightTakenWithoutFlush() {
        long raw = rig.raw(4 * M);
        long taken = raw & ~(Spte.WRITABLE | rig.mmu.format().mmuWritable());
        rig.events.add(invariants);
        rig.vm.mmuLock().lock();
        rig.mmu.emitSpte(rig.vcpuMmu().root(), 4 * M >>> 12, 1, raw, taken);
        rig.vm.mmuLock().unlock();
        streamBreaks("write_protection_is_flushed");
    }

    @Test
    void aRightTakenWithFlush() {
        rig.events.add(invariants);
        rig.mmu.writeTracking().add(rig.vm.memslots(0).byId(0), 4 * M >>> 12);
        assertEquals(Optional.empty(), invariants.broken());
    }

    @Test
    void aBlockThatForgotItIsMixed() {
        var sp = new Rig(HostConfig.intel(), "v6.19", VmType.SW_PROTECTED);
        sp.gmemSlot(0, 0, 4 * M);
        Rig.must(sp.vm.setMemoryAttributes(0, 4096, 8, 0));
        var watched = new Invariants(sp.kvm);
        assertEquals(Optional.empty(), watched.firstViolation());
        sp.vm.memslots(0).byId(0).lpage().setMixed(0, 2, false);
        assertTrue(watched.firstViolation().orElse("nothing").startsWith("mixed_tells_attributes:"));
    }

    /** A machine that is too large to be looked at as a whole after every event; the first event has looked at it. */
    private void large() {
        long hva = rig.mm.mmap(Optional.empty(), 1024 * M, 64 * M >>> 12, Mm.anonymous(false));
        rig.mm.populate(hva, hva + 64 * M);
        Rig.must(rig.vm.setUserMemoryRegion2(MemoryRegion.user(2, 0, 1024 * M, 64 * M, hva)));
        Rig.must(rig.map(1024 * M, 64 * M));
        nothing();
        assertEquals(Optional.empty(), invariants.broken());
    }

    private void nothing() {
        invariants.on(1, new VcpuEvent.PmlDrained("vm.vcpu0", 0));
    }

    private void told(long gpa, long before) {
        invariants.on(2, new MmuEvent.SpteChanged(rig.vcpuMmu().root().space, gpa >>> 12, 1, before, rig.raw(gpa)));
    }

    @Test
    void whatAnEventTouchedIsLookedAtAtOnceAndTheRestAtTheEnd() {
        large();
        long untold = 1040 * M;
        long before = rig.raw(untold);
        poke(untold, raw -> raw & ~rig.mmu.format().mmuWritable());
        nothing();
        assertEquals(Optional.empty(), invariants.broken());
        assertTrue(
                invariants.checkAll().orElse("nothing").startsWith("writable_triples:"),
                invariants.checkAll().toString());
        told(untold, before);
        streamBreaks("writable_triples");
    }

    @Test
    void eachSentenceAboutAnEntryIsBrokenWhereAnEventTouchedIt() {
        large();
        long gpa = 1040 * M;
        long good = rig.raw(gpa);
        poke(gpa, raw -> Spte.FROZEN);
        told(gpa, Spte.FROZEN);
        streamBreaks("frozen_is_owned");
        poke(gpa, raw -> good);

        var second = new Invariants(rig.kvm);
        second.on(1, new VcpuEvent.PmlDrained("vm.vcpu0", 0));
        second.on(2, new MmuEvent.SpteChanged(rig.vcpuMmu().root().space, gpa >>> 12, 1, good, Spte.EMPTY));
        assertTrue(
                second.broken().orElse("nothing").startsWith("page_stats:"),
                second.broken().toString());

        var third = new Invariants(rig.kvm);
        third.on(1, new VcpuEvent.PmlDrained("vm.vcpu0", 0));
        rig.mm.dontneed(
                rig.vm.memslots(0).byId(2).userspaceAddr(),
                rig.vm.memslots(0).byId(2).userspaceAddr() + 4096);
        poke(1024 * M, raw -> good);
        third.on(2, new VmEvent.Invalidation("vm", 1024 * M >>> 12, (1024 * M >>> 12) + 1, false, 1));
        assertTrue(
                third.broken().orElse("nothing").startsWith("no_stale_mapping:"),
                third.broken().toString());
    }

    @Test
    void aHugeLeafThatReachesBeyondItsSlot() {
        TdpEntry small = rig.entry(4 * M);
        TdpEntry table = rig.entry(6 * M);
        rig.memory.write64(table.sptep - 8, rig.raw(0) & ~Spte.ADDRESS | small.raw & Spte.ADDRESS);
        breaks("huge_leaf_fits");
    }

    @Test
    void anInvalidationThatNeverEnds() {
        rig.vm.invalidateBegin();
        breaks("invalidation_balanced");
    }

    @Test
    void theyHoldAfterEveryEventOfASlotsLife() {
        rig.events.add(invariants);
        rig.deleteSlot(0);
        rig.slot(1, 2 * M, 2 * M, 0, false);
        rig.fault(2 * M, Pferr.WRITE);
        rig.mm.dontneed(
                rig.vm.memslots(0).byId(1).userspaceAddr(),
                rig.vm.memslots(0).byId(1).userspaceAddr() + 4096);
        rig.fault(3 * M, Pferr.USER);
        assertEquals(Optional.empty(), invariants.broken());
    }
}
