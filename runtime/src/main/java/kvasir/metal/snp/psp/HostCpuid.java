package kvasir.metal.snp.psp;

import java.util.List;

/**
 * The feature bits that the emulated host has, by CPUID leaf: a CPUID page may not promise more.
 *
 * @param masks the leaves that are checked; a leaf that is not listed is taken as it is
 */
public record HostCpuid(List<Mask> masks) {
    /** The bits of one register of one leaf that may be 1; register 0 is EAX, 3 is EDX. */
    public record Mask(int leaf, int subleaf, int register, int allowed) {}

    public HostCpuid {
        masks = List.copyOf(masks);
    }

    /** Feature leaves as a Milan reports them to guests (PPR for family 19h model 01h). */
    public static HostCpuid milan() {
        return new HostCpuid(List.of(
                new Mask(1, 0, 2, 0xfefa_320b),
                new Mask(1, 0, 3, 0x178b_fbff),
                new Mask(7, 0, 1, 0x219c_97a9),
                new Mask(7, 0, 2, 0x0040_069c),
                new Mask(7, 0, 3, 0x2c00_0010),
                new Mask(0xd, 1, 0, 0x0000_001f),
                new Mask(0x8000_0001, 0, 2, 0x75c2_37ff),
                new Mask(0x8000_0001, 0, 3, 0x2fd3_fbff),
                new Mask(0x8000_0008, 0, 1, 0x191e_f757),
                new Mask(0x8000_001f, 0, 0, 0x0001_780f | 0x10 | 0x20),
                new Mask(0x8000_0021, 0, 0, 0x0000_004d)));
    }

    /** The bits that may be 1 in this register; all if the leaf is not checked. */
    int allowed(int leaf, int subleaf, int register) {
        for (Mask mask : masks) {
            if (mask.leaf == leaf && mask.subleaf == subleaf && mask.register == register) {
                return mask.allowed;
            }
        }
        return -1;
    }
}
