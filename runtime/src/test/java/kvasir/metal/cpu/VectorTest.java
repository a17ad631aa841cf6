package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import kvasir.metal.cpu.isa.CodeSize;
import org.junit.jupiter.api.Test;

/** What the comparison with the host leaves out: page faults in the middle, control registers, illegal prefixes. */
final class VectorTest {
    /** The two megabytes from here are not mapped. */
    private static final long HOLE = 0xa0_0000;

    private static Bench bench(String source) {
        Bench bench = Bench.silicon(source + "\nhlt");
        bench.memory.write64(0x3000 + 8 * 5, 0);
        return bench;
    }

    /** Runs to the HLT, or to the exception whose vector is answered. */
    private static int fault(Bench bench) {
        var watch = new SiliconState.FaultWatch(bench);
        VmExit exit = bench.cpu.run(100);
        if (watch.vector == HostProcessor.NO_FAULT) {
            assertInstanceOf(VmExit.Hlt.class, exit);
        }
        return watch.vector;
    }

    private static int faultOf(String source) {
        return fault(bench(source));
    }

    private static void set(Bench bench, int register, long... words) {
        System.arraycopy(words, 0, bench.cpu.sys.ymm, register * 4, words.length);
    }

    private static void assertRegister(Bench bench, int register, long... words) {
        for (int i = 0; i < words.length; i++) {
            assertEquals(words[i], bench.cpu.sys.ymm[register * 4 + i], "ymm" + register + " word " + i);
        }
    }

    @Test
    void gatherKeepsWhatItLoadedBeforeAFault() {
        Bench bench = bench("mov rax, 0x9ffff0\nvpgatherdd ymm1, [rax+ymm2*4], ymm3");
        bench.memory.write32(0x9f_fff0, 0x1111);
        bench.memory.write32(0x9f_fff8, 0x3333);
        set(bench, 1, -1, -1, -1, -1);
        // elements 0 and 2 lie below the hole, 1 is not wanted, 3 lies in the hole
        set(bench, 2, 0, 4L << 32 | 2, 0, 0);
        set(bench, 3, 0x8000_0000L, 0x8000_0000_8000_0000L, 1, -1);
        assertEquals(Vector.PF, fault(bench));
        assertEquals(HOLE, bench.cpu.cr(2));
        assertRegister(bench, 1, 0xffff_ffff_0000_1111L, 0xffff_ffff_0000_3333L, -1, -1);
        assertRegister(bench, 3, 0, 0xffff_ffff_0000_0000L, 0, -1);
    }

    @Test
    void gatherGoesOnWhenThePageIsThere() {
        Bench bench = bench("mov rax, 0x9ffffc\nvpgatherdq xmm1, [rax+xmm2*8], xmm3");
        set(bench, 2, 1L << 32, 0, 7, 7);
        set(bench, 3, -1, -1, 7, 7);
        bench.memory.write64(0x3000 + 8 * 5, HOLE | 0x87);
        bench.memory.write64(0x9f_fffc, 5);
        bench.memory.write64(0xa0_0004, 6);
        assertEquals(HostProcessor.NO_FAULT, fault(bench));
        assertRegister(bench, 1, 5, 6, 0, 0);
        assertRegister(bench, 3, 0, 0, 0, 0);
    }

    @Test
    void elementsThatTheMaskLeavesOutCannotFault() {
        String pointer = "mov rdi, 0x9ffff8\n";
        for (String move : new String[] {
            "vmaskmovps ymm1, ymm2, [rdi]", "vmaskmovps [rdi], ymm2, ymm1", "vpmaskmovd xmm1, xmm2, [rdi]"
        }) {
            Bench bench = bench(pointer + move);
            set(bench, 2, 0x8000_0000_8000_0000L, 0, 0, 0);
            assertEquals(HostProcessor.NO_FAULT, fault(bench), move);
            set(bench, 2, 0x8000_0000_8000_0000L, 1L << 31, 0, 0);
            bench.cpu.setRip(Bench.CODE);
            assertEquals(Vector.PF, fault(bench), move);
        }
        Bench bench = bench("mov rdi, 0x9ffff8\nmaskmovdqu xmm1, xmm2");
        set(bench, 1, 0x1122_3344_5566_7788L, -1);
        set(bench, 2, 0x80L, 0);
        assertEquals(HostProcessor.NO_FAULT, fault(bench));
        assertEquals(0x88, bench.memory.read64(0x9f_fff8));
    }

