package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import kvasir.metal.cpu.isa.CodeSize;
import org.junit.jupiter.api.Test;

/** The processor as its hypervisor sees it: exits, budgets, second stage, emulation, modes, self-modifying code. */
final class CpuTest {
    @Test
    void aProgramRunsToItsHalt() {
        Bench bench = Bench.bits64("""
                mov ecx, 10
                xor ebx, ebx
                again: add rbx, rcx
                dec ecx
                jnz again
                push rbx
                pop rdx
                hlt
                """);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(55, bench.cpu.gpr(Gpr.RDX));
        assertEquals(35, bench.cpu.retired());
    }

    @Test
    void theBudgetIsExact() {
        Bench bench = Bench.bits64("again: inc rax\njmp again");
        assertEquals(new VmExit.Budget(), bench.cpu.run(1001));
        assertEquals(501, bench.cpu.gpr(Gpr.RAX));
        assertEquals(Bench.CODE + 3, bench.cpu.rip());
        assertEquals(1001, bench.cpu.retired());
    }

    @Test
    void aFaultThatRepeatsForeverUsesUpTheBudget() {
        Bench bench = Bench.bits16("ud2");
        bench.memory.write32(6 * 4, 0x1000_0000);
        bench.cpu.setSegment(Segment.SS, new Segment(0x3000, 0x3_0000, 0xffff, 0x93));
        assertEquals(new VmExit.Budget(), bench.cpu.run(1_000_000));
        assertEquals(0, bench.cpu.retired());
    }

    @Test
    void timeIsRetiredInstructions() {
        Bench bench = Bench.bits64("nop\nnop\nrdtsc\nmov ebx, eax\nrdtsc\nhlt");
        bench.run();
        assertEquals(2, bench.cpu.gpr(Gpr.RBX));
        assertEquals(4, bench.cpu.gpr(Gpr.RAX));
    }

    @Test
    void portsAreCompletedByTheHypervisor() {
        Bench bench = Bench.bits64("mov eax, 0x41\nout 0x80, al\nmov dx, 0x3f8\nin eax, dx\nhlt");
        assertEquals(new VmExit.Io(0x80, 1, false, false, 0x41), bench.run());
        bench.cpu.completeOut();
        assertEquals(new VmExit.Io(0x3f8, 4, true, false, 0), bench.run());
        bench.cpu.completeIn(0x1234_5678);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(0x1234_5678, bench.cpu.gpr(Gpr.RAX));
    }

    @Test
    void stringInputGoesElementByElement() {
        Bench bench = Bench.bits64("mov edi, 0x300000\nmov ecx, 3\nmov edx, 0x1f0\nrep insw\nhlt");
        for (int i = 1; i <= 3; i++) {
            assertEquals(new VmExit.Io(0x1f0, 2, true, true, 0), bench.run());
            bench.cpu.completeIn(0x1111 * i);
        }
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(0x3333_2222_1111L, bench.memory.read64(0x30_0000));
        assertEquals(0, bench.cpu.gpr(Gpr.RCX));
    }

    @Test
    void unknownMsrsAndHypercallsExitAndAreSkipped() {
        Bench bench = Bench.bits64("mov ecx, 0x4b564d00\nrdmsr\nvmcall\nhlt");
        assertEquals(new VmExit.Rdmsr(0x4b56_4d00), bench.run());
        bench.cpu.skip();
        assertEquals(new VmExit.Hypercall(false), bench.run());
        bench.cpu.skip();
        assertEquals(new VmExit.Hlt(), bench.run());
    }

    /** EPT at 16 MiB: gpa 0 to 2 MiB identity by one 2 MiB page; code and tables are in it. */
    private static Bench withEpt(String source) {
        Bench bench = Bench.bits64(source);
        long root = 0x100_0000;
        bench.memory.write64(root, root + 0x1000 | 7);
        bench.memory.write64(root + 0x1000, root + 0x2000 | 7);
        bench.memory.write64(root + 0x2000, 0xb7);
        bench.cpu.setSecondStage(new SecondStage.Ept(root | 0x5e));
        bench.cpu.setGpr(Gpr.RSP, 0x1f_0000);
        return bench;
    }

