package kvasir.metal.cpu;

import static kvasir.metal.cpu.LegacyModeTest.protectedMode;
import static kvasir.metal.cpu.LegacyModeTest.ring3;
import static kvasir.metal.cpu.LegacyModeTest.stacked;
import static kvasir.metal.cpu.LegacyModeTest.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;

import kvasir.metal.cpu.isa.CodeSize;
import org.junit.jupiter.api.Test;

/** Rules of segments, gates and system calls, one a test (Intel SDM volume 3, "Protection"; volume 2). */
final class SegmentationRulesTest {
    private static final long CODE_0 = 0x00cf_9b00_0000_ffffL;
    private static final long CONFORMING_0 = 0x00cf_9f00_0000_ffffL;
    private static final long EXECUTE_ONLY_3 = 0x00cf_f900_0000_ffffL;
    private static final long DATA_3 = 0x00cf_f300_0000_ffffL;
    private static final long READ_ONLY_3 = 0x00cf_f100_0000_ffffL;
    private static final long ABSENT_DATA_3 = 0x00cf_7300_0000_ffffL;
    private static final long LDT_0 = 0x0000_8200_0000_0fffL;
    private static final long CALL_GATE_3 = 0x0012_ec00_0018_0000L;
    private static final CpuidModel MILAN = CpuidModel.named("EPYC-Milan").orElseThrow();

    /** The descriptor under selector 0x38 (ring 3: 0x3b); the GDT ends behind 0x47. */
    private static Bench with(Bench bench, long descriptor) {
        bench.memory.write64(0x5038, descriptor);
        bench.memory.write64(0x5040, 0);
        bench.cpu.setGdtr(new DescriptorTable(0x5000, 0x47));
        return bench;
    }

    /** Vector and error code times 256. */
    private static int fault(Bench bench) {
        int vector = vector(bench);
        return vector | stacked(bench, 0) << 8;
    }

    private static int gp(int code) {
        return Vector.GP | code << 8;
    }

    /** ZF and EAX of a query about 0x38 from ring 3; -1 if ZF is clear. */
    private static long query(String instruction, long descriptor) {
        Bench bench = ring3("xor ebx, ebx\nmov eax, -1\nmov ecx, 0x3b\n" + instruction + "\nsetz bl\nint 0x80");
        with(bench, descriptor);
        assertEquals(0x80, vector(bench));
        return bench.cpu.gpr(Gpr.RBX) == 0 ? -1 : bench.cpu.gpr(Gpr.RAX);
    }

    @Test
    void larGivesRightsOfWhatIsVisible() {
        assertEquals(0x00cf_f300, query("lar eax, cx", DATA_3));
        assertEquals(0x00cf_7300, query("lar eax, cx", ABSENT_DATA_3), "present or not");
        assertEquals(-1, query("lar eax, cx", CODE_0), "DPL 0 from ring 3");
        assertEquals(0x00cf_9f00, query("lar eax, cx", CONFORMING_0));
        assertEquals(0x0012_ec00, query("lar eax, cx", CALL_GATE_3));
        assertEquals(-1, query("lar eax, cx", 0x0000_ee00_0018_0000L), "an interrupt gate");
        assertEquals(-1, query("lar eax, cx", 0x0000_e000_0000_0000L), "type 0");
        assertEquals(-1, query("mov ecx, 0x4b\nlar eax, cx", DATA_3), "beyond the table");
        assertEquals(-1, query("xor ecx, ecx\nlar eax, cx", DATA_3), "null");
    }

    @Test
    void lslGivesLimitsInBytes() {
        assertEquals(0xffff_ffffL, query("lsl eax, cx", DATA_3));
        assertEquals(0xf_ffff, query("lsl eax, cx", 0x004f_f300_0000_ffffL), "without granularity");
        assertEquals(-1, query("lsl eax, cx", CALL_GATE_3), "a gate has none");
        assertEquals(-1, query("lsl eax, cx", LDT_0), "DPL 0 from ring 3");
        assertEquals(0xfff, query("lsl eax, cx", LDT_0 | 3L << 45));
    }

    @Test
    void verrAndVerw() {
        assertEquals(0xffff_ffffL, query("verr cx", DATA_3));
        assertEquals(0xffff_ffffL, query("verw cx", DATA_3));
        assertEquals(-1, query("verw cx", READ_ONLY_3));
        assertEquals(-1, query("verr cx", EXECUTE_ONLY_3));
        assertEquals(0xffff_ffffL, query("verr cx", CONFORMING_0), "conforming and readable: whatever its DPL");
        assertEquals(-1, query("verw cx", CONFORMING_0));
        assertEquals(-1, query("verr cx", CODE_0));
        assertEquals(-1, query("verr cx", LDT_0 | 3L << 45), "a system segment");
    }