    @Test
    void faultingStoreOfAConversionRaisesNoFlagLater() {
        Bench bench = bench("mov rdi, 0xa00000\nvcvtps2ph [rdi], xmm1, 0");
        set(bench, 1, 1, 0, 0, 0);
        assertEquals(Vector.PF, fault(bench));
        assertEquals(0, bench.cpu.sys.mxcsr & 0x3f);
        bench.place(Bench.assemble(CodeSize.BITS64, Bench.CODE, "addps xmm2, xmm3"));
        bench.cpu.setRip(Bench.CODE);
        assertEquals(HostProcessor.NO_FAULT, fault(bench));
        assertEquals(0, bench.cpu.sys.mxcsr & 0x3f);
    }

    @Test
    void storeAcrossAPageIsWholeOrNotAtAll() {
        for (String store : new String[] {"movups [rdi], xmm1", "vmovdqu [rdi], ymm1", "vextractf128 [rdi], ymm1, 1"}) {
            Bench bench = bench("mov rdi, 0x9ffff4\n" + store);
            set(bench, 1, -1, -1, -1, -1);
            assertEquals(Vector.PF, fault(bench), store);
            assertEquals(HOLE, bench.cpu.cr(2), store);
            assertEquals(0, bench.memory.read64(0x9f_fff4), store);
        }
    }

    @Test
    void loadThatFaultsLeavesTheRegister() {
        Bench bench = bench("mov rdi, 0x9ffff0\nvmovdqu ymm1, [rdi]");
        set(bench, 1, 1, 2, 3, 4);
        assertEquals(Vector.PF, fault(bench));
        assertRegister(bench, 1, 1, 2, 3, 4);
    }

    @Test
    void alignmentIsAskedOfLegacyOperandsAndAlignedMoves() {
        String unaligned = "mov rdi, 0x300008\n";
        assertEquals(Vector.GP, faultOf(unaligned + "addps xmm1, [rdi]"));
        assertEquals(Vector.GP, faultOf(unaligned + "movaps xmm1, [rdi]"));
        assertEquals(Vector.GP, faultOf(unaligned + "movntdq [rdi], xmm1"));
        assertEquals(Vector.GP, faultOf(unaligned + "vmovaps xmm1, [rdi]"));
        assertEquals(Vector.GP, faultOf("mov rdi, 0x300010\nvmovdqa ymm1, [rdi]"));
        assertEquals(HostProcessor.NO_FAULT, faultOf("mov rdi, 0x300010\nvmovdqa xmm1, [rdi]"));
        for (String one : new String[] {
            "movups xmm1, [rdi]", "lddqu xmm1, [rdi]", "vaddps ymm1, ymm1, [rdi]", "pcmpistri xmm1, [rdi], 0"
        }) {
            assertEquals(HostProcessor.NO_FAULT, faultOf(unaligned + one), one);
        }
    }

