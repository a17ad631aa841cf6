package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import kvasir.metal.cpu.isa.CodeSize;
import org.junit.jupiter.api.Test;

/** Hardware task switches (Intel SDM volume 3, "Task Management"). */
final class TaskSwitchTest {
    private static final long IDT = 0x6000;
    private static final long HANDLER = 0x8000;
    private static final long OLD_TSS = 0x7000;
    private static final long NEW_TSS = 0x7100;
    private static final long SMALL_TSS = 0x7200;
    private static final long NEW_CODE = 0x11_0000;
    private static final int OLD = 0x40;
    private static final int NEW = 0x48;
    private static final int SMALL = 0x50;
    private static final int GATE = 0x58;
    private static final int LDT = 0x60;

    /** 32-bit code in a task of its own (TR 0x40); TSSs at 0x48 (32-bit) and 0x50 (16-bit), a task gate at 0x58. */
    private static Bench bench(String old, String task) {
        Bench bench = Bench.bits32(old);
        for (int vector = 0; vector < 256; vector++) {
            long target = HANDLER + 16L * vector;
            bench.memory.write64(
                    IDT + 8L * vector, target & 0xffff | 0x18L << 16 | 0xeeL << 40 | (target >>> 16) << 48);
            bench.memory.write8(target, (byte) 0xf4);
        }
        bench.cpu.setIdtr(new DescriptorTable(IDT, 0x7ff));
        descriptor(bench, OLD, OLD_TSS, 0x67, 0x8b);
        descriptor(bench, NEW, NEW_TSS, 0x67, 0x89);
        descriptor(bench, SMALL, SMALL_TSS, 0x2b, 0x81);
        bench.memory.write64(0x5000 + GATE, (long) NEW << 16 | 0xe5L << 40);
        descriptor(bench, LDT, 0xa000, 0xf, 0x82);
        bench.cpu.setGdtr(new DescriptorTable(0x5000, 0x6f));
        bench.cpu.setSegment(Segment.TR, new Segment(OLD, OLD_TSS, 0x67, 0x8b));
        byte[] code = Bench.assemble(CodeSize.BITS32, NEW_CODE, task);
        bench.memory.write(NEW_CODE, code, 0, code.length);
        int[] tss = new int[26];
        tss[8] = (int) NEW_CODE;
        tss[9] = 2;
        for (int i = 0; i < 8; i++) {
            tss[10 + i] = 0x1111 * (i + 1);
        }
        tss[14] = 0x28_0000;
        tss[18] = 0x10;
        tss[19] = 0x18;
        tss[20] = 0x10;
        tss[21] = 0x10;
        for (int i = 0; i < tss.length; i++) {
            bench.memory.write32(NEW_TSS + 4L * i, tss[i]);
        }
        return bench;
    }

    private static void descriptor(Bench bench, int selector, long base, int limit, int access) {
        bench.memory.write64(0x5000 + selector, limit | base << 16 | (long) access << 40);
    }

    private static int access(Bench bench, int selector) {
        return bench.memory.read8(0x5005 + selector) & 0xff;
    }

    private static int vector(Bench bench) {
        assertEquals(new VmExit.Hlt(), bench.run());
        return (int) (bench.cpu.rip() - 1 - HANDLER) / 16;
    }

    private static int stacked(Bench bench, int slot) {
        return bench.memory.read32(bench.cpu.gpr(Gpr.RSP) + 4L * slot);
    }

    @Test
    void aJumpLeavesTheOldTaskAvailable() {
        Bench bench = bench("mov ebx, 0x12345678\nstc\njmpf 0x48:0\nhlt", "hlt");
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(NEW_CODE + 1, bench.cpu.rip());
        assertEquals(0x1111, bench.cpu.gpr(Gpr.RAX));
        assertEquals(0x28_0000, bench.cpu.gpr(Gpr.RSP));
        assertEquals(NEW, bench.cpu.segment(Segment.TR).selector());
        assertEquals(0x8b, bench.cpu.segment(Segment.TR).access());
        assertEquals(0x89, access(bench, OLD));
        assertEquals(0x8b, access(bench, NEW));
        assertEquals(0x1234_5678, bench.memory.read32(OLD_TSS + 0x34));
        assertEquals(Bench.CODE + 13, bench.memory.read32(OLD_TSS + 0x20));
        assertEquals(3, bench.memory.read32(OLD_TSS + 0x24));
        assertEquals(0x18, bench.memory.read16(OLD_TSS + 0x4c));
        assertEquals(Bits.CR0_TS, bench.cpu.cr(0) & Bits.CR0_TS);
        assertEquals(0, bench.cpu.rflags() & Bits.NT);
        assertEquals(0, bench.memory.read16(NEW_TSS), "no link");
    }

    @Test
    void aCallNestsAndIretReturns() {
        Bench bench = bench("callf 0x48:0\nmov ecx, 7\nhlt", "mov edx, 5\niretd\nhlt");
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(7, bench.cpu.gpr(Gpr.RCX));
        assertEquals(0x8_06f8, bench.cpu.gpr(Gpr.RDX), "registers are the task's own");
        assertEquals(OLD, bench.cpu.segment(Segment.TR).selector());
        assertEquals(OLD, bench.memory.read16(NEW_TSS));
        assertEquals(0x8b, access(bench, OLD), "busy all the time");
        assertEquals(0x89, access(bench, NEW));
        assertEquals(2, bench.memory.read32(NEW_TSS + 0x24), "NT is cleared in the image");
        assertEquals(5, bench.memory.read32(NEW_TSS + 0x30));
    }

