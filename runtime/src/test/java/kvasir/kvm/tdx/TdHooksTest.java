package kvasir.kvm.tdx;

import static kvasir.kvm.tdx.KvmTd.ok;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import kvasir.kvm.VcpuMmu;
import kvasir.kvm.mmu.MmuEvent;
import kvasir.kvm.mmu.Pferr;
import kvasir.kvm.mmu.Spte;
import kvasir.metal.tdx.LeafDone;
import kvasir.metal.tdx.LockObject;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.SeptWalk;
import kvasir.metal.tdx.Status;
import kvasir.metal.tdx.Tamper;
import kvasir.metal.tdx.TdcallResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The mirror's hooks: which SEAMCALLs, in which order with the mirror's own entry, and what a busy module does. */
final class TdHooksTest {
    private final KvmTd td = KvmTd.initialised(InitMemRegionMode.MERGED_6_19);
    private final List<String> steps = new ArrayList<>();

    private void runnable() {
        ok(td.td.finalizeVm(TdxCmd.PLAIN));
        assertEquals(0, td.vcpu().mmu().reload());
    }

    private int map(long gpa) {
        return td.vcpu().mmu().tdpMapPage(gpa, Pferr.GUEST_FINAL | Pferr.PRIVATE_ACCESS, 1, true, true);
    }

    private void listen() {
        td.kvm.events().add((sequence, event) -> {
            if (event instanceof LeafDone done) {
                String busy = Status.OPERAND_BUSY.is(done.out().rax()) ? " busy" : "";
                steps.add(done.leaf().substring("TDH.".length()) + busy);
            } else if (event instanceof MmuEvent.SpteChanged changed) {
                steps.add(changed.level() + " " + word(changed.newSpte()));
            }
        });
    }

    private static String word(long spte) {
        return Spte.isFrozen(spte) ? "FROZEN" : Spte.isShadowPresent(spte) ? "present" : "empty";
    }

    @Test
    void anInstallFreezesTheEntryCallsTheModuleAndThenSetsIt() {
        runnable();
        listen();
        assertEquals(VcpuMmu.FIXED, map(0x5000));
        assertEquals(
                List.of(
                        "4 FROZEN",
                        "MEM.SEPT.ADD",
                        "4 present",
                        "3 FROZEN",
                        "MEM.SEPT.ADD",
                        "3 present",
                        "2 FROZEN",
                        "MEM.SEPT.ADD",
                        "2 present",
                        "1 FROZEN",
                        "MEM.PAGE.AUG",
                        "1 present"),
                steps);
        assertEquals(SeptState.PENDING, td.sept(0x5000));
    }

    @Test
    void aBusyInstallPutsTheOldEntryBackAndIsRetried() {
        runnable();
        listen();
        td.host.module().conditions().busy(LockObject.SEPT_TREE, 1);
        assertEquals(VcpuMmu.FIXED, map(0x5000));
        assertEquals(
                List.of("4 FROZEN", "MEM.SEPT.ADD busy", "4 empty", "4 FROZEN", "MEM.SEPT.ADD", "4 present"),
                steps.subList(0, 6));
        assertFalse(td.vm.dead());
    }

    @Test
    void anInstallThatTheModuleRefusesKillsTheVm() {
        runnable();
        assertEquals(VcpuMmu.FIXED, map(0x5000));
        var taken = SeptWalk.to(td.kvm.memory(), td.td.root().orElseThrow().tdcs(), 0x6000, 0);
        td.kvm.memory().write64(taken.entryHpa(), SeptEntry.encode(SeptState.MAPPED, 0x3000_0000));
        listen();
        assertEquals(-5, map(0x6000));
        assertEquals(List.of("1 FROZEN", "MEM.PAGE.AUG", "1 empty"), steps);
        assertTrue(td.vm.dead());
    }

    @Test
    void aZapEmptiesTheMirrorFirst() {
        runnable();
        assertEquals(VcpuMmu.FIXED, map(0x5000));
        listen();
        ok(td.vm.setMemoryAttributes(0x5000, 4096, 0, 0));
        assertEquals(
                List.of("1 empty", "MEM.RANGE.BLOCK", "MEM.TRACK", "MEM.PAGE.REMOVE", "PHYMEM.PAGE.WBINVD"), steps);
    }

    @Test
    void beforeFinalizeThereIsNothingToTrack() {
        ok(td.add(0, new byte[4096], false));
        listen();
        ok(td.vm.setMemoryAttributes(0, 4096, 0, 0));
        assertEquals(List.of("1 empty", "MEM.RANGE.BLOCK", "MEM.PAGE.REMOVE", "PHYMEM.PAGE.WBINVD"), steps);
    }