    @Test
    void arplRaisesRpl() {
        assertEquals(0x3b, query("mov eax, 0x38\narpl ax, cx", DATA_3) & 0xffff);
        assertEquals(-1, query("mov eax, 0x3b\narpl ax, cx", DATA_3));
        assertEquals(-1, query("mov ecx, 0x38\nmov eax, 0x39\narpl ax, cx", DATA_3));
    }

    @Test
    void loadsOfDataSegmentsCheckInOrder() {
        String load = "mov eax, 0x3b\nmov ds, ax\nint 0x80";
        assertEquals(0x80, vector(with(ring3(load), DATA_3)));
        assertEquals(gp(0x38), fault(with(ring3(load), CODE_0)), "privilege");
        assertEquals(gp(0x38), fault(with(ring3(load), EXECUTE_ONLY_3)), "not readable");
        assertEquals(Vector.NP | 0x38 << 8, fault(with(ring3(load), ABSENT_DATA_3)));
        assertEquals(gp(0x38), fault(with(ring3(load), EXECUTE_ONLY_3 & ~(1L << 47))), "type before presence");
        assertEquals(gp(0x48), fault(with(ring3("mov eax, 0x4b\nmov ds, ax"), DATA_3)), "limit of the table");
        assertEquals(0x80, vector(with(ring3(load), CONFORMING_0)), "conforming and readable");
    }

    @Test
    void loadsOfStackSegments() {
        String load = "mov eax, 0x3b\nmov ss, ax\nint 0x80";
        assertEquals(0x80, vector(with(ring3(load), DATA_3)));
        assertEquals(gp(0x38), fault(with(ring3(load), READ_ONLY_3)));
        assertEquals(gp(0x38), fault(with(ring3(load), DATA_3 & ~(3L << 45))), "DPL is not CPL");
        assertEquals(gp(0x38), fault(with(ring3("mov eax, 0x38\nmov ss, ax"), DATA_3)), "RPL is not CPL");
        assertEquals(Vector.SS | 0x38 << 8, fault(with(ring3(load), ABSENT_DATA_3)), "#SS, not #NP");
        assertEquals(gp(0), fault(with(ring3("xor eax, eax\nmov ss, ax"), DATA_3)), "null");
    }

    @Test
    void farPointersMayHoldANullSelector() {
        Bench bench = protectedMode("mov ecx, 0x17f61\nles edi, [ecx]\nlds esi, [ecx]\nhlt");
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(0, bench.cpu.segment(Segment.ES).selector());
        assertEquals(Bench.CODE + 10, bench.cpu.rip());
        assertEquals(Vector.GP, vector(protectedMode("mov ecx, 0x17f61\nlss esi, [ecx]\nhlt")));
    }

    @Test
    void nullDataSegmentsFaultWhenTheyAreUsed() {
        Bench bench = protectedMode("xor eax, eax\nmov es, ax\nmov eax, es:[0x5000]\nhlt");
        assertEquals(gp(0), fault(bench));
        assertEquals(Bench.CODE + 4, stacked(bench, 1));
    }

    @Test
    void limitsAreSsForTheStackAndGpElsewhere() {
        Bench data = protectedMode("mov eax, [0x5ffd]\nhlt");
        data.cpu.setSegment(Segment.DS, new Segment(16, 0, 0x5fff, 0x4093));
        assertEquals(gp(0), fault(data), "the last byte is beyond");
        Bench stack = protectedMode("mov ebp, 0x5ffd\nmov eax, [ebp]\nhlt");
        stack.cpu.setSegment(Segment.SS, new Segment(16, 0, 0x5fff, 0x4093));
        stack.cpu.setGpr(Gpr.RSP, 0x5000);
        assertEquals(Vector.SS, fault(stack));
        Bench override = protectedMode("mov ebp, 0x5ffd\nmov eax, ds:[ebp]\nhlt");
        override.cpu.setSegment(Segment.DS, new Segment(16, 0, 0x5fff, 0x4093));
        assertEquals(gp(0), fault(override));
        Bench within = protectedMode("mov eax, [0x5ffc]\nhlt");
        within.cpu.setSegment(Segment.DS, new Segment(16, 0, 0x5fff, 0x4093));
        assertEquals(new VmExit.Hlt(), within.run());
    }

