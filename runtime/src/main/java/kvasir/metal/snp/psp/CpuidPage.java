package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import kvasir.metal.snp.Rule;
import kvasir.metal.snp.Rules;

/**
 * The CPUID page, and the same table in MSG_CPUID_REQ: u32 count (at most 64), 12 zero bytes, then 48-byte entries: u32 leaf, u32 sub-leaf, u64 XCR0, u64 XSS,
 * u32 EAX, EBX, ECX, EDX, u64 zero (SNP ABI, CPUID page).
 */
final class CpuidPage {
    static final int MAX_ENTRIES = 64;
    private static final int FIRST = 16;
    private static final int ENTRY_BYTES = 48;

    private CpuidPage() {}

    /**
     * Checks a table, entry by entry (AMD's published firmware, {@code sanitize_cpuid_list}). Where only values are wrong
     * those that would have passed are written; a wrong count or header changes nothing.
     *
     * @param table room for its header and the entries it counts
     * @return whether it passed as it was
     */
    static boolean check(ByteBuffer table, HostCpuid host, Rules rules) {
        if (!wellFormed(table)) {
            return false;
        }
        boolean unchanged = true;
        for (int i = 0; i < count(table); i++) {
            int entry = FIRST + i * ENTRY_BYTES;
            unchanged &= table.getLong(entry + 40) == 0;
            if (rules.holds(Rule.CPUID_FEATURES_ARE_CHECKED)) {
                unchanged &= checkRegisters(table, entry, host);
            }
        }
        return unchanged;
    }

    /** Whether header and count are legal and the entries are there. */
    static boolean wellFormed(ByteBuffer table) {
        return table.getInt(4) == 0
                && table.getLong(8) == 0
                && Integer.compareUnsigned(count(table), MAX_ENTRIES) <= 0
                && FIRST + count(table) * ENTRY_BYTES <= table.capacity();
    }

    /** Entries whose leaf is of the standard or the extended range; the others are nobody's business. */
    static int architectural(ByteBuffer table) {
        int found = 0;
        for (int i = 0; i < count(table); i++) {
            found += (table.getInt(FIRST + i * ENTRY_BYTES) & 0x7fff_0000) == 0 ? 1 : 0;
        }
        return found;
    }

    private static int count(ByteBuffer table) {
        return table.getInt(0);
    }

    private static boolean checkRegisters(ByteBuffer table, int entry, HostCpuid host) {
        boolean unchanged = true;
        for (int register = 0; register < 4; register++) {
            int at = entry + 24 + 4 * register;
            int word = table.getInt(at);
            int passes = host.corrected(
                    table.getInt(entry),
                    table.getInt(entry + 4),
                    register,
                    word,
                    table.getLong(entry + 8),
                    table.getLong(entry + 16));
            if (passes != word) {
                table.putInt(at, passes);
                unchanged = false;
            }
        }
        return unchanged;
    }
}