    @Test
    void numericExceptionComesAfterThePageFaultAndNeedsItsEnable() {
        String unmasked = "sub rsp, 8\nmov dword [rsp], 0x1d80\nldmxcsr [rsp]\npcmpeqd xmm1, xmm1\npsrld xmm1, 25\n"
                + "pslld xmm1, 23\n";
        assertEquals(Vector.PF, faultOf(unmasked + "mov rdi, 0xa00000\ndivps xmm1, [rdi]"));
        Bench bench = bench(unmasked + "xorps xmm2, xmm2\ndivps xmm1, xmm2");
        assertEquals(Vector.XM, fault(bench));
        assertEquals(0x1d84, bench.cpu.sys.mxcsr);
        assertRegister(bench, 1, 0x3f80_0000_3f80_0000L, 0x3f80_0000_3f80_0000L);
        Bench without = bench(unmasked + "xorps xmm2, xmm2\ndivps xmm1, xmm2");
        without.cpu.setCr(4, without.cpu.cr(4) & ~Bits.CR4_OSXMMEXCPT);
        assertEquals(Vector.UD, fault(without));
    }

    @Test
    void vexIsUndefinedWithOtherPrefixesAndOutsideProtectedMode() {
        assertEquals(HostProcessor.NO_FAULT, faultOf("vxorps xmm0, xmm0, xmm0"));
        for (String prefix : new String[] {"0xf0", "0x66", "0xf2", "0xf3", "0x48"}) {
            assertEquals(Vector.UD, faultOf("db " + prefix + "\nvxorps xmm0, xmm0, xmm0"), prefix);
        }
        // vvvv must be 1111b where it names nothing, W and L what the row asks
        assertEquals(Vector.UD, faultOf("db 0xc4, 0xe1, 0x39, 0x28, 0xc1"));
        assertEquals(Vector.UD, faultOf("db 0xc4, 0xe3, 0x7d, 0x16, 0xc1, 0"));
        assertEquals(Vector.UD, faultOf("db 0xc4, 0xe2, 0xfd, 0x18, 0x00"));
        Bench real = Bench.bits16("db 0xc5, 0xf0, 0x57, 0xc0\nhlt");
        real.cpu.setCr(4, Bits.CR4_OSFXSR | Bits.CR4_OSXSAVE);
        real.cpu.sys.xcr0 = 7;
        real.cpu.updateMode();
        var watch = new SiliconState.FaultWatch(real);
        real.cpu.run(1);
        assertEquals(Vector.UD, watch.vector);
    }

    @Test
    void vexInVvvvIgnoresItsTopBitOnlyWhereItNamesARegister() {
        Bench named = Bench.silicon(true);
        named.place(new byte[] {(byte) 0xc4, (byte) 0xe1, 0x39, 0x58, (byte) 0xc1});
        assertEquals(HostProcessor.NO_FAULT, fault(named));
        Bench unnamed = Bench.silicon(true);
        unnamed.place(new byte[] {(byte) 0xc4, (byte) 0xe1, 0x39, 0x28, (byte) 0xc1});
        assertEquals(Vector.UD, fault(unnamed));
    }

    @Test
    void outside64BitModeEightRegistersAreCleared() {
        Bench bench = Bench.silicon(true);
        bench.place(new byte[] {(byte) 0xc5, (byte) 0xfc, 0x77});
        set(bench, 7, 1, 1, 1, 1);
        set(bench, 8, 1, 1, 1, 1);
        assertEquals(HostProcessor.NO_FAULT, fault(bench));
        assertRegister(bench, 7, 0, 0, 0, 0);
        assertRegister(bench, 8, 1, 1, 1, 1);
    }

    @Test
    void reciprocalsAreWithinTheArchitecturesError() {
        for (float x = 0x1p-100f; x < 0x1p100f; x *= 1.37f) {
            Bench bench = bench("rcpss xmm0, xmm1\nrsqrtss xmm2, xmm1");
            set(bench, 1, Float.floatToRawIntBits(x), 0);
            assertEquals(HostProcessor.NO_FAULT, fault(bench));
            float reciprocal = Float.intBitsToFloat((int) bench.cpu.sys.ymm[0]);
            float root = Float.intBitsToFloat((int) bench.cpu.sys.ymm[8]);
            assertEquals(1, (double) reciprocal * x, 1.5 / 4096);
            assertEquals(1, root * Math.sqrt(x), 1.5 / 4096);
        }
    }
}
