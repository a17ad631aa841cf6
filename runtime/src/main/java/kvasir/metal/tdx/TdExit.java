package kvasir.metal.tdx;

/** Why a TD vCPU left; what TDH.VP.ENTER turns into output registers. */
public sealed interface TdExit {
    /** Extended exit qualification types, bits 3:0. */
    long EEQ_NONE = 0;

    long EEQ_ACCEPT = 1;
    long EEQ_PAGE_ATTRIBUTES = 5;
    long EEQ_PENDING_EPT_VIOLATION = 6;

    /** TDG.VP.VMCALL: registers at the TDCALL; RCX is the mask. */
    record Vmcall(SeamcallRegs regs) implements TdExit {}

    /**
     * EPT violation (exit reason 48).
     *
     * @param gpa guest physical address, SHARED bit included
     * @param qualification exit qualification as the CPU has it
     * @param eeq extended exit qualification
     */
    record EptViolation(long gpa, long qualification, long eeq) implements TdExit {}

    /** EPT misconfiguration of a shared address (exit reason 49). */
    record EptMisconfiguration(long gpa) implements TdExit {}

    /**
     * An ordinary asynchronous exit.
     *
     * @param reason VM exit reason: 0 exception or NMI, 1 external interrupt, 3 INIT, 6 SMI, 52 preemption ...
     * @param interruption VM-exit interruption information, for reasons 0 and 1
     */
    record Asynchronous(int reason, long qualification, long interruption) implements TdExit {}

    /** Triple fault: the vCPU is disabled. */
    record TripleFault() implements TdExit {}

    /** A fatal event: the TD is fatal.
     * @param status one of the NON_RECOVERABLE_TD statuses */
    record Fatal(Status status) implements TdExit {}

    /** A guest call was starved by host priority for longer than HP_LOCK_TIMEOUT. */
    record HostPriorityTimeout() implements TdExit {}
}
