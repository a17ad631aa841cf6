package kvasir.kvm;

import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/** MSRs that the processor does not keep and KVM emulates (x86.c, kvm_get_msr_common and kvm_set_msr_common). */
public final class GuestMsrs {
    private static final int IA32_PLATFORM_ID = 0x17;
    private static final int IA32_FEAT_CTL = 0x3a;
    private static final int IA32_BIOS_SIGN_ID = 0x8b;
    private static final int IA32_MTRRCAP = 0xfe;
    private static final int IA32_ARCH_CAPABILITIES = 0x10a;
    private static final int IA32_MISC_ENABLE = 0x1a0;
    private static final int IA32_MTRR_FIRST = 0x200;
    private static final int IA32_MTRR_LAST = 0x20f;
    private static final int IA32_MTRR_FIXED_FIRST = 0x250;
    private static final int IA32_MTRR_FIXED_LAST = 0x26f;
    private static final int IA32_MTRR_DEF_TYPE = 0x2ff;

    private static final int P6_PERFCTR0 = 0xc1;
    private static final int P6_EVNTSEL0 = 0x186;
    private static final int K7_EVNTSEL0 = 0xc001_0000;
    private static final int K7_PERFCTR3 = 0xc001_0007;

    private static final Map<Integer, Long> READ_ONLY = Map.of(
            IA32_PLATFORM_ID, 0L,
            IA32_FEAT_CTL, 1L,
            IA32_MTRRCAP, 0x508L,
            IA32_ARCH_CAPABILITIES, 0L);

    private TreeMap<Integer, Long> values = new TreeMap<>();
    private final MachineCheck machineCheck = new MachineCheck();

    private static boolean writable(int index) {
        return index == IA32_BIOS_SIGN_ID
                || index == IA32_MISC_ENABLE
                || index == IA32_MTRR_DEF_TYPE
                || (index >= IA32_MTRR_FIRST && index <= IA32_MTRR_LAST)
                || (index >= IA32_MTRR_FIXED_FIRST && index <= IA32_MTRR_FIXED_LAST);
    }

    /** Counters of old, which every guest may touch: without a virtual PMU they read as 0, and writes are lost. */
    private static boolean legacyCounter(int index) {
        return index == P6_PERFCTR0
                || index == P6_PERFCTR0 + 1
                || (index & ~1) == P6_EVNTSEL0
                || (index >= K7_EVNTSEL0 && index <= K7_PERFCTR3);
    }

    /** The value; empty if the guest must get #GP. */
    public OptionalLong value(int index) {
        if (legacyCounter(index)) {
            return OptionalLong.of(0);
        }
        if (!READ_ONLY.containsKey(index) && !writable(index)) {
            return machineCheck.read(index);
        }
        return OptionalLong.of(
                READ_ONLY.getOrDefault(index, values.getOrDefault(index, index == IA32_MISC_ENABLE ? 1L : 0L)));
    }

    /** WRMSR; false if the guest must get #GP. */
    public boolean write(int index, long value) {
        if (legacyCounter(index)) {
            return true;
        }
        if (!writable(index)) {
            return machineCheck.write(index, value);
        }
        values.put(index, value);
        return true;
    }

    /** KVM_X86_SETUP_MCE; false is EINVAL. */
    boolean setupMachineCheck(long cap, boolean intel) {
        return machineCheck.setup(cap, intel);
    }

    /** The fields as they are, as an action that puts them back. */
    public Runnable checkpoint() {
        var saved = new TreeMap<>(values);
        Runnable savedMachineCheck = machineCheck.checkpoint();
        return () -> {
            values = new TreeMap<>(saved);
            savedMachineCheck.run();
        };
    }
}
