package kvasir.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import kvasir.registry.Bytes;

/**
 * Loads a bzImage by the 64-bit boot protocol, or by the 32-bit one if it has no 64-bit entry point (Linux,
 * Documentation/arch/x86/boot.rst): the protected-mode part at 1 MiB, boot_params with the memory map, the initial RAM
 * disk as high as the kernel allows.
 */
public final class LinuxImage {
    private static final int GDT = 0x500;
    private static final int BOOT_PARAMS = 0x7000;
    private static final int TABLES = 0x9000;
    private static final int COMMAND_LINE = 0x2_0000;
    private static final int COMMAND_LINE_END = 0x8_0000;
    private static final int KERNEL = 0x10_0000;
    private static final int ENTRY_64 = 0x200;
    private static final int PAGE = 4096;

    private static final int SETUP_SECTS = 0x1f1;
    /** Size of the protected-mode part in units of 16 bytes. */
    private static final int SYSSIZE = 0x1f4;

    private static final int BOOT_FLAG = 0x1fe;
    private static final int HEADER_LENGTH = 0x201;
    private static final int HEADER_MAGIC = 0x202;
    private static final int VERSION = 0x206;
    private static final int TYPE_OF_LOADER = 0x210;
    private static final int LOADFLAGS = 0x211;
    private static final int RAMDISK_IMAGE = 0x218;
    private static final int RAMDISK_SIZE = 0x21c;
    private static final int CMD_LINE_PTR = 0x228;
    private static final int INITRD_ADDR_MAX = 0x22c;
    private static final int XLOADFLAGS = 0x236;
    private static final int CMDLINE_SIZE = 0x238;
    private static final int PREF_ADDRESS = 0x258;
    private static final int INIT_SIZE = 0x260;

    /** Fields of boot_params beside the header (zero-page.rst). */
    private static final int ACPI_RSDP_ADDR = 0x70;

    private static final int E820_ENTRIES = 0x1e8;
    private static final int E820_TABLE = 0x2d0;

    private static final int LOADED_HIGH = 1;
    private static final int XLF_KERNEL_64 = 1;
    private static final int VERSION_2_12 = 0x20c;
    private static final int NO_LOADER_ID = 0xff;

    private LinuxImage() {}

    /** Whether the file has the header of a bzImage, or is ELF with a PVH entry point. */
    public static boolean recognises(byte[] file) {
        return isBzImage(file) || PvhImage.recognises(file);
    }

    private static boolean isBzImage(byte[] file) {
        return file.length > INIT_SIZE + 4
                && (file[BOOT_FLAG] & 0xff) == 0x55
                && (file[BOOT_FLAG + 1] & 0xff) == 0xaa
                && new String(file, HEADER_MAGIC, 4, StandardCharsets.ISO_8859_1).equals("HdrS");
    }

    /**
     * A bzImage, or a vmlinux with a PVH entry point, with what belongs to it.
     *
     * @param name what errors call the file
     * @param file its content
     * @param commandLine the first part of the kernel's command line
     * @param initrd the initial RAM disk unless the request brings one; empty for none
     * @throws BootException if it is neither a bzImage of boot protocol 2.12 or later nor an ELF file with the note
     */
    public static KernelFile kernel(String name, byte[] file, String commandLine, Bytes initrd) throws BootException {
        boolean pvh = PvhImage.recognises(file);
        ByteBuffer header = pvh ? ByteBuffer.allocate(0) : header(name, file);
        return new KernelFile("linux", name, request -> {
            String line = (commandLine + " " + request.commandLine()).strip();
            byte[] disk = (request.initrd().length() > 0 ? request.initrd() : initrd).toArray();
            return pvh
                    ? PvhImage.load(name, file, disk, line, request.memory())
                    : load(name, file, header, disk, line, request.memory());
        });
    }

