package kvasir.metal.snp.psp;

import static kvasir.metal.snp.psp.CpuidCheck.ANY;
import static kvasir.metal.snp.psp.CpuidCheck.Kind.AT_MOST;
import static kvasir.metal.snp.psp.CpuidCheck.Kind.BYTES_AT_MOST;
import static kvasir.metal.snp.psp.CpuidCheck.Kind.ENCRYPTION;
import static kvasir.metal.snp.psp.CpuidCheck.Kind.EXACT;
import static kvasir.metal.snp.psp.CpuidCheck.Kind.FAMILY;
import static kvasir.metal.snp.psp.CpuidCheck.Kind.HALVES_AT_MOST;
import static kvasir.metal.snp.psp.CpuidCheck.Kind.MASK;
import static kvasir.metal.snp.psp.CpuidCheck.Kind.XCR0;
import static kvasir.metal.snp.psp.CpuidCheck.Kind.XSAVES_SIZE;
import static kvasir.metal.snp.psp.CpuidCheck.Kind.XSAVE_SIZE;
import static kvasir.metal.snp.psp.CpuidCheck.ZERO;

import java.util.ArrayList;
import java.util.List;

/**
 * What the emulated host has, by CPUID leaf: a CPUID page may not promise more. The kinds of check are those of AMD's
 * published firmware; a leaf of the standard or the extended range that is not listed is all zeros.
 */
public final class HostCpuid {
    private static final int LAST_OF_RANGE = 0xffff;
    private static final int EXTENDED = 0x8000_0000;

    private final List<Leaf> leaves;

    /** The checks of the four registers of one leaf. */
    private record Leaf(int leaf, int subleaf, CpuidCheck eax, CpuidCheck ebx, CpuidCheck ecx, CpuidCheck edx) {
        CpuidCheck register(int index) {
            return switch (index) {
                case 0 -> eax;
                case 1 -> ebx;
                case 2 -> ecx;
                default -> edx;
            };
        }
    }

    private HostCpuid(List<Leaf> leaves) {
        this.leaves = List.copyOf(leaves);
    }

    private static CpuidCheck mask(int allowed) {
        return CpuidCheck.of(MASK, allowed);
    }

    private static CpuidCheck exact(int value) {
        return CpuidCheck.of(EXACT, value);
    }

    private static CpuidCheck check(CpuidCheck.Kind kind, int value) {
        return CpuidCheck.of(kind, value);
    }

