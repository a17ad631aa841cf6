package kvasir.vmm.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The host bridge of a PC (82441FX) and the power management function of its south bridge (PIIX4, device 1, function 3;
 * Intel's data sheets) behind the configuration ports CF8h and CFCh to CFFh, and nothing else on the bus: a scan, which
 * looks at function 0 first, finds the host bridge alone, unless the south bridge shows its ISA bridge there (PIIX3): the
 * firmware of confidential guests finds the serial port behind it. Registers of memory attributes are kept; all memory is RAM
 * anyway. The base address of the power management registers is kept too, and they are where QEMU's firmware puts them.
 */
public final class PciHost implements PortDevice {
    private static final int ADDRESS = 0xcf8;
    private static final int DATA = 0xcfc;
    private static final int VENDOR_AND_DEVICE = 0x1237_8086;
    private static final int CLASS_AND_REVISION = 0x0600_0002;
    private static final int FIRST_WRITABLE = 0x40;
    private static final int BRIDGE = 0x8000_0000;
    private static final int POWER_MANAGEMENT = 0x8000_0b00;
    private static final int PM_VENDOR_AND_DEVICE = 0x7113_8086;
    private static final int PM_CLASS_AND_REVISION = 0x0680_0003;
    private static final int PM_BASE = 0x40;
    private static final int ISA_BRIDGE = 0x8000_0800;
    private static final int ISA_VENDOR_AND_DEVICE = 0x7000_8086;
    private static final int ISA_CLASS_AND_REVISION = 0x0601_0000;
    private static final int MULTI_FUNCTION = 0x80_0000;

    private final ByteBuffer bridge = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer power = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer isa = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
    private boolean isaBridge;
    private int address;

    /** The bridge after reset. */
    public PciHost() {
        bridge.putInt(0, VENDOR_AND_DEVICE);
        bridge.putInt(8, CLASS_AND_REVISION);
        power.putInt(0, PM_VENDOR_AND_DEVICE);
        power.putInt(8, PM_CLASS_AND_REVISION);
        power.putInt(PM_BASE, 1);
        isa.putInt(0, ISA_VENDOR_AND_DEVICE);
        isa.putInt(8, ISA_CLASS_AND_REVISION);
        isa.putInt(12, MULTI_FUNCTION);
    }

    /** The ISA bridge is there from now on. */
    void showIsaBridge() {
        isaBridge = true;
    }

    @Override
    public boolean owns(int port) {
        return port == ADDRESS || (port >= DATA && port < DATA + 4);
    }

    /** The function of bus 0 that the address register names. */
    private Optional<ByteBuffer> selected() {
        return switch (address & 0x80ff_ff00) {
            case BRIDGE -> Optional.of(bridge);
            case POWER_MANAGEMENT -> Optional.of(power);
            case ISA_BRIDGE -> isaBridge ? Optional.of(isa) : Optional.empty();
            default -> Optional.empty();
        };
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
            int at = register(port) + i & 0xff;
            int octet = selected().map(function -> function.get(at) & 0xff).orElse(0xff);
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
        for (int i = 0; i < bytes; i++) {
            int at = register(port) + i & 0xff;
            byte octet = (byte) (value >>> 8 * i);
            if (at >= FIRST_WRITABLE) {
                selected().ifPresent(function -> function.put(at, octet));
            }
        }
        power.putInt(PM_BASE, power.getInt(PM_BASE) & 0xffc0 | 1);
    }

    @Override
    public Runnable checkpoint() {
        byte[] savedBridge = bridge.array().clone();
        byte[] savedIsa = isa.array().clone();
        int savedAddress = address;
        return () -> {
            bridge.put(0, savedBridge);
            isa.put(0, savedIsa);
            address = savedAddress;
        };
    }
}
