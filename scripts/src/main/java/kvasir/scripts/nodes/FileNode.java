package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import kvasir.grammar.Span;
import kvasir.registry.Bytes;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;

/** {@code file("firmware.bin")}: the content of a file, relative to the script. */
public final class FileNode extends ExpressionNode {
    private static final long LIMIT = 1L << 30;
    private final Path folder;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode name;

    /** @param folder of the script */
    public FileNode(Span span, Path folder, ExpressionNode name) {
        super(span);
        this.folder = folder;
        this.name = name;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object value = name.execute(frame);
        if (!(value instanceof String text)) {
            throw refused(Refusal.of("E0302", "file wants a string", "this is " + Values.kind(value)), name.span());
        }
        return read(text);
    }

    private Bytes read(String text) {
        try {
            Path path = folder.resolve(text);
            if (!Files.exists(path)) {
                throw unreadable(path, "no such file");
            }
            if (Files.isDirectory(path)) {
                throw unreadable(path, "this is a folder");
            }
            if (Files.size(path) > LIMIT) {
                throw unreadable(path, "larger than 1G");
            }
            return Bytes.of(Files.readAllBytes(path));
        } catch (IOException | InvalidPathException exception) {
            throw unreadable(folder, exception.getMessage() == null ? "cannot be read" : exception.getMessage());
        }
    }

    private ScriptException unreadable(Path path, String reason) {
        return refused(Refusal.of("E0412", "cannot read " + path, reason), name.span());
    }
}
