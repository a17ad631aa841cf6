package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Debug registers and single step (Intel SDM volume 3, "Debug, branch profile, TSC, ..."); breakpoints from outside. */
final class DebugTest {
    private static final long IDT = 0x6000;
    private static final long HANDLER = 0x8000;
    private static final int BS = 0x4000;

    /** 64-bit code at {@link Bench#CODE} with an IDT whose every handler is a HLT at 0x8000 + 16 × vector. */
    private static Bench bench(String source) {
        Bench bench = Bench.bits64(source);
        for (int vector = 0; vector < 256; vector++) {
            long target = HANDLER + 16L * vector;
            bench.memory.write64(IDT + 16L * vector, target & 0xffff | 8L << 16 | 0x8eL << 40);
            bench.memory.write8(target, (byte) 0xf4);
            bench.memory.write16(target + 1, (short) 0xcf48);
        }
        bench.cpu.setIdtr(new DescriptorTable(IDT, 0xfff));
        return bench;
    }

    private static long stacked(Bench bench, int slot) {
        return bench.memory.read64(bench.cpu.gpr(Gpr.RSP) + 8L * slot);
    }

    /** Runs to the HLT of a handler and gives its vector, or -1 for another HLT. */
    private static int vector(Bench bench) {
        assertEquals(new VmExit.Hlt(), bench.run());
        long at = bench.cpu.rip() - 1;
        return at >= HANDLER && at < HANDLER + 4096 ? (int) (at - HANDLER) / 16 : -1;
    }

    /** Where #DB was reported, as offsets in the code, until the program halts; DR6 is cleared each time. */
    private static List<String> traps(Bench bench) {
        var found = new ArrayList<String>();
        while (vector(bench) == 1) {
            found.add("%x:%x".formatted(stacked(bench, 0) - Bench.CODE, bench.cpu.dr(6) & 0xe00f));
            bench.cpu.setDr(6, 0xffff_0ff0L);
        }
        return found;
    }

    private static final String SET_TF = "pushfq\npop rax\nor eax, 0x100\npush rax\npopfq\n";

    @Test
    void singleStepTrapsBehindTheInstructionAfterPopf() {
        // 9 bytes until POPFQ is through: PUSHFQ 1, POP 1, OR EAX 5, PUSH 1, POPFQ 1
        Bench bench = bench(SET_TF + "nop\nand eax, 0xfffffeff\npush rax\npopfq\nnop\nhlt");
        assertEquals(List.of("a:4000", "f:4000", "10:4000", "11:4000"), traps(bench));
    }

    @Test
    void theTrapOfAnEmulatedInstructionComesToo() {
        Bench bench = bench(SET_TF + "xor eax, eax\ncpuid\nout 0x80, al\nnop\nhlt");
        bench.cpu.interceptCpuid(true);
        assertEquals(1, vector(bench));
        assertEquals(new VmExit.Cpuid(0, 0), bench.run());
        bench.cpu.skip();
        assertEquals(1, vector(bench));
        assertEquals(Bench.CODE + 13, stacked(bench, 0));
        assertEquals(new VmExit.Io(0x80, 1, false, false, 0), bench.run());
        bench.cpu.completeOut();
        assertEquals(1, vector(bench));
        assertEquals(Bench.CODE + 15, stacked(bench, 0));
    }

    @Test
    void movSsHoldsBackTheTrapAndStiDoesNot() {
        Bench bench = bench("mov cx, ss\n" + SET_TF + "mov ss, cx\nnop\nsti\nnop\nhlt");
        // MOV CX,SS 3, then 9, MOV SS 2: the NOP behind it is at 0xe
        assertEquals("f:4000", traps(bench).getFirst());
        bench = bench(SET_TF + "sti\nnop\nhlt");
        assertEquals(List.of("a:4000", "b:4000"), traps(bench));
        assertTrue(bench.cpu.trapPending(), "HLT has its trap too, which wakes it");
    }

