package kvasir.kvm;

import java.util.Optional;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.Gpr;

/** CPUID, which always exits: the processor's model or user space's table, and KVM's own leaves (cpuid.c). */
public final class GuestCpuid {
    private static final int KVM_SIGNATURE = 0x4000_0000;
    private static final int KVM_FEATURES = 0x4000_0001;
    private static final int APIC = 1 << 9;
    private static final int OSXSAVE = 1 << 27;
    private static final int OSPKE = 1 << 4;

    private GuestCpuid() {}

    /** KVM's own leaves: the signature, and no feature. */
    static int[] own(int leaf) {
        return leaf == KVM_SIGNATURE ? new int[] {KVM_FEATURES, 0x4b4d_564b, 0x564b_4d56, 0x4d} : new int[4];
    }

    /** EAX, EBX, ECX, EDX as KVM answers a vCPU whose table tells the processor's model. */
    public static int[] values(Cpu cpu, int leaf, int subleaf) {
        return leaf == KVM_SIGNATURE || leaf == KVM_FEATURES ? own(leaf) : cpu.cpuid(leaf, subleaf);
    }

    private static int[] values(Vcpu vcpu, int leaf, int subleaf) {
        Optional<CpuidTable> table = vcpu.cpuidTable();
        if (table.isEmpty()) {
            return values(vcpu.cpu(), leaf, subleaf);
        }
        int[] out = table.get().answer(leaf, subleaf);
        // kvm_update_cpuid_runtime: what follows control registers
        int[] now = vcpu.cpu().cpuid(leaf, subleaf);
        if (leaf == 1) {
            out[2] = out[2] & ~OSXSAVE | now[2] & OSXSAVE;
        } else if (leaf == 7 && subleaf == 0) {
            out[2] = out[2] & ~OSPKE | now[2] & OSPKE;
        } else if (leaf == 0xd && subleaf <= 1 && subleaf >= 0) {
            out[1] = now[1];
        }
        return out;
    }

    static void answer(Vcpu vcpu, int leaf, int subleaf) {
        Cpu cpu = vcpu.cpu();
        int[] out = values(vcpu, leaf, subleaf);
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
