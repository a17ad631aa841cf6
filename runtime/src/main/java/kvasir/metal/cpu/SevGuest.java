package kvasir.metal.cpu;

import java.util.OptionalLong;
import kvasir.metal.paging.EncryptedMemory;

/**
 * What the processor asks of SEV while it runs a guest with memory encryption. It is the memory's part and the
 * instructions' part of SEV, SEV-ES and SEV-SNP; the processor itself knows only that intercepted instructions of a
 * guest with encrypted registers raise #VC (AMD APM volume 2, 15.34 to 15.36).
 */
public interface SevGuest extends EncryptedMemory {
    /** Mask of the C-bit in the guest's page tables. */
    long encryptionBit();

    /** Whether the registers are encrypted too (SEV-ES): intercepted instructions raise #VC. */
    boolean encryptedState();

    /** Whether #VC for a nested fault sets CR2. */
    boolean communicationSetsCr2();

    /** Whether accesses to DR7 are intercepted: SEV-ES without DebugSwap. */
    boolean interceptsDr7();

    /** Whether HLT of a guest with encrypted registers exits by itself; else it raises #VC. */
    boolean haltExits();

    /** An MSR of SEV: GHCB or SEV_STATUS; empty for any other. */
    OptionalLong readMsr(int index);

    /** Sets an MSR of SEV; false for one that is not there or is read-only, which is #GP. */
    boolean writeMsr(int index, long value);

    /** Whether an MSR is one of SEV. */
    boolean hasMsr(int index);

    /** What it holds itself as it is now, the GHCB MSR among it, as an action that puts it back. */
    Runnable checkpoint();

    /** The instructions on the reverse map. */
    enum RmpInstruction {
        PVALIDATE,
        RMPADJUST,
        RMPQUERY,
        RMPUPDATE,
        PSMASH,
        RMPREAD
    }

    /**
     * Where an operand's address leads.
     *
     * @param hpa host-physical
     * @param gpa guest-physical, without the C-bit
     * @param level of the nested leaf, 1 to 3
     * @param encrypted effective C-bit
     */
    record OperandPage(long hpa, long gpa, int level, boolean encrypted) {}

    /** Translates an operand's address as a data access. A fault unwinds the instruction. */
    interface OperandWalk {
        /** The page behind a linear address. */
        OperandPage translate(long linear);
    }

    /**
     * Executes an instruction on the reverse map.
     *
     * @param rax address
     * @param rcx as in the register
     * @param rdx as in the register
     * @param cpl current privilege level
     */
    RmpOutcome execute(RmpInstruction instruction, long rax, long rcx, long rdx, int cpl, OperandWalk walk);
}
