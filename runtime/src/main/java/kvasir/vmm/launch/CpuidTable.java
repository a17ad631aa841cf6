package kvasir.vmm.launch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import kvasir.kvm.Vcpu;
import kvasir.kvm.snp.SnpVm;
import kvasir.registry.Bytes;

/** The CPUID page that a VMM fills in for its guest: what CPUID says, leaf by leaf (SNP ABI, "CPUID page"). */
public final class CpuidTable {
    private static final int FIRST = 16;
    private static final int ENTRY_BYTES = 48;
    private static final int XSAVE_LEAF = 0xd;
    private static final int LEGACY_XSAVE_BYTES = 0x240;
    private static final int[][] LEAVES = {
        {0, 0},
        {1, 0},
        {7, 0},
        {0xb, 0},
        {0xb, 1},
        {XSAVE_LEAF, 0},
        {XSAVE_LEAF, 1},
        {0x4000_0000, 0},
        {0x4000_0001, 0},
        {0x8000_0000, 0},
        {0x8000_0001, 0},
        {0x8000_0002, 0},
        {0x8000_0003, 0},
        {0x8000_0004, 0},
        {0x8000_0007, 0},
        {0x8000_0008, 0},
        {0x8000_001e, 0},
        {0x8000_001f, 0}
    };

    private CpuidTable() {}

    /** The page for {@code vcpu}: KVM_GET_CPUID2 in the firmware's format, 4096 bytes. */
    public static Bytes page(SnpVm snp, Vcpu vcpu) {
        ByteBuffer out = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(0, LEAVES.length);
        for (int i = 0; i < LEAVES.length; i++) {
            int at = FIRST + i * ENTRY_BYTES;
            int[] values = snp.cpuid(vcpu, LEAVES[i][0], LEAVES[i][1]);
            boolean xsave = LEAVES[i][0] == XSAVE_LEAF;
            out.putInt(at, LEAVES[i][0]);
            out.putInt(at + 4, LEAVES[i][1]);
            out.putLong(at + 8, xsave ? 1 : 0);
            for (int register = 0; register < 4; register++) {
                out.putInt(at + 24 + 4 * register, values[register]);
            }
            if (xsave) {
                out.putInt(at + 28, LEGACY_XSAVE_BYTES);
            }
        }
        return Bytes.of(out.array());
    }
}
