package kvasir.vmm;

import java.util.OptionalInt;

/** Where a running guest's serial port gets its input from: somebody at a terminal. */
public interface ConsoleInput {
    /** The next byte, 0 to 255, if one is there. */
    OptionalInt poll();

    /**
     * The guest sleeps: waits a moment for input.
     *
     * @param ticks virtual nanoseconds until the guest's next timer
     * @return whether there is some
     */
    boolean await(long ticks);

    /** Whether more may come. */
    boolean open();

    /** Nobody is there: a guest that sleeps costs no time. */
    ConsoleInput NONE = new ConsoleInput() {
        @Override
        public OptionalInt poll() {
            return OptionalInt.empty();
        }

        @Override
        public boolean await(long ticks) {
            return false;
        }

        @Override
        public boolean open() {
            return false;
        }
    };
}
