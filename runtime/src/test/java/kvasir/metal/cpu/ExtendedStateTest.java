package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import kvasir.event.Events;
import kvasir.metal.cpu.CpuidModel.Feature;
import kvasir.metal.memory.PhysicalMemory;
import org.junit.jupiter.api.Test;

/** The gates of CR0, CR4 and XCR0, MXCSR, XCR0, and the FXSAVE image (Intel SDM volume 1, 10.5; volume 3, 2.5). */
final class ExtendedStateTest {
    private static final long DATA = 0x30_0000;

    /** The vector that the first instruction raises, or -1 if it ran; found by the handler that the IDT names. */
    private static int raised(Bench bench) {
        bench.cpu.setIdtr(new DescriptorTable(0x8000, 0xfff));
        for (int vector = 0; vector < 32; vector++) {
            long handler = 0x9000 + 16L * vector;
            bench.memory.write8(handler, (byte) 0xf4);
            bench.memory.write64(0x8000 + 16L * vector, handler & 0xffff | 8L << 16 | 0x8e00L << 32);
            bench.memory.write64(0x8008 + 16L * vector, 0);
        }
        assertInstanceOf(VmExit.Hlt.class, bench.run());
        long at = bench.cpu.rip();
        return at < 0x10000 ? (int) (at - 0x9000) / 16 : -1;
    }

    private static int raised(String code, long cr0, long cr4, long xcr0) {
        Bench bench = Bench.bits64(code + "\nhlt");
        bench.cpu.setCr(0, cr0);
        bench.cpu.setCr(4, cr4);
        bench.cpu.setXcr0(xcr0);
        return raised(bench);
    }

    private static final long CR0 = 0x8001_0033L;
    private static final long CR4 = Bits.CR4_PAE | Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT | Bits.CR4_OSXSAVE;

    @Test
    void legacyVectorStateNeedsOsfxsrAndNoEmulation() {
        String code = "ldmxcsr [0x300000]";
        assertEquals(-1, raised(code, CR0, CR4, 7));
        assertEquals(-1, raised(code, CR0, CR4, 1), "XCR0 does not gate legacy encodings");
        assertEquals(Vector.UD, raised(code, CR0, CR4 & ~Bits.CR4_OSFXSR, 7));
        assertEquals(Vector.UD, raised(code, CR0 | Bits.CR0_EM, CR4, 7));
        assertEquals(Vector.NM, raised(code, CR0 | Bits.CR0_TS, CR4, 7));
        assertEquals(Vector.UD, raised(code, CR0 | Bits.CR0_TS, CR4 & ~Bits.CR4_OSFXSR, 7), "#UD before #NM");
    }

    @Test
    void fxsaveIsDeviceNotAvailableUnderEmulationAndTaskSwitched() {
        String code = "fxsave [0x300000]";
        assertEquals(-1, raised(code, CR0, CR4 & ~Bits.CR4_OSFXSR, 1));
        assertEquals(Vector.NM, raised(code, CR0 | Bits.CR0_EM, CR4, 7));
        assertEquals(Vector.NM, raised(code, CR0 | Bits.CR0_TS, CR4, 7));
        assertEquals(Vector.GP, raised("fxsave [0x300008]", CR0, CR4, 7), "16-byte alignment");
    }

    @Test
    void xgetbvAndXsetbvNeedOsxsaveAndIgnoreTaskSwitched() {
        assertEquals(-1, raised("xor ecx, ecx\nxgetbv", CR0 | Bits.CR0_TS, CR4, 1));
        assertEquals(Vector.UD, raised("xor ecx, ecx\nxgetbv", CR0, CR4 & ~Bits.CR4_OSXSAVE, 1));
        assertEquals(Vector.GP, raised("mov ecx, 2\nxgetbv", CR0, CR4, 1));
        String set = "xor ecx, ecx\nxor edx, edx\nmov eax, ";
        assertEquals(-1, raised(set + "3\nxsetbv", CR0, CR4, 1));
        assertEquals(Vector.GP, raised(set + "2\nxsetbv", CR0, CR4, 1), "bit 0 must be set");
        assertEquals(Vector.GP, raised(set + "5\nxsetbv", CR0, CR4, 1), "AVX without SSE");
        assertEquals(Vector.GP, raised(set + "0xe7\nxsetbv", CR0, CR4, 1), "AVX-512 is not in the model");
        assertEquals(Vector.UD, raised(set + "3\nxsetbv", CR0, CR4 & ~Bits.CR4_OSXSAVE, 1));
    }

    @Test
    void mxcsrRefusesReservedBits() {
        Bench bench = Bench.bits64("ldmxcsr [0x300000]\nstmxcsr [0x300010]\nhlt");
        bench.memory.write64(DATA, 0xffbf);
        assertEquals(-1, raised(bench));
        assertEquals(0xffbf, bench.memory.read64(DATA + 16));
        Bench bad = Bench.bits64("ldmxcsr [0x300000]\nhlt");
        bad.memory.write64(DATA, 0x1_0000);
        assertEquals(Vector.GP, raised(bad));
    }

