package kvasir.metal.snp;

import java.util.Optional;

/** Translates the operand of PVALIDATE and its kin as a data access: the guest walk and the nested walk. */
@FunctionalInterface
public interface GuestWalk {
    /**
     * Where an address ends.
     *
     * @param spa system physical address
     * @param gpa guest physical address
     * @param nestedLevel level of the nested leaf, 1 to 3
     * @param encrypted effective C-bit
     */
    record Translated(long spa, long gpa, int nestedLevel, boolean encrypted) {}

    /** Empty if a walk faulted; the walker keeps the fault for the processor to deliver. */
    Optional<Translated> translate(long virtualAddress);
}
