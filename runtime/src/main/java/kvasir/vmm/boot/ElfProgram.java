package kvasir.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import net.fornwall.jelf.ElfException;
import net.fornwall.jelf.ElfFile;
import net.fornwall.jelf.ElfSegment;

/** The program headers of an ELF file as a boot loader reads them: physical addresses count. */
final class ElfProgram {
    private static final int MAGIC = 0x464c_457f;
    private static final int PT_LOAD = 1;
    private static final int PT_NOTE = 4;

    private ElfProgram() {}

    /**
     * Adds what the segments hold.
     *
     * @return the entry point
     * @throws BootException if the file cannot be read or a segment lies outside of {@code memory} bytes
     */
    static long load(String name, byte[] file, long memory, List<BootImage.Piece> pieces) throws BootException {
        try {
            ElfFile elf = ElfFile.from(file);
            for (ElfSegment segment : elf.segmentsOfType(PT_LOAD)) {
                if (segment.p_memsz < segment.p_filesz
                        || segment.p_paddr < 0
                        || segment.p_paddr + segment.p_memsz > memory) {
                    throw new BootException("%s: a segment at 0x%x of 0x%x bytes does not fit into 0x%x bytes of memory"
                            .formatted(name, segment.p_paddr, segment.p_memsz, memory));
                }
                if (segment.p_offset < 0 || segment.p_offset + segment.p_filesz > file.length) {
                    throw new BootException(name + " is cut off: a segment ends behind the end of the file");
                }
                // guest memory is zero at the start, so the part beyond the file's bytes needs no writing
                byte[] content =
                        Arrays.copyOfRange(file, (int) segment.p_offset, (int) (segment.p_offset + segment.p_filesz));
                pieces.add(BootImage.Piece.of(segment.p_paddr, content));
            }
            return elf.e_entry;
        } catch (ElfException | IndexOutOfBoundsException e) {
            throw new BootException(name + " is not a readable ELF file: " + e.getMessage());
        }
    }

    /** One past the last byte of memory that the image, which has been loaded, uses. */
    static long end(byte[] file) {
        long end = 0;
        for (ElfSegment segment : ElfFile.from(file).segmentsOfType(PT_LOAD)) {
            end = Math.max(end, segment.p_paddr + segment.p_memsz);
        }
        return end;
    }

    /** The number in the note of that owner and type: its first four bytes, little-endian. */
    static OptionalLong note(byte[] file, String owner, int type) {
        if (file.length < 4 || little(file).getInt(0) != MAGIC) {
            return OptionalLong.empty();
        }
        byte[] wanted = (owner + "\0").getBytes(StandardCharsets.US_ASCII);
        try {
            for (ElfSegment segment : ElfFile.from(file).segmentsOfType(PT_NOTE)) {
                int end = (int) (segment.p_offset + segment.p_filesz);
                for (int at = (int) segment.p_offset; at + 12 <= end; ) {
                    int nameBytes = little(file).getInt(at);
                    int bytes = little(file).getInt(at + 4);
                    int content = at + 12 + padded(nameBytes);
                    if (little(file).getInt(at + 8) == type
                            && bytes >= 4
                            && Arrays.equals(Arrays.copyOfRange(file, at + 12, at + 12 + nameBytes), wanted)) {
                        return OptionalLong.of(
                                Integer.toUnsignedLong(little(file).getInt(content)));
                    }
                    at = Math.addExact(content, padded(bytes));
                    if (nameBytes < 0 || bytes < 0) {
                        return OptionalLong.empty();
                    }
                }
            }
        } catch (ElfException | IndexOutOfBoundsException | IllegalArgumentException | ArithmeticException e) {
            // a file whose headers lead nowhere has no note
            return OptionalLong.empty();
        }
        return OptionalLong.empty();
    }

    private static int padded(int bytes) {
        return bytes + 3 & ~3;
    }

    private static ByteBuffer little(byte[] file) {
        return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    }
}
