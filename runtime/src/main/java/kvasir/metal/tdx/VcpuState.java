package kvasir.metal.tdx;

/** TDVPS.VCPU_STATE. */
public enum VcpuState {
    VCPU_UNINITIALIZED(0),
    VCPU_READY(2),
    VCPU_ACTIVE(4),
    VCPU_DISABLED(8);

    private final int number;

    VcpuState(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    static VcpuState of(int number) {
        return switch (number) {
            case 0 -> VCPU_UNINITIALIZED;
            case 2 -> VCPU_READY;
            case 4 -> VCPU_ACTIVE;
            case 8 -> VCPU_DISABLED;
            default -> throw new IllegalStateException("VCPU_STATE " + number);
        };
    }
}
