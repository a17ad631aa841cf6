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
     * Checks the page and writes values that would have passed where it does not.
     *
     * @return whether it passed as it was
     */
    static boolean check(PhysicalMemory memory, long spa, HostCpuid host, Rules rules) {
        boolean unchanged = true;
        int count = memory.read32(spa);
        if (Integer.compareUnsigned(count, MAX_ENTRIES) > 0) {
            memory.write32(spa, MAX_ENTRIES);
            count = MAX_ENTRIES;
            unchanged = false;
        }
        for (int offset = 4; offset < FIRST; offset += 4) {
            unchanged &= clear(memory, spa + offset, 0);
        }
        for (int i = 0; i < count; i++) {
            long entry = spa + FIRST + (long) i * ENTRY_BYTES;
            unchanged &= clear(memory, entry + 40, 0);
            unchanged &= clear(memory, entry + 44, 0);
            if (rules.holds(Rule.CPUID_FEATURES_ARE_CHECKED)) {
                int leaf = memory.read32(entry);
                int subleaf = memory.read32(entry + 4);
                for (int register = 0; register < 4; register++) {
                    unchanged &= clear(memory, entry + 24 + 4L * register, host.allowed(leaf, subleaf, register));
                }
            }
        }
        return unchanged;
    }

    private static boolean clear(PhysicalMemory memory, long address, int allowed) {
        int value = memory.read32(address);
        if ((value & ~allowed) == 0) {
            return true;
        }
        memory.write32(address, value & allowed);
        return false;
    }
}