    @ParameterizedTest
    @CsvSource({"SEPT_TREE, 1, MEM.RANGE.BLOCK", "TD_EPOCH, 1, MEM.TRACK", "SEPT_TREE, 2, MEM.PAGE.REMOVE"})
    void eachCallOfAZapIsTriedOnceMoreWhenBusy(LockObject object, int nth, String leaf) {
        runnable();
        assertEquals(VcpuMmu.FIXED, map(0x5000));
        listen();
        td.host.module().conditions().busy(object, nth);
        ok(td.vm.setMemoryAttributes(0x5000, 4096, 0, 0));
        var expected = new ArrayList<String>();
        for (String one : List.of("MEM.RANGE.BLOCK", "MEM.TRACK", "MEM.PAGE.REMOVE", "PHYMEM.PAGE.WBINVD")) {
            if (one.equals(leaf)) {
                expected.add(one + " busy");
            }
            expected.add(one);
        }
        expected.addFirst("1 empty");
        assertEquals(expected, steps);
        assertEquals(SeptState.FREE, td.sept(0x5000));
        assertFalse(td.td.sept().waitForSeptZap());
        assertFalse(td.vm.dead());
    }

    @ParameterizedTest
    @CsvSource({"SEPT_TREE, 1, MEM.RANGE.BLOCK", "TD_EPOCH, 1, MEM.TRACK", "SEPT_TREE, 2, MEM.PAGE.REMOVE"})
    void aSecondBusyIsABug(LockObject object, int nth, String leaf) {
        runnable();
        assertEquals(VcpuMmu.FIXED, map(0x5000));
        listen();
        td.kvm.events().add((sequence, event) -> {
            if (event instanceof LeafDone done
                    && Status.OPERAND_BUSY.is(done.out().rax())
                    && !td.vm.dead()) {
                td.host.module().conditions().busy(object, 1);
            }
        });
        td.host.module().conditions().busy(object, nth);
        td.vm.setMemoryAttributes(0x5000, 4096, 0, 0);
        assertEquals(2, steps.stream().filter((leaf + " busy")::equals).count());
        assertTrue(td.vm.dead());
    }

    @Test
    void aPreviousEpochInUseIsNotBusyButABug() {
        runnable();
        assertEquals(VcpuMmu.FIXED, map(0x5000));
        new Tamper(td.host.module(), td.td.tdr()).inside(td.td.vcpuState(0).orElseThrow(), 0);
        listen();
        td.vm.setMemoryAttributes(0x5000, 4096, 0, 0);
        assertEquals(1, steps.stream().filter("MEM.TRACK"::equals).count());
        assertTrue(td.vm.dead());
    }

    @Test
    void aTableIsNotGivenBackWhileTheKeyIsAssigned() {
        runnable();
        td.td.freeExternalSpt(0, 2, 0x1234);
        assertTrue(td.vm.dead());
    }

    @Test
    void theEndComesInTheLegalOrder() {
        runnable();
        assertEquals(VcpuMmu.FIXED, map(0x5000));
        long tdr = td.td.tdr();
        var calls = new ArrayList<String>();
        var reclaimed = new ArrayList<Long>();
        td.kvm.events().add((sequence, event) -> {
            if (event instanceof LeafDone done) {
                if (done.leaf().equals("TDH.PHYMEM.PAGE.RECLAIM")) {
                    reclaimed.add(done.in().rcx());
                }
                if (calls.isEmpty() || !calls.getLast().equals(done.leaf())) {
                    calls.add(done.leaf());
                }
            }
        });
        td.td.destroy();
        assertEquals(
                List.of(
                        "TDH.MEM.RANGE.BLOCK",
                        "TDH.MEM.TRACK",
                        "TDH.MEM.PAGE.REMOVE",
                        "TDH.PHYMEM.PAGE.WBINVD",
                        "TDH.VP.FLUSH",
                        "TDH.MNG.VPFLUSHDONE",
                        "TDH.PHYMEM.CACHE.WB",
                        "TDH.MNG.KEY.FREEID",
                        "TDH.PHYMEM.PAGE.RECLAIM"),
                calls.subList(0, 9));
        assertEquals(tdr, reclaimed.getLast());
        assertEquals(3 + 6 + 6 + 1, reclaimed.size());
        assertEquals("TDH.PHYMEM.PAGE.WBINVD", calls.getLast());
        assertFalse(td.vm.dead());
    }

    /** T0: no ioctl leaves XFAM and MRTD zero, so the fields are cleared in the TDCS, and the module reports them. */
    @Test
    void teeInfoHashOfAnEmptyTdinfo() {
        runnable();
        assertEquals(VcpuMmu.FIXED, map(0x5000));
        long tdvpr = td.td.vcpuState(0).orElseThrow().hpa();
        returned(tdvpr, SeamcallRegs.of(6, 0x5000, 0));
        new Tamper(td.host.module(), td.td.tdr()).clearInfo();
        returned(tdvpr, SeamcallRegs.of(4, 0x5000, 0x5400));
        var report = new byte[1024];
        long page = SeptWalk.to(td.kvm.memory(), td.td.root().orElseThrow().tdcs(), 0x5000, 0)
                .target();
        td.kvm.memory().read(page, report, 0, report.length);
        assertEquals(
                "d83d9a38c238ef3b7bc207bbea3287a8b37b37e731480a8d240d2a6953086c5ecbdf7ee4c72fec3a3e9d4a87f4f9b4fe",
                HexFormat.of().formatHex(report, 80, 128));
        returned(tdvpr, SeamcallRegs.of(22, 0x5000, 0));
    }

    private void returned(long tdvpr, SeamcallRegs in) {
        var result = td.host.module().tdcall(tdvpr, in);
        assertEquals(0, ((TdcallResult.Returned) result).regs().rax());
    }
}