    @Test
    void anUnmappedGpaIsAnEptViolationAndTheInstructionHasNotHappened() {
        Bench bench = withEpt("mov rbx, 0x400010\nadd [rbx], rcx\nhlt");
        assertEquals(new VmExit.EptViolation(0x40_0010, 0x40_0010, 0x182), bench.run());
        assertEquals(Bench.CODE + 7, bench.cpu.rip());
        bench.memory.write64(0x100_2000 + 16, 0x80_0000 | 0xb7);
        bench.cpu.setGpr(Gpr.RCX, 5);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(5, bench.memory.read64(0x80_0010));
    }

    @Test
    void anMmioEntryIsAMisconfigurationAndTheBusEmulatesIt() {
        Bench bench = withEpt("mov rbx, 0x400020\nmov eax, [rbx]\nmov [rbx+4], eax\nhlt");
        bench.memory.write64(0x100_2000 + 16, 0x40_0000 | 6);
        assertEquals(new VmExit.EptMisconfig(0x40_0020), bench.run());
        var bus = new Bus();
        assertEquals(new VmExit.MmioPending(0x40_0020, 4), bench.cpu.emulate(bus));
        assertEquals(Bench.CODE + 7, bench.cpu.rip());
        bus.ready = true;
        assertEquals(new VmExit.Emulated(), bench.cpu.emulate(bus));
        assertEquals(0xddcc_bbaaL, bench.cpu.gpr(Gpr.RAX));
        assertEquals(new VmExit.EptMisconfig(0x40_0024), bench.run());
        assertEquals(new VmExit.Emulated(), bench.cpu.emulate(bus));
        assertEquals(List.of("400024:4:-86"), bus.written);
        assertEquals(new VmExit.Hlt(), bench.run());
    }

    private static final class Bus implements MmioBus {
        boolean ready;
        final List<String> written = new ArrayList<>();

        @Override
        public boolean claims(long gpa, int bytes, boolean write) {
            return gpa >>> 12 == 0x400;
        }

        @Override
        public boolean read(long gpa, byte[] data, int bytes) {
            for (int i = 0; i < bytes; i++) {
                data[i] = (byte) (0xaa + 0x11 * i);
            }
            return ready;
        }

        @Override
        public void write(long gpa, byte[] data, int bytes) {
            written.add(Long.toHexString(gpa) + ":" + bytes + ":" + data[0]);
        }
    }

    @Test
    void codeThatWritesItselfRunsAsWritten() {
        Bench bench = Bench.bits64("""
                mov ecx, 3
                again: mov byte [patch+1], 7
                patch: mov al, 1
                add ebx, eax
                mov byte [patch+1], 1
                dec ecx
                jnz again
                hlt
                """);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(21, bench.cpu.gpr(Gpr.RBX));
    }

    @Test
    void codeThatTheHostWritesRunsAsWritten() {
        Bench bench = Bench.bits64("mov eax, 1\nhlt");
        bench.run();
        bench.memory.write8(Bench.CODE + 1, (byte) 9);
        bench.cpu.setRip(Bench.CODE);
        bench.run();
        assertEquals(9, bench.cpu.gpr(Gpr.RAX));
    }

    @Test
    void anInstructionAcrossPagesFaultsOnTheSecond() {
        Bench bench = Bench.bits64("hlt");
        byte[] code = Bench.assemble(CodeSize.BITS64, 0, "mov eax, 0x11223344\nhlt");
        bench.memory.write(0x3f_fffe, code, 0, code.length);
        bench.cpu.setRip(0x3f_fffe);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(0x1122_3344, bench.cpu.gpr(Gpr.RAX));
        bench.memory.write64(0x3000 + 16, 0);
        bench.cpu.flushTranslations();
        bench.cpu.setRip(0x3f_fffe);
        bench.cpu.setIdtr(new DescriptorTable(0, 0));
        assertEquals(new VmExit.TripleFault(), bench.run());
        assertEquals(0x40_0000, bench.cpu.cr(2));
    }

