package kvasir.vmm.device;

import java.util.function.IntFunction;

/**
 * QEMU's pc-testdev, which kvm-unit-tests drive (QEMU's hw/misc/pc-testdev.c): a 4-byte port register at E0h, readable
 * bytewise at E8h, the input lines of the I/O APIC from port 2000h on, and 64 KiB of memory that is all exits at
 * FF00_0000h. The page-flush port E4h has no effect.
 */
public final class PcTestDevice implements PortDevice, MmioDevice {
    private static final int REGISTER = 0xe0;
    private static final int FLUSH = 0xe4;
    private static final int REGISTER_BYTES = 0xe8;
    private static final int LINES = 0x2000;
    private static final int LINE_COUNT = 24;
    private static final long MEMORY = 0xff00_0000L;
    private static final int MEMORY_BYTES = 0x1_0000;

    private final IntFunction<Line> lines;
    private final byte[] memory = new byte[MEMORY_BYTES];
    private int register;

    /** @param lines the interrupt line of each GSI */
    public PcTestDevice(IntFunction<Line> lines) {
        this.lines = lines;
    }

    @Override
    public boolean owns(int port) {
        return (port >= REGISTER && port < REGISTER_BYTES + 4) || (port >= LINES && port < LINES + LINE_COUNT);
    }

    @Override
    public int read(int port, int bytes, long now) {
        if (port >= LINES || (port >= FLUSH && port < REGISTER_BYTES)) {
            return 0;
        }
        int shift = port >= REGISTER_BYTES ? 8 * (port - REGISTER_BYTES) : 0;
        return register >>> shift & -1 >>> 32 - 8 * bytes;
    }

    @Override
    public void write(int port, int bytes, int value, long now) {
        if (port >= LINES) {
            lines.apply(port - LINES).set(value != 0);
        } else if (port >= REGISTER_BYTES) {
            int shift = 8 * (port - REGISTER_BYTES);
            register = register & ~(0xff << shift) | (value & 0xff) << shift;
        } else if (port < FLUSH) {
            register = value & -1 >>> 32 - 8 * bytes;
        }
    }

    @Override
    public boolean ownsAddress(long gpa) {
        return gpa >= MEMORY && gpa < MEMORY + MEMORY_BYTES;
    }

    @Override
    public long readMemory(long gpa, int bytes) {
        int at = (int) (gpa - MEMORY);
        long value = 0;
        for (int i = 0; i < bytes && at + i < MEMORY_BYTES; i++) {
            value |= (memory[at + i] & 0xffL) << 8 * i;
        }
        return value;
    }

    @Override
    public void writeMemory(long gpa, int bytes, long value) {
        int at = (int) (gpa - MEMORY);
        for (int i = 0; i < bytes && at + i < MEMORY_BYTES; i++) {
            memory[at + i] = (byte) (value >>> 8 * i);
        }
    }

    @Override
    public Runnable checkpoint() {
        byte[] savedMemory = memory.clone();
        int savedRegister = register;
        return () -> {
            System.arraycopy(savedMemory, 0, memory, 0, memory.length);
            register = savedRegister;
        };
    }
}
