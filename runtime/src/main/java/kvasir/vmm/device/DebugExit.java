package kvasir.vmm.device;

import java.util.OptionalInt;

/** QEMU's isa-debug-exit: a write of {@code v} ends the machine with exit code {@code v << 1 | 1}. */
public final class DebugExit implements PortDevice {
    /** The port that kvm-unit-tests expects. */
    public static final int PORT = 0xf4;

    private OptionalInt code = OptionalInt.empty();

    /** The exit code once the guest has asked for it. */
    public OptionalInt code() {
        return code;
    }

    @Override
    public boolean owns(int port) {
        return port >= PORT && port < PORT + 4;
    }

    @Override
    public int read(int port, int bytes, long now) {
        return 0;
    }

    @Override
    public void write(int port, int bytes, int value, long now) {
        code = OptionalInt.of(value << 1 | 1);
    }

    @Override
    public Runnable checkpoint() {
        OptionalInt saved = code;
        return () -> code = saved;
    }
}
