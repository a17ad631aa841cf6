package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvasir.metal.cpu.isa.CodeSize;
import org.junit.jupiter.api.Test;

/** 32-bit protected mode with rings, gates and virtual-8086 mode; PAE; nested page tables. */
final class LegacyModeTest {
    private static final long IDT = 0x6000;
    private static final long TSS = 0x7000;
    private static final long HANDLER = 0x8000;

    /** GDT of {@link Bench} (0x18 code 0, 0x10 data 0, 0x23 code 3, 0x2b data 3), a TSS, an IDT of 32-bit gates. */
    static Bench protectedMode(String source) {
        Bench bench = Bench.bits32(source);
        for (int vector = 0; vector < 256; vector++) {
            long target = HANDLER + 16L * vector;
            int access = vector == 0x80 ? 0xee : 0x8e;
            bench.memory.write64(
                    IDT + 8L * vector, target & 0xffff | 0x18L << 16 | (long) access << 40 | (target >>> 16) << 48);
            bench.memory.write8(target, (byte) 0xf4);
        }
        bench.cpu.setIdtr(new DescriptorTable(IDT, 0x7ff));
        bench.memory.write32(TSS + 4, 0x30_0000);
        bench.memory.write32(TSS + 8, 0x10);
        bench.cpu.setSegment(Segment.TR, new Segment(0x40, TSS, 103, 0x8b));
        return bench;
    }

    static int vector(Bench bench) {
        assertEquals(new VmExit.Hlt(), bench.run());
        return (int) (bench.cpu.rip() - 1 - HANDLER) / 16;
    }

    static int stacked(Bench bench, int slot) {
        return bench.memory.read32(bench.cpu.gpr(Gpr.RSP) + 4L * slot);
    }

    private static final String TO_RING_3 = """
            push 0x2b
            push 0x280000
            push 0x202
            push 0x23
            push 0x110000
            iretd
            """;

    static Bench ring3(String user) {
        Bench bench = protectedMode(TO_RING_3);
        byte[] code = Bench.assemble(CodeSize.BITS32, 0x11_0000, user);
        bench.memory.write(0x11_0000, code, 0, code.length);
        return bench;
    }

    @Test
    void aFaultInRing3ComesWithTheStackOfTheTss() {
        Bench bench = ring3("mov eax, 7\ncli\nhlt");
        assertEquals(13, vector(bench));
        assertEquals(0, bench.cpu.cpl());
        assertEquals(0x30_0000 - 24, bench.cpu.gpr(Gpr.RSP));
        assertEquals(0, stacked(bench, 0));
        assertEquals(0x11_0005, stacked(bench, 1));
        assertEquals(0x23, stacked(bench, 2));
        assertEquals(0x1_0202, stacked(bench, 3), "RF and IF");
        assertEquals(0x28_0000, stacked(bench, 4));
        assertEquals(0x2b, stacked(bench, 5));
    }

    @Test
    void aGateOfRing0IsNotForSoftwareInterruptsOfRing3() {
        Bench bench = ring3("int 0x21\nhlt");
        assertEquals(13, vector(bench));
        assertEquals(0x21 * 8 + 2, stacked(bench, 0));
        assertEquals(0x11_0000, stacked(bench, 1));
        assertEquals(0x80, vector(ring3("int 0x80\nhlt")));
    }

    @Test
    void dataSegmentsOfRing0AreDroppedOnTheWayOut() {
        Bench bench = ring3("mov eax, [0x1000]\nhlt");
        assertEquals(13, vector(bench), "DS was a ring 0 segment and is null now");
        assertEquals(0x11_0000, stacked(bench, 1));
    }

