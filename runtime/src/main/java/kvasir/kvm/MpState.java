package kvasir.kvm;

/** KVM_MP_STATE_* of a vCPU with an in-kernel local APIC. */
public enum MpState {
    RUNNABLE,
    /** Waits for INIT. */
    UNINITIALIZED,
    /** Waits for the start-up IPI. */
    INIT_RECEIVED,
    HALTED
}
