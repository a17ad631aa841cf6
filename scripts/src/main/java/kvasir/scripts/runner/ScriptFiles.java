package kvasir.scripts.runner;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import kvasir.scripts.Failure;

/** The scripts that paths stand for. */
public final class ScriptFiles {
    private ScriptFiles() {}

    /** A script's text, or why there is none. */
    public sealed interface Content {
        /** It was read. */
        record Text(String text) implements Content {}

        /** It was not. */
        record Unreadable(Failure failure) implements Content {}
    }

    /** Files in the given order; a folder gives the {@code .kvs} files below it, sorted by name. */
    public static List<Path> expand(List<Path> paths) {
        var files = new ArrayList<Path>();
        for (Path path : paths) {
            if (Files.isDirectory(path)) {
                try (Stream<Path> below = Files.walk(path)) {
                    below.filter(file -> file.toString().endsWith(".kvs") && Files.isRegularFile(file))
                            .sorted()
                            .forEach(files::add);
                } catch (IOException exception) {
                    throw new UncheckedIOException(exception);
                }
            } else {
                files.add(path);
            }
        }
        return files;
    }

    /** The text of {@code file}. */
    public static Content read(Path file) {
        try {
            return new Content.Text(Files.readString(file));
        } catch (CharacterCodingException exception) {
            return unreadable(file, "it is no UTF-8 text");
        } catch (IOException exception) {
            return unreadable(file, Files.exists(file) ? "it is not readable" : "no such file");
        }
    }

    private static Content unreadable(Path file, String reason) {
        return new Content.Unreadable(Failure.ofFile(Failure.Kind.USAGE, file, "cannot read " + file + ": " + reason));
    }
}
