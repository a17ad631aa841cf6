package kvasir.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import kvasir.registry.Bytes;

/**
 * Loads an ELF kernel by its PVH entry point (Xen, docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h): flat 32-bit
 * protected mode, EBX points at hvm_start_info. An uncompressed Linux vmlinux has the note if CONFIG_PVH was set.
 */
final class PvhImage {
    private static final int PHYS32_ENTRY = 18;
    private static final int START_INFO = 0x6000;
    private static final int MODULE = 0x6040;
    private static final int MEMORY_MAP = 0x6080;
    private static final int COMMAND_LINE = 0x2_0000;
    private static final int COMMAND_LINE_BYTES = 0x1_0000;
    private static final int MAGIC = 0x336e_c578;
    private static final int VERSION = 1;
    private static final int PAGE = 4096;

    private PvhImage() {}

    private static OptionalLong entry(byte[] file) {
        return ElfProgram.note(file, "Xen", PHYS32_ENTRY);
    }

    /** Whether the file is ELF and has the note. */
    static boolean recognises(byte[] file) {
        return entry(file).isPresent();
    }

    /** Lays out a file that {@link #recognises} knows. */
    static BootImage load(String name, byte[] file, byte[] initrd, String commandLine, long memory)
            throws BootException {
        byte[] line = (commandLine + "\0").getBytes(StandardCharsets.UTF_8);
        if (line.length > COMMAND_LINE_BYTES) {
            throw new BootException("the command line has " + (line.length - 1) + " bytes; at most "
                    + (COMMAND_LINE_BYTES - 1) + " fit");
        }
        var pieces = new ArrayList<BootImage.Piece>();
        ElfProgram.load(name, file, memory, pieces);
        long end = ElfProgram.end(file);
        long ramdisk = memory - initrd.length & -PAGE;
        if (ramdisk < end) {
            throw new BootException(
                    "%s reaches up to 0x%x and the initial RAM disk has 0x%x bytes: 0x%x bytes of memory are too few"
                            .formatted(name, end, initrd.length, memory));
        }
        List<MemoryMap.Region> map = MemoryMap.of(memory);
        ByteBuffer regions = ByteBuffer.allocate(24 * map.size()).order(ByteOrder.LITTLE_ENDIAN);
        map.forEach(region -> regions.putLong(region.gpa())
                .putLong(region.bytes())
                .putInt(region.type())
                .putInt(0));
        ByteBuffer module = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
        module.putLong(ramdisk).putLong(initrd.length);
        boolean disk = initrd.length > 0;
        ByteBuffer info = ByteBuffer.allocate(56).order(ByteOrder.LITTLE_ENDIAN);
        info.putInt(MAGIC)
                .putInt(VERSION)
                .putInt(0)
                .putInt(disk ? 1 : 0)
                .putLong(disk ? MODULE : 0)
                .putLong(COMMAND_LINE)
                .putLong(AcpiTables.RSDP)
                .putLong(MEMORY_MAP)
                .putInt(map.size());
        pieces.add(BootImage.Piece.of(START_INFO, info.array()));
        pieces.add(BootImage.Piece.of(MEMORY_MAP, regions.array()));
        pieces.add(BootImage.Piece.of(COMMAND_LINE, line));
        if (disk) {
            pieces.add(BootImage.Piece.of(MODULE, module.array()));
            pieces.add(new BootImage.Piece(ramdisk, Bytes.of(initrd)));
        }
        return new BootImage(pieces, new BootImage.Flat(entry(file).orElseThrow(), 0, START_INFO));
    }
}
