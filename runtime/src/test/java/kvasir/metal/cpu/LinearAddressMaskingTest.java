package kvasir.metal.cpu;

import static kvasir.metal.cpu.Bench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Linear-address masking (SDM volume 1, "Linear-address masking"): CR3.LAM_U57, CR3.LAM_U48, CR4.LAM_SUP. */
final class LinearAddressMaskingTest {
    private static final CpuidModel MODEL =
            CpuidModel.named("SapphireRapids,+lam").orElseThrow();
    private static final long U57 = 1L << 61;
    private static final long U48 = 1L << 62;
    private static final long SUPERVISOR = 1 << 28;
    private static final int HALTED = -1;

    /** What reading {@code address} ends in: a vector, or {@link #HALTED} with 0x5a in AL. */
    private static int read(long address, long cr3, long cr4) {
        Bench bench = Bench.withIdt("mov al, [rbx]\nhlt", MODEL);
        // 0xffff_8000_0020_0000 is what 0x20_0000 is
        bench.memory.write64(0x1800, bench.memory.read64(0x1000));
        bench.memory.write8(0x20_0000, (byte) 0x5a);
        bench.cpu.setCr(3, 0x1000 | cr3);
        bench.cpu.setCr(4, bench.cpu.cr(4) | cr4);
        bench.cpu.setGpr(Gpr.RBX, address);
        int vector = vector(bench);
        if (bench.cpu.rip() > Bench.CODE) {
            assertEquals(0x5a, bench.cpu.gpr(Gpr.RAX) & 0xff);
            return HALTED;
        }
        return vector;
    }

    @Test
    void userAddressesLoseTheirUpperBits() {
        assertEquals(HALTED, read(0x20_0000, 0, 0));
        assertEquals(Vector.GP, read(0x7e00_0000_0020_0000L, 0, 0), "no masking without a bit of CR3");
        assertEquals(HALTED, read(0x7e00_0000_0020_0000L, U57, 0), "bits 62:57");
        assertEquals(Vector.GP, read(0x0100_0000_0020_0000L, U57, 0), "bit 56 counts");
        assertEquals(Vector.GP, read(0x0001_0000_0020_0000L, U57, 0), "bit 48 is not of the 48-bit address");
        assertEquals(HALTED, read(0x7fff_0000_0020_0000L, U48, 0), "bits 62:48");
        assertEquals(Vector.GP, read(0x0000_8000_0020_0000L, U48, 0), "bit 47 counts");
        assertEquals(Vector.GP, read(0x0001_0000_0020_0000L, U48 | U57, 0), "LAM_U57 goes before LAM_U48");
    }

    @Test
    void supervisorAddressesHaveABitOfTheirOwn() {
        assertEquals(HALTED, read(0xffff_8000_0020_0000L, 0, 0));
        assertEquals(Vector.GP, read(0x8000_8000_0020_0000L, U48, 0), "bit 63 makes it one of the supervisor");
        assertEquals(HALTED, read(0x8000_8000_0020_0000L, 0, SUPERVISOR), "bits 62:48 with four levels");
        assertEquals(HALTED, read(0xfeff_8000_0020_0000L, 0, SUPERVISOR));
        assertEquals(Vector.GP, read(0x8000_0000_0020_0000L, 0, SUPERVISOR), "bit 47 must be that of bit 63");
        assertEquals(Vector.GP, read(0x7fff_0000_0020_0000L, 0, SUPERVISOR));
    }

    @Test
    void fetchesAreNotMaskedAndCr2HoldsNoMetadata() {
        Bench jump = Bench.withIdt("jmp rbx", MODEL);
        jump.cpu.setCr(3, 0x1000 | U57);
        jump.cpu.setGpr(Gpr.RBX, 0x7e00_0000_0010_0000L);
        assertEquals(Vector.GP, vector(jump));
        Bench fault = Bench.withIdt("mov al, [rbx]\nhlt", MODEL);
        fault.cpu.setCr(3, 0x1000 | U57);
        fault.cpu.setGpr(Gpr.RBX, 0x7e00_4000_0000_0000L);
        assertEquals(Vector.PF, vector(fault));
        assertEquals(0x4000_0000_0000L, fault.cpu.cr(2));
    }

    @Test
    void everyAliasOfAPageGoesWithInvlpg() {
        Bench bench = Bench.withIdt("mov al, [rbx]\nmov dword [rcx], 0\ninvlpg [rdx]\nmov al, [rbx]\nhlt", MODEL);
        bench.cpu.setCr(3, 0x1000 | U57);
        bench.cpu.setGpr(Gpr.RBX, 0x7e00_0000_0060_0000L);
        bench.cpu.setGpr(Gpr.RCX, 0x3000 + 8 * 3);
        bench.cpu.setGpr(Gpr.RDX, 0x60_0000);
        assertEquals(Vector.PF, vector(bench));
    }

    @Test
    void withoutTheFeatureItsBitsAreReserved() {
        Bench bench = Bench.withIdt("mov rax, 0x2000000000001000\nmov cr3, rax\nhlt");
        assertEquals(Vector.GP, vector(bench));
        assertEquals(Vector.GP, vector(Bench.withIdt("mov rax, cr4\nbts rax, 28\nmov cr4, rax\nhlt")));
        Bench with = Bench.withIdt(
                "mov rax, 0x6000000000001000\nmov cr3, rax\nmov rax, cr4\nbts rax, 28\nmov cr4, rax\nhlt", MODEL);
        assertEquals(new VmExit.Hlt(), with.run());
        assertEquals(0x6000_0000_0000_1000L, with.cpu.cr(3));
    }
}
