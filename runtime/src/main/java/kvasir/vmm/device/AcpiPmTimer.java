package kvasir.vmm.device;

import kvasir.kvm.irqchip.IrqChip;

/** The 24-bit ACPI power-management timer, 3.579545 MHz (ACPI specification, 4.8.3.3), at QEMU's PIIX4 port. */
public final class AcpiPmTimer implements PortDevice {
    /** Its port, which the FADT tells. */
    public static final int PORT = 0xb008;

    private static final long HERTZ = 3_579_545;

    @Override
    public boolean owns(int port) {
        return port == PORT;
    }

    @Override
    public int read(int port, int bytes, long now) {
        long second = IrqChip.TSC_HERTZ;
        return (int) (now / second * HERTZ + now % second * HERTZ / second) & 0xff_ffff;
    }

    @Override
    public void write(int port, int bytes, int value, long now) {}
}
