package kvasir.vmm.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.IntStream;
import kvasir.registry.Bytes;
import org.junit.jupiter.api.Test;

final class MultibootTest {
    private static final long MEMORY = 64 << 20;

    /** A 32-bit ELF file with one segment at 4 MiB: the multiboot header, then eight bytes. */
    private static byte[] kernel(int paddr, int memsz) {
        var elf = ByteBuffer.allocate(0x1020).order(ByteOrder.LITTLE_ENDIAN);
        elf.putInt(0x464c_457f).put((byte) 1).put((byte) 1).put((byte) 1);
        elf.position(16);
        elf.putShort((short) 2).putShort((short) 3).putInt(1).putInt(0x40_000c);
        elf.putInt(52)
                .putInt(0)
                .putInt(0)
                .putShort((short) 52)
                .putShort((short) 32)
                .putShort((short) 1);
        elf.position(52);
        elf.putInt(1)
                .putInt(0x1000)
                .putInt(paddr)
                .putInt(paddr)
                .putInt(20)
                .putInt(memsz)
                .putInt(7)
                .putInt(0x1000);
        elf.position(0x1000);
        elf.putInt(0x1bad_b002).putInt(0).putInt(-0x1bad_b002).putLong(0xf4f4_f4f4_f4f4_f4f4L);
        return elf.array();
    }

    @Test
    void segmentsEntryAndInformationAreWhereTheConventionSays() throws BootException {
        BootImage image = Multiboot.load("x.flat", kernel(0x40_0000, 0x2000), request("one two", MEMORY));
        var flat = flat(image);
        assertEquals(0x40_000c, flat.entry());
        assertEquals(0x2bad_b002, flat.eax());
        BootImage.Piece segment = image.pieces().getFirst();
        assertEquals(0x40_0000, segment.gpa());
        assertEquals(20, segment.content().length());
        var information = piece(image, flat.ebx());
        assertEquals(0x45, information.getInt(0));
        assertEquals(640, information.getInt(4));
        assertEquals(63 * 1024, information.getInt(8));
        var commandLine = piece(image, information.getInt(16)).array();
        assertEquals("x.flat one two\0", new String(commandLine, java.nio.charset.StandardCharsets.UTF_8));
    }

    private static BootImage.Flat flat(BootImage image) {
        return assertInstanceOf(BootImage.Flat.class, image.start());
    }

    private static KernelFile.Request request(String arguments, long memory) {
        return new KernelFile.Request(arguments, Bytes.of(), memory);
    }

    @Test
    void theInitrdIsTheOneModule() throws BootException {
        var request = new KernelFile.Request("", Bytes.of((byte) 'a', (byte) 'b', (byte) 'c'), MEMORY);
        BootImage image = Multiboot.kernel("x.flat", kernel(0x40_0000, 0x2000)).load(request);
        var information = piece(image, flat(image).ebx());
        assertEquals(0x4d, information.getInt(0));
        assertEquals(1, information.getInt(20));
        var module = piece(image, information.getInt(24));
        assertEquals(3, module.getInt(4) - module.getInt(0));
        assertEquals('a', piece(image, module.getInt(0)).get(0));
        var tooLarge = new KernelFile.Request("", Bytes.of(new byte[1 << 20]), 5 << 20);
        assertThrows(BootException.class, () -> Multiboot.load("x", kernel(0x40_0000, 0x2000), tooLarge));
    }

    private static ByteBuffer piece(BootImage image, long gpa) {
        return image.pieces().stream()
                .filter(piece -> piece.gpa() == gpa)
                .map(piece -> ByteBuffer.wrap(piece.content().toArray()).order(ByteOrder.LITTLE_ENDIAN))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void badFilesAreRefusedInWords() {
        assertEquals(
                "x has no multiboot header in its first 8 KiB",
                assertThrows(BootException.class, () -> Multiboot.load("x", new byte[100], request("", MEMORY)))
                        .getMessage());
        assertEquals(
                "x: a segment at 0x3fff000 of 0x2000 bytes does not fit into 0x4000000 bytes of memory",
                assertThrows(
                                BootException.class,
                                () -> Multiboot.load("x", kernel(0x3ff_f000, 0x2000), request("", MEMORY)))
                        .getMessage());
        byte[] cut = java.util.Arrays.copyOf(kernel(0x40_0000, 20), 0x100c);
        assertThrows(BootException.class, () -> Multiboot.load("x", cut, request("", MEMORY)));
        assertThrows(
                BootException.class,
                () -> Multiboot.load("x", kernel(0x40_0000, 20), request("y".repeat(5000), MEMORY)));
    }

    /** By the grammar of chapter 20: {@code Name (_S5, Package (4) {0, 0, 0, 0})} and the device of COM1. */
    @Test
    void theDsdtNamesSoftOffAndTheSerialPort() {
        String aml = java.util.HexFormat.of()
                .formatHex(AcpiTables.build(1, 0).get(4).content().toArray());
        assertTrue(aml.contains("085f53355f" + "12060400000000"), aml);
        assertTrue(aml.contains("5b82" + "2b" + "434f4d31" + "085f484944" + "0c41d00501"), aml);
        assertTrue(aml.contains("085f435253" + "11100a0d" + "4701f803f8030108" + "221000" + "7900"), aml);
    }

    @Test
    void everyAcpiTableSumsToZero() {
        for (BootImage.Piece piece : AcpiTables.build(3, 8)) {
            boolean facs = new String(piece.content().toArray(), 0, 4, java.nio.charset.StandardCharsets.US_ASCII)
                    .equals("FACS");
            int sum = IntStream.range(0, piece.content().length())
                    .map(i -> piece.content().at(i))
                    .sum();
            assertTrue(facs || (sum & 0xff) == 0);
        }
        var fadt = ByteBuffer.wrap(AcpiTables.build(1, 0).get(3).content().toArray())
                .order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(0xb008, fadt.getInt(76));
        assertEquals(244, fadt.getInt(4));
        assertEquals(9, fadt.getShort(46));
        assertEquals(0xb000, fadt.getInt(56));
        assertEquals(0xb004, fadt.getInt(64));
        assertEquals(0xcf9, fadt.getLong(120));
    }
}
