package kvasir.vmm.device;

import java.util.function.IntConsumer;

/**
 * The Bochs debug console at port E9h, and at 402h where SeaBIOS looks for it: a byte written is a byte printed; a read
 * gives E9h to say that it is there.
 */
public final class DebugConsole implements PortDevice {
    private static final int PORT = 0xe9;
    private static final int FIRMWARE_PORT = 0x402;

    private final IntConsumer output;

    /** @param output receives each byte, 0 to 255 */
    public DebugConsole(IntConsumer output) {
        this.output = output;
    }

    @Override
    public boolean owns(int port) {
        return port == PORT || port == FIRMWARE_PORT;
    }

    @Override
    public int read(int port, int bytes, long now) {
        return PORT;
    }

    @Override
    public void write(int port, int bytes, int value, long now) {
        output.accept(value & 0xff);
    }
}
