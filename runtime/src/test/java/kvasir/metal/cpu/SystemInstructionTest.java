package kvasir.metal.cpu;

import static kvasir.metal.cpu.Bench.vector;
import static kvasir.metal.cpu.Bench.withIdt;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Instructions that come with one feature, or mean something to hypervisors only. */
final class SystemInstructionTest {
    private static final CpuidModel MILAN = CpuidModel.named("EPYC-Milan").orElseThrow();
    private static final CpuidModel MILAN_MORE =
            CpuidModel.named("EPYC-Milan,+mwaitx,+rdpru").orElseThrow();

    private static Bench run(String source, CpuidModel model) {
        Bench bench = withIdt(source, model);
        assertEquals(new VmExit.Hlt(), bench.run());
        assertTrue(bench.cpu.rip() > Bench.CODE, () -> "exception " + (bench.cpu.rip() - Bench.HANDLER) / 16);
        return bench;
    }

    @Test
    void monitorAndMwaitAreForRing0() {
        run("mov eax, 0x200000\nxor ecx, ecx\nxor edx, edx\nmonitor\nxor eax, eax\nmwait\nhlt", MILAN);
        assertEquals(Vector.GP, vector(withIdt("mov eax, 0x200000\nmov ecx, 1\nmonitor\nhlt")), "extensions in ECX");
        assertEquals(Vector.PF, vector(withIdt("mov rax, 0x400000000000\nxor ecx, ecx\nmonitor\nhlt")));
        assertEquals(Vector.UD, vector(withIdt("monitor\nhlt").inRing3()), "#UD, not #GP");
        assertEquals(Vector.UD, vector(withIdt("mwait\nhlt").inRing3()));
    }

    @Test
    void monitorxAndMwaitxAreForEveryRingWhereTheyAre() {
        assertEquals(Vector.UD, vector(withIdt("monitorx\nhlt", MILAN)));
        Bench bench = withIdt("mov eax, 0x200000\nxor ecx, ecx\nmonitorx\nmwaitx\nud2", MILAN_MORE)
                .inRing3();
        assertEquals(Vector.UD, vector(bench));
        assertEquals(Bench.CODE + 13, Bench.stacked(bench, 0), "UD2 was reached");
    }

    @Test
    void clzeroClearsTheLineAroundRax() {
        Bench bench = withIdt("mov eax, 0x20002f\nclzero\nhlt", MILAN);
        for (int i = 0; i < 16; i++) {
            bench.memory.write64(0x20_0000 - 32 + 8L * i, -1);
        }
        assertEquals(new VmExit.Hlt(), bench.run());
        assertEquals(-1, bench.memory.read64(0x1f_fff8));
        assertEquals(0, bench.memory.read64(0x20_0000));
        assertEquals(0, bench.memory.read64(0x20_0038));
        assertEquals(-1, bench.memory.read64(0x20_0040));
        assertEquals(Vector.UD, vector(withIdt("clzero\nhlt")), "not on an Intel model");
        Bench fault = withIdt("mov rax, 0x40000000003f\nclzero\nhlt", MILAN);
        assertEquals(Vector.PF, vector(fault));
        assertEquals(2, Bench.stacked(fault, 0), "a write");
    }

    @Test
    void rdpruReadsMperfAndAperf() {
        assertEquals(Vector.UD, vector(withIdt("rdpru\nhlt", MILAN)));
        Bench bench = run("xor ecx, ecx\nnop\nnop\nrdpru\nmov ebx, eax\nmov ecx, 2\nrdpru\nhlt", MILAN_MORE);
        assertEquals(3, bench.cpu.gpr(Gpr.RBX));
        assertEquals(0, bench.cpu.gpr(Gpr.RAX), "there is no register 2");
        Bench refused = withIdt("rdpru\nhlt", MILAN_MORE).inRing3();
        refused.cpu.setCr(4, refused.cpu.cr(4) | Bits.CR4_TSD);
        assertEquals(Vector.UD, vector(refused));
    }

    @Test
    void rdpmcKnowsNoCounter() {
        assertEquals(Vector.GP, vector(withIdt("xor ecx, ecx\nrdpmc\nhlt")));
    }

    @Test
    void serializeAndDirectStores() {
        Bench bench = run(
                "serialize\nmov rbx, 0x200001\nmov rax, 0x1122334455667788\nmovdiri [rbx], rax\nhlt",
                CpuidModel.standard());
        assertEquals(0x1122_3344_5566_7788L, bench.memory.read64(0x20_0001));
        assertEquals(Vector.UD, vector(withIdt("serialize\nhlt", MILAN)));
    }

