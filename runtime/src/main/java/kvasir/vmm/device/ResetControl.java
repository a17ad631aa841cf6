package kvasir.vmm.device;

/** The two ways in which PC software asks for a reset: port CF9h bit 2, and command FEh to the keyboard controller. */
public final class ResetControl implements PortDevice {
    private static final int RESET_REGISTER = 0xcf9;
    private static final int KEYBOARD_COMMAND = 0x64;
    private static final int PULSE_RESET = 0xfe;

    private boolean requested;

    /** Whether the guest has asked for a reset. */
    public boolean requested() {
        return requested;
    }

    @Override
    public boolean owns(int port) {
        return port == RESET_REGISTER || port == KEYBOARD_COMMAND;
    }

    @Override
    public int read(int port, int bytes, long now) {
        return 0;
    }

    @Override
    public void write(int port, int bytes, int value, long now) {
        requested |= port == RESET_REGISTER ? (value & 4) != 0 : (value & 0xff) == PULSE_RESET;
    }
}
