package kvasir.metal.snp.psp;

import kvasir.registry.Bytes;

/**
 * What is fixed about a platform.
 *
 * @param seed of everything random: keys, ids
 * @param apiMajor of the firmware
 * @param apiMinor of the firmware
 * @param build of the firmware
 * @param tcb installed versions
 * @param cores whose caches must be written back before an ASID is used again, 1 to 64
 * @param asids highest ASID for SNP guests, 1 to 1023, 0 for none (CPUID 8000_001F EDX - 1)
 * @param smt whether the host runs two threads a core
 * @param sockets number of sockets
 * @param snpEnabled SYSCFG, the RMP registers and the IOMMU are ready on all cores
 * @param familyModelStepping CPUID 1 EAX of the host
 * @param cpuid what the host offers, for checks of CPUID pages
 */
public record PlatformConfig(
        Bytes seed,
        int apiMajor,
        int apiMinor,
        int build,
        Tcb tcb,
        int cores,
        int asids,
        boolean smt,
        int sockets,
        boolean snpEnabled,
        int familyModelStepping,
        HostCpuid cpuid) {
    /** The same with SNP left off in SYSCFG. */
    public PlatformConfig withoutSnp() {
        return new PlatformConfig(
                seed, apiMajor, apiMinor, build, tcb, cores, asids, smt, sockets, false, familyModelStepping, cpuid);
    }

    /** A Milan with one socket, SMT, 15 SNP guests. */
    public static PlatformConfig milan(Bytes seed) {
        return new PlatformConfig(
                seed, 1, 55, 21, new Tcb(3, 0, 8, 0x73), 2, 15, true, 1, true, 0x00a00f11, HostCpuid.milan());
    }
}
