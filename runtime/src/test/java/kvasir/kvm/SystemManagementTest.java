package kvasir.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalLong;
import java.util.SplittableRandom;
import kvasir.metal.cpu.ControlRegisters;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.Injection;
import kvasir.metal.cpu.Segment;
import org.junit.jupiter.api.Test;

/** KVM_SMI, the save area of smm.h, and RSM. */
final class SystemManagementTest {
    private static final long RAM = 1 << 20;
    private static final int RSM = 0xaa0f;
    private static final int RAX = 0;

    private final KvmFixture host = new KvmFixture(6, 16);
    private final Vm vm = host.vm(VmType.DEFAULT);
    private final long hva = host.anonymous(0, RAM);
    private final Vcpu vcpu = ready();

    private Vcpu ready() {
        assertTrue(vm.setUserMemoryRegion2(new MemoryRegion(0, 0, 0, RAM, hva, 0, 0))
                .succeeded());
        assertTrue(vm.setUserMemoryRegion2(new MemoryRegion(1 << 16, 0, 0, RAM, hva, 0, 0))
                .succeeded());
        return host.vcpu(vm);
    }

    private Cpu cpu() {
        return vcpu.cpu();
    }

    private void put(long gpa, long value, int bytes) {
        var data = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            data[i] = (byte) (value >>> 8 * i);
        }
        assertTrue(vm.mm().write(hva + gpa, data, 0, bytes));
    }

    private long get(long gpa, int bytes) {
        var data = new byte[bytes];
        assertTrue(vm.mm().read(hva + gpa, data, 0, bytes));
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (data[i] & 0xffL) << 8 * i;
        }
        return value;
    }

    /** Real mode at 0x1000: {@code hlt; hlt}. */
    private void realMode() {
        put(0x1000, 0xf4f4, 2);
        cpu().setSegment(Segment.CS, new Segment(0, 0, 0xffff, 0x9b));
        cpu().setRip(0x1000);
    }

    @Test
    void theStateIsSavedAtTheOffsetsOfKvmSmramState64() {
        realMode();
        put(0x38000, 0xfeeb, 2); // jmp $
        cpu().setSegment(Segment.ES, new Segment(0x1234, 0x1_2340, 0xffff, 0x93));
        cpu().setSegment(Segment.SS, new Segment(0, 0, 0xffff, 0x93 | Segment.UNUSABLE));
        cpu().setGdtr(new DescriptorTable(0x5678_0000L, 0x47));
        cpu().setIdtr(new DescriptorTable(0x9abc_0000L, 0x3ff));
        cpu().setRflags(0x10246);
        cpu().setDr(7, 0x455);
        cpu().setInterruptShadow(1);
        for (int i = 0; i < 16; i++) {
            cpu().setGpr(i, 0x1111_1111_1111_1111L * i);
        }
        vcpu.smi();
        assertInstanceOf(RunResult.BudgetSpent.class, vcpu.run(50));
        assertTrue(vcpu.smm());
        assertEquals(0x1234, get(0x3fe00, 2), "ES");
        assertEquals(0x93, get(0x3fe02, 2));
        assertEquals(0xffff, get(0x3fe04, 4));
        assertEquals(0x1_2340, get(0x3fe08, 8));
        assertEquals(0x9b, get(0x3fe12, 2), "CS");
        assertEquals(0x47, get(0x3fe64, 4), "GDTR");
        assertEquals(0x5678_0000L, get(0x3fe68, 8));
        assertEquals(0x82, get(0x3fe72, 2), "LDTR");
        assertEquals(0x3ff, get(0x3fe84, 4), "IDTR");
        assertEquals(0x9abc_0000L, get(0x3fe88, 8));
        assertEquals(0x8b, get(0x3fe92, 2), "TR");
        assertEquals(0, get(0x3fea0, 8), "no I/O restart");
        assertEquals(0, get(0x3fec9, 1), "no auto halt restart");
        assertEquals(1, get(0x3fecb, 1), "the shadow of MOV SS");
        assertEquals(0x0002_0064, get(0x3fefc, 4), "revision");
        assertEquals(0x3_0000, get(0x3ff00, 4), "SMBASE");
        assertEquals(0x6000_0010L, get(0x3ff58, 8), "CR0");
        assertEquals(0x455, get(0x3ff60, 8), "DR7");
        assertEquals(0xffff_0ff0L, get(0x3ff68, 8), "DR6");
        assertEquals(0x10246, get(0x3ff70, 8), "RFLAGS");
        assertEquals(0x1000, get(0x3ff78, 8), "RIP");
        assertEquals(-1, get(0x3ff80, 8), "R15");
        assertEquals(0x4444_4444_4444_4444L, get(0x3ffd8, 8), "RSP");
        assertEquals(0, get(0x3fff8, 8), "RAX");
    }

    @Test
    void theHandlerStartsInFlatRealModeWithNmisBlocked() {
        realMode();
        put(0x38000, 0xfeeb, 2);
        cpu().setCr(0, 0x6000_0011L | 0xe);
        cpu().setCr(4, 0x10);
        cpu().setDr(7, 0x401);
        vcpu.smi();
        vcpu.run(50);
        assertEquals(0x8000, cpu().rip());
        assertEquals(new Segment(0x3000, 0x3_0000, -1, 0x8093), cpu().segment(Segment.CS));
        assertEquals(new Segment(0, 0, -1, 0x8093), cpu().segment(Segment.SS));
        assertEquals(0x6000_0012L, cpu().cr(0), "PE, EM, TS, PG are clear; MP stays");
        assertEquals(0, cpu().cr(4));
        assertEquals(0x400, cpu().dr(7));
        assertEquals(2, cpu().rflags());
        assertEquals(new DescriptorTable(0, 0), cpu().idtr());
        assertTrue(cpu().nmiBlocked());
        assertEquals(OptionalLong.of(0x3_0000), vcpu.msr(0x9e));
        assertEquals(OptionalLong.of(1), vcpu.msr(0x34));
    }

    @Test
    void rsmLoadsWhatTheHandlerLeftAndASecondSmiWaitsForIt() {
        realMode();
        put(0x38000, RSM, 2);
        put(0x1000, 0xf4, 1);
        cpu().setGpr(RAX, 5);
        vcpu.smi();
        assertInstanceOf(RunResult.Exited.class, vcpu.run(50));
        assertFalse(vcpu.smm());
        assertFalse(cpu().nmiBlocked());
        assertEquals(5, cpu().gpr(RAX));
        assertEquals(0x1001, cpu().rip());
        put(0x38000, 0xfeeb, 2);
        vcpu.smi();
        vcpu.run(10);
        vcpu.smi();
        vcpu.run(10);
        assertEquals(OptionalLong.of(2), vcpu.msr(0x34), "the third waits");
        assertTrue(vcpu.systemManagement().pending());
        put(0x38000, RSM, 2);
        vcpu.run(2);
        assertEquals(OptionalLong.of(3), vcpu.msr(0x34), "and is taken behind RSM");
    }

    @Test
    void anNmiThatWasBeingHandledStaysBlockedBehindRsm() {
        realMode();
        put(0x38000, RSM, 2);
        cpu().blockNmis(true);
        vcpu.smi();
        vcpu.run(50);
        assertTrue(cpu().nmiBlocked());
    }

    @Test
    void anEventThatIsBeingInjectedGoesFirst() {
        realMode();
        put(0x38000, 0xfeeb, 2);
        put(4 * 0x21, 0x2000, 4);
        put(0x2000, 0xf4, 1);
        cpu().setIdtr(new DescriptorTable(0, 0x3ff));
        cpu().setGpr(4, 0x8000);
        cpu().inject(new Injection.Interrupt(0x21));
        vcpu.smi();
        vcpu.run(50);
        assertTrue(vcpu.smm());
        assertEquals(0x2000, get(0x3ff78, 8), "the SMI came before the handler's first instruction");
    }

    @Test
    void aStateThatNoProcessorCanHaveShutsDown() {
        realMode();
        put(0x38000, RSM, 2);
        put(0x38000, 0x67, 1); // a32 mov dword [cs:0xff58], 0x80000000: PG without PE
        byte[] code = {
            0x2e, 0x66, 0x67, (byte) 0xc7, 5, 0x58, (byte) 0xff, 0, 0, 0, 0, 0, (byte) 0x80, 0x0f, (byte) 0xaa
        };
        assertTrue(vm.mm().write(hva + 0x38000, code, 0, code.length));
        vcpu.smi();
        var exit = assertInstanceOf(RunResult.Exited.class, vcpu.run(50));
        assertEquals(ExitReason.SHUTDOWN, exit.reason());
    }

    @Test
    void randomHandlersAndSaveAreasNeverThrow() {
        var random = new SplittableRandom(34);
        for (int program = 0; program < 300; program++) {
            realMode();
            var code = new byte[200];
            random.nextBytes(code);
            assertTrue(vm.mm().write(hva + 0x38000, code, 0, code.length));
            vcpu.smi();
            vcpu.run(random.nextInt(1, 20));
            if (vcpu.smm()) {
                var image = new byte[512];
                random.nextBytes(image);
                assertTrue(vm.mm().write(hva + (vcpu.systemManagement().smbase() & 0xffff) + 0xfe00, image, 0, 512));
                put(0x38000, RSM, 2);
                cpu().setSegment(Segment.CS, new Segment(0x3000, 0x3_0000, -1, 0x8093));
                cpu().setCr(0, 0x10);
                cpu().setRip(0x8000);
                vcpu.run(100);
            }
            if (vcpu.smm()) {
                vcpu.systemManagement().change(false);
            }
            cpu().reset();
        }
    }

    @Test
    void controlRegistersThatContradictEachOtherAreRefused() {
        long longMode = 0x8000_0011L;
        assertTrue(cpu().accepts(new ControlRegisters(longMode, 0x1000, 0x20, 0x500)));
        assertFalse(cpu().accepts(new ControlRegisters(longMode, 0x1000, 0x20, 0x400)), "LMA without LME");
        assertFalse(cpu().accepts(new ControlRegisters(longMode, 0x1000, 0, 0x500)), "long mode without PAE");
        assertFalse(cpu().accepts(new ControlRegisters(0x8000_0010L, 0, 0, 0)), "PG without PE");
        assertFalse(cpu().accepts(new ControlRegisters(0x2000_0011L, 0, 0, 0)), "NW without CD");
        assertFalse(cpu().accepts(new ControlRegisters(0x11, 0, 1 << 17, 0)), "PCIDE without LMA");
        assertFalse(cpu().accepts(new ControlRegisters(longMode, 1L << 52, 0x20, 0x500)), "beyond MAXPHYADDR");
        assertFalse(cpu().accepts(new ControlRegisters(0x11, 0, 0, 2)), "a bit that EFER does not have");
    }

    @Test
    void theCapabilityIsThereWhereStateIsNotProtected() {
        assertEquals(1, Cap.onVm(vm, 117));
        assertEquals(2, Cap.onVm(vm, 118));
        assertEquals(1, Cap.onVm(host.vm(VmType.SW_PROTECTED), 117));
    }
}
