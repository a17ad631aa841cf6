package kvasir.kvm.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import kvasir.kvm.HostConfig;
import kvasir.kvm.VmType;
import kvasir.kvm.invariant.Invariants;
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
