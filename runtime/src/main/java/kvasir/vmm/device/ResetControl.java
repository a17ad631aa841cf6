package kvasir.vmm.device;

/** The reset control register of a PC's chipset: bit 2 of port CF9h resets. */
final class ResetControl implements PortDevice {
    private static final int RESET_REGISTER = 0xcf9;

    private boolean requested;

    /** Whether the guest has asked for a reset. */
    boolean requested() {
        return requested;
    }

    @Override
    public boolean owns(int port) {
        return port == RESET_REGISTER;
    }

    @Override
    public int read(int port, int bytes, long now) {
        return 0;
    }

    @Override
    public void write(int port, int bytes, int value, long now) {
        requested |= (value & 4) != 0;
    }

    @Override
    public Runnable checkpoint() {
        boolean saved = requested;
        return () -> requested = saved;
    }
}
