package kvasir.vmm.launch;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import kvasir.registry.Bytes;

/**
 * A firmware image that ends at 4 GiB, and what its footer table says (edk2, OvmfPkg/ResetVector). The table ends 32 bytes
 * before the end of the image and is read backwards: data, u16 size of the whole entry, GUID; the last entry is the
 * table's own.
 */
public final class OvmfImage {
    private static final int AFTER_TABLE = 32;
    private static final int ENTRY_HEADER = 18;
    private static final String FOOTER = "96b582de-1fb2-45f7-baea-a366c55a082d";
    private static final String RESET_BLOCK = "00f771de-1a7e-4fcb-890e-68c77e2fb44e";
    private static final String HASH_TABLE = "7255371f-3a3b-4b04-927b-1da6efa8d454";
    private static final String SEV_METADATA = "dc886566-984a-4798-a75e-5585a7bf67cc";
    private static final int METADATA_HEADER = 16;
    private static final int ASEV = 0x5645_5341;

    private final Bytes content;
    private final Map<String, byte[]> table;
    private final List<SevSection> sections;

    private OvmfImage(Bytes content, Map<String, byte[]> table, List<SevSection> sections) {
        this.content = content;
        this.table = table;
        this.sections = sections;
    }

    /** Reads the footer table and the SEV metadata of {@code content}. */
    public static OvmfImage parse(Bytes content) throws LaunchRefused {
        byte[] image = content.toArray();
        if (image.length == 0 || image.length % 4096 != 0) {
            throw new LaunchRefused("a firmware image of " + image.length + " bytes; it must be whole 4 KiB pages");
        }
        Map<String, byte[]> table = footer(image);
        return new OvmfImage(content, table, sections(image, table));
    }

    private static Map<String, byte[]> footer(byte[] image) throws LaunchRefused {
        int end = image.length - AFTER_TABLE;
        if (end < ENTRY_HEADER || !guid(image, end - 16).equals(FOOTER)) {
            throw new LaunchRefused("no footer table 32 bytes before the end: this is no OVMF image with a GUID table");
        }
        ByteBuffer in = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        int total = in.getShort(end - ENTRY_HEADER) & 0xffff;
        int start = end - total;
        if (total < ENTRY_HEADER || start < 0) {
            throw new LaunchRefused("the footer table claims " + total + " bytes");
        }
        var entries = new LinkedHashMap<String, byte[]>();
        int at = end - ENTRY_HEADER;
        while (at - start >= ENTRY_HEADER) {
            int size = in.getShort(at - ENTRY_HEADER) & 0xffff;
            if (size < ENTRY_HEADER || at - size < start) {
                throw new LaunchRefused("a footer table entry claims " + size + " bytes");
            }
            entries.put(guid(image, at - 16), Arrays.copyOfRange(image, at - size, at - ENTRY_HEADER));
            at -= size;
        }
        return entries;
    }

    private static List<SevSection> sections(byte[] image, Map<String, byte[]> table) throws LaunchRefused {
        byte[] pointer = table.get(SEV_METADATA);
        if (pointer == null) {
            return List.of();
        }
        try {
            int at = image.length - word(pointer, 0);
            ByteBuffer in = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
            if (at < 0 || at + METADATA_HEADER > image.length || in.getInt(at) != ASEV || in.getInt(at + 8) != 1) {
                throw new LaunchRefused("the SEV metadata does not start with \"ASEV\" version 1");
            }
            long length = Integer.toUnsignedLong(in.getInt(at + 4));
            long count = Integer.toUnsignedLong(in.getInt(at + 12));
            if (length > image.length - at || METADATA_HEADER + 12 * count > length) {
                throw new LaunchRefused("the SEV metadata claims %d sections in %d bytes, %d bytes before the end"
                        .formatted(count, length, image.length - at));
            }
            var sections = new ArrayList<SevSection>();
            for (int i = 0; i < count; i++) {
                int entry = at + METADATA_HEADER + 12 * i;
                int code = in.getInt(entry + 8);
                SevSection.Type type = Arrays.stream(SevSection.Type.values())
                        .filter(t -> t.code() == code)
                        .findFirst()
                        .orElseThrow(() -> new LaunchRefused("SEV metadata section of unknown type " + code));
                sections.add(new SevSection(
                        type, Integer.toUnsignedLong(in.getInt(entry)), Integer.toUnsignedLong(in.getInt(entry + 4))));
            }
            return sections;
        } catch (IndexOutOfBoundsException | BufferUnderflowException e) {
            throw new LaunchRefused("the SEV metadata reaches beyond the image");
        }
    }

    /** A GUID in its mixed-endian form. */
    private static String guid(byte[] image, int at) {
        ByteBuffer in = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        long high = Integer.toUnsignedLong(in.getInt(at)) << 32
                | (in.getShort(at + 4) & 0xffffL) << 16
                | in.getShort(at + 6) & 0xffffL;
        long low = in.order(ByteOrder.BIG_ENDIAN).getLong(at + 8);
        return new UUID(high, low).toString();
    }

    private static int word(byte[] data, int at) {
        return ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).getInt(at);
    }

    /** The image. */
    public Bytes content() {
        return content;
    }

    /** Guest physical address of its first byte. */
    public long gpa() {
        return (1L << 32) - content.length();
    }

    /** The SEV metadata in the order of the table; empty if the image has none. */
    public List<SevSection> sections() {
        return sections;
    }

    /** Where application processors start after reset (SEV-ES reset block). */
    public Optional<Integer> resetEip() {
        return Optional.ofNullable(table.get(RESET_BLOCK))
                .filter(d -> d.length >= 4)
                .map(d -> word(d, 0));
    }

    /** Where the hash table of a direct kernel boot goes; empty if the image does not check one. */
    public Optional<Long> hashTableGpa() {
        return Optional.ofNullable(table.get(HASH_TABLE))
                .filter(d -> d.length >= 4 && word(d, 0) != 0)
                .map(d -> Integer.toUnsignedLong(word(d, 0)));
    }
}
