package kvasir.kvm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;
import kvasir.metal.cpu.Cpu;

/**
 * A walk of the guest's page tables by KVM itself, which reads them through the slots and changes nothing
 * (kvm_mmu_gva_to_gpa_system).
 */
final class GuestTables {
    private static final long CR0_PG = 1L << 31;
    private static final long CR4_PSE = 1 << 4;
    private static final long CR4_PAE = 1 << 5;
    private static final long CR4_LA57 = 1 << 12;
    private static final long EFER_LMA = 1 << 10;
    private static final int EFER = 0xc000_0080;
    private static final long ADDRESS = 0x000f_ffff_ffff_f000L;
    private static final long PS = 1 << 7;

    private final Vcpu vcpu;

    GuestTables(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    /** The gpa of a linear address; empty where it is not mapped. */
    OptionalLong gpa(long linear) {
        Cpu cpu = vcpu.cpu();
        boolean longMode = (cpu.msr(EFER).orElse(0) & EFER_LMA) != 0;
        if ((cpu.cr(0) & CR0_PG) == 0) {
            return OptionalLong.of(linear & 0xffff_ffffL);
        }
        if (longMode) {
            return wide(cpu.cr(3) & ADDRESS, (cpu.cr(4) & CR4_LA57) != 0 ? 5 : 4, linear);
        }
        if ((cpu.cr(4) & CR4_PAE) == 0) {
            return narrow(linear & 0xffff_ffffL);
        }
        long pdpte = cpu.pdpte((int) (linear >>> 30) & 3);
        return (pdpte & 1) == 0 ? OptionalLong.empty() : wide(pdpte & ADDRESS, 2, linear & 0xffff_ffffL);
    }

    private OptionalLong wide(long root, int levels, long linear) {
        long table = root;
        for (int level = levels; level > 0; level--) {
            int shift = 12 + 9 * (level - 1);
            OptionalLong read = word(table + 8 * (linear >>> shift & 511), 8);
            long entry = read.orElse(0);
            if ((entry & 1) == 0) {
                return OptionalLong.empty();
            }
            if (level == 1 || level <= 3 && (entry & PS) != 0) {
                long offset = (1L << shift) - 1;
                return OptionalLong.of(entry & ADDRESS & ~offset | linear & offset);
            }
            table = entry & ADDRESS;
        }
        return OptionalLong.empty();
    }

    private OptionalLong narrow(long linear) {
        long pde =
                word((vcpu.cpu().cr(3) & 0xffff_f000L) + 4 * (linear >>> 22), 4).orElse(0);
        if ((pde & 1) == 0) {
            return OptionalLong.empty();
        }
        if ((pde & PS) != 0 && (vcpu.cpu().cr(4) & CR4_PSE) != 0) {
            return OptionalLong.of((pde >>> 13 & 0xff) << 32 | pde & 0xffc0_0000L | linear & 0x3f_ffff);
        }
        long pte = word((pde & 0xffff_f000L) + 4 * (linear >>> 12 & 1023), 4).orElse(0);
        return (pte & 1) == 0 ? OptionalLong.empty() : OptionalLong.of(pte & 0xffff_f000L | linear & 4095);
    }

    /** Bytes of guest memory as a number; empty where there is no slot. */
    OptionalLong word(long gpa, int bytes) {
        var content = new byte[8];
        return GuestCopy.copy(vcpu, gpa, content, bytes, false)
                ? OptionalLong.of(
                        ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong())
                : OptionalLong.empty();
    }
}
