package kvasir.vmm.boot;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import kvasir.registry.Bytes;

/**
 * Builds an initial RAM file system: a cpio archive in the "newc" format (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst). Owner and times are 0, so equal contents give equal bytes.
 */
public final class Initramfs {
    private static final int DIRECTORY = 0040755;
    private static final int FILE = 0100644;
    private static final int PROGRAM = 0100755;
    private static final int SYMLINK = 0120777;
    private static final int CHARACTER_DEVICE = 0020600;
    private static final int ALIGNMENT = 4;

    private final Map<String, Entry> entries = new TreeMap<>();

    private record Entry(int mode, Bytes content, int major, int minor) {}

    /** A folder and those above it. */
    public Initramfs directory(String path) {
        String name = relative(path);
        parents(name);
        entries.putIfAbsent(name, new Entry(DIRECTORY, Bytes.of(), 0, 0));
        return this;
    }

    /** A file of mode 0644. */
    public Initramfs file(String path, byte[] content) {
        return add(path, new Entry(FILE, Bytes.of(content), 0, 0));
    }

    /** A file of mode 0755. */
    public Initramfs program(String path, byte[] content) {
        return add(path, new Entry(PROGRAM, Bytes.of(content), 0, 0));
    }

    /** A symbolic link. */
    public Initramfs link(String path, String target) {
        return add(path, new Entry(SYMLINK, Bytes.of(target.getBytes(StandardCharsets.UTF_8)), 0, 0));
    }

    /** A character device. */
    public Initramfs device(String path, int major, int minor) {
        return add(path, new Entry(CHARACTER_DEVICE, Bytes.of(), major, minor));
    }

    /** Whether there is something at {@code path}. */
    public boolean has(String path) {
        return entries.containsKey(relative(path));
    }

    private Initramfs add(String path, Entry entry) {
        String name = relative(path);
        parents(name);
        entries.put(name, entry);
        return this;
    }

    private void parents(String name) {
        parent(name).ifPresent(this::directory);
    }

    private static Optional<String> parent(String name) {
        int slash = name.lastIndexOf('/');
        return slash < 0 ? Optional.empty() : Optional.of(name.substring(0, slash));
    }

    private static String relative(String path) {
        return path.replaceFirst("^/+", "");
    }

    /** The archive. */
    public byte[] toBytes() {
        var out = new ByteArrayOutputStream();
        int inode = 1;
        for (var entry : entries.entrySet()) {
            write(out, inode++, entry.getKey(), entry.getValue());
        }
        write(out, 0, "TRAILER!!!", new Entry(0, Bytes.of(), 0, 0));
        return out.toByteArray();
    }

    private static void write(ByteArrayOutputStream out, int inode, String name, Entry entry) {
        byte[] path = (name + "\0").getBytes(StandardCharsets.UTF_8);
        int links = entry.mode == DIRECTORY ? 2 : 1;
        int[] fields = {
            inode, entry.mode, 0, 0, links, 0, entry.content.length(), 0, 0, entry.major, entry.minor, path.length, 0
        };
        var header = new StringBuilder("070701");
        for (int field : fields) {
            header.append("%08x".formatted(field));
        }
        out.writeBytes(header.toString().getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(path);
        pad(out);
        out.writeBytes(entry.content.toArray());
        pad(out);
    }

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % ALIGNMENT != 0) {
            out.write(0);
        }
    }
}
