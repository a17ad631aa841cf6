package kvasir.vmm.device;

/**
 * The fixed ACPI registers PM1a_EVT and PM1a_CNT (ACPI specification, 4.8.3.1 and 4.8.3.2) at QEMU's PIIX4 ports. The
 * machine is always in ACPI mode, no event ever occurs, and sleep type 0 is S5, soft off.
 */
public final class AcpiPm implements PortDevice {
    /** First port of PM1a_EVT: status, then enable, 16 bits each. */
    public static final int EVENT_PORT = 0xb000;

    /** Port of PM1a_CNT, 16 bits. */
    public static final int CONTROL_PORT = 0xb004;

    /** The interrupt that ACPI events would raise. */
    public static final int SCI_GSI = 9;

    private static final int ENABLE_PORT = EVENT_PORT + 2;
    private static final int PORTS = 6;
    private static final int SCI_EN = 1;
    private static final int SLP_TYP = 7 << 10;
    private static final int SLP_EN = 1 << 13;

    private int enable;
    private int control;
    private boolean off;

    /** Whether the guest has entered S5. */
    boolean poweredOff() {
        return off;
    }

    @Override
    public boolean owns(int port) {
        return port >= EVENT_PORT && port < EVENT_PORT + PORTS;
    }

    @Override
    public int read(int port, int bytes, long now) {
        return switch (port) {
            case ENABLE_PORT -> enable;
            case CONTROL_PORT -> control | SCI_EN;
            default -> 0;
        };
    }

    @Override
    public void write(int port, int bytes, int value, long now) {
        if (port == ENABLE_PORT) {
            enable = value & 0xffff;
        } else if (port == CONTROL_PORT) {
            control = value & ~SLP_EN & 0xffff;
            off |= (value & (SLP_EN | SLP_TYP)) == SLP_EN;
        }
    }

    @Override
    public Runnable checkpoint() {
        int savedEnable = enable;
        int savedControl = control;
        boolean savedOff = off;
        return () -> {
            enable = savedEnable;
            control = savedControl;
            off = savedOff;
        };
    }
}
