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
