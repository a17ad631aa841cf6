package kvasir.kvm.tdx;

import java.util.ArrayList;
import java.util.List;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.tdx.CpuidConfig;
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
 * @param reserved the reserved words, or-ed together; must be 0
 * @param padding of struct kvm_cpuid2; must be 0
 */
public record InitVm(
        long attributes,
        long xfam,
        Bytes mrconfigid,
        Bytes mrowner,
        Bytes mrownerconfig,
        List<CpuidEntry> cpuid,
        long reserved,
        int padding) {
    /**
     * struct kvm_cpuid_entry2.
     *
     * @param function leaf
     * @param index subleaf; significant only where the leaf has subleaves
     */
    public record CpuidEntry(int function, int index, int eax, int ebx, int ecx, int edx) {}

    private static final int WIDTH_LEAF = 0x80000008;
    private static final Bytes ZEROS = Bytes.of(new byte[48]);

    public InitVm {
        cpuid = List.copyOf(cpuid);
    }

    /** What a VMM gives that wants nothing special: SEPT_VE_DISABLE, x87 SSE AVX AVX-512, 48-bit guest addresses. */
    public static InitVm usual() {
        return new InitVm(1L << 28, 0xe7, ZEROS, ZEROS, ZEROS, everything(48), 0, 0);
    }

    /** All that the processor has and KVM lets user space configure. */
    private static List<CpuidEntry> everything(int width) {
        CpuidModel processor = CpuidModel.standard();
        var entries = new ArrayList<CpuidEntry>();
        for (CpuidConfig config : CpuidConfig.ALL) {
            if (config.leaf() == WIDTH_LEAF) {
                continue;
            }
            int[] has = processor.answer(config.leaf(), Math.max(0, config.subleaf()));
            boolean features = config.leaf() == 7 && config.subleaf() == 0;
            entries.add(new CpuidEntry(
                    config.leaf(),
                    Math.max(0, config.subleaf()),
                    has[0] & config.eax(),
                    has[1] & config.ebx() & (features ? ~InitVmCommand.CPUID_7_TSX_EBX : -1),
                    has[2] & config.ecx() & (features ? ~InitVmCommand.CPUID_7_WAITPKG_ECX : -1),
                    has[3] & config.edx()));
        }
        entries.add(width(width));
        return entries;
    }

    /** This with {@code entry} instead of the one of the same leaf and subleaf, if there is one. */
    public InitVm with(CpuidEntry entry) {
        var entries = new ArrayList<>(cpuid);
        entries.removeIf(each -> each.function() == entry.function() && each.index() == entry.index());
        entries.add(entry);
        return withCpuid(entries);
    }

    /** CPUID 0x80000008 that asks for a guest address width of {@code bits}. */
    public static CpuidEntry width(int bits) {
        return new CpuidEntry(WIDTH_LEAF, 0, bits << 16, 0, 0, 0);
    }

    /** This with other ATTRIBUTES. */
    public InitVm withAttributes(long value) {
        return new InitVm(value, xfam, mrconfigid, mrowner, mrownerconfig, cpuid, reserved, padding);
    }

    /** This with other XFAM. */
    public InitVm withXfam(long value) {
        return new InitVm(attributes, value, mrconfigid, mrowner, mrownerconfig, cpuid, reserved, padding);
    }

    /** This with other CPUID entries. */
    public InitVm withCpuid(List<CpuidEntry> entries) {
        return new InitVm(attributes, xfam, mrconfigid, mrowner, mrownerconfig, entries, reserved, padding);
    }

    /** This with other MRCONFIGID, MROWNER and MROWNERCONFIG. */
    public InitVm withIds(Bytes configId, Bytes owner, Bytes ownerConfig) {
        return new InitVm(attributes, xfam, configId, owner, ownerConfig, cpuid, reserved, padding);
    }

    /** This with other reserved words and padding. */
    public InitVm withReserved(long words, int pad) {
        return new InitVm(attributes, xfam, mrconfigid, mrowner, mrownerconfig, cpuid, words, pad);
    }
}
