package kvasir.kvm.tdx;

import static kvasir.kvm.tdx.KvmTd.ok;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.OptionalLong;
import kvasir.event.Topic;
import kvasir.kvm.RunResult;
import kvasir.kvm.invariant.Invariants;
import kvasir.kvm.mm.HostPages;
import kvasir.kvm.mmu.Pferr;
import kvasir.metal.tdx.LeafDone;
import kvasir.metal.tdx.Lifecycle;
import kvasir.metal.tdx.PageType;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.SeptWalk;
import kvasir.metal.tdx.Tamper;
import kvasir.metal.tdx.Tdvps;
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
        td.memory(0xffff_f000L, 4096);
        ok(td.add(0xffff_f000L, resetPage(), true));
        ok(td.td.finalizeVm(TdxCmd.flags(0)));
        assertEquals(0, td.vcpu().mmu().reload());
        td.vcpu().mmu().tdpMapPage(0x5000, Pferr.GUEST_FINAL | Pferr.PRIVATE_ACCESS, 1, true, true);
        assertEquals(Optional.empty(), invariants.firstViolation());
    }

    /** At the reset vector: mov eax, [0]; jmp to itself. */
    private static byte[] resetPage() {
        var page = new byte[4096];
        byte[] code = {(byte) 0xa1, 0, 0, 0, 0, (byte) 0xeb, (byte) 0xfe};
        System.arraycopy(code, 0, page, 0xff0, code.length);
        return page;
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
        long page = walk(0).target();
        block(0);
        assertEquals(Optional.empty(), invariants.firstViolation());
        ok(td.vm.setMemoryAttributes(0x1000, 4096, 0, 0));
        poke(0x5000, SeptEntry.encode(SeptState.PENDING, page));
        String said = invariants.firstViolation().orElse("nothing");
        assertTrue(said.startsWith("sept_page_once") || said.startsWith("mirror_equals_sept"), said);
    }

    private void block(long gpa) {
        assertEquals(0, td.seamcall(SeamcallRegs.of(7, gpa, td.td.tdr())).rax());
    }

    private Tamper tamper() {
        return new Tamper(td.host.module(), td.td.tdr());
    }

    private Tdvps vcpu() {
        return td.td.vcpuState(0).orElseThrow();
    }

    /** The guest reads its first page and goes round: a translation is cached. */
    private void touchFirstPage() {
        assertInstanceOf(RunResult.BudgetSpent.class, td.vcpu().run(100));
        assertEquals(1, vcpu().vcpuEpoch());
        long pfn = walk(0).target() >>> 12;
        assertEquals(
                OptionalLong.of(pfn), td.td.processor(0).orElseThrow().cpu().cachedAmong(pfn));
        assertEquals(Optional.empty(), invariants.firstViolation());
    }

    private Invariants watching() {
        var watch = new Invariants(td.kvm);
        td.kvm.events().add(watch);
        return watch;
    }

    private static void broke(String name, Invariants watch) {
        String said = watch.broken().orElse("nothing");
        assertTrue(said.startsWith(name + ":"), said);
    }

    @Test
    void aBlockedTdWhoseKeyIsStillAssigned() {
        tamper().lifecycle(Lifecycle.TD_BLOCKED);
        breaks("key_owned");
    }

    @Test
    void aControlPageThatIsFree() {
        tamper().page(td.td.root().orElseThrow().tdcxPa(4), PageType.PT_NDA, 0);
        breaks("used_page_is_assigned");
    }

    @Test
    void aVcpuPageOfAnotherType() {
        tamper().page(vcpu().tdcxPa(2), PageType.PT_REG, td.td.tdr());
        breaks("used_page_is_assigned");
    }

    @Test
    void aPageThatNothingRefersTo() {
        tamper().page(0x7000_0000, PageType.PT_REG, td.td.tdr());
        breaks("pamt_counts_agree");
    }

    @Test
    void aControlPageTooMany() {
        tamper().page(0x7000_0000, PageType.PT_TDVPR, td.td.tdr());
        breaks("pamt_counts_agree");
    }

    @Test
    void aMeasurementThatThawed() {
        tamper().mrtd();
        breaks("measurement_is_its_ledger");
    }

    @Test
    void anRtmrThatNobodyExtended() {
        tamper().rtmr2();
        breaks("measurement_is_its_ledger");
    }

    @Test
    void aBlockInTheFuture() {
        tamper().bepoch(walk(0).target(), 2);
        breaks("block_is_in_an_epoch");
    }

    @Test
    void aBlockInNoEpoch() {
        long page = walk(0).target();
        block(0);
        assertEquals(Optional.empty(), invariants.firstViolation());
        tamper().bepoch(page, 0);
        breaks("block_is_in_an_epoch");
    }

    @Test
    void aVcpuInsideForThreeEpochs() {
        tamper().inside(vcpu(), 1);
        tamper().lockPage(td.td.tdr(), false);
        tamper().lockPage(vcpu().hpa(), false);
        assertEquals(Optional.empty(), invariants.firstViolation());
        tamper().tdEpoch(3);
        breaks("vcpus_counted");
    }

    @Test
    void aLockThatALeafForgot() {
        tamper().lockTree();
        breaks("module_locks_at_rest");
    }

    @Test
    void aTdrHeldForNobody() {
        tamper().lockPage(td.td.tdr(), false);
        breaks("module_locks_at_rest");
    }

    @Test
    void aTdvprLockedForGood() {
        tamper().lockPage(vcpu().hpa(), true);
        breaks("module_locks_at_rest");
    }

    @Test
    void aPageReadBeforeItIsAccepted() {
        touchFirstPage();
        poke(0, SeptEntry.encode(SeptState.PENDING, walk(0).target()));
        breaks("unaccepted_page_unseen");
    }

    @Test
    void aPageThatTheHostHandsOutAgain() {
        td.kvm.pages().free(walk(0).target() >>> 12, 1, HostPages.Use.MOVABLE);
        breaks("private_page_is_held");
    }

    @Test
    void aRemovedPageThatAVcpuStillReaches() {
        touchFirstPage();
        Invariants watch = watching();
        block(0);
        assertEquals(0, td.seamcall(SeamcallRegs.of(38, td.td.tdr(), 0)).rax());
        tamper().vcpuEpoch(vcpu(), 2); // as if it had entered, and had not been flushed
        assertEquals(Optional.empty(), watch.broken());
        assertEquals(0, td.seamcall(SeamcallRegs.of(29, 0, td.td.tdr())).rax());
        broke("removed_page_is_uncached", watch);
    }

    @Test
    void aRemovedPageThatNobodyWroteBack() {
        long page = walk(0).target();
        block(0);
        assertEquals(0, td.seamcall(SeamcallRegs.of(38, td.td.tdr(), 0)).rax());
        Invariants stream = watching();
        td.kvm.pages().free(page >>> 12, 1, HostPages.Use.MOVABLE);
        assertEquals(0, td.seamcall(SeamcallRegs.of(29, 0, td.td.tdr())).rax());
        broke("removed_page_is_flushed", stream);
    }

    @Test
    void anAcceptedPageWithAPast() {
        td.kvm.memory().write64(walk(0).target() + 0xff8, 1);
        Invariants watch = watching();
        td.kvm
                .events()
                .emit(new LeafDone(
                        "TDG.MEM.PAGE.ACCEPT",
                        0,
                        SeamcallRegs.leaf(6),
                        SeamcallRegs.leaf(0),
                        Topic.of("td.sept", 0, 4096)));
        broke("accepted_page_is_zero", watch);
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
        one.memory(0xffff_f000L, 4096);
        ok(one.td.initVm(InitVm.usual(), TdxCmd.flags(0)));
        ok(one.vm.createVcpu(0, kvasir.metal.cpu.CpuidModel.standard()));
        ok(one.vcpu().setCpuid2(kvasir.metal.cpu.CpuidModel.standard()));
        ok(one.td.initVcpu(one.vcpu(), 0, TdxCmd.flags(0)));
        ok(one.add(0, new byte[8192], true));
        ok(one.add(0xffff_f000L, resetPage(), true));
        ok(one.td.finalizeVm(TdxCmd.flags(0)));
        assertInstanceOf(RunResult.BudgetSpent.class, one.vcpu().run(100));
        one.vcpu().mmu().tdpMapPage(0x20_0000, Pferr.GUEST_FINAL | Pferr.PRIVATE_ACCESS, 1, true, true);
        ok(one.vm.setMemoryAttributes(0, 64 << 20, 0, 0));
        one.td.destroy();
        assertEquals(Optional.empty(), watch.broken());
    }
}