    @Test
    void aCallGateCopiesParametersToTheInnerStack() {
        Bench bench = ring3("""
                mov eax, 0x2b
                mov ds, ax
                push 0x1111
                push 0x2222
                callf 0x3b:0
                mov ebx, 5
                int 0x80
                """);
        byte[] inner = Bench.assemble(CodeSize.BITS32, 0, "mov ecx, [esp+8]\nmov edx, [esp+12]\nretf 8");
        bench.memory.write(0x12_0000, inner, 0, inner.length);
        bench.memory.write64(0x5038, 0x12_0000L >>> 16 << 48 | 0xecL << 40 | 2L << 32 | 0x18L << 16);
        bench.cpu.setGdtr(new DescriptorTable(0x5000, 0x3f));
        assertEquals(0x80, vector(bench));
        assertEquals(0x2222, bench.cpu.gpr(Gpr.RCX));
        assertEquals(0x1111, bench.cpu.gpr(Gpr.RDX));
        assertEquals(5, bench.cpu.gpr(Gpr.RBX));
        assertEquals(0x28_0000, stacked(bench, 3), "RETF released the parameters on both stacks");
    }

    @Test
    void virtual8086ModeAndBack() {
        Bench bench = protectedMode("""
                push 0
                push 0
                push 0x1234
                push 0
                push 0x3000
                push 0x100
                push 0x20202
                push 0x2000
                push 0x10
                iretd
                """);
        byte[] code = Bench.assemble(CodeSize.BITS16, 0, "mov ax, ds\nmov [0x10], ax\npush ax\nhlt");
        bench.memory.write(0x2_0010, code, 0, code.length);
        assertEquals(13, vector(bench), "HLT in virtual-8086 mode");
        assertEquals(0x1234, bench.memory.read16(0x1_2350));
        assertEquals(0x1234, bench.memory.read16(0x3_00fe));
        assertEquals(0x16, stacked(bench, 1));
        assertEquals(0x2000, stacked(bench, 2));
        assertEquals(0x3_0202, stacked(bench, 3), "VM, RF and IF");
        assertEquals(0xfe, stacked(bench, 4));
        assertEquals(0x3000, stacked(bench, 5));
        assertEquals(0x1234, stacked(bench, 7), "DS");
        assertTrue(bench.cpu.segment(Segment.DS).unusable());
    }

    @Test
    void notPresentSegmentsAndLimits() {
        Bench bench = protectedMode("mov eax, 0x30\nmov ds, ax\nhlt");
        bench.memory.write64(0x5030, 0x00cf_1300_0000_ffffL);
        assertEquals(11, vector(bench));
        assertEquals(0x30, stacked(bench, 0));
        bench = protectedMode("mov eax, 0x30\nmov ss, ax\nhlt");
        bench.memory.write64(0x5030, 0x00cf_1300_0000_ffffL);
        assertEquals(12, vector(bench));
        bench = protectedMode("mov byte [0x5fff], 1\nmov byte [0x6000], 1\nhlt");
        bench.cpu.setSegment(Segment.DS, new Segment(16, 0, 0x5fff, 0x4093));
        assertEquals(13, vector(bench));
        assertEquals(Bench.CODE + 7, stacked(bench, 1));
        bench = protectedMode("mov eax, [0x5000]\nmov eax, [0x6000]\nhlt");
        bench.cpu.setSegment(Segment.DS, new Segment(16, 0, 0x5fff, 0x4097));
        assertEquals(13, vector(bench), "expand-down: legal above the limit only");
        assertEquals(Bench.CODE, stacked(bench, 1));
    }

    @Test
    void paePagingReadsItsPointersWithCr3() {
        Bench bench = protectedMode("""
                mov eax, 0x20
                mov cr4, eax
                mov eax, 0x1000
                mov cr3, eax
                mov eax, 0x80000033
                mov cr0, eax
                mov ebx, [0x40000010]
                mov ecx, [0x80000000]
                hlt
                """);
        bench.memory.write64(0x1000, 0x2001);
        bench.memory.write64(0x1008, 0x3001);
        bench.memory.write64(0x2000, 0x83);
        bench.memory.write64(0x2008, 0x20_0083);
        bench.memory.write64(0x3000, 0x1_0000_0083L);
        assertInstanceOf(VmExit.Hlt.class, bench.run());
        assertEquals(14, (bench.cpu.rip() - 1 - HANDLER) / 16);
        assertEquals(-1, (int) bench.cpu.gpr(Gpr.RBX), "beyond the host's memory");
        assertEquals(0x8000_0000L, bench.cpu.cr(2));
    }