    @Test
    void rdrandTakesNoRepeatPrefix() {
        run("rdrand ax\nrdseed rcx\nhlt", MILAN);
        assertEquals(Vector.UD, vector(withIdt("db 0xf3, 0x0f, 0xc7, 0xf0", MILAN)));
        assertEquals(Vector.UD, vector(withIdt("db 0xf2, 0x0f, 0xc7, 0xf8", MILAN)));
    }

    /** As an AMD EPYC of family 25 does. */
    @Test
    void mxcsrMmTakesUnalignedOperandsButNotOfAlignedMoves() {
        String mm = "mov dword [0x200000], 0x21f80\nldmxcsr dword [0x200000]\nmov eax, 0x200101\n";
        run(mm + "addps xmm0, [rax]\npshufb xmm0, [rax]\naesenc xmm0, [rax]\ncvtdq2ps xmm0, [rax]\nhlt", MILAN);
        for (String move : new String[] {
            "movaps xmm0, [rax]",
            "movdqa xmm0, [rax]",
            "movapd [rax], xmm0",
            "movntdq [rax], xmm0",
            "movntdqa xmm0, [rax]"
        }) {
            assertEquals(Vector.GP, vector(withIdt(mm + move + "\nhlt", MILAN)), move);
        }
        assertEquals(Vector.GP, vector(withIdt("mov eax, 0x200101\naddps xmm0, [rax]\nhlt", MILAN)), "MM is clear");
        assertEquals(Vector.GP, vector(withIdt(mm + "hlt")), "Intel's MXCSR has no such bit");
    }

    @Test
    void fencesDoNotLookAtTheLowBitsOfModrm() {
        run("db 0x0f, 0xae, 0xef, 0x0f, 0xae, 0xf3, 0x0f, 0xae, 0xfe\nhlt", MILAN);
    }

    /** The S-box of AES is inversion and an affine map (FIPS 197, 5.1.1). */
    @Test
    void galoisFieldInstructionsMakeTheSboxOfAes() {
        Bench bench = run(
                "mov rax, 0xf1e3c78f1f3e7cf8\nmovq xmm1, rax\nmov rax, 0xff10530201008fca\nmovq xmm0, rax\n"
                        + "movq xmm2, rax\nmovq xmm3, rax\ngf2p8affineinvqb xmm0, xmm1, 0x63\nmovq rbx, xmm0\n"
                        + "gf2p8mulb xmm2, xmm3\nmovq rcx, xmm2\nhlt",
                CpuidModel.standard());
        assertEquals(0x16ca_ed77_7c63_7374L, bench.cpu.gpr(Gpr.RBX));
        assertEquals(0x13, bench.cpu.gpr(Gpr.RCX) >>> 56, "0xff squared");
        assertEquals(0x1b, bench.cpu.gpr(Gpr.RCX) >>> 48 & 0xff, "0x10 squared: x to the 8th");
        assertEquals(4, bench.cpu.gpr(Gpr.RCX) >>> 32 & 0xff);
    }

    @Test
    void dotProductsAccumulate() {
        Bench bench = run(
                "mov eax, 0xff0102ff\nmovd xmm1, eax\nmov eax, 0x807f017f\nmovd xmm2, eax\n"
                        + "mov eax, 10\nmovd xmm0, eax\nvpdpbusd xmm0, xmm1, xmm2\nmovd ebx, xmm0\n"
                        + "mov eax, 0x7fffffff\nmovd xmm0, eax\nvpdpbusds xmm0, xmm1, xmm1\nmovd ecx, xmm0\n"
                        + "mov eax, 0x80008000\nmovd xmm3, eax\npxor xmm0, xmm0\nvpdpwssd xmm0, xmm3, xmm3\n"
                        + "movd edx, xmm0\npxor xmm0, xmm0\nvpdpwssds xmm0, xmm3, xmm3\nmovd esi, xmm0\nhlt",
                CpuidModel.standard());
        assertEquals(10 + 255 * 127 + 2 + 127 - 255 * 128, (int) bench.cpu.gpr(Gpr.RBX));
        assertEquals(0x7fff_ffff - 255 + 4 + 1 - 255, (int) bench.cpu.gpr(Gpr.RCX));
        assertEquals(0x8000_0000L, bench.cpu.gpr(Gpr.RDX), "the sum wraps");
        assertEquals(0x7fff_ffff, bench.cpu.gpr(Gpr.RSI), "or saturates");
    }
}
