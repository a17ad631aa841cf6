package kvasir.repl;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What people are told when something is wrong. {@code src/test/golden/*.txt} are transcripts: each line {@code $ kvs
 * ...} is run, and what follows must be what it says, with its exit code last. A transcript that differs is written as
 * it should be to {@code target/golden}, to be read and copied.
 */
final class GoldenTest {
    private static final Path FOLDER = Path.of("src", "test", "golden");
    private static final Pattern COMMAND = Pattern.compile("(?m)^\\$ ");

    @TestFactory
    Stream<DynamicTest> commands() throws IOException {
        return transcripts("command-")
                .map(file ->
                        DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file, transcript(file))));
    }

    @TestFactory
    Stream<DynamicTest> conversations() throws IOException {
        return transcripts("talk-")
                .map(file -> DynamicTest.dynamicTest(
                        file.getFileName().toString(), () -> check(file, talk(Files.readAllLines(file)))));
    }

    private static Stream<Path> transcripts(String prefix) throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files
                    .filter(file -> file.getFileName().toString().startsWith(prefix)
                            && file.toString().endsWith(".txt"))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    private static void check(Path file, String actual) throws IOException {
        String expected = Files.readString(file);
        if (!actual.equals(expected)) {
            Path folder = Files.createDirectories(Path.of("target", "golden"));
            Files.writeString(folder.resolve(file.getFileName()), actual);
        }
        assertEquals(expected, actual);
    }

    /** The transcript as it is now: every command line of {@code file} with what it prints. */
    private static String transcript(Path file) throws IOException {
        var text = new StringBuilder();
        for (String part : COMMAND.split(Files.readString(file), -1)) {
            if (!part.isEmpty()) {
                String line = part.lines().findFirst().orElseThrow();
                text.append("$ ").append(line).append('\n').append(run(line)).append("\n");
            }
        }
        return text.toString().stripTrailing() + "\n";
    }

    private static String run(String line) {
        var words = new ArrayList<String>();
        for (String word : line.substring("kvs ".length()).split(" ", -1)) {
            boolean file = word.endsWith(".kvs") || word.endsWith(".mjs") || word.endsWith("kut");
            words.add(file ? FOLDER.resolve(word).toString() : word);
        }
        var bytes = new ByteArrayOutputStream();
        int code;
        try (var out = new PrintStream(bytes, false, StandardCharsets.UTF_8)) {
            code = Main.run(List.copyOf(words), new Console(out, out, false));
        }
        String printed = bytes.toString(StandardCharsets.UTF_8).replace(FOLDER + "/", "");
        return printed + "exit " + code + "\n";
    }

    /** Lines that begin with {@code kvs>} or dots are said, one input after another; the answers stand between. */
    static String talk(List<String> lines) {
        var text = new StringBuilder();
        var input = new StringBuilder();
        var machines = Engine.machines();
        var conversation = new Conversation(machines, machines.defaultSemantics(), FOLDER);
        for (String line : lines) {
            boolean first = line.startsWith("kvs> ");
            if (first || line.startsWith(" ... ")) {
                text.append(line).append('\n');
                input.append(line.substring(5)).append('\n');
                switch (conversation.say(input.toString())) {
                    case Conversation.Turn.More() -> {}
                    case Conversation.Turn.Attach _, Conversation.Turn.Bye _ -> input.setLength(0);
                    case Conversation.Turn.Said(var answers) -> {
                        answers.forEach(said -> text.append(said).append('\n'));
                        input.setLength(0);
                    }
                }
            }
        }
        return text.toString();
    }

    @Test
    void aPipeGetsAnswersOnly() throws IOException {
        var machines = Engine.machines();
        var bytes = new ByteArrayOutputStream();
        int code;
        try (var out = new PrintStream(bytes, false, StandardCharsets.UTF_8)) {
            code = ReplCommand.plain(
                    new Conversation(machines, "v6.18", Path.of("")),
                    new StringReader("vm plain = default {\nmemory 0 .. 4M backing thp populate\n}\n"
                            + "plain.vcpu0.map_memory 0 .. 2M\nshow plain.ept\n:semantics\n"),
                    new Console(out, out, false));
        }
        assertEquals("""
                ok left 0 gpa 0x200000
                0x00000000..0x00200000  2M  rwx wb  slot0+0
                v6.18
                """, bytes.toString(StandardCharsets.UTF_8));
        assertEquals(0, code);
    }
}
