package kvasir.metal.tdx;

import java.util.OptionalLong;

/**
 * What the processor and the module know of a vCPU's local APIC without the host: the virtual APIC page behind the x2APIC
 * registers that are native to a TD, and the interrupts posted to it. Times are ticks of the guest's processor.
 */
public interface VirtualApic {
    /** No interrupts, and no registers. */
    VirtualApic NONE = new VirtualApic() {
        @Override
        public OptionalLong read(int msr, long now) {
            return OptionalLong.empty();
        }

        @Override
        public boolean write(int msr, long value, long now) {
            return false;
        }

        @Override
        public boolean interrupting(long now) {
            return false;
        }

        @Override
        public int acknowledge() {
            throw new IllegalStateException("nothing is pending");
        }

        @Override
        public long deadline() {
            return Long.MAX_VALUE;
        }
    };

    /** RDMSR of an x2APIC register; empty for #GP. */
    OptionalLong read(int msr, long now);

    /** WRMSR of an x2APIC register; false for #GP. */
    boolean write(int msr, long value, long now);

    /** Whether a vector waits to be delivered. */
    boolean interrupting(long now);

    /** Takes that vector. */
    int acknowledge();

    /** When something happens next by itself; {@link Long#MAX_VALUE} if nothing will. */
    long deadline();
}
