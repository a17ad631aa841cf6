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
    /** The widest guest physical address, less the SHARED bit. */
    private static final int GPA_BITS = 51;
    /** Bytes of memory of one section that is added. */
    private static final long MOST_ADDED = 256 << 20;

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
        long descriptor = distance.isPresent()
                ? image.length - Integer.toUnsignedLong(distance.getAsInt())
                : Integer.toUnsignedLong(in.getInt(image.length - TAIL));
        List<TdvfSection> sections = sections(image, in, descriptor);
        check(sections, image.length);
        return new TdvfImage(content, sections);
    }

    /** The distance from the end of the image to the descriptor, as the GUIDed table tells it. */
    private static OptionalInt tableEntry(byte[] image, ByteBuffer in) throws LaunchRefused {
        int end = image.length - TAIL;
        if (!matches(image, end - 16, TABLE_FOOTER)) {
            return OptionalInt.empty();
        }
        int start = end - (in.getShort(end - ENTRY_HEADER) & 0xffff);
        if (start < 0) {
            throw new LaunchRefused("the footer table claims more bytes than the image has");
        }
        int at = end - ENTRY_HEADER;
        while (at - ENTRY_HEADER >= start) {
            int length = in.getShort(at - ENTRY_HEADER) & 0xffff;
            if (length < ENTRY_HEADER || at - length < start) {
                throw new LaunchRefused("a footer table entry claims " + length + " bytes");
            }
            if (matches(image, at - 16, TDX_METADATA_OFFSET)) {
                if (length < ENTRY_HEADER + 4) {
                    throw new LaunchRefused("the footer table entry of the TDX metadata has no offset");
                }
                return OptionalInt.of(in.getInt(at - length));
            }
            at -= length;
        }
        throw new LaunchRefused("the firmware has no TDX metadata: it was not built for TDX");
    }

    private static boolean matches(byte[] image, int at, byte[] guid) {
        return at >= 0 && at <= image.length - 16 && Arrays.equals(image, at, at + 16, guid, 0, 16);
    }

    /** @param descriptor offset of the descriptor, which may lie outside the image */
    private static List<TdvfSection> sections(byte[] image, ByteBuffer in, long descriptor) throws LaunchRefused {
        int at = (int) descriptor;
        if (descriptor < 16
                || descriptor > image.length - DESCRIPTOR_BYTES
                || !matches(image, at - 16, DESCRIPTOR_GUID)
                || in.getInt(at) != SIGNATURE) {
            throw new LaunchRefused(
                    descriptor >= 0 && descriptor < image.length
                            ? "no TDVF descriptor at offset 0x%x of the image".formatted(descriptor)
                            : "the TDVF descriptor is said to be outside the image");
        }
        int version = in.getInt(at + 8);
        if (version != 1) {
            throw new LaunchRefused("the TDVF descriptor has version %s; loaders know version 1"
                    .formatted(Integer.toUnsignedString(version)));
        }
        long count = Integer.toUnsignedLong(in.getInt(at + 12));
        if (count < 1 || Integer.toUnsignedLong(in.getInt(at + 4)) != DESCRIPTOR_BYTES + SECTION_BYTES * count) {
            throw new LaunchRefused(
                    "the TDVF descriptor names %d sections, and its length does not fit them".formatted(count));
        }
        if (descriptor + DESCRIPTOR_BYTES + SECTION_BYTES * count > image.length) {
            throw new LaunchRefused("the TDVF metadata reaches beyond the image");
        }
        var sections = new ArrayList<TdvfSection>();
        for (int i = 0; i < count; i++) {
            int entry = at + DESCRIPTOR_BYTES + SECTION_BYTES * i;
            int number = in.getInt(entry + 24);
            TdvfSection.Type type = Arrays.stream(TdvfSection.Type.values())
                    .filter(t -> t.number() == number)
                    .findFirst()
                    .orElseThrow(() ->
                            new LaunchRefused("TDVF section of unknown type " + Integer.toUnsignedString(number)));
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
            check(section, imageBytes);
        }
        for (TdvfSection section : sections) {
            for (TdvfSection other : sections) {
                if (other != section && section.gpa() < other.end() && other.gpa() < section.end()) {
                    throw new LaunchRefused(
                            "TDVF sections at 0x%x and 0x%x overlap".formatted(section.gpa(), other.gpa()));
                }
            }
        }
        if (count(sections, TdvfSection.Type.BFV) == 0) {
            throw new LaunchRefused("the TDVF metadata names no boot firmware volume (BFV)");
        }
        if (count(sections, TdvfSection.Type.TD_HOB) > 1) {
            throw new LaunchRefused("the TDVF metadata names more than one TD_HOB");
        }
    }

    private static long count(List<TdvfSection> sections, TdvfSection.Type type) {
        return sections.stream().filter(section -> section.type() == type).count();
    }

    private static void check(TdvfSection section, int imageBytes) throws LaunchRefused {
        String name = "TDVF section %s at 0x%x".formatted(section.type(), section.gpa());
        long raw = Integer.toUnsignedLong(section.rawSize());
        long offset = Integer.toUnsignedLong(section.dataOffset());
        if ((section.gpa() & 4095) != 0 || (section.memorySize() & 4095) != 0) {
            throw new LaunchRefused(name + " is not aligned to 4 KiB");
        }
        if (section.memorySize() == 0) {
            throw new LaunchRefused(name + " has no memory");
        }
        if (section.gpa() >>> GPA_BITS != 0
                || section.memorySize() >>> GPA_BITS != 0
                || section.end() > 1L << GPA_BITS) {
            throw new LaunchRefused(name + " lies beyond every guest's addresses");
        }
        if (Long.compareUnsigned(raw, section.memorySize()) > 0) {
            throw new LaunchRefused(
                    "%s has %,d bytes of content for %,d bytes of memory".formatted(name, raw, section.memorySize()));
        }
        if (offset + raw > imageBytes) {
            throw new LaunchRefused(name + " has its content beyond the end of the image");
        }
        if (!section.augment() && section.memorySize() > MOST_ADDED) {
            throw new LaunchRefused("%s would add %,d pages before the guest runs; this loader adds %,d at most"
                    .formatted(name, section.memorySize() >>> 12, MOST_ADDED >>> 12));
        }
        boolean mustBeEmpty = switch (section.type()) {
            case TD_HOB, TEMP_MEM, PERM_MEM -> true;
            default -> false;
        };
        if (mustBeEmpty && (raw != 0 || offset != 0)) {
            throw new LaunchRefused(name + " has content");
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

    /**
     * The HOB list of a guest with that memory; empty if the image has no section for it.
     *
     * @throws LaunchRefused if the section is too small for the list
     */
    public Bytes hobList(List<Range> ram) throws LaunchRefused {
        List<Range> added = sections.stream()
                .filter(section -> !section.augment())
                .map(section -> new Range(section.gpa(), section.end()))
                .toList();
        for (TdvfSection section : sections) {
            if (section.type() == TdvfSection.Type.TD_HOB) {
                long needed = TdHob.bytes(ram, added);
                if (needed > section.memorySize()) {
                    throw new LaunchRefused("the TD_HOB section has %,d bytes; the HOB list of this memory needs %,d"
                            .formatted(section.memorySize(), needed));
                }
                return TdHob.of(section.gpa(), (int) section.memorySize(), ram, added);
            }
        }
        return Bytes.of();
    }

    /** What is put into a section's memory: content, then zeros. */
    public Bytes memoryOf(TdvfSection section) {
        var memory = new byte[(int) section.memorySize()];
        System.arraycopy(content.toArray(), section.dataOffset(), memory, 0, section.rawSize());
        return Bytes.of(memory);
    }
}
