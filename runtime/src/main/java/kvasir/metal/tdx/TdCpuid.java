package kvasir.metal.tdx;

import java.util.Optional;
import kvasir.metal.cpu.CpuidModel;

/** CPUID as the module virtualizes it; a leaf that is not in its table gives #VE. */
final class TdCpuid {
    private static final int MAX_LEAF = 0x23;
    private static final int HYPERVISOR = 1 << 31;
    private static final int X2APIC = 1 << 21;
    private static final int VMX_SMX = 3 << 5;
    private static final int CRYSTAL_HZ = 25_000_000;

    private TdCpuid() {}

    static Optional<int[]> answer(CpuidModel model, Tdcs tdcs, Tdvps vcpu, int leaf, int subleaf) {
        int[] values = model.answer(leaf, subleaf);
        return switch (leaf) {
            case 0 -> Optional.of(new int[] {MAX_LEAF, 0x756e_6547, 0x6c65_746e, 0x4965_6e69});
            case 1 -> {
                values[1] = values[1] & 0xffff | vcpu.u32(Tdvps.X2APIC_ID) << 24;
                values[2] = (values[2] | HYPERVISOR | X2APIC) & ~VMX_SMX;
                yield Optional.of(values);
            }
            case 4, 7, 0xd -> Optional.of(values);
            case 0x15 -> Optional.of(new int[] {1, tdcs.u32(Tdcs.TSC_FREQUENCY) & 0xffff, CRYSTAL_HZ, 0});
            case 0x21 -> Optional.of(subleaf == 0 ? new int[] {0, 0x6574_6e49, 0x2020_2020, 0x5844_546c} : new int[4]);
            case 0x80000000 -> Optional.of(new int[] {0x80000008, 0, 0, 0});
            case 0x80000001, 0x80000002, 0x80000003, 0x80000004, 0x80000007, 0x80000008 -> Optional.of(values);
            default -> Optional.empty();
        };
    }
}