    @Test
    void throughATaskGateAndToASmallTss() {
        Bench bench = bench("callf 0x58:0\nhlt", "hlt");
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(NEW_CODE + 1, bench.cpu.rip());
        assertEquals(Bits.NT, bench.cpu.rflags() & Bits.NT);
        bench = bench("jmpf 0x50:0", "hlt");
        bench.memory.write16(SMALL_TSS + 0x0e, (short) 0x9000);
        bench.memory.write8(0x9000, (byte) 0xf4);
        bench.memory.write16(SMALL_TSS + 0x12, (short) 0xabcd);
        bench.memory.write16(SMALL_TSS + 0x22, (short) 0x10);
        bench.memory.write16(SMALL_TSS + 0x24, (short) 0x18);
        bench.memory.write16(SMALL_TSS + 0x26, (short) 0x10);
        bench.memory.write16(SMALL_TSS + 0x28, (short) 0x10);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(0x9001, bench.cpu.rip());
        assertEquals(0xabcd, bench.cpu.gpr(Gpr.RAX));
    }

    @Test
    void anEventsTaskGateGetsTheErrorCode() {
        Bench bench = bench("mov eax, 0x1f0\nmov ds, ax\nhlt", "pop eax\nmov ebx, [0x7020]\niretd");
        bench.memory.write64(IDT + 8 * 13, (long) NEW << 16 | 0x85L << 40);
        assertEquals(new VmExit.Budget(), bench.cpu.run(5));
        assertEquals(OLD, bench.cpu.segment(Segment.TR).selector(), "returned, to fault again");
        assertEquals(0x1f0, bench.memory.read32(NEW_TSS + 0x28));
        assertEquals((int) Bench.CODE + 5, bench.memory.read32(NEW_TSS + 0x34));
    }

    @Test
    void refusalsBeforeTheSwitchBelongToTheOldTask() {
        Bench busy = bench("jmpf 0x40:0", "hlt");
        assertEquals(13, vector(busy));
        assertEquals(OLD, stacked(busy, 0));
        Bench absent = bench("jmpf 0x48:0", "hlt");
        descriptor(absent, NEW, NEW_TSS, 0x67, 0x09);
        assertEquals(11, vector(absent));
        assertEquals(NEW, stacked(absent, 0));
        Bench tiny = bench("jmpf 0x48:0", "hlt");
        descriptor(tiny, NEW, NEW_TSS, 0x66, 0x89);
        assertEquals(10, vector(tiny));
        assertEquals(NEW, stacked(tiny, 0));
        assertEquals(Bench.CODE, stacked(tiny, 1));
        Bench link = bench("pushfd\nor dword [esp], 0x4000\npopfd\niretd", "hlt");
        link.memory.write16(OLD_TSS, (short) NEW);
        assertEquals(10, vector(link), "the link must be to a busy TSS");
        assertEquals(NEW, stacked(link, 0));
    }

    @Test
    void refusalsOfSegmentsBelongToTheNewTask() {
        Bench stack = bench("jmpf 0x48:0", "hlt");
        stack.memory.write32(NEW_TSS + 0x54, 0x1f0);
        assertEquals(10, vector(stack), "DS is beyond the GDT");
        assertEquals(0x1f0, stacked(stack, 0));
        assertEquals(NEW_CODE, stacked(stack, 1));
        assertEquals(NEW, stack.cpu.segment(Segment.TR).selector());
        Bench ldt = bench("jmpf 0x48:0", "hlt");
        ldt.memory.write32(NEW_TSS + 0x60, 0x10);
        ldt.cpu.setIdtr(new DescriptorTable(IDT, 0x7ff));
        assertEquals(new VmExit.TripleFault(), ldt.run(), "without CS and SS no exception can be delivered");
    }

    @Test
    void theTrapBitAndTheLocalBreakpoints() {
        Bench bench = bench("jmpf 0x48:0", "hlt");
        bench.memory.write16(NEW_TSS + 0x64, (short) 1);
        bench.cpu.setDr(0, 0x123);
        bench.cpu.setDr(7, 0x403);
        assertEquals(1, vector(bench));
        assertEquals(NEW_CODE, stacked(bench, 0));
        assertEquals(0xffff_8ff0L, bench.cpu.dr(6));
        assertEquals(0x402, bench.cpu.dr(7));
    }

    @Test
    void aNewTaskMayBeInVirtual8086Mode() {
        Bench bench = bench("jmpf 0x48:0", "hlt");
        bench.memory.write32(NEW_TSS + 0x24, 0x2_0002);
        bench.memory.write32(NEW_TSS + 0x20, 0x10);
        bench.memory.write32(NEW_TSS + 0x4c, 0x2000);
        bench.memory.write32(NEW_TSS + 0x38, 0x100);
        bench.memory.write32(NEW_TSS + 0x50, 0x3000);
        bench.memory.write32(NEW_TSS + 4, 0x30_0000);
        bench.memory.write32(NEW_TSS + 8, 0x10);
        bench.memory.write8(0x2_0010, (byte) 0x90);
        bench.memory.write8(0x2_0011, (byte) 0xf4);
        assertEquals(13, vector(bench), "HLT at level 3");
        assertEquals(0x11, stacked(bench, 1));
        assertEquals(0x2000, stacked(bench, 2));
        assertEquals(0x2_0000, stacked(bench, 3) & 0x2_0000);
    }
}
