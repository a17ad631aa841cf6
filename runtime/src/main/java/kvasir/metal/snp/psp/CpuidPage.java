package kvasir.metal.snp.psp;

import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.Rule;
import kvasir.metal.snp.Rules;

/**
 * The CPUID page: u32 count (at most 64), 12 zero bytes, then 48-byte entries: u32 leaf, u32 sub-leaf, u64 XCR0, u64 XSS,
 * u32 EAX, EBX, ECX, EDX, u64 zero (SNP ABI, CPUID page).
 */
final class CpuidPage {
    static final int MAX_ENTRIES = 64;
    private static final int FIRST = 16;
    private static final int ENTRY_BYTES = 48;

    private CpuidPage() {}

    /**
     * Checks the page, entry by entry (AMD's published firmware, {@code sanitize_cpuid_list}). Where only values are wrong
     * those that would have passed are written; a wrong count or header changes nothing.
     *
     * @return whether it passed as it was
     */
    static boolean check(PhysicalMemory memory, long spa, HostCpuid host, Rules rules) {
        int count = memory.read32(spa);
        if (memory.read32(spa + 4) != 0
                || memory.read64(spa + 8) != 0
                || Integer.compareUnsigned(count, MAX_ENTRIES) > 0) {
            return false;
        }
        boolean unchanged = true;
        for (int i = 0; i < count; i++) {
            long entry = spa + FIRST + (long) i * ENTRY_BYTES;
            unchanged &= memory.read64(entry + 40) == 0;
            if (rules.holds(Rule.CPUID_FEATURES_ARE_CHECKED)) {
                unchanged &= checkRegisters(memory, entry, host);
            }
        }
        return unchanged;
    }

    private static boolean checkRegisters(PhysicalMemory memory, long entry, HostCpuid host) {
        boolean unchanged = true;
        for (int register = 0; register < 4; register++) {
            long at = entry + 24 + 4L * register;
            int word = memory.read32(at);
            int passes = host.corrected(
                    memory.read32(entry),
                    memory.read32(entry + 4),
                    register,
                    word,
                    memory.read64(entry + 8),
                    memory.read64(entry + 16));
            if (passes != word) {
                memory.write32(at, passes);
                unchanged = false;
            }
        }
        return unchanged;
    }
}
