package kvasir.vmm.boot;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The little of ACPI's machine language that a static DSDT needs (ACPI specification, chapters 20 and 6.4). */
final class Aml {
    private static final int NAME = 0x08;
    private static final int BYTE = 0x0a;
    private static final int DWORD = 0x0c;
    private static final int STRING = 0x0d;
    private static final int SCOPE = 0x10;
    private static final int BUFFER = 0x11;
    private static final int PACKAGE = 0x12;
    private static final int EXTENDED = 0x5b;
    private static final int DEVICE = 0x82;
    private static final int LARGEST_ONE_BYTE_LENGTH = 63;

    private Aml() {}

    static byte[] join(List<byte[]> parts) {
        var out = new ByteArrayOutputStream();
        parts.forEach(out::writeBytes);
        return out.toByteArray();
    }

    private static byte[] bytes(int... values) {
        var out = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            out[i] = (byte) values[i];
        }
        return out;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] packaged(byte[] opcode, byte[] body) {
        int length = body.length + 1;
        byte[] prefix =
                length <= LARGEST_ONE_BYTE_LENGTH ? bytes(length) : bytes(0x40 | length + 1 & 0xf, length + 1 >>> 4);
        return join(List.of(opcode, prefix, body));
    }

    /** {@code Name (name, value)}; a name has four letters. */
    static byte[] name(String name, byte[] value) {
        return join(List.of(bytes(NAME), ascii(name), value));
    }

    /** 0 to 255; ZeroOp and OneOp have the codes of their values. */
    static byte[] integer(int value) {
        return value <= 1 ? bytes(value) : bytes(BYTE, value);
    }

    /** {@code EisaId ("PNP....")} of the last four hexadecimal digits. */
    static byte[] plugAndPlay(int id) {
        return bytes(DWORD, 0x41, 0xd0, id >>> 8, id);
    }

    static byte[] pack(List<byte[]> elements) {
        return packaged(bytes(PACKAGE), join(List.of(bytes(elements.size()), join(elements))));
    }

    /** {@code Scope (\name)}. */
    static byte[] scope(String name, List<byte[]> content) {
        return packaged(bytes(SCOPE), join(List.of(ascii("\\" + name), join(content))));
    }

    static byte[] device(String name, List<byte[]> content) {
        return packaged(bytes(EXTENDED, DEVICE), join(List.of(ascii(name), join(content))));
    }

    /** {@code ResourceTemplate () {...}}. */
    static byte[] resources(List<byte[]> descriptors) {
        byte[] content = join(List.of(join(descriptors), bytes(0x79, 0)));
        return packaged(bytes(BUFFER), join(List.of(bytes(BYTE, content.length), content)));
    }

    /** {@code IO (Decode16, first, first, 1, count)}. */
    static byte[] ports(int first, int count) {
        return bytes(0x47, 1, first, first >>> 8, first, first >>> 8, 1, count);
    }

    /** {@code IRQNoFlags () {irq}}, 0 to 15. */
    static byte[] irq(int irq) {
        return bytes(0x22, 1 << irq, 1 << irq >>> 8);
    }

    static byte[] string(String text) {
        return join(List.of(bytes(STRING), ascii(text), bytes(0)));
    }

    /** {@code Memory32Fixed (ReadWrite, base, size)}. */
    static byte[] memory(int base, int size) {
        return ByteBuffer.allocate(12)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(bytes(0x86, 9, 0, 1))
                .putInt(base)
                .putInt(size)
                .array();
    }

    /** {@code Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive) {gsi}}. */
    static byte[] interrupt(int gsi) {
        return ByteBuffer.allocate(9)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(bytes(0x89, 6, 0, 1, 1))
                .putInt(gsi)
                .array();
    }
}
