package kvasir.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import kvasir.vmm.device.AcpiPmTimer;

/** The ACPI tables that a guest without firmware needs: RSDP, RSDT, FADT, FACS, DSDT, MADT (ACPI 6.5, chapter 5). */
public final class AcpiTables {
    /** Where the RSDP is. */
    static final int RSDP = 0xf_0000;

    private static final int RSDT = RSDP + 0x100;
    private static final int FADT = RSDP + 0x200;
    private static final int DSDT = RSDP + 0x400;
    private static final int FACS = RSDP + 0x500;
    private static final int MADT = RSDP + 0x600;
    private static final int HEADER_BYTES = 36;
    private static final int LOCAL_APIC_ADDRESS = 0xfee0_0000;
    private static final int IO_APIC_ADDRESS = 0xfec0_0000;

    private AcpiTables() {}

    /** The tables of a machine with {@code cpus} processors, APIC ids from 0 on, at most 254. */
    public static List<BootImage.Piece> build(int cpus) {
        return List.of(
                BootImage.Piece.of(RSDP, pointer()),
                BootImage.Piece.of(
                        RSDT, table("RSDT", 1, table -> table.putInt(FADT).putInt(MADT))),
                BootImage.Piece.of(FADT, fadt()),
                BootImage.Piece.of(DSDT, table("DSDT", 1, table -> {})),
                BootImage.Piece.of(FACS, facs()),
                BootImage.Piece.of(MADT, madt(cpus)));
    }

    private static byte[] pointer() {
        var pointer = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
        pointer.put(ascii("RSD PTR "))
                .put((byte) 0)
                .put(ascii("KVASIR"))
                .put((byte) 0)
                .putInt(RSDT);
        return checked(pointer.array(), 8);
    }

    private static byte[] fadt() {
        return table("FACP", 1, table -> {
            table.putInt(FACS).putInt(DSDT);
            table.position(76);
            table.putInt(AcpiPmTimer.PORT);
            table.position(91);
            table.put((byte) 4);
            table.position(116);
        });
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
            table.put((byte) 2)
                    .put((byte) 10)
                    .put((byte) 0)
                    .put((byte) 0)
                    .putInt(2)
                    .putShort((short) 0);
        });
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
