package kvasir.scripts.bench;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Other programs as yardsticks. */
final class Processes {
    /** The second line of the shell's {@code times}: its children, user and system. */
    private static final Pattern TIMES = Pattern.compile("(\\d+)m([0-9.]+)s (\\d+)m([0-9.]+)s\\s*$");

    private Processes() {}

    static boolean onPath(String command) {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of(path.split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder).resolve(command)));
    }

    /**
     * Processor time that a program took. On its standard input is one line, "c": Debian's Bochs has a debugger, which
     * waits for it.
     *
     * @param input becomes a file
     * @param command words, from the name of that file
     */
    static long processorNanos(byte[] input, Function<String, List<String>> command) {
        try {
            Path file = Files.createTempFile("kvs-bench", ".bin");
            try {
                Files.write(file, input);
                var words = new ArrayList<>(List.of("sh", "-c", "echo c | \"$@\" >/dev/null 2>&1; times", "sh"));
                words.addAll(command.apply(file.toString()));
                Process process = new ProcessBuilder(words).start();
                String times = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
                process.waitFor();
                Matcher matcher = TIMES.matcher(times);
                if (!matcher.find()) {
                    throw new IllegalStateException("the shell's times cannot be read: " + times);
                }
                double seconds = 60 * (Integer.parseInt(matcher.group(1)) + Integer.parseInt(matcher.group(3)))
                        + Double.parseDouble(matcher.group(2))
                        + Double.parseDouble(matcher.group(4));
                return (long) (seconds * 1e9);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot run " + command.apply("FILE"), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
