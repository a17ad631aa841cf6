package kvasir.kvm.irqchip;

/**
 * An interrupt on its way to local APICs.
 *
 * @param vector 0 to 255
 * @param mode how it is delivered
 * @param logical whether {@code destination} is a logical destination
 * @param destination 8 bits in xAPIC mode, 32 in x2APIC mode
 * @param level whether it is level-triggered
 * @param asserted false for the INIT level de-assert, which does nothing on current processors
 */
public record InterruptMessage(
        int vector, DeliveryMode mode, boolean logical, int destination, boolean level, boolean asserted) {}