    /** A Milan (PPR for family 19h model 01h). */
    public static HostCpuid milan() {
        var leaves = new ArrayList<Leaf>();
        CpuidCheck signature = check(FAMILY, 0x00a0_0f11);
        var cacheLine = new CpuidCheck(EXACT, 0x0800, 0xffff_00ff);
        leaves.add(new Leaf(0, 0, check(AT_MOST, 0x10), ANY, ANY, ANY));
        leaves.add(new Leaf(1, 0, signature, cacheLine, mask(0xfefa_320b), mask(0x178b_fbff)));
        leaves.add(new Leaf(2, 0, ANY, ANY, ANY, ANY));
        leaves.add(new Leaf(4, 0, ANY, ANY, ANY, ANY));
        leaves.add(new Leaf(5, 0, ANY, ANY, ANY, ANY));
        leaves.add(new Leaf(6, 0, mask(4), ZERO, mask(1), ZERO));
        leaves.add(new Leaf(7, 0, check(AT_MOST, 0), mask(0x219c_97a9), mask(0x0040_069c), mask(0x2c00_0010)));
        for (int subleaf = 0; subleaf <= 2; subleaf++) {
            leaves.add(new Leaf(0xb, subleaf, ANY, ANY, ANY, ANY));
        }
        leaves.add(new Leaf(0xd, 0, check(XCR0, 0x207), check(XSAVE_SIZE, 0), ANY, ZERO));
        leaves.add(new Leaf(0xd, 1, mask(0x1f), check(XSAVES_SIZE, 0), mask(0x1800), ZERO));
        leaves.add(new Leaf(0xd, 2, exact(0x100), exact(0x240), ZERO, ZERO));
        leaves.add(new Leaf(0xd, 9, exact(8), exact(0x980), ZERO, ZERO));
        leaves.add(new Leaf(0xd, 0xb, exact(0x10), ZERO, exact(1), ZERO));
        leaves.add(new Leaf(0xd, 0xc, exact(0x18), ZERO, exact(1), ZERO));
        leaves.add(new Leaf(0xf, 0, ZERO, ANY, ZERO, ANY));
        leaves.add(new Leaf(0xf, 1, ANY, ANY, ANY, ANY));
        leaves.add(new Leaf(0x10, 0, ZERO, ANY, ZERO, ZERO));
        leaves.add(new Leaf(0x10, 1, ANY, ANY, ANY, ANY));
        leaves.add(new Leaf(EXTENDED, 0, check(AT_MOST, 0x8000_0023), ANY, ANY, ANY));
        leaves.add(new Leaf(0x8000_0001, 0, signature, ANY, mask(0x75c2_37ff), mask(0x2fd3_fbff)));
        for (int leaf = 0x8000_0002; leaf <= 0x8000_0006; leaf++) {
            leaves.add(new Leaf(leaf, 0, ANY, ANY, ANY, ANY));
        }
        leaves.add(new Leaf(0x8000_0007, 0, ZERO, mask(0x3b), ANY, mask(0x6799)));
        leaves.add(new Leaf(
                0x8000_0008,
                0,
                check(BYTES_AT_MOST, 0x0030_3030),
                mask(0x191e_f757),
                ANY,
                check(HALVES_AT_MOST, 0x0001_0007)));
        leaves.add(new Leaf(0x8000_000a, 0, ANY, ANY, ZERO, ANY));
        leaves.add(new Leaf(0x8000_0019, 0, ANY, ANY, ZERO, ZERO));
        leaves.add(new Leaf(0x8000_001a, 0, ANY, ZERO, ZERO, ZERO));
        leaves.add(new Leaf(0x8000_001b, 0, mask(0x3ff), ZERO, ZERO, ZERO));
        for (int subleaf = 0; subleaf <= 3; subleaf++) {
            leaves.add(new Leaf(0x8000_001d, subleaf, ANY, ANY, ANY, ANY));
        }
        leaves.add(new Leaf(0x8000_001d, 4, ANY, ZERO, ANY, ZERO));
        leaves.add(new Leaf(0x8000_001e, 0, ANY, ANY, ANY, ANY));
        leaves.add(new Leaf(0x8000_001f, 0, mask(0x0001_783f), check(ENCRYPTION, 0x4033), ANY, ANY));
        leaves.add(new Leaf(0x8000_0020, 0, ZERO, ANY, ZERO, ZERO));
        leaves.add(new Leaf(0x8000_0020, 1, ANY, ZERO, ZERO, ANY));
        leaves.add(new Leaf(0x8000_0021, 0, mask(0x0000_004d), ANY, ZERO, ZERO));
        leaves.add(new Leaf(0x8000_0023, 0, mask(1), ANY, ZERO, ZERO));
        return new HostCpuid(leaves);
    }

    /**
     * What the register may hold instead of {@code word}: itself, if it passes.
     *
     * @param register 0 EAX to 3 EDX
     * @param xcr0 as the entry says
     * @param xss as the entry says
     */
    int corrected(int leaf, int subleaf, int register, int word, long xcr0, long xss) {
        if ((leaf & ~EXTENDED) > LAST_OF_RANGE) {
            return word;
        }
        for (Leaf each : leaves) {
            if (each.leaf == leaf && each.subleaf == subleaf) {
                return each.register(register).corrected(word, xcr0, xss);
            }
        }
        return 0;
    }
}
