package kvasir.metal.cpu;

/** An event that the hypervisor gives to the guest; it is delivered through the IDT before the next instruction. */
public sealed interface Injection {
    /** An external interrupt. */
    record Interrupt(int vector) implements Injection {}

    /** A non-maskable interrupt. */
    record Nmi() implements Injection {}

    /**
     * An exception.
     *
     * @param vector 0 to 31
     * @param errorCode used only by the vectors that have one
     */
    record GuestException(int vector, int errorCode) implements Injection {}
}
