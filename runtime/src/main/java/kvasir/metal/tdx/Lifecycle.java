package kvasir.metal.tdx;

/** TDR.LIFECYCLE_STATE: the state of the TD's key. */
public enum Lifecycle {
    TD_HKID_ASSIGNED(0),
    TD_KEYS_CONFIGURED(1),
    TD_BLOCKED(2),
    TD_TEARDOWN(3);

    private final int number;

    Lifecycle(int number) {
        this.number = number;
    }

    /** The number in the field. */
    int number() {
        return number;
    }

    static Lifecycle of(int number) {
        return switch (number) {
            case 0 -> TD_HKID_ASSIGNED;
            case 1 -> TD_KEYS_CONFIGURED;
            case 2 -> TD_BLOCKED;
            case 3 -> TD_TEARDOWN;
            default -> throw new IllegalStateException("LIFECYCLE_STATE " + number);
        };
    }
}
