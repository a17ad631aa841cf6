package kvasir.scripts.js;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessMode;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.util.Map;
import java.util.Set;
import org.graalvm.polyglot.io.FileSystem;

/** What JavaScript may read: the scripts on disk and the module {@code "kvs"}. Nothing can be written. */
final class ScriptFiles implements FileSystem {
    /** Where the module {@code "kvs"} is; no file can have this name. */
    static final Path LIBRARY = Path.of("/dev/null/kvs.mjs");

    private final byte[] library;
    private final Generated generated;

    /** Modules that stand for files of another kind. */
    interface Generated {
        /** Whether {@code file} is imported through a module made for it. */
        boolean covers(Path file);

        /** The text of that module. */
        String text(Path file) throws IOException;
    }

    /** @param library text of the module {@code "kvs"} */
    ScriptFiles(String library, Generated generated) {
        this.library = library.getBytes(StandardCharsets.UTF_8);
        this.generated = generated;
    }

    @Override
    public Path parsePath(URI uri) {
        return Path.of(uri);
    }

    @Override
    public Path parsePath(String path) {
        return path.equals("kvs") ? LIBRARY : Path.of(path);
    }

    @Override
    public void checkAccess(Path path, Set<? extends AccessMode> modes, LinkOption... options) throws IOException {
        if (!path.equals(LIBRARY)) {
            if (modes.contains(AccessMode.WRITE)) {
                throw new SecurityException("scripts cannot write files");
            }
            path.getFileSystem().provider().checkAccess(path, modes.toArray(AccessMode[]::new));
        }
    }

    @Override
    public SeekableByteChannel newByteChannel(
            Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
        if (path.equals(LIBRARY)) {
            return new Content(library);
        }
        if (generated.covers(path)) {
            if (!Files.exists(path)) {
                throw new NoSuchFileException(path.toString());
            }
            return new Content(generated.text(path).getBytes(StandardCharsets.UTF_8));
        }
        return Files.newByteChannel(path, Set.of());
    }

    @Override
    public Path toAbsolutePath(Path path) {
        return path.toAbsolutePath();
    }

    @Override
    public Path toRealPath(Path path, LinkOption... options) throws IOException {
        return path.equals(LIBRARY) ? path : path.toRealPath(options);
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options) throws IOException {
        return path.equals(LIBRARY)
                ? Map.of("isRegularFile", true, "isDirectory", false, "size", (long) library.length)
                : Files.readAttributes(path, attributes, options);
    }

    @Override
    public void createDirectory(Path path, FileAttribute<?>... attributes) {
        throw new SecurityException("scripts cannot write files");
    }

    @Override
    public void delete(Path path) {
        throw new SecurityException("scripts cannot write files");
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path path, DirectoryStream.Filter<? super Path> filter)
            throws IOException {
        throw new SecurityException("scripts cannot list folders");
    }

    /** A text in memory as a channel. */
    private static final class Content implements SeekableByteChannel {
        private final ByteBuffer buffer;

        Content(byte[] bytes) {
            buffer = ByteBuffer.wrap(bytes);
        }

        @Override
        public int read(ByteBuffer target) {
            if (!buffer.hasRemaining()) {
                return -1;
            }
            int count = Math.min(buffer.remaining(), target.remaining());
            target.put(buffer.slice(buffer.position(), count));
            buffer.position(buffer.position() + count);
            return count;
        }

        @Override
        public int write(ByteBuffer source) {
            throw new java.nio.channels.NonWritableChannelException();
        }

        @Override
        public long position() {
            return buffer.position();
        }

        @Override
        public SeekableByteChannel position(long position) {
            buffer.position((int) Math.min(position, buffer.limit()));
            return this;
        }

        @Override
        public long size() {
            return buffer.limit();
        }

        @Override
        public SeekableByteChannel truncate(long size) {
            throw new java.nio.channels.NonWritableChannelException();
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }
}