    @Test
    void fxsaveStoresRegistersFromTheTopOfTheStack() {
        Bench bench = Bench.bits64("fxsave64 [0x300000]\nhlt");
        X87 x87 = bench.cpu.sys.x87;
        x87.top = 5;
        x87.valid = 0xe0;
        x87.control = 0x27f;
        x87.instructionPointer = 0x1122_3344_5566_7788L;
        x87.significand[5] = 0x8000_0000_0000_0001L;
        x87.signExponent[5] = 0xbfff;
        bench.cpu.sys.ymm[4] = 0x0123_4567_89ab_cdefL;
        bench.cpu.sys.ymm[4 * 15 + 1] = 42;
        assertEquals(-1, raised(bench));
        assertEquals(0x0000_00e0_2800_027fL, bench.memory.read64(DATA));
        assertEquals(0x1122_3344_5566_7788L, bench.memory.read64(DATA + 8));
        assertEquals(0x0000_ffff_0000_1f80L, bench.memory.read64(DATA + 24));
        assertEquals(0x8000_0000_0000_0001L, bench.memory.read64(DATA + 32));
        assertEquals(0xbfff, bench.memory.read64(DATA + 40));
        assertEquals(0x0123_4567_89ab_cdefL, bench.memory.read64(DATA + 176));
        assertEquals(42, bench.memory.read64(DATA + 160 + 15 * 16 + 8));
    }

    private static Bench withState(String code) {
        Bench bench = Bench.bits64(code + "\nhlt");
        bench.cpu.setXcr0(0x207);
        bench.cpu.sys.ymm[4] = 0x1111;
        bench.cpu.sys.pkru = 0x5555_5554;
        bench.cpu.setGpr(Gpr.RDX, 0);
        return bench;
    }

    @Test
    void xsaveMarksWhatIsInUseAndKeepsWhatIsNotAsked() {
        Bench bench = withState("mov eax, 7\nxsave64 [0x300000]");
        bench.memory.write64(DATA + 512, 0x204);
        bench.memory.write64(DATA + 2688, 0xdead);
        assertEquals(-1, raised(bench));
        assertEquals(0x202, bench.memory.read64(DATA + 512), "SSE in use, AVX not, PKRU not asked");
        assertEquals(0x1111, bench.memory.read64(DATA + 176));
        assertEquals(0xdead, bench.memory.read64(DATA + 2688));
    }

    @Test
    void xsavecPacksComponentsAndXrstorUnpacksThem() {
        Bench bench = withState("mov eax, 0x202\nxsavec64 [0x300000]\nxor ecx, ecx\nmov [0x300400], rcx\n"
                + "pxor xmm1, xmm1\nmov eax, 0x202\nxrstor64 [0x300000]");
        assertEquals(-1, raised(bench));
        assertEquals(0x202, bench.memory.read64(DATA + 512));
        assertEquals(0x8000_0000_0000_0202L, bench.memory.read64(DATA + 520));
        assertEquals(0x5555_5554L, bench.memory.read64(DATA + 576), "PKRU follows the header");
        assertEquals(0x1111, bench.cpu.sys.ymm[4]);
        assertEquals(0x5555_5554, bench.cpu.sys.pkru);
    }

    @Test
    void xsaveoptLeavesOutWhatIsInitial() {
        Bench bench = withState("mov eax, 7\nxsaveopt64 [0x300000]");
        bench.memory.write64(DATA, 0x1234);
        bench.memory.write64(DATA + 576, 0x5678);
        assertEquals(-1, raised(bench));
        assertEquals(0x1234, bench.memory.read64(DATA), "x87 is in its initial configuration");
        assertEquals(0x5678, bench.memory.read64(DATA + 576), "AVX too");
        assertEquals(2, bench.memory.read64(DATA + 512));
    }

    @Test
    void xrstorInitialisesWhatTheAreaDoesNotHave() {
        Bench bench = withState("mov eax, 7\nxrstor64 [0x300000]");
        bench.memory.write64(DATA + 24, 0x1fa0);
        bench.cpu.sys.x87.control = 0x27f;
        assertEquals(-1, raised(bench));
        assertEquals(0, bench.cpu.sys.ymm[4]);
        assertEquals(0x37f, bench.cpu.sys.x87.control);
        assertEquals(0x1fa0, bench.cpu.sys.mxcsr, "MXCSR is loaded whatever XSTATE_BV says");
        assertEquals(0x5555_5554, bench.cpu.sys.pkru, "not asked");
    }

    private static int raisedByXrstor(String instruction, long at, long value) {
        Bench bench = withState("mov eax, 7\n" + instruction);
        bench.memory.write64(at, value);
        return raised(bench);
    }

