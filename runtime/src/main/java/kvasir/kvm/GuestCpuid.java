package kvasir.kvm;

import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.Gpr;

/** CPUID, which always exits: the processor's model and KVM's own leaves (cpuid.c, kvm_emulate_cpuid). */
public final class GuestCpuid {
    private static final int KVM_SIGNATURE = 0x4000_0000;
    private static final int KVM_FEATURES = 0x4000_0001;
    private static final int APIC = 1 << 9;

    private GuestCpuid() {}

    /** EAX, EBX, ECX, EDX as KVM answers a vCPU. */
    public static int[] values(Cpu cpu, int leaf, int subleaf) {
        return switch (leaf) {
            case KVM_SIGNATURE -> new int[] {KVM_FEATURES, 0x4b4d_564b, 0x564b_4d56, 0x4d};
            case KVM_FEATURES -> new int[4];
            default -> cpu.cpuid(leaf, subleaf);
        };
    }

    static void answer(Vcpu vcpu, int leaf, int subleaf) {
        Cpu cpu = vcpu.cpu();
        int[] out = values(cpu, leaf, subleaf);
        if (leaf == 1) {
            boolean apicOff =
                    vcpu.lapic().isPresent() && !vcpu.lapic().get().apic().enabled();
            out[3] &= apicOff ? ~APIC : -1;
        }
        cpu.setGpr(Gpr.RAX, Integer.toUnsignedLong(out[0]));
        cpu.setGpr(Gpr.RBX, Integer.toUnsignedLong(out[1]));
        cpu.setGpr(Gpr.RCX, Integer.toUnsignedLong(out[2]));
        cpu.setGpr(Gpr.RDX, Integer.toUnsignedLong(out[3]));
    }
}