    @Test
    void int1IsATrapWithoutConditionsAndTakesThePendingOneWithIt() {
        Bench bench = bench("mov cx, ss\n" + SET_TF + "mov ss, cx\nint1\nnop\nhlt");
        List<String> traps = traps(bench);
        assertEquals("f:0", traps.getFirst());
        assertEquals("10:4000", traps.get(1));
    }

    @Test
    void repeatedStringInstructionsTrapBehindEachIterationWithRfPushed() {
        Bench bench = bench("mov edi, 0x300000\nmov ecx, 3\n" + SET_TF + "rep stosb\nnop\nhlt");
        assertEquals(1, vector(bench));
        assertEquals(Bench.CODE + 0x13, stacked(bench, 0));
        assertEquals(2, bench.cpu.gpr(Gpr.RCX));
        assertEquals(0x1_0000, stacked(bench, 2) & 0x1_0000, "RF: an iteration is left");
        assertEquals(1, vector(bench));
        assertEquals(1, vector(bench));
        assertEquals(Bench.CODE + 0x15, stacked(bench, 0));
        assertEquals(0, stacked(bench, 2) & 0x1_0000);
    }

    @Test
    void anInstructionBreakpointIsAFaultUntilRfIsSet() {
        Bench bench = bench("nop\ninc ebx\nhlt");
        bench.cpu.setDr(0, Bench.CODE + 1);
        bench.cpu.setDr(7, 0x402);
        assertEquals(1, vector(bench));
        assertEquals(Bench.CODE + 1, stacked(bench, 0));
        assertEquals(0, stacked(bench, 2) & 0x1_0000, "the handler must set RF itself");
        assertEquals(0xffff_0ff1L, bench.cpu.dr(6));
        assertEquals(0, bench.cpu.gpr(Gpr.RBX));
        bench.memory.write64(bench.cpu.gpr(Gpr.RSP) + 16, stacked(bench, 2) | 0x1_0000);
        assertEquals(-1, vector(bench));
        assertEquals(1, bench.cpu.gpr(Gpr.RBX));
        assertEquals(0, bench.cpu.rflags() & 0x1_0000);
    }

    @Test
    void dataBreakpointsAreTrapsAndMindLengthAndDirection() {
        Bench bench = bench("""
                mov ebx, [0x300004]
                mov byte [0x300007], 1
                mov byte [0x300008], 1
                mov dword [0x2ffffd], 1
                mov ecx, [0x400000]
                hlt
                """);
        bench.cpu.setDr(1, 0x30_0000);
        bench.cpu.setDr(2, 0x40_0000);
        // DR1: write, 8 bytes; DR2: read or write, 1 byte
        bench.cpu.setDr(7, 0x400 | 2L << 2 | 2L << 4 | 0x9L << 20 | 0x3L << 24);
        assertEquals(List.of("f:2", "22:2", "29:4"), traps(bench));
        assertEquals(1, bench.memory.read8(0x30_0007));
    }

    @Test
    void ioBreakpointsNeedDe() {
        Bench bench = bench("out 0x80, al\nnop\nhlt");
        bench.cpu.setDr(3, 0x80);
        bench.cpu.setDr(7, 0x400 | 2L << 6 | 0x2L << 28);
        bench.run();
        bench.cpu.completeOut();
        assertEquals(-1, vector(bench), "R/W 2 without CR4.DE");
        bench = bench("out 0x80, al\nnop\nhlt");
        bench.cpu.setCr(4, bench.cpu.cr(4) | Bits.CR4_DE);
        bench.cpu.setDr(3, 0x80);
        bench.cpu.setDr(7, 0x400 | 2L << 6 | 0x2L << 28);
        bench.run();
        bench.cpu.completeOut();
        assertEquals(List.of("2:8"), traps(bench));
    }

    @Test
    void generalDetectFaultsAndIsClearedOnTheWay() {
        Bench bench = bench("mov rax, dr0\nhlt");
        bench.cpu.setDr(7, 0x2400);
        assertEquals(1, vector(bench));
        assertEquals(Bench.CODE, stacked(bench, 0));
        assertEquals(0xffff_2ff0L, bench.cpu.dr(6));
        assertEquals(0x400, bench.cpu.dr(7));
        assertEquals(-1, vector(bench));
    }

