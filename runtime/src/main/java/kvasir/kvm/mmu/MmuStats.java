package kvasir.kvm.mmu;

import java.util.LinkedHashMap;
import java.util.Map;

/** Counters of a VM's MMU (struct kvm_vm_stat and the pf_ part of kvm_vcpu_stat, summed over vCPUs). */
public final class MmuStats {
    private final long[] pages = new long[4];
    private final long[] counters = new long[Counter.values().length];

    /** What is counted besides pages. */
    public enum Counter {
        /** Faults that installed or changed a mapping. */
        PF_FIXED,
        /** Faults that found nothing to do. */
        PF_SPURIOUS,
        /** Faults resolved without mmu_lock. */
        PF_FAST,
        /** Faults that had to be emulated. */
        PF_EMULATE,
        /** MMIO entries installed. */
        PF_MMIO_SPTE_CREATED,
        /** Faults on the guest's behalf. */
        PF_TAKEN,
        /** 4 KiB tables made because an NX huge page was executed. */
        NX_LPAGE_SPLITS
    }

    /** Leaves of a level, in all trees. */
    public long pages(int level) {
        return pages[level];
    }

    /** A counter's value. */
    public long get(Counter counter) {
        return counters[counter.ordinal()];
    }

    /** All of them by the kernel's names, in a fixed order. */
    public Map<String, Long> all() {
        var all = new LinkedHashMap<String, Long>();
        all.put("pages_4k", pages[1]);
        all.put("pages_2m", pages[2]);
        all.put("pages_1g", pages[3]);
        for (Counter counter : Counter.values()) {
            all.put(counter.name().toLowerCase(java.util.Locale.ROOT), get(counter));
        }
        return all;
    }

    void addPages(int level, long delta) {
        pages[level] += delta;
    }

    void count(Counter counter) {
        counters[counter.ordinal()]++;
    }

    void add(Counter counter, long delta) {
        counters[counter.ordinal()] += delta;
    }

    Runnable checkpoint() {
        long[] savedPages = pages.clone();
        long[] savedCounters = counters.clone();
        return () -> {
            System.arraycopy(savedPages, 0, pages, 0, pages.length);
            System.arraycopy(savedCounters, 0, counters, 0, counters.length);
        };
    }
}