    @Test
    void expandDownSegmentsEndAtTheirWidth() {
        Bench wide = protectedMode("mov eax, [0x6000]\nmov eax, [0xfffffffc]\nmov eax, [0x5fff]\nhlt");
        wide.cpu.setSegment(Segment.DS, new Segment(16, 0, 0x5fff, 0x4097));
        assertEquals(gp(0), fault(wide));
        assertEquals(Bench.CODE + 10, stacked(wide, 1));
        Bench narrow = protectedMode("mov eax, [0xfffc]\nmov eax, [0xfffd]\nhlt");
        narrow.cpu.setSegment(Segment.DS, new Segment(16, 0, 0x5fff, 0x0097));
        assertEquals(gp(0), fault(narrow), "B is clear: 0xffff is the last byte");
        assertEquals(Bench.CODE + 5, stacked(narrow, 1));
    }

    @Test
    void writesNeedAWritableSegment() {
        Bench readOnly = protectedMode("mov dword [0x5000], 1\nhlt");
        readOnly.cpu.setSegment(Segment.DS, new Segment(16, 0, -1, 0xc091));
        assertEquals(gp(0), fault(readOnly));
        assertEquals(gp(0), fault(protectedMode("mov dword cs:[0x5000], 1\nhlt")));
    }

    @Test
    void conformingCodeKeepsThePrivilegeLevel() {
        Bench bench = with(ring3("jmpf 0x38:0x110010"), CONFORMING_0);
        byte[] code = Bench.assemble(CodeSize.BITS32, 0x11_0010, "mov eax, cs\nint 0x80");
        bench.memory.write(0x11_0010, code, 0, code.length);
        assertEquals(0x80, vector(bench));
        assertEquals(0x3b, bench.cpu.gpr(Gpr.RAX) & 0xffff);
        assertEquals(gp(0x38), fault(with(ring3("jmpf 0x38:0x110010"), CODE_0)), "not conforming");
        assertEquals(gp(0x38), fault(with(ring3("jmpf 0x3b:0x110010"), DATA_3)), "data");
        assertEquals(Vector.NP | 0x38 << 8, fault(with(ring3("jmpf 0x3b:0x110010"), 0x00cf_7b00_0000_ffffL)));
        assertEquals(gp(0), fault(ring3("jmpf 0:0x110010")));
    }

    @Test
    void callGatesAreChecked() {
        String call = "callf 0x3b:0\nint 0x80";
        assertEquals(gp(0x38), fault(with(ring3(call), CALL_GATE_3 & ~(3L << 45))), "DPL of the gate");
        assertEquals(Vector.NP | 0x38 << 8, fault(with(ring3(call), CALL_GATE_3 & ~(1L << 47))));
        assertEquals(gp(0), fault(with(ring3(call), CALL_GATE_3 & ~(0xffffL << 16))), "a null selector in it");
        assertEquals(gp(0x10), fault(with(ring3(call), CALL_GATE_3 & ~(8L << 16))), "data in it");
        assertEquals(gp(0x18), fault(with(ring3("jmpf 0x3b:0"), CALL_GATE_3)), "JMP does not go inwards");
    }

    @Test
    void a16BitCallGateCopiesWords() {
        Bench bench = with(ring3("push 0x11112222\npush 0x33334444\ncallf 0x3b:0\nint 0x80"), 0x0000_e403_0018_8800L);
        byte[] inner = Bench.assemble(CodeSize.BITS32, 0x8800, "mov ecx, [esp+4]\nmovzx edx, word [esp+8]\nhlt");
        bench.memory.write(0x8800, inner, 0, inner.length);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(0x3333_4444L, bench.cpu.gpr(Gpr.RCX));
        assertEquals(0x2222, bench.cpu.gpr(Gpr.RDX), "three words");
        assertEquals(0x30_0000 - 2 * 7, bench.cpu.gpr(Gpr.RSP), "SS, SP, three words, CS, IP");
    }

    @Test
    void a64BitCallGateHasSixteenBytes() {
        Bench run = Bench.withIdt("callf [rax]\nhlt");
        byte[] inner = Bench.assemble(
                CodeSize.BITS64, 0x12_0000, "mov rcx, [rsp]\nmov rdx, [rsp+8]\nmov rbx, rsp\ndb 0x48, 0xcb");
        run.memory.write(0x12_0000, inner, 0, inner.length);
        run.memory.write64(0x5038, 0x0012_8c00_0008_0000L);
        run.memory.write64(0x5040, 0);
        run.cpu.setGdtr(new DescriptorTable(0x5000, 0x47));
        run.memory.write64(0x21_0000, 0x38L << 32);
        run.cpu.setGpr(Gpr.RAX, 0x21_0000);
        run.cpu.setGpr(Gpr.RSP, Bench.STACK - 64);
        assertEquals(new VmExit.Hlt(), run.run());
        assertEquals(Bench.CODE + 3, run.cpu.rip());
        assertEquals(Bench.CODE + 2, run.cpu.gpr(Gpr.RCX));
        assertEquals(8, run.cpu.gpr(Gpr.RDX));
        assertEquals(Bench.STACK - 64 - 16, run.cpu.gpr(Gpr.RBX), "eight-byte slots, no new stack in ring 0");
    }

