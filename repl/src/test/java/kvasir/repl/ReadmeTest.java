package kvasir.repl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Nothing in the README is untrue: its scripts are the files it names, its commands print what it says. */
final class ReadmeTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern FENCE = Pattern.compile("(?ms)^```(\\w+)\\n(.*?)^```$");
    private static final Pattern NAMED_FILE = Pattern.compile("`(docs/examples/[^`]+)`:\\s*$");
    private static final Pattern PLACE = Pattern.compile("`((?:docs|scripts)/[\\w./-]+)`|\\]\\((docs/[\\w./-]+)\\)");

    private final String readme;

    ReadmeTest() throws IOException {
        readme = Files.readString(ROOT.resolve("README.md"));
    }

    @Test
    void scriptsAreTheFilesItNames() throws IOException {
        int scripts = 0;
        var fences = FENCE.matcher(readme);
        while (fences.find()) {
            if (fences.group(1).equals("kvs") || fences.group(1).equals("js")) {
                var file = NAMED_FILE.matcher(readme.substring(0, fences.start()));
                assertTrue(file.find(), "no file is named before " + fences.group(2));
                assertEquals(Files.readString(ROOT.resolve(file.group(1))), fences.group(2));
                scripts++;
            }
        }
        assertEquals(3, scripts);
    }

    @Test
    void commandsPrintWhatItSays() {
        int commands = 0;
        var fences = FENCE.matcher(readme);
        while (fences.find()) {
            if (fences.group(1).equals("console")) {
                String line = fences.group(2).lines().findFirst().orElseThrow();
                assertEquals(fences.group(2), line + "\n" + printed(line));
                commands++;
            }
        }
        assertEquals(3, commands);
    }

    private static String printed(String line) {
        var words = new ArrayList<String>();
        for (String word : line.substring("$ ./kvs ".length()).split(" ", -1)) {
            words.add(word.startsWith("docs/") ? ROOT.resolve(word).toString() : word);
        }
        var bytes = new ByteArrayOutputStream();
        try (var out = new PrintStream(bytes, false, StandardCharsets.UTF_8)) {
            Main.run(List.copyOf(words), new Console(out, out, false));
        }
        return bytes.toString(StandardCharsets.UTF_8).replace("../docs/", "docs/");
    }

    @Test
    void thePromptAnswersAsItSays() {
        int talks = 0;
        var fences = FENCE.matcher(readme);
        while (fences.find()) {
            if (fences.group(1).equals("text")) {
                assertEquals(
                        fences.group(2), GoldenTest.talk(fences.group(2).lines().toList()));
                talks++;
            }
        }
        assertEquals(1, talks);
    }

    @Test
    void placesItNamesExist() {
        var places = PLACE.matcher(readme);
        int found = 0;
        while (places.find()) {
            String place = places.group(1) == null ? places.group(2) : places.group(1);
            if (!place.contains("*")) {
                assertTrue(Files.exists(ROOT.resolve(place)), place);
                found++;
            }
        }
        assertTrue(found >= 6, "places: " + found);
    }
}
