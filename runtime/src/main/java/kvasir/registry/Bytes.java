package kvasir.registry;

import java.util.Arrays;
import java.util.HexFormat;

/** An immutable byte string: file content, a digest, guest memory that was read. */
public final class Bytes {
    private final byte[] content;

    private Bytes(byte[] content) {
        this.content = content;
    }

    /** A byte string that takes its own copy of {@code content}. */
    public static Bytes of(byte... content) {
        return new Bytes(content.clone());
    }

    /** @throws IllegalArgumentException unless {@code hex} is an even number of hexadecimal digits */
    public static Bytes fromHex(String hex) {
        return new Bytes(HexFormat.of().parseHex(hex));
    }

    /** Length in bytes. */
    public int length() {
        return content.length;
    }

    /** The byte at {@code index}, 0 to 255. */
    public int at(int index) {
        return content[index] & 0xff;
    }

    /** A fresh copy of the content. */
    public byte[] toArray() {
        return content.clone();
    }

    /** Lower-case hexadecimal digits. */
    public String hex() {
        return HexFormat.of().formatHex(content);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes bytes && Arrays.equals(content, bytes.content);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(content);
    }

    @Override
    public String toString() {
        return "hex\"" + hex() + "\"";
    }
}