    private static Bench sysenter(Bench bench) {
        bench.cpu.setMsr(Msr.SYSENTER_CS, 0x18);
        bench.cpu.setMsr(Msr.SYSENTER_ESP, 0x2f_0000);
        bench.cpu.setMsr(Msr.SYSENTER_EIP, 0x12_0000);
        bench.memory.write8(0x12_0000, (byte) 0xf4);
        return bench;
    }

    @Test
    void sysenterGoesToRing0() {
        Bench bench = sysenter(ring3("sysenter"));
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(0x12_0001, bench.cpu.rip());
        assertEquals(0x2f_0000, bench.cpu.gpr(Gpr.RSP));
        assertEquals(new Segment(0x18, 0, -1, 0xc09b), bench.cpu.segment(Segment.CS));
        assertEquals(new Segment(0x20, 0, -1, 0xc093), bench.cpu.segment(Segment.SS));
        assertEquals(2, bench.cpu.rflags() & 0x20202, "IF is clear");
        assertEquals(gp(0), fault(ring3("sysenter")), "IA32_SYSENTER_CS is null");
    }

    @Test
    void sysexitGoesToRing3() {
        Bench bench = sysenter(protectedMode("mov edx, 0x110000\nmov ecx, 0x280000\nsysexitd"));
        byte[] user = Bench.assemble(CodeSize.BITS32, 0x11_0000, "mov eax, cs\nmov ebx, ss\nint 0x80");
        bench.memory.write(0x11_0000, user, 0, user.length);
        assertEquals(0x80, vector(bench));
        assertEquals(0x2b, bench.cpu.gpr(Gpr.RAX) & 0xffff, "base + 16, RPL 3");
        assertEquals(0x33, bench.cpu.gpr(Gpr.RBX) & 0xffff, "base + 24");
        assertEquals(0x28_0000, stacked(bench, 3));
        assertEquals(gp(0), fault(sysenter(ring3("sysexitd"))), "ring 0 only");
    }

    @Test
    void amdHasSysenterOutsideLongModeOnly() {
        assertEquals(Vector.UD, Bench.vector(sysenter(Bench.withIdt("sysenter", MILAN))));
        Bench intel = sysenter(Bench.withIdt("sysenter"));
        assertEquals(new VmExit.Hlt(), intel.run());
        assertEquals(0x12_0001, intel.cpu.rip());
    }

    @Test
    void syscallInCompatibilityModeIsAmds() {
        for (CpuidModel model : CpuidModel.all()) {
            Bench bench = Bench.withIdt("hlt", model);
            byte[] code = Bench.assemble(CodeSize.BITS32, Bench.CODE, "syscall\nhlt");
            bench.memory.write(Bench.CODE, code, 0, code.length);
            bench.memory.write8(0x12_0000, (byte) 0xf4);
            bench.cpu.setMsr(Msr.EFER, Bits.EFER_LME | Bits.EFER_LMA | Bits.EFER_SCE);
            bench.cpu.setMsr(Msr.STAR, 0x0018_0008L << 32);
            bench.cpu.setMsr(Msr.CSTAR, 0x12_0000);
            bench.cpu.setSegment(Segment.CS, new Segment(0x23, 0, -1, 0xc0fb));
            bench.cpu.setSegment(Segment.SS, new Segment(0x2b, 0, -1, 0xc0f3));
            assertEquals(new VmExit.Hlt(), bench.run());
            long expected = model.amd() ? 0x12_0001 : Bench.HANDLER + 16 * Vector.UD + 1;
            assertEquals(expected, bench.cpu.rip(), model.name());
        }
    }

    @Test
    void nullStackSegmentsIn64BitMode() {
        Bench ring0 = Bench.withIdt("xor eax, eax\nmov ss, ax\npush rax\nhlt");
        assertEquals(new VmExit.Hlt(), ring0.run());
        assertEquals(Bench.STACK - 8, ring0.cpu.gpr(Gpr.RSP));
        Bench user = Bench.withIdt("xor eax, eax\nmov ss, ax\nud2").inRing3();
        assertEquals(Vector.GP, Bench.vector(user), "not in ring 3");
        Bench rpl = Bench.withIdt("mov eax, 3\nmov ss, ax\nhlt");
        assertEquals(Vector.GP, Bench.vector(rpl), "RPL is not CPL");
    }
}
