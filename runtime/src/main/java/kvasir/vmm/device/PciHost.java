package kvasir.vmm.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The host bridge of a PC (82441FX, Intel's data sheet) behind the configuration ports CF8h and CFCh to CFFh, and
 * nothing else on its bus. Its registers of memory attributes are kept; all memory is RAM anyway.
 */
public final class PciHost implements PortDevice {
    private static final int ADDRESS = 0xcf8;
    private static final int DATA = 0xcfc;
    private static final int VENDOR_AND_DEVICE = 0x1237_8086;
    private static final int CLASS_AND_REVISION = 0x0600_0002;
    private static final int FIRST_WRITABLE = 0x40;

    private final ByteBuffer bridge = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
    private int address;

    /** The bridge after reset. */
    public PciHost() {
        bridge.putInt(0, VENDOR_AND_DEVICE);
        bridge.putInt(8, CLASS_AND_REVISION);
    }

    @Override
    public boolean owns(int port) {
        return port == ADDRESS || (port >= DATA && port < DATA + 4);
    }

    /** Whether the address register enables configuration cycles and names bus 0, device 0, function 0. */
    private boolean selected() {
        return (address & 0x80ff_ff00) == 0x8000_0000;
    }

    private int register(int port) {
        return address & 0xfc | port & 3;
    }

    @Override
    public int read(int port, int bytes, long now) {
        if (port == ADDRESS) {
            return address;
        }
        int value = 0;
        for (int i = 0; i < bytes; i++) {
            int octet = selected() ? bridge.get(register(port) + i & 0xff) & 0xff : 0xff;
            value |= octet << 8 * i;
        }
        return value;
    }

    @Override
    public void write(int port, int bytes, int value, long now) {
        if (port == ADDRESS) {
            address = bytes == 4 ? value : address;
            return;
        }
        for (int i = 0; i < bytes && selected(); i++) {
            int at = register(port) + i & 0xff;
            if (at >= FIRST_WRITABLE) {
                bridge.put(at, (byte) (value >>> 8 * i));
            }
        }
    }

    @Override
    public Runnable checkpoint() {
        byte[] savedBridge = bridge.array().clone();
        int savedAddress = address;
        return () -> {
            bridge.put(0, savedBridge);
            address = savedAddress;
        };
    }
}