    @Test
    void bulkStringOperations() {
        Bench bench = Bench.bits64("""
                mov edi, 0x400003
                mov ecx, 20000
                mov al, 0x5a
                rep stosb
                mov esi, 0x400003
                mov edi, 0x500001
                mov ecx, 20000
                rep movsb
                mov esi, 0x500001
                mov edi, 0x500002
                mov byte [0x500001], 1
                mov ecx, 9
                rep movsb
                mov edi, 0x500001
                mov al, 0x5a
                mov ecx, 100
                repne scasb
                hlt
                """);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(0x5a, bench.memory.read8(0x40_0003 + 19999));
        assertEquals(0, bench.memory.read8(0x40_0003 + 20000));
        assertEquals(0x5a, bench.memory.read8(0x50_0001 + 19999));
        assertEquals(0x0101_0101_0101_0101L, bench.memory.read64(0x50_0002), "overlapping bytes repeat");
        assertEquals(89, bench.cpu.gpr(Gpr.RCX));
    }

    @Test
    void realModeToLongMode() {
        Bench bench = Bench.bits16("""
                cli
                mov ax, 0
                mov ds, ax
                lgdt [0x7000]
                mov eax, 0x20
                mov cr4, eax
                mov eax, 0x1000
                mov cr3, eax
                mov ecx, 0xc0000080
                mov eax, 0x100
                xor edx, edx
                wrmsr
                mov eax, 0x80000001
                mov cr0, eax
                jmpf 8:0x9000
                """);
        bench.memory.write64(0x1000, 0x2003);
        bench.memory.write64(0x2000, 0x83);
        bench.memory.write64(0x5000, 0);
        bench.memory.write64(0x5008, 0x00af_9a00_0000_ffffL);
        bench.memory.write64(0x7000, 0x5000_000fL);
        byte[] code = Bench.assemble(CodeSize.BITS64, 0x9000, "mov rax, 0x1122334455667788\nhlt");
        bench.memory.write(0x9000, code, 0, code.length);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(0x1122_3344_5566_7788L, bench.cpu.gpr(Gpr.RAX));
        assertEquals(Bits.EFER_LME | Bits.EFER_LMA, bench.cpu.msr(Msr.EFER).orElseThrow());
        assertEquals(0x9b, bench.memory.read8(0x500d) & 0xff, "the accessed bit of the descriptor");
    }

    @Test
    void realModeInterrupts() {
        Bench bench = Bench.bits16("int 0x21\nmov bx, 5\nhlt");
        bench.memory.write32(0x21 * 4, 0x2000_0010);
        byte[] handler = Bench.assemble(CodeSize.BITS16, 0, "mov cx, 9\niret");
        bench.memory.write(0x2_0010, handler, 0, handler.length);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(9, bench.cpu.gpr(Gpr.RCX) & 0xffff);
        assertEquals(5, bench.cpu.gpr(Gpr.RBX) & 0xffff);
        assertEquals(0x8000, bench.cpu.gpr(Gpr.RSP));
    }

    @Test
    void protectedModeSegmentsHaveLimits() {
        Bench bench = Bench.bits32("mov eax, [0x1000]\nmov ax, 16\nmov ds, ax\nmov eax, [0x1000]\nhlt");
        bench.cpu.setSegment(Segment.DS, new Segment(16, 0x10_0000, 0x1fff, 0x4093));
        bench.memory.write32(0x10_1000, 77);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertTrue(bench.cpu.segment(Segment.DS).limit() == -1);
        bench = Bench.bits32("mov eax, [0x2000]\nhlt");
        bench.cpu.setSegment(Segment.DS, new Segment(16, 0x10_0000, 0x1fff, 0x4093));
        bench.cpu.setIdtr(new DescriptorTable(0, 0));
        assertEquals(new VmExit.TripleFault(), bench.run());
    }

    @Test
    void everyRowOfTheTableCanBeExecuted() {
        assertEquals(
                List.of(),
                kvasir.metal.cpu.isa.InstructionTable.mnemonics().stream()
                        .filter(m -> !Semantics.has(m))
                        .toList());
    }

    @Test
    void savedStateComesBack() {
        Bench bench = Bench.bits64("stc\nmov eax, 1\nmov eax, 2\nhlt");
        bench.cpu.run(2);
        Cpu.Image image = bench.cpu.save();
        bench.run();
        bench.cpu.restore(image);
        assertEquals(1, bench.cpu.gpr(Gpr.RAX));
        assertEquals(3, bench.cpu.rflags());
        assertEquals(2, bench.cpu.retired());
        assertEquals("mov eax, 0x2", bench.cpu.disassembly());
        assertEquals(new VmExit.Hlt(), bench.run());
    }
}