    /** Intel SDM volume 3, "32-Bit Paging": 4 KiB and 4 MiB pages, PSE-36, reserved bits, accessed and dirty flags. */
    @Test
    void pagesOfFourMebibytesNeedPse() {
        String program = """
                mov eax, 0x%x
                mov cr4, eax
                mov eax, 0x1000
                mov cr3, eax
                mov eax, 0x80000033
                mov cr0, eax
                mov esi, [0x801000]
                mov [0x801004], esi
                mov ebx, [0x400123]
                mov ecx, [0xc00000]
                mov edx, [0x1000000]
                hlt
                """;
        Bench bench = with32BitTables(program.formatted(0x10));
        assertInstanceOf(VmExit.Hlt.class, bench.run());
        assertEquals(14, (bench.cpu.rip() - 1 - HANDLER) / 16);
        assertEquals(0x1111, bench.cpu.gpr(Gpr.RSI));
        assertEquals(0x2222, bench.cpu.gpr(Gpr.RBX));
        assertEquals(-1, (int) bench.cpu.gpr(Gpr.RCX), "bits 20:13 of the entry are 39:32 of an address beyond memory");
        assertEquals(0x100_0000L, bench.cpu.cr(2));
        assertEquals(9, stacked(bench, 0), "bit 21 is reserved");
        assertEquals(0x80_00a3, bench.memory.read32(0x1004), "accessed");
        assertEquals(0x3023, bench.memory.read32(0x1008), "accessed; a directory entry has no dirty flag");
        assertEquals(0x9063, bench.memory.read32(0x3004), "accessed and dirty");

        bench = with32BitTables(program.formatted(0));
        // without CR4.PSE bit 7 of a directory entry is ignored: code comes through the table that is there
        bench.memory.write32(0x4000 + 4 * 0x100, 0x10_0003);
        for (int i = 0; i < 16; i++) {
            bench.memory.write32(0x4000 + 4 * i, i << 12 | 3);
        }
        bench.memory.write32(0x4000 + 4 * 0x1ff, 0x1f_f003);
        bench.memory.write32(0x1000, 0x4083);
        bench.memory.write32(0x1004, 0x3083);
        bench.memory.write32(0x1008, 0x3083);
        bench.memory.write32(0x9123, 0x3333);
        bench.memory.write32(0x3000, 0x9003);
        assertInstanceOf(VmExit.Hlt.class, bench.run());
        assertEquals(0x3333, bench.cpu.gpr(Gpr.RBX));
    }

    private static Bench with32BitTables(String program) {
        Bench bench = protectedMode(program);
        bench.memory.write32(0x1000, 0x83);
        bench.memory.write32(0x1004, 0x80_0083);
        bench.memory.write32(0x1008, 0x3003);
        bench.memory.write32(0x100c, 0x2083);
        bench.memory.write32(0x1010, 0x20_0083);
        bench.memory.write32(0x3004, 0x9003);
        bench.memory.write32(0x9000, 0x1111);
        bench.memory.write32(0x80_0123, 0x2222);
        return bench;
    }

    @Test
    void aNestedPageFaultHasAmdsErrorCode() {
        Bench bench = Bench.bits64("mov ebx, 0x400010\nmov rax, [rbx]\nmov [rbx], rax\nhlt");
        long root = 0x100_0000;
        bench.memory.write64(root, root + 0x1000 | 7);
        bench.memory.write64(root + 0x1000, root + 0x2000 | 7);
        bench.memory.write64(root + 0x2000, 0x87);
        bench.cpu.setSecondStage(new SecondStage.Npt(root, 4));
        assertEquals(new VmExit.NestedPageFault(0x40_0010, 0x1_0000_0004L, 0x40_0010), bench.run());
        bench.memory.write64(root + 0x2010, 0x40_0085);
        assertEquals(new VmExit.NestedPageFault(0x40_0010, 0x1_0000_0007L, 0x40_0010), bench.run());
        bench.memory.write64(root, root + 0x1000 | 5);
        bench.cpu.flushTranslations();
        assertInstanceOf(VmExit.NestedPageFault.class, bench.run());
    }
}
