package kvasir.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import kvasir.kvm.invariant.Invariants;
import kvasir.kvm.mmu.Pferr;
import kvasir.kvm.mmu.Rig;
import kvasir.kvm.tdx.InitMemRegionMode;
import kvasir.kvm.tdx.KvmTd;
import kvasir.kvm.tdx.TdxCmd;
import org.junit.jupiter.api.Test;

/** Invariants about slots and attributes are broken by hand, past the ioctls. */
final class SlotInvariantsTest {
    private static final long M = 1 << 20;

    @Test
    void twoSlotsWithOneGfn() {
        Rig rig = Rig.plain();
        rig.slot(1, 64 * M, 4 * M, 0, false);
        rig.slot(2, 128 * M, 4 * M, 0, false);
        var invariants = new Invariants(rig.kvm);
        assertEquals(Optional.empty(), invariants.firstViolation());
        Memslots slots = rig.vm.memslots(0);
        slots.insert(slots.byId(2));
        breaks(invariants, "slots_disjoint");
    }

    @Test
    void aPrivatePageThatWasDeclaredSharedBehindTheMmu() {
        KvmTd td = KvmTd.initialised(InitMemRegionMode.MERGED_6_19);
        assertTrue(td.td.finalizeVm(TdxCmd.PLAIN).succeeded());
        assertEquals(0, td.vcpu().mmu().reload());
        td.vcpu().mmu().tdpMapPage(0x5000, Pferr.GUEST_FINAL | Pferr.PRIVATE_ACCESS, 1, true, true);
        assertEquals(Optional.empty(), new Invariants(td.kvm).firstViolation());
        td.vm.attributes().set(5, 6, false);
        assertTrue(Invariants.all().stream()
                .anyMatch(invariant -> invariant.name().equals("mapping_fits_attribute")
                        && invariant.violation(td.vm).isPresent()));
    }

    private static void breaks(Invariants invariants, String name) {
        String said = invariants.firstViolation().orElse("nothing");
        assertTrue(said.startsWith(name + ":"), said);
    }
}
