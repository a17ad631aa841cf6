package kvasir.kvm.irqchip;

/** Delivery modes in the order of their encoding (SDM volume 3, 11.6.1, ICR bits 10:8). */
public enum DeliveryMode {
    FIXED,
    LOWEST_PRIORITY,
    SMI,
    RESERVED,
    NMI,
    INIT,
    STARTUP,
    EXTINT;

    private static final DeliveryMode[] BY_ENCODING = values();

    static DeliveryMode of(int encoding) {
        return BY_ENCODING[encoding & 7];
    }
}
