package kvasir.kvm;

/** KVM_EXIT_*. */
public enum ExitReason {
    UNKNOWN(0),
    EXCEPTION(1),
    IO(2),
    HYPERCALL(3),
    DEBUG(4),
    HLT(5),
    MMIO(6),
    IRQ_WINDOW_OPEN(7),
    SHUTDOWN(8),
    FAIL_ENTRY(9),
    INTR(10),
    SET_TPR(11),
    TPR_ACCESS(12),
    INTERNAL_ERROR(17),
    SYSTEM_EVENT(24),
    IOAPIC_EOI(26),
    X86_RDMSR(29),
    X86_WRMSR(30),
    DIRTY_RING_FULL(31),
    AP_RESET_HOLD(32),
    BUS_LOCK(33),
    NOTIFY(37),
    MEMORY_FAULT(39),
    TDX(40),
    SNP_REQ_CERTS(43);

    private final int number;

    ExitReason(int number) {
        this.number = number;
    }

    /** The number in kvm_run. */
    public int number() {
        return number;
    }

    /** The reason with this number; UNKNOWN if there is none. */
    public static ExitReason of(int number) {
        for (ExitReason reason : values()) {
            if (reason.number == number) {
                return reason;
            }
        }
        return UNKNOWN;
    }
}
