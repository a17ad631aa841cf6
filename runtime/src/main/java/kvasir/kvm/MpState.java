package kvasir.kvm;

import java.util.Optional;

/** KVM_MP_STATE_* of a vCPU. */
public enum MpState {
    RUNNABLE(0),
    /** Waits for INIT. */
    UNINITIALIZED(1),
    /** Waits for the start-up IPI. */
    INIT_RECEIVED(2),
    HALTED(3),
    /** Only KVM_SET_MP_STATE takes it: INIT_RECEIVED, and the start-up IPI has come. */
    SIPI_RECEIVED(4),
    /** An SEV-ES guest waits for its start-up IPI. */
    AP_RESET_HOLD(9);

    private final int number;

    MpState(int number) {
        this.number = number;
    }

    /** The number in struct kvm_mp_state. */
    public int number() {
        return number;
    }

    /** The state of that number; empty if there is none on x86. */
    public static Optional<MpState> of(long number) {
        for (MpState state : values()) {
            if (state.number == number) {
                return Optional.of(state);
            }
        }
        return Optional.empty();
    }
}
