package kvasir.vmm.device;

import java.util.function.IntConsumer;

/** The Bochs debug console at port E9h: a byte written is a byte printed; a read gives E9h to say that it is there. */
public final class DebugConsole implements PortDevice {
    private static final int PORT = 0xe9;

    private final IntConsumer output;

    /** @param output receives each byte, 0 to 255 */
    public DebugConsole(IntConsumer output) {
        this.output = output;
    }

    @Override
    public boolean owns(int port) {
        return port == PORT;
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
