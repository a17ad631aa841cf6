package kvasir.kvm.tdx;

import java.util.List;
import kvasir.registry.Bytes;

/**
 * struct kvm_tdx_init_vm.
 *
 * @param attributes TD ATTRIBUTES
 * @param xfam extended features
 * @param mrconfigid 48 bytes
 * @param mrowner 48 bytes
 * @param mrownerconfig 48 bytes
 * @param cpuid struct kvm_cpuid2: configurable leaves
 */
public record InitVm(
        long attributes, long xfam, Bytes mrconfigid, Bytes mrowner, Bytes mrownerconfig, List<CpuidEntry> cpuid) {
    /**
     * struct kvm_cpuid_entry2.
     *
     * @param function leaf
     * @param index subleaf; significant only where the leaf has subleaves
     */
    public record CpuidEntry(int function, int index, int eax, int ebx, int ecx, int edx) {}

    private static final Bytes ZEROS = Bytes.of(new byte[48]);

    public InitVm {
        cpuid = List.copyOf(cpuid);
    }

    /** What a VMM gives that wants nothing special: SEPT_VE_DISABLE, x87 SSE AVX AVX-512, 48-bit guest addresses. */
    public static InitVm usual() {
        return new InitVm(1L << 28, 0xe7, ZEROS, ZEROS, ZEROS, List.of(width(48)));
    }

    /** CPUID 0x80000008 that asks for a guest address width of {@code bits}. */
    public static CpuidEntry width(int bits) {
        return new CpuidEntry(0x80000008, 0, bits << 16, 0, 0, 0);
    }

    /** This with other ATTRIBUTES. */
    public InitVm withAttributes(long value) {
        return new InitVm(value, xfam, mrconfigid, mrowner, mrownerconfig, cpuid);
    }

    /** This with other XFAM. */
    public InitVm withXfam(long value) {
        return new InitVm(attributes, value, mrconfigid, mrowner, mrownerconfig, cpuid);
    }

    /** This with other CPUID entries. */
    public InitVm withCpuid(List<CpuidEntry> entries) {
        return new InitVm(attributes, xfam, mrconfigid, mrowner, mrownerconfig, entries);
    }

    /** This with other MRCONFIGID, MROWNER and MROWNERCONFIG. */
    public InitVm withIds(Bytes configId, Bytes owner, Bytes ownerConfig) {
        return new InitVm(attributes, xfam, configId, owner, ownerConfig, cpuid);
    }
}