    @Test
    void debugRegistersReadTheirConstantBits() {
        Bench bench = bench("""
                xor eax, eax
                mov dr6, rax
                mov rbx, dr6
                mov eax, 0xffffffff
                mov dr7, rax
                hlt
                """);
        assertEquals(-1, vector(bench));
        assertEquals(0xffff_0ff0L, bench.cpu.gpr(Gpr.RBX));
        assertEquals(0xffff_27ffL, bench.cpu.dr(7));
        assertEquals(13, vector(bench("mov rax, 0x100000000\nmov dr7, rax\nhlt")));
        Bench aliases = bench("mov rax, dr4\nhlt");
        aliases.cpu.setCr(4, aliases.cpu.cr(4) | Bits.CR4_DE);
        assertEquals(6, vector(aliases), "DR4 is no alias with CR4.DE");
    }

    @Test
    void btfTrapsBehindTakenBranchesOnly() {
        Bench bench = bench("mov ecx, 0x1d9\nmov eax, 2\nxor edx, edx\nwrmsr\n" + SET_TF
                + "nop\njmp next\nnop\nnext: nop\nnop\nhlt");
        // WRMSR ends at 0xe, POPFQ at 0x17; #DB clears BTF, and then every instruction traps
        assertEquals(List.of("1b:4000", "1c:4000", "1d:4000"), traps(bench));
    }

    @Test
    void hypervisorsSeeDebugExceptionsInsteadOfTheGuest() {
        Bench bench = bench("nop\nint3\nnop\nhlt");
        bench.cpu.interceptDebug(true, true);
        assertEquals(new VmExit.Debug(3, 0), bench.run());
        assertEquals(Bench.CODE + 1, bench.cpu.rip());
        bench.cpu.setRip(Bench.CODE + 2);
        long[] registers = new long[8];
        registers[0] = Bench.CODE + 3;
        registers[7] = 0x402;
        bench.cpu.forceDebugRegisters(Optional.of(registers));
        assertEquals(new VmExit.Debug(1, 1), bench.run());
        assertEquals(Bench.CODE + 3, bench.cpu.rip());
        assertEquals(0xffff_0ff0L, bench.cpu.dr(6), "the guest's own registers are untouched");
        bench.cpu.forceDebugRegisters(Optional.empty());
        assertEquals(-1, vector(bench));
    }

    @Test
    void breakpointsFromOutsideStopBeforeAndRunOn() {
        Bench bench = bench("again: inc ebx\nmov [0x300000], ebx\ncmp ebx, 3\njb again\nhlt");
        bench.cpu.breakAt(Bench.CODE + 9);
        assertEquals(new VmExit.Stopped(VmExit.Stop.BREAK, Bench.CODE + 9, Bench.CODE + 9), bench.run());
        assertEquals(1, bench.cpu.gpr(Gpr.RBX));
        bench.run();
        assertEquals(2, bench.cpu.gpr(Gpr.RBX));
        bench.cpu.forgetBreakpoints();
        bench.cpu.watch(0x30_0002, 0x30_0002, false);
        assertEquals(new VmExit.Stopped(VmExit.Stop.WATCH, 0x30_0002, Bench.CODE + 9), bench.run());
        assertEquals(3, bench.memory.read32(0x30_0000));
        bench.cpu.forgetBreakpoints();
        bench.cpu.stepEveryInstruction(true);
        assertEquals(new VmExit.Stopped(VmExit.Stop.STEP, Bench.CODE + 12, Bench.CODE + 12), bench.run());
        bench.cpu.stepEveryInstruction(false);
        assertEquals(-1, vector(bench));
        assertTrue(bench.cpu.tlb().stream().anyMatch(t -> t.linear() == Bench.CODE && t.fetches()));
    }
}
