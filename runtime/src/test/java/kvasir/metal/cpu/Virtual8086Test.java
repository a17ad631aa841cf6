package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import kvasir.metal.cpu.isa.CodeSize;
import org.junit.jupiter.api.Test;

/** Virtual-8086 mode with its extensions (Intel SDM volume 3, "8086 Emulation"), and protected-mode virtual interrupts. */
final class Virtual8086Test {
    private static final long IDT = 0x6000;
    private static final long HANDLER = 0x8000;
    private static final long TSS = 0x7000;

    /** 16-bit code at 2000:0000 in virtual-8086 mode, stack 3000:0100, with a 32-bit IDT at level 0. */
    static Bench bench(String code, int iopl, boolean vme, int moreFlags) {
        Bench bench = Bench.bits32("hlt");
        for (int vector = 0; vector < 256; vector++) {
            long target = HANDLER + 16L * vector;
            bench.memory.write64(
                    IDT + 8L * vector, target & 0xffff | 0x18L << 16 | 0xeeL << 40 | (target >>> 16) << 48);
            bench.memory.write8(target, (byte) 0xf4);
        }
        bench.cpu.setIdtr(new DescriptorTable(IDT, 0x7ff));
        bench.memory.write32(TSS + 4, 0x30_0000);
        bench.memory.write32(TSS + 8, 0x10);
        // the I/O map at 0x88, the redirection bitmap before it at 0x68: bit 1 sends to the IDT
        bench.memory.write16(TSS + 102, (short) 0x88);
        bench.memory.write8(TSS + 0x68 + (0x21 >> 3), (byte) 2);
        bench.cpu.setSegment(Segment.TR, new Segment(0x40, TSS, 0x200, 0x8b));
        bench.memory.write32(0x20 * 4, 0x4000_0010);
        bench.memory.write8(0x4_0010, (byte) 0xcf);
        byte[] bytes = Bench.assemble(CodeSize.BITS16, 0, code);
        bench.memory.write(0x2_0000, bytes, 0, bytes.length);
        Cpu cpu = bench.cpu;
        cpu.setCr(4, vme ? Bits.CR4_VME | Bits.CR4_PVI : 0);
        cpu.setRflags(Bits.VM | 2 | (long) iopl << 12 | moreFlags);
        int[] selectors = {0x1000, 0x2000, 0x3000, 0x1000, 0x1000, 0x1000};
        for (int i = 0; i < 6; i++) {
            cpu.setSegment(i, new Segment(selectors[i], (long) selectors[i] << 4, 0xffff, 0xf3));
        }
        cpu.setGpr(Gpr.RSP, 0x100);
        cpu.setRip(0);
        return bench;
    }

    private static int vector(Bench bench) {
        assertEquals(new VmExit.Hlt(), bench.run());
        return (int) (bench.cpu.rip() - 1 - HANDLER) / 16;
    }

    private static int stacked(Bench bench, int slot) {
        return bench.memory.read32(bench.cpu.gpr(Gpr.RSP) + 4L * slot);
    }

    @Test
    void softwareInterruptsNeedIopl3WithoutExtensions() {
        Bench bench = bench("int 0x20\nhlt", 0, false, 0);
        assertEquals(13, vector(bench));
        assertEquals(0, stacked(bench, 0));
        bench = bench("int 0x20\nhlt", 3, false, 0);
        assertEquals(0x20, vector(bench));
        assertEquals(2, stacked(bench, 0));
        assertEquals(0x2000, stacked(bench, 1));
        assertEquals(3, vector(bench("int3\nhlt", 0, true, 0)), "INT3 is never redirected");
    }

    @Test
    void theBitmapKeepsInterruptsInTheVirtualMachine() {
        Bench bench = bench("int 0x20\nmov bx, 5\nhlt", 0, true, Bits.VIF | Bits.IF);
        assertEquals(13, vector(bench), "the HLT behind");
        assertEquals(7 - 2, stacked(bench, 1));
        assertEquals(5, bench.cpu.gpr(Gpr.RBX) & 0xffff);
        assertEquals(0x3202, bench.memory.read16(0x3_00fe) & 0xffff, "IOPL 3, and VIF for IF");
        assertEquals(0x2000, bench.memory.read16(0x3_00fc));
        assertEquals(2, bench.memory.read16(0x3_00fa));
        assertEquals(Bits.VIF, stacked(bench, 3) & Bits.VIF, "IRET set it again");
        bench = bench("int 0x20\nhlt", 3, true, Bits.IF);
        bench.memory.write8(0x4_0010, (byte) 0xf4);
        assertEquals(13, vector(bench), "HLT in the handler");
        assertEquals(0x4000, stacked(bench, 2));
        assertEquals(0, stacked(bench, 3) & Bits.IF);
        assertEquals(0x3202, bench.memory.read16(0x3_00fe) & 0xffff);
    }

    @Test
    void theBitmapSendsOthersToTheMonitor() {
        Bench bench = bench("int 0x21\nhlt", 0, true, 0);
        assertEquals(13, vector(bench), "IOPL below 3");
        assertEquals(0, stacked(bench, 0));
        assertEquals(0x21, vector(bench("int 0x21\nhlt", 3, true, 0)));
        bench = bench("int 0x20\nhlt", 0, true, 0);
        bench.memory.write16(TSS + 102, (short) 0x1000);
        assertEquals(13, vector(bench), "the bitmap lies beyond the limit");
    }

    @Test
    void virtualInterruptFlag() {
        Bench bench = bench("sti\npushf\npop ax\ncli\npushf\npop bx\nhlt", 0, true, 0);
        assertEquals(13, vector(bench));
        assertEquals(0x3202, bench.cpu.gpr(Gpr.RAX) & 0xffff);
        assertEquals(0x3002, bench.cpu.gpr(Gpr.RBX) & 0xffff);
        assertEquals(0, stacked(bench, 3) & (Bits.IF | Bits.VIF));
        bench = bench("sti\nhlt", 0, true, Bits.VIP);
        assertEquals(13, vector(bench));
        assertEquals(0, stacked(bench, 1), "STI with VIP set");
        bench = bench("push 0x200\npopf\nhlt", 0, true, Bits.VIP);
        assertEquals(13, vector(bench));
        assertEquals(3, stacked(bench, 1), "POPF that would set VIF with VIP");
        assertEquals(13, vector(bench("iretd", 0, true, 0)), "a 32-bit IRET");
    }

    @Test
    void level3HasItsOwnInterruptFlagWithPvi() {
        Bench bench = Bench.bits32("push 0x2b\npush 0x280000\npush 2\npush 0x23\npush 0x110000\niretd");
        byte[] code = Bench.assemble(CodeSize.BITS32, 0x11_0000, "sti\npushfd\npop eax\ncli\nnop");
        bench.memory.write(0x11_0000, code, 0, code.length);
        bench.cpu.setCr(4, Bits.CR4_PVI);
        assertEquals(new VmExit.Budget(), bench.cpu.run(9));
        assertEquals(Bits.VIF, bench.cpu.gpr(Gpr.RAX) & (Bits.VIF | Bits.IF));
        assertEquals(new VmExit.Budget(), bench.cpu.run(1));
        assertEquals(0, bench.cpu.rflags() & (Bits.VIF | Bits.IF));
    }
}