    @Test
    void xrstorRefusesBadHeaders() {
        String plain = "xrstor64 [0x300000]";
        assertEquals(-1, raisedByXrstor(plain, DATA + 512, 0x203));
        assertEquals(Vector.GP, raisedByXrstor(plain, DATA + 512, 0x20), "a component that XCR0 lacks");
        assertEquals(Vector.GP, raisedByXrstor(plain, DATA + 520, 1), "XCOMP_BV without bit 63");
        assertEquals(Vector.GP, raisedByXrstor(plain, DATA + 528, 1), "reserved");
        assertEquals(-1, raisedByXrstor(plain, DATA + 520, 1L << 63 | 7));
        assertEquals(Vector.GP, raisedByXrstor(plain, DATA + 520, 1L << 63 | 0x20));
        assertEquals(Vector.GP, raisedByXrstor("xrstor64 [0x300020]", DATA, 0), "64-byte alignment");
        assertEquals(Vector.GP, raisedByXrstor("xrstors64 [0x300000]", DATA, 0), "XRSTORS wants the compacted format");
        assertEquals(-1, raisedByXrstor("xrstors64 [0x300000]", DATA + 520, 1L << 63 | 7));
        assertEquals(Vector.GP, raisedByXrstor(plain, DATA + 24, 1L << 20), "MXCSR");
    }

    @Test
    void xsaveIsGatedByOsxsaveAndTaskSwitched() {
        assertEquals(Vector.UD, raised("xsave [0x300000]", CR0, CR4 & ~Bits.CR4_OSXSAVE, 7));
        assertEquals(Vector.NM, raised("xsave [0x300000]", CR0 | Bits.CR0_TS, CR4, 7));
        assertEquals(Vector.GP, raised("mov ecx, 0xda0\nmov eax, 1\nxor edx, edx\nwrmsr", CR0, CR4, 7), "IA32_XSS");
        assertEquals(-1, raised("mov ecx, 0xda0\nxor eax, eax\nxor edx, edx\nwrmsr", CR0, CR4, 7));
    }

    @Test
    void mmxIsUndefinedUnderEmulation() {
        assertEquals(-1, raised("paddb mm0, mm1", CR0, CR4 & ~Bits.CR4_OSFXSR, 1));
        assertEquals(Vector.UD, raised("paddb mm0, mm1", CR0 | Bits.CR0_EM, CR4, 7));
        assertEquals(Vector.NM, raised("paddb mm0, mm1", CR0 | Bits.CR0_TS, CR4, 7));
        assertEquals(Vector.NM, raised("fld1", CR0 | Bits.CR0_EM, CR4, 7));
    }

    @Test
    void waitLooksAtMonitorCoprocessor() {
        assertEquals(Vector.NM, raised("fwait", CR0 | Bits.CR0_TS | Bits.CR0_MP, CR4, 7));
        assertEquals(-1, raised("fwait", (CR0 | Bits.CR0_TS) & ~Bits.CR0_MP, CR4, 7));
        assertEquals(-1, raised("fwait", CR0 | Bits.CR0_EM, CR4, 7));
    }

    @Test
    void anUnmaskedExceptionWaitsForTheNextInstruction() {
        String divide = "fninit\nmov word [0x300000], 0x37b\nfldcw [0x300000]\nfld1\nfldz\nfdivp st1, st0\n";
        assertEquals(-1, raised(divide + "fnstsw ax\nmov [0x300008], ax", CR0, CR4, 7));
        assertEquals(Vector.MF, raised(divide + "fld1", CR0, CR4, 7));
        assertEquals(Vector.MF, raised(divide + "fwait", CR0, CR4, 7));
        assertEquals(Vector.MF, raised(divide + "paddb mm0, mm1", CR0, CR4, 7));
        assertEquals(-1, raised(divide + "fnclex\nfld1", CR0, CR4, 7));
    }

    @Test
    void leafDTellsTheAreaOfWhatXcr0Enables() {
        for (CpuidModel model : CpuidModel.all()) {
            var cpu = new Cpu(new PhysicalMemory(1 << 20), new Events(), model, 0);
            assertEquals(576, cpu.cpuid(0xd, 0)[1]);
            assertEquals(model.has(Feature.AVX) ? 0x207 : 0x203, cpu.cpuid(0xd, 0)[0]);
            assertEquals(model.amd() ? 0x988 : 0xa88, cpu.cpuid(0xd, 0)[2], model.name());
            cpu.setXcr0(0x203);
            assertEquals(model.amd() ? 0x988 : 0xa88, cpu.cpuid(0xd, 0)[1]);
            assertEquals(8, cpu.cpuid(0xd, 9)[0]);
            assertEquals(0, cpu.cpuid(0xd, 3)[0]);
        }
    }
}
