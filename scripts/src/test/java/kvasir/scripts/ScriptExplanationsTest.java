package kvasir.scripts;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ScriptExplanationsTest {
    @Test
    void everyCodeOfTheEngineIsExplained() throws IOException {
        var used = new TreeSet<String>();
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".java")).toList()) {
                var codes = Pattern.compile("\"(E0\\d{3})\"").matcher(Files.readString(file));
                while (codes.find()) {
                    used.add(codes.group(1));
                }
            }
        }
        used.removeAll(ScriptExplanations.all().codes());
        assertEquals(new TreeSet<String>(), used);
    }
}
