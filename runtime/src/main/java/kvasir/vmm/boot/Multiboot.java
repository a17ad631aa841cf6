package kvasir.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;

/** Loads a multiboot (version 1) kernel: an ELF file whose first 8 KiB hold the header (Multiboot 0.6.96, 3.1). */
public final class Multiboot {
    private static final int HEADER_MAGIC = 0x1bad_b002;
    private static final int LOADER_MAGIC = 0x2bad_b002;
    private static final int SEARCHED = 8192;
    private static final int ADDRESSES_GIVEN = 1 << 16;
    /** The page behind the image holds the information structure, and what it points at. */
    private static final int PAGE = 4096;

    private static final int MODULES = 0x80;
    private static final int COMMAND_LINE = 0x100;
    private static final int MEMORY_MAP = 0xc00;
    private static final int COMMAND_LINE_LIMIT = MEMORY_MAP - COMMAND_LINE - 1;
    private static final int HAS_MEMORY = 1;
    private static final int HAS_COMMAND_LINE = 4;
    private static final int HAS_MODULES = 8;
    private static final int HAS_MEMORY_MAP = 64;
    private static final long LOW_MEMORY_END = 640 * 1024;
    private static final long HIGH_MEMORY = 1024 * 1024;

    private Multiboot() {}

    /**
     * A kernel that is loaded with {@link #load}.
     *
     * @param name the file's name, first word of the command line
     * @param file its content
     * @throws BootException if the file is not a multiboot ELF kernel
     */
    public static KernelFile kernel(String name, byte[] file) throws BootException {
        check(name, file);
        return new KernelFile("multiboot", name, request -> load(name, file, request));
    }

    /** Whether the file has the header. */
    public static boolean recognises(byte[] file) {
        var words = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at + 12 <= Math.min(file.length, SEARCHED); at += 4) {
            int flags = words.getInt(at + 4);
            if (words.getInt(at) == HEADER_MAGIC && HEADER_MAGIC + flags + words.getInt(at + 8) == 0) {
                // with explicit load addresses the file need not be ELF; QEMU too prefers the ELF headers if present
                return (flags & ADDRESSES_GIVEN) == 0 || file.length > 4 && words.getInt(0) == 0x464c_457f;
            }
        }
        return false;
    }

    private static void check(String name, byte[] file) throws BootException {
        if (!recognises(file)) {
            throw new BootException(name + " has no multiboot header in its first 8 KiB");
        }
    }

    /**
     * @param name the file's name, first word of the command line
     * @param file its content
     * @param request its guest memory has at most 3 GiB here; an initrd becomes the one module
     * @throws BootException if the file is not a multiboot ELF kernel or does not fit
     */
    public static BootImage load(String name, byte[] file, KernelFile.Request request) throws BootException {
        check(name, file);
        String arguments = request.commandLine();
        long memory = request.memory();
        var pieces = new ArrayList<BootImage.Piece>();
        long entry = ElfProgram.load(name, file, memory, pieces);
        String commandLine = arguments.isEmpty() ? name : name + " " + arguments;
        byte[] text = (commandLine + "\0").getBytes(StandardCharsets.UTF_8);
        if (text.length > COMMAND_LINE_LIMIT) {
            throw new BootException("the command line has " + (text.length - 1) + " bytes; at most "
                    + (COMMAND_LINE_LIMIT - 1) + " fit");
        }
        int information = (int) ElfProgram.end(file) + PAGE - 1 & -PAGE;
        if (information + PAGE > memory) {
            throw new BootException(name + " leaves no page of memory for the boot information");
        }
        pieces.add(BootImage.Piece.of(information + COMMAND_LINE, text));
        byte[] map = memoryMap(memory);
        pieces.add(BootImage.Piece.of(information + MEMORY_MAP, map));
        int module = information + PAGE;
        int moduleBytes = request.initrd().length();
        if (module + (long) moduleBytes > memory) {
            throw new BootException("a module of 0x%x bytes at 0x%x does not fit into 0x%x bytes of memory"
                    .formatted(moduleBytes, module, memory));
        }
        var content = ByteBuffer.wrap(information(information, memory, map.length));
        if (moduleBytes > 0) {
            pieces.add(new BootImage.Piece(module, request.initrd()));
            pieces.add(BootImage.Piece.of(information + MODULES, module(information, module, moduleBytes)));
            content.order(ByteOrder.LITTLE_ENDIAN);
            content.putInt(0, content.getInt(0) | HAS_MODULES);
            content.putInt(20, 1);
            content.putInt(24, information + MODULES);
        }
        pieces.add(BootImage.Piece.of(information, content.array()));
        return new BootImage(pieces, new BootImage.Flat(entry, LOADER_MAGIC, information));
    }

    private static byte[] memoryMap(long memory) {
        var map = ByteBuffer.allocate(2 * 24).order(ByteOrder.LITTLE_ENDIAN);
        region(map, 0, LOW_MEMORY_END);
        region(map, HIGH_MEMORY, memory - HIGH_MEMORY);
        return map.array();
    }

    private static void region(ByteBuffer map, long base, long bytes) {
        map.putInt(20).putLong(base).putLong(bytes).putInt(1);
    }

    /** The list of one module, whose string is the empty one at its end (3.3). */
    private static byte[] module(int information, int start, int bytes) {
        var module = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
        return module.putInt(start)
                .putInt(start + bytes)
                .putInt(information + MODULES + 16)
                .putInt(0)
                .array();
    }

    private static byte[] information(int at, long memory, int mapBytes) {
        var information = ByteBuffer.allocate(52).order(ByteOrder.LITTLE_ENDIAN);
        information.putInt(0, HAS_MEMORY | HAS_COMMAND_LINE | HAS_MEMORY_MAP);
        information.putInt(4, (int) (LOW_MEMORY_END / 1024));
        information.putInt(8, (int) ((memory - HIGH_MEMORY) / 1024));
        information.putInt(16, at + COMMAND_LINE);
        information.putInt(44, mapBytes);
        information.putInt(48, at + MEMORY_MAP);
        return information.array();
    }
}
