package kvasir.scripts;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Files of other packages that a script needs and a user may lack: a kernel, busybox. They are looked for below the folder
 * that the environment variable {@value #ROOT} names, where packages may have been unpacked, then below the root.
 */
public final class InstalledFiles {
    /** The diagnostic of a file that is not there; a case that meets it is skipped. */
    public static final String ABSENT = "E0414";

    private static final String ROOT = "KVS_SYSROOT";

    private InstalledFiles() {}

    /** The last in the order of names that fits {@code pattern}, an absolute path whose names may hold {@code *}. */
    public static Optional<String> find(String pattern) {
        return Stream.concat(Stream.ofNullable(System.getenv(ROOT)), Stream.of("/"))
                .map(root -> Path.of(root, pattern))
                .flatMap(path -> matches(path).stream())
                .findFirst()
                .map(Path::toString);
    }

    /** Why a case is skipped that needs {@code pattern}. */
    public static String absence(String pattern) {
        return "not installed: " + pattern + " (" + ROOT + " may name a folder with unpacked packages)";
    }

    /** The readable files, the last name first. */
    private static List<Path> matches(Path pattern) {
        List<Path> found = pattern.getRoot() == null ? List.of() : List.of(pattern.getRoot());
        for (Path name : pattern) {
            found = found.stream()
                    .flatMap(folder -> entries(folder, name.toString()))
                    .toList();
        }
        return found.stream().filter(Files::isReadable).toList();
    }

    private static Stream<Path> entries(Path folder, String name) {
        if (!name.contains("*")) {
            return Stream.of(folder.resolve(name)).filter(Files::exists);
        }
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + name);
        try (Stream<Path> files = Files.list(folder)) {
            return files
                    .filter(file -> matcher.matches(file.getFileName()))
                    .sorted(Comparator.reverseOrder())
                    .toList()
                    .stream();
        } catch (IOException e) {
            return Stream.empty();
        }
    }
}
