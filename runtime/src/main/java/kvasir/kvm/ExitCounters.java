package kvasir.kvm;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/** How often a vCPU left the guest, by cause; exits that KVM handles itself count too. */
public final class ExitCounters {
    private final long[] counts = new long[Cause.values().length];

    /** Why the processor left the guest. */
    public enum Cause {
        EPT_VIOLATION,
        EPT_MISCONFIG,
        PML_FULL,
        NPF,
        IO,
        MMIO,
        HLT,
        CPUID,
        RDMSR,
        WRMSR,
        HYPERCALL,
        INTERRUPT,
        TRIPLE_FAULT,
        DEBUG,
        BUS_LOCK,
        NOTIFY,
        INTERRUPT_WINDOW,
        TDCALL,
        VMGEXIT;

        /** As scripts write it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** One more. */
    public void count(Cause cause) {
        counts[cause.ordinal()]++;
    }

    public long get(Cause cause) {
        return counts[cause.ordinal()];
    }

    /** All of them. MMIO counts are exits to user space, which a stage-2 exit came before; they are not added. */
    public long total() {
        long total = 0;
        for (Cause cause : Cause.values()) {
            total += cause == Cause.MMIO ? 0 : get(cause);
        }
        return total;
    }

    /** Every cause that happened. */
    public Map<Cause, Long> nonZero() {
        var map = new EnumMap<Cause, Long>(Cause.class);
        for (Cause cause : Cause.values()) {
            if (get(cause) != 0) {
                map.put(cause, get(cause));
            }
        }
        return map;
    }

    /** All counts become 0. */
    public void reset() {
        java.util.Arrays.fill(counts, 0);
    }

    Runnable checkpoint() {
        long[] saved = counts.clone();
        return () -> System.arraycopy(saved, 0, counts, 0, counts.length);
    }
}
