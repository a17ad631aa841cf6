package kvasir.metal.tdx;

import java.util.List;
import kvasir.registry.Range;

/**
 * What the firmware set up before the module was loaded.
 *
 * @param maxPhysicalAddressBits MAXPA, including the bits that carry key ids
 * @param keyIdBits upper physical address bits that carry a key id
 * @param mktmeKeys number of shared key ids, MSR 0x87 bits 31:0
 * @param tdxKeys number of private key ids, MSR 0x87 bits 63:32
 * @param packageOfLp for each logical processor, the package it is in
 * @param convertible CMRs: ranges of host memory that may hold private pages, ascending
 * @param seamRange SEAMRR, the module's own memory; shared operands may not touch it
 */
public record Platform(
        int maxPhysicalAddressBits,
        int keyIdBits,
        int mktmeKeys,
        int tdxKeys,
        List<Integer> packageOfLp,
        List<Range> convertible,
        Range seamRange) {

    public Platform {
        packageOfLp = List.copyOf(packageOfLp);
        convertible = List.copyOf(convertible);
        if (mktmeKeys + tdxKeys >= 1 << keyIdBits || convertible.size() > 32) {
            throw new IllegalArgumentException("key ids do not fit in " + keyIdBits + " bits, or more than 32 CMRs");
        }
    }

    /**
     * A 46-bit machine with 6 key id bits (31 shared, 32 private keys), all of its memory convertible.
     *
     * @param memoryBytes size of host memory, from 0
     * @param lps number of logical processors
     * @param packages number of packages, LPs dealt to them in turn
     */
    public static Platform of(long memoryBytes, int lps, int packages) {
        var packageOfLp = new java.util.ArrayList<Integer>();
        for (int lp = 0; lp < lps; lp++) {
            packageOfLp.add(lp % packages);
        }
        return new Platform(46, 6, 31, 32, packageOfLp, List.of(new Range(0, memoryBytes)), new Range(0, 0));
    }

    /** Number of packages. */
    public int packages() {
        return packageOfLp.stream().mapToInt(Integer::intValue).max().orElse(0) + 1;
    }

    /** Number of logical processors. */
    public int lps() {
        return packageOfLp.size();
    }

    /** Lowest private key id. */
    public int firstPrivateHkid() {
        return mktmeKeys + 1;
    }

    /** Whether {@code hkid} is a private key id of this platform. */
    public boolean privateHkid(long hkid) {
        return hkid >= firstPrivateHkid() && hkid < firstPrivateHkid() + tdxKeys;
    }

    /** Bit position of the key id in a physical address. */
    public int hkidShift() {
        return maxPhysicalAddressBits - keyIdBits;
    }

    /** A bit for each package. */
    public long allPackages() {
        return (1L << packages()) - 1;
    }
}
