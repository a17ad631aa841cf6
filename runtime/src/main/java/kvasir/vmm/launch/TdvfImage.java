package kvasir.vmm.launch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import kvasir.registry.Bytes;
import kvasir.registry.Range;

/**
 * A TD firmware image with TDVF metadata: found through the GUIDed table at the end (edk2 OvmfPkg), or through the word
 * 32 bytes before the end (td-shim).
 */
public final class TdvfImage {
    private static final int SIGNATURE = 0x4656_4454;
    private static final int DESCRIPTOR_BYTES = 16;
    private static final int SECTION_BYTES = 32;
    private static final int TAIL = 32;
    private static final int ENTRY_HEADER = 18;
    private static final byte[] TABLE_FOOTER = guid("de82b596b21ff745baeaa366c55a082d");
    private static final byte[] TDX_METADATA_OFFSET = guid("35657ae44a989847865e4685a7bf8ec2");
    private static final byte[] DESCRIPTOR_GUID = guid("f3f9eae98e16d544a8eb7f4d8738f6ae");

    private final Bytes content;
    private final List<TdvfSection> sections;

    private TdvfImage(Bytes content, List<TdvfSection> sections) {
        this.content = content;
        this.sections = sections;
    }

    private static byte[] guid(String mixedEndianHex) {
        return Bytes.fromHex(mixedEndianHex).toArray();
    }

    /**
     * Reads the metadata.
     *
     * @throws LaunchRefused if there is none, or a loader would not take it
     */
    public static TdvfImage parse(Bytes content) throws LaunchRefused {
        byte[] image = content.toArray();
        if (image.length < 4096 || image.length % 4096 != 0) {
            throw new LaunchRefused("a firmware image of " + image.length + " bytes; it must be whole 4 KiB pages");
        }
        ByteBuffer in = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        OptionalInt distance = tableEntry(image, in);
        int descriptor = distance.isPresent() ? image.length - distance.getAsInt() : in.getInt(image.length - TAIL);
        try {
            List<TdvfSection> sections = sections(image, in, descriptor);
            check(sections, image.length);
            return new TdvfImage(content, sections);
        } catch (IndexOutOfBoundsException e) {
            throw new LaunchRefused("the TDVF metadata reaches beyond the image");
        }
    }

    /** The distance from the end of the image to the descriptor, as the GUIDed table tells it. */
    private static OptionalInt tableEntry(byte[] image, ByteBuffer in) throws LaunchRefused {
        int end = image.length - TAIL;
        if (!matches(image, end - 16, TABLE_FOOTER)) {
            return OptionalInt.empty();
        }
        int start = end - (in.getShort(end - ENTRY_HEADER) & 0xffff);
        int at = end - ENTRY_HEADER;
        while (at - ENTRY_HEADER >= start && start >= 0) {
            int length = in.getShort(at - ENTRY_HEADER) & 0xffff;
            if (length < ENTRY_HEADER || at - length < start) {
                throw new LaunchRefused("a footer table entry claims " + length + " bytes");
            }
            if (matches(image, at - 16, TDX_METADATA_OFFSET)) {
                return OptionalInt.of(in.getInt(at - length));
            }
            at -= length;
        }
        throw new LaunchRefused("the firmware has no TDX metadata: it was not built for TDX");
    }

    private static boolean matches(byte[] image, int at, byte[] guid) {
        return at >= 0 && Arrays.equals(image, at, at + 16, guid, 0, 16);
    }

    private static List<TdvfSection> sections(byte[] image, ByteBuffer in, int at) throws LaunchRefused {
        if (!matches(image, at - 16, DESCRIPTOR_GUID) || in.getInt(at) != SIGNATURE) {
            throw new LaunchRefused("no TDVF descriptor at offset 0x%x of the image".formatted(at));
        }
        int count = in.getInt(at + 12);
        if (in.getInt(at + 8) != 1
                || count < 1
                || count > image.length / SECTION_BYTES
                || in.getInt(at + 4) != DESCRIPTOR_BYTES + SECTION_BYTES * count) {
            throw new LaunchRefused("the TDVF descriptor is not version 1, or its length does not fit its sections");
        }
        var sections = new ArrayList<TdvfSection>();
        for (int i = 0; i < count; i++) {
            int entry = at + DESCRIPTOR_BYTES + SECTION_BYTES * i;
            int number = in.getInt(entry + 24);
            TdvfSection.Type type = Arrays.stream(TdvfSection.Type.values())
                    .filter(t -> t.number() == number)
                    .findFirst()
                    .orElseThrow(() -> new LaunchRefused("TDVF section of unknown type " + number));
            sections.add(new TdvfSection(
                    type,
                    in.getInt(entry),
                    in.getInt(entry + 4),
                    in.getLong(entry + 8),
                    in.getLong(entry + 16),
                    in.getInt(entry + 28)));
        }
        return sections;
    }

    /** The rules of loaders. */
    private static void check(List<TdvfSection> sections, int imageBytes) throws LaunchRefused {
        for (TdvfSection section : sections) {
            boolean aligned = (section.gpa() & 4095) == 0 && (section.memorySize() & 4095) == 0;
            long raw = Integer.toUnsignedLong(section.rawSize());
            boolean inImage = section.dataOffset() >= 0 && section.dataOffset() + raw <= imageBytes;
            if (!aligned || raw > section.memorySize() || !inImage) {
                throw new LaunchRefused(
                        "TDVF section %s at 0x%x is unaligned, smaller than its content, or beyond the image"
                                .formatted(section.type(), section.gpa()));
            }
            boolean mustBeEmpty = switch (section.type()) {
                case TD_HOB, TEMP_MEM, PERM_MEM -> true;
                default -> false;
            };
            if (mustBeEmpty && (raw != 0 || section.dataOffset() != 0)) {
                throw new LaunchRefused("TDVF section %s has content".formatted(section.type()));
            }
            for (TdvfSection other : sections) {
                if (other != section && section.gpa() < other.end() && other.gpa() < section.end()) {
                    throw new LaunchRefused(
                            "TDVF sections at 0x%x and 0x%x overlap".formatted(section.gpa(), other.gpa()));
                }
            }
        }
    }

    /** The image. */
    public Bytes content() {
        return content;
    }

    /** In the order of the metadata. */
    public List<TdvfSection> sections() {
        return List.copyOf(sections);
    }

    /** Where the HOB list goes: 0 if the image has no section for it. */
    public long hobGpa() {
        return sections.stream()
                .filter(section -> section.type() == TdvfSection.Type.TD_HOB)
                .findFirst()
                .map(TdvfSection::gpa)
                .orElse(0L);
    }

    /** The HOB list of a guest with that memory. */
    public Bytes hobList(List<Range> ram) {
        List<Range> added = sections.stream()
                .filter(section -> !section.augment())
                .map(section -> new Range(section.gpa(), section.end()))
                .toList();
        return sections.stream()
                .filter(section -> section.type() == TdvfSection.Type.TD_HOB)
                .findFirst()
                .map(section -> TdHob.of(section.gpa(), (int) section.memorySize(), ram, added))
                .orElseGet(() -> Bytes.of(new byte[0]));
    }

    /** What is put into a section's memory: content, then zeros. */
    public Bytes memoryOf(TdvfSection section) {
        var memory = new byte[(int) section.memorySize()];
        System.arraycopy(content.toArray(), section.dataOffset(), memory, 0, section.rawSize());
        return Bytes.of(memory);
    }
}