    private static BootImage load(
            String name, byte[] file, ByteBuffer header, byte[] initrd, String commandLine, long memory)
            throws BootException {
        long most = Integer.toUnsignedLong(header.getInt(INITRD_ADDR_MAX)) + 1;
        long needed = header.getLong(PREF_ADDRESS) + Integer.toUnsignedLong(header.getInt(INIT_SIZE));
        long ramdisk = Math.min(most, memory) - initrd.length & -PAGE;
        if (ramdisk < needed) {
            throw new BootException(
                    "%s unpacks up to 0x%x and the initial RAM disk has 0x%x bytes: 0x%x bytes of memory are too few"
                            .formatted(name, needed, initrd.length, memory));
        }
        byte[] line = commandLine(commandLine, header.getInt(CMDLINE_SIZE));
        int setup = setupBytes(header);
        var pieces = new ArrayList<BootImage.Piece>();
        boolean bits64 = (header.getShort(XLOADFLAGS) & XLF_KERNEL_64) != 0;
        pieces.add(BootImage.Piece.of(GDT, gdt(bits64)));
        if (bits64) {
            pieces.add(BootImage.Piece.of(TABLES, identityTables()));
        }
        pieces.add(BootImage.Piece.of(COMMAND_LINE, line));
        pieces.add(BootImage.Piece.of(BOOT_PARAMS, bootParams(header, initrd.length, ramdisk, memory)));
        pieces.add(BootImage.Piece.of(KERNEL, Arrays.copyOfRange(file, setup, file.length)));
        if (initrd.length > 0) {
            pieces.add(BootImage.Piece.of(ramdisk, initrd));
        }
        BootImage.Start start = bits64
                ? new BootImage.LongMode(KERNEL + ENTRY_64, BOOT_PARAMS, TABLES, GDT)
                : new BootImage.Flat32(KERNEL, BOOT_PARAMS, GDT);
        return new BootImage(pieces, start);
    }

    private static ByteBuffer header(String name, byte[] file) throws BootException {
        if (!isBzImage(file)) {
            throw new BootException(
                    name + " is no kernel: it is neither a bzImage nor an ELF file with a PVH entry point");
        }
        ByteBuffer header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        if (header.getShort(VERSION) < VERSION_2_12 || (header.get(LOADFLAGS) & LOADED_HIGH) == 0) {
            throw new BootException(name + " is no bzImage of boot protocol 2.12 or later");
        }
        if (setupBytes(header) + ENTRY_64 >= file.length) {
            throw new BootException(name + " is cut off: it ends within its setup code");
        }
        long whole = setupBytes(header) + 16 * Integer.toUnsignedLong(header.getInt(SYSSIZE));
        // memtest86+ does not fill up its last 16 bytes
        if (file.length + 15 < whole) {
            throw new BootException("%s is cut off: it has %,d bytes, and by its header %,d are expected"
                    .formatted(name, file.length, whole));
        }
        return header;
    }

    private static int setupBytes(ByteBuffer header) {
        int sectors = header.get(SETUP_SECTS) & 0xff;
        return ((sectors == 0 ? 4 : sectors) + 1) * 512;
    }

    private static byte[] commandLine(String text, int limit) throws BootException {
        byte[] line = (text + "\0").getBytes(StandardCharsets.UTF_8);
        if (line.length - 1 > limit || line.length > COMMAND_LINE_END - COMMAND_LINE) {
            throw new BootException("the command line has " + (line.length - 1) + " bytes; the kernel takes " + limit);
        }
        return line;
    }

    private static byte[] bootParams(ByteBuffer header, int initrdBytes, long ramdisk, long memory) {
        ByteBuffer params = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        int end = HEADER_MAGIC + (header.get(HEADER_LENGTH) & 0xff);
        params.put(SETUP_SECTS, header, SETUP_SECTS, end - SETUP_SECTS);
        params.put(TYPE_OF_LOADER, (byte) NO_LOADER_ID);
        params.putInt(CMD_LINE_PTR, COMMAND_LINE);
        if (initrdBytes > 0) {
            params.putInt(RAMDISK_IMAGE, (int) ramdisk);
            params.putInt(RAMDISK_SIZE, initrdBytes);
        }
        params.putLong(ACPI_RSDP_ADDR, AcpiTables.RSDP);
        List<MemoryMap.Region> map = MemoryMap.of(memory);
        params.put(E820_ENTRIES, (byte) map.size());
        params.position(E820_TABLE);
        for (MemoryMap.Region region : map) {
            params.putLong(region.gpa()).putLong(region.bytes()).putInt(region.type());
        }
        return params.array();
    }

    /** Null, null, flat code at 10h, flat data at 18h, as the protocols want them. */
    private static byte[] gdt(boolean bits64) {
        return ByteBuffer.allocate(4 * 8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(0)
                .putLong(0)
                .putLong(bits64 ? 0x00af_9b00_0000_ffffL : 0x00cf_9b00_0000_ffffL)
                .putLong(0x00cf_9300_0000_ffffL)
                .array();
    }

    /** PML4, PDPT and four page directories of 2 MiB pages: the first 4 GiB. */
    private static byte[] identityTables() {
        ByteBuffer tables = ByteBuffer.allocate(6 * PAGE).order(ByteOrder.LITTLE_ENDIAN);
        tables.putLong(0, TABLES + PAGE | 3);
        for (int i = 0; i < 4; i++) {
            tables.putLong(PAGE + 8 * i, TABLES + (2 + i) * PAGE | 3);
        }
        for (int i = 0; i < 4 * 512; i++) {
            tables.putLong(2 * PAGE + 8 * i, (long) i << 21 | 0x83);
        }
        return tables.array();
    }
}
