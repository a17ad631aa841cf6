package kvasir.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import kvasir.vmm.device.AcpiPm;
import kvasir.vmm.device.AcpiPmTimer;
import kvasir.vmm.device.Uart16550;
import kvasir.vmm.device.VirtioMmio;

/** The ACPI tables that a guest without firmware needs: RSDP, RSDT, XSDT, FADT, FACS, DSDT, MADT (ACPI 6.5, chapter 5). */
public final class AcpiTables {
    /** Where the RSDP is. */
    static final int RSDP = 0xf_0000;

    private static final int RSDT = RSDP + 0x100;
    private static final int XSDT = RSDP + 0x180;
    private static final int FADT = RSDP + 0x200;
    private static final int FACS = RSDP + 0x340;
    private static final int DSDT = RSDP + 0x400;
    private static final int MADT = RSDP + 0x2000;
    private static final int HEADER_BYTES = 36;
    private static final int LOCAL_APIC_ADDRESS = 0xfee0_0000;
    private static final int IO_APIC_ADDRESS = 0xfec0_0000;
    private static final int LEVEL_ACTIVE_HIGH = 0xd;

    /** IAPC_BOOT_ARCH: legacy devices, an 8042, no VGA. */
    private static final short BOOT_ARCHITECTURE = 1 | 1 << 1 | 1 << 2;

    /** WBINVD, PROC_C1, no fixed power or sleep button, RTC wake not in fixed registers, RESET_REG_SUP. */
    private static final int FLAGS = 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 10;

    private static final int NO_DEEP_SLEEP = 0xfff;
    private static final int CENTURY = 0x32;

    private AcpiTables() {}

    /**
     * The tables of a machine.
     *
     * @param cpus processors, APIC ids from 0 on, at most 254
     * @param virtio devices behind virtio-mmio, slots from 0 on
     */
    public static List<BootImage.Piece> build(int cpus, int virtio) {
        return List.of(
                BootImage.Piece.of(RSDP, pointer()),
                BootImage.Piece.of(
                        RSDT, table("RSDT", 1, table -> table.putInt(FADT).putInt(MADT))),
                BootImage.Piece.of(
                        XSDT, table("XSDT", 1, table -> table.putLong(FADT).putLong(MADT))),
                BootImage.Piece.of(FADT, fadt()),
                BootImage.Piece.of(DSDT, table("DSDT", 2, table -> table.put(dsdt(virtio)))),
                BootImage.Piece.of(FACS, facs()),
                BootImage.Piece.of(MADT, madt(cpus)));
    }

    private static byte[] pointer() {
        var pointer = ByteBuffer.allocate(36).order(ByteOrder.LITTLE_ENDIAN);
        pointer.put(ascii("RSD PTR "))
                .put((byte) 0)
                .put(ascii("KVASIR"))
                .put((byte) 2)
                .putInt(RSDT);
        checked(pointer.array(), 8);
        pointer.putInt(36).putLong(XSDT);
        return checked(pointer.array(), 32);
    }

    private static byte[] fadt() {
        return table("FACP", 4, table -> {
            table.putInt(FACS).putInt(DSDT);
            table.putShort(46, (short) AcpiPm.SCI_GSI);
            table.putInt(56, AcpiPm.EVENT_PORT);
            table.putInt(64, AcpiPm.CONTROL_PORT);
            table.putInt(76, AcpiPmTimer.PORT);
            table.put(88, (byte) 4).put(89, (byte) 2).put(91, (byte) 4);
            table.putShort(96, (short) NO_DEEP_SLEEP).putShort(98, (short) NO_DEEP_SLEEP);
            table.put(108, (byte) CENTURY);
            table.putShort(109, BOOT_ARCHITECTURE);
            table.putInt(112, FLAGS);
            // RESET_REG: port CF9h, a byte; RESET_VALUE
            table.put(116, (byte) 1).put(117, (byte) 8).put(119, (byte) 1).putLong(120, 0xcf9);
            table.put(128, (byte) 6);
            table.position(244);
        });
    }

    private static byte[] dsdt(int virtio) {
        var devices = new ArrayList<byte[]>();
        devices.add(Aml.device(
                "COM1",
                List.of(
                        Aml.name("_HID", Aml.plugAndPlay(0x0501)),
                        Aml.name("_UID", Aml.integer(1)),
                        Aml.name("_CRS", Aml.resources(List.of(Aml.ports(Uart16550.COM1, 8), Aml.irq(4)))))));
        devices.add(Aml.device(
                "RTC0",
                List.of(
                        Aml.name("_HID", Aml.plugAndPlay(0x0b00)),
                        Aml.name("_CRS", Aml.resources(List.of(Aml.ports(0x70, 2), Aml.irq(8)))))));
        for (int slot = 0; slot < virtio; slot++) {
            devices.add(Aml.device(
                    "VIO" + slot,
                    List.of(
                            Aml.name("_HID", Aml.string("LNRO0005")),
                            Aml.name("_UID", Aml.integer(slot)),
                            Aml.name(
                                    "_CRS",
                                    Aml.resources(List.of(
                                            Aml.memory((int) VirtioMmio.address(slot), VirtioMmio.BYTES),
                                            Aml.interrupt(VirtioMmio.gsi(slot))))))));
        }
        var soft = Aml.pack(List.of(Aml.integer(0), Aml.integer(0), Aml.integer(0), Aml.integer(0)));
        return Aml.join(List.of(Aml.name("_S5_", soft), Aml.scope("_SB_", devices)));
    }

    private static byte[] facs() {
        var facs = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        facs.put(ascii("FACS")).putInt(64);
        return facs.array();
    }

    private static byte[] madt(int cpus) {
        return table("APIC", 1, table -> {
            table.putInt(LOCAL_APIC_ADDRESS).putInt(1);
            for (int id = 0; id < cpus; id++) {
                table.put((byte) 0).put((byte) 8).put((byte) id).put((byte) id).putInt(1);
            }
            table.put((byte) 1)
                    .put((byte) 12)
                    .put((byte) 0)
                    .put((byte) 0)
                    .putInt(IO_APIC_ADDRESS)
                    .putInt(0);
            // the PIT's line 0 arrives at pin 2
            sourceOverride(table, 0, 2, 0);
            sourceOverride(table, AcpiPm.SCI_GSI, AcpiPm.SCI_GSI, LEVEL_ACTIVE_HIGH);
            // LINT1 of every local APIC is the NMI
            table.put((byte) 4)
                    .put((byte) 6)
                    .put((byte) 0xff)
                    .putShort((short) 0)
                    .put((byte) 1);
        });
    }

    private static void sourceOverride(ByteBuffer table, int isa, int gsi, int flags) {
        table.put((byte) 2)
                .put((byte) 10)
                .put((byte) 0)
                .put((byte) isa)
                .putInt(gsi)
                .putShort((short) flags);
    }

    private static byte[] table(String signature, int revision, java.util.function.Consumer<ByteBuffer> body) {
        var table = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        table.put(ascii(signature)).putInt(0).put((byte) revision).put((byte) 0);
        table.put(ascii("KVASIR"))
                .put(ascii("KVASIR  "))
                .putInt(1)
                .put(ascii("KVSR"))
                .putInt(1);
        assert table.position() == HEADER_BYTES;
        body.accept(table);
        table.putInt(4, table.position());
        return checked(java.util.Arrays.copyOf(table.array(), table.position()), 9);
    }

    private static byte[] checked(byte[] table, int checksumAt) {
        int sum = 0;
        for (byte octet : table) {
            sum += octet;
        }
        table[checksumAt] = (byte) -sum;
        return table;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
