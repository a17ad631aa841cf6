package kvasir.metal.cpu;

import java.util.Optional;
import kvasir.metal.paging.HostWriteCheck;
import kvasir.metal.paging.PmlBuffer;

/** How a guest-physical address becomes a host-physical one. */
public sealed interface SecondStage {
    /** Guest-physical is host-physical. */
    record None() implements SecondStage {}

    /**
     * Intel's extended page tables.
     *
     * @param eptp Intel SDM, "Extended-page-table pointer"
     * @param pml the page-modification log, if it is on
     */
    record Ept(long eptp, Optional<PmlBuffer> pml) implements SecondStage {
        /** Without page-modification logging. */
        public Ept(long eptp) {
            this(eptp, Optional.empty());
        }
    }

    /**
     * AMD's nested page tables.
     *
     * @param ncr3 nested CR3
     * @param levels 4 or 5, the host's own paging mode
     * @param encryptionBit mask of the host's C-bit; 0 if memory encryption is not enabled
     * @param check of writes, if the host has a reverse map
     */
    record Npt(long ncr3, int levels, long encryptionBit, Optional<HostWriteCheck> check) implements SecondStage {
        /** On a host without memory encryption and reverse map. */
        public Npt(long ncr3, int levels) {
            this(ncr3, levels, 0, Optional.empty());
        }
    }

    /**
     * Nested page tables of a guest with memory encryption.
     *
     * @param ncr3 nested CR3
     * @param levels 4 or 5, the host's own paging mode
     * @param guest what encryption and the reverse map do
     */
    record Sev(long ncr3, int levels, SevGuest guest) implements SecondStage {}

    /**
     * A TD's two tables: the secure EPT for private and the shared EPT for shared addresses.
     *
     * @param septp the S-EPT root in the form of an EPTP
     * @param sharedEptp 0 while there is none
     * @param sharedBit the address bit that chooses the shared one
     */
    record Tdx(long septp, long sharedEptp, long sharedBit) implements SecondStage {}
}
