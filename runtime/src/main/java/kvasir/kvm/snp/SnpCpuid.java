package kvasir.kvm.snp;

import kvasir.kvm.GuestCpuid;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.snp.SnpProcessor;

/** What KVM and its VMM let CPUID say to an SNP guest: the processor's model, and leaf 8000_001F. */
final class SnpCpuid {
    private static final int EXTENDED_MAX = 0x8000_0000;
    private static final int ENCRYPTION = 0x8000_001f;
    private static final int SEV_SEV_ES_SNP = 1 << 1 | 1 << 3 | 1 << 4;
    private static final int REDUCED_ADDRESS_BITS = 1 << 6;

    private SnpCpuid() {}

    static int[] values(Cpu cpu, int leaf, int subleaf) {
        int[] out = GuestCpuid.values(cpu, leaf, subleaf);
        if (leaf == EXTENDED_MAX) {
            out[0] = ENCRYPTION;
        } else if (leaf == ENCRYPTION) {
            out[0] = SEV_SEV_ES_SNP;
            out[1] = SnpProcessor.ENCRYPTION_BIT | REDUCED_ADDRESS_BITS;
        }
        return out;
    }
}
