package kvasir.kvm.tdx;

import static kvasir.kvm.tdx.KvmTd.ok;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import kvasir.kvm.invariant.Invariants;
import kvasir.kvm.mmu.Pferr;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.SeptWalk;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each invariant of a TD is broken by hand, by one write to memory, and says so; a TD's life breaks none. */
final class TdInvariantsTest {
    private final KvmTd td = KvmTd.initialised(InitMemRegionMode.MERGED_6_19);
    private final Invariants invariants = new Invariants(td.kvm);

    @BeforeEach
    void runnable() {
        ok(td.add(0, new byte[8192], true));
        ok(td.td.finalizeVm(0));
        assertEquals(0, td.vcpu().mmu().reload());
        td.vcpu().mmu().tdpMapPage(0x5000, Pferr.GUEST_FINAL | Pferr.PRIVATE_ACCESS, 1, true, true);
        assertEquals(Optional.empty(), invariants.firstViolation());
    }

    private SeptWalk walk(long gpa) {
        return SeptWalk.to(td.kvm.memory(), td.td.root().orElseThrow().tdcs(), gpa, 0);
    }

    private void poke(long gpa, long raw) {
        td.kvm.memory().write64(walk(gpa).entryHpa(), raw);
    }

    private void breaks(String name) {
        String said = invariants.firstViolation().orElse("nothing");
        assertTrue(said.startsWith(name + ":"), said);
    }

    @Test
    void aPageOfNobody() {
        poke(0, SeptEntry.encode(SeptState.MAPPED, 0x3000_0000));
        breaks("sept_has_metadata");
    }

    @Test
    void aPageTwice() {
        poke(0, walk(0x1000).raw());
        breaks("sept_page_once");
    }

    @Test
    void aPendingPageThatCanBeRead() {
        poke(0x5000, walk(0x5000).raw() | 1);
        breaks("sept_entry_at_rest");
    }

    @Test
    void aLockLeftBehind() {
        poke(0, walk(0).raw() | 1 << 11);
        breaks("sept_entry_at_rest");
    }

    @Test
    void aLostPage() {
        poke(0, SeptEntry.encode(SeptState.FREE, 0));
        breaks("children_counted");
    }

    @Test
    void aBlockedPageThatTheMirrorStillMaps() {
        poke(0, SeptEntry.encode(SeptState.BLOCKED, walk(0).target()));
        assertEquals(Optional.empty(), invariants.firstViolation());
        long page = walk(0).target();
        ok(td.vm.setMemoryAttributes(0x1000, 4096, 0, 0));
        poke(0x5000, SeptEntry.encode(SeptState.PENDING, page));
        String said = invariants.firstViolation().orElse("nothing");
        assertTrue(said.startsWith("sept_page_once") || said.startsWith("mirror_equals_sept"), said);
    }

    @ParameterizedTest
    @EnumSource(
            value = InitMemRegionMode.class,
            names = {"MERGED_6_16", "MERGED_6_19"})
    void aWholeLifeBreaksNone(InitMemRegionMode mode) {
        var one = new KvmTd(mode);
        var watch = new Invariants(one.kvm);
        one.kvm.events().add(watch);
        one.memory(0, 64 << 20);
        ok(one.td.initVm(InitVm.usual(), 0));
        ok(one.vm.createVcpu(0, kvasir.metal.cpu.CpuidModel.standard()));
        ok(one.td.initVcpu(one.vcpu(), 0, 0));
        ok(one.add(0, new byte[8192], true));
        ok(one.td.finalizeVm(0));
        assertEquals(0, one.vcpu().mmu().reload());
        one.vcpu().mmu().tdpMapPage(0x20_0000, Pferr.GUEST_FINAL | Pferr.PRIVATE_ACCESS, 1, true, true);
        ok(one.vm.setMemoryAttributes(0, 64 << 20, 0, 0));
        one.td.destroy();
        assertEquals(Optional.empty(), watch.broken());
    }
}
