package kvasir.kvm.tdx;

import static kvasir.kvm.tdx.KvmTd.ok;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvasir.kvm.RunResult;
import kvasir.kvm.Vcpu;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.Engine;
import kvasir.metal.tdx.Operand;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.Tdvps;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What decides about a TD's memory reaches hot code too, however it is executed. */
final class TdEnginesTest {
    private static final long RESET_PAGE = 0xffff_f000L;
    private static final int BLOCK = 7;
    private static final int TRACK = 38;
    private static final int UNBLOCK = 39;
    private static final int EPT_VIOLATION = 48;
    private static final int PREEMPTION_TIMER = 52;

    /** At the reset vector: mov eax, [0]; inc dword [0x1000]; jmp back. */
    private static final byte[] HOT_LOOP = {
        (byte) 0xa1, 0, 0, 0, 0, (byte) 0xff, 0x05, 0, 0x10, 0, 0, (byte) 0xeb, (byte) 0xf3
    };

    private KvmTd running(Engine engine) {
        var td = new KvmTd(InitMemRegionMode.MERGED_6_19);
        td.kvm.setEngine(engine);
        td.memory(0, 64 << 20);
        td.memory(RESET_PAGE, 4096);
        ok(td.td.initVm(InitVm.usual(), TdxCmd.flags(0)));
        ok(td.vm.createVcpu(0, CpuidModel.standard()));
        ok(td.vcpu().setCpuid2(CpuidModel.standard()));
        ok(td.td.initVcpu(td.vcpu(), 0, TdxCmd.flags(0)));
        ok(td.add(0, new byte[8192], true));
        var page = new byte[4096];
        System.arraycopy(HOT_LOOP, 0, page, 0xff0, HOT_LOOP.length);
        ok(td.add(RESET_PAGE, page, true));
        ok(td.td.finalizeVm(TdxCmd.flags(0)));
        Vcpu vcpu = td.vcpu();
        assertInstanceOf(RunResult.BudgetSpent.class, vcpu.run(300_000));
        return td;
    }

    private static SeamcallRegs enter(KvmTd td) {
        Tdvps vcpu = td.td.vcpuState(0).orElseThrow();
        td.td.processor(0).orElseThrow().budget(300_000);
        return td.seamcall(SeamcallRegs.leaf(0).with(Operand.RCX, vcpu.hpa()));
    }

    private static long call(KvmTd td, int leaf, long gpa) {
        long tdr = td.td.tdr();
        return td.seamcall(leaf == TRACK ? SeamcallRegs.of(leaf, tdr, 0) : SeamcallRegs.of(leaf, gpa, tdr))
                .rax();
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void aBlockedPageStopsHotCode(Engine engine) {
        KvmTd td = running(engine);
        assertEquals(PREEMPTION_TIMER, enter(td).rax());
        assertEquals(0, call(td, BLOCK, 0x1000));
        assertEquals(0, call(td, TRACK, 0));
        SeamcallRegs out = enter(td);
        assertEquals(EPT_VIOLATION, out.rax());
        assertEquals(0x1000, out.r8());
        assertEquals(0xffff_fff5L, td.td.vcpuState(0).orElseThrow().rip());
        assertEquals(0, call(td, UNBLOCK, 0x1000));
        assertEquals(PREEMPTION_TIMER, enter(td).rax());
    }

    /** Nobody tracked: the translation that the vCPU has cached is still good; comparing both engines forgets it. */
    @ParameterizedTest
    @EnumSource(value = Engine.class, mode = EnumSource.Mode.EXCLUDE, names = "BOTH")
    void aBlockThatNobodyTracksIsNotSeenYet(Engine engine) {
        KvmTd td = running(engine);
        assertEquals(0, call(td, BLOCK, 0x1000));
        assertEquals(PREEMPTION_TIMER, enter(td).rax());
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void theSameInstructionsAreCounted(Engine engine) {
        KvmTd td = running(engine);
        assertEquals(300_000, td.td.processor(0).orElseThrow().cpu().retired());
        long page = td.td.mirrorPfn(0x1000) << 12;
        assertTrue(Math.abs(td.kvm.memory().read32(page) - 100_000) <= 1);
    }
}
