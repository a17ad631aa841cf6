package kvasir.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** {@code docs/language.md} says what is true. */
class LanguageReferenceTest {
    private static final Path REFERENCE = Path.of("../docs/language.md");

    private static List<String> blocks(String kind) throws IOException {
        Matcher matcher = Pattern.compile("```(\\w*)\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(REFERENCE));
        List<String> blocks = new ArrayList<>();
        while (matcher.find()) {
            if (matcher.group(1).equals(kind)) {
                blocks.add(matcher.group(2));
            }
        }
        return blocks;
    }

    @Test
    void everyExampleIsWellFormedAndKeepsItsTreeWhenFormatted() throws IOException {
        List<String> examples = blocks("kvs");
        assertEquals(30, examples.size());
        for (String example : examples) {
            String formatted =
                    Formatter.format(new SourceFile("language.md", example)).orElse("");
            assertEquals(Shape.of(Samples.parse(example)), Shape.of(Samples.parse(formatted)));
        }
    }

    @Test
    void theReservedWordsAreListed() throws IOException {
        String reference = Files.readString(REFERENCE);
        assertTrue(reference.replace('\n', ' ').contains(String.join(" ", Reserved.words())));
    }

    @Test
    void theErrorIsAsShown() throws IOException {
        String shown = blocks("").stream()
                .filter(each -> each.startsWith("error["))
                .findFirst()
                .orElseThrow();
        assertEquals(
                shown,
                new DiagnosticPrinter(false)
                        .print(Kvs.parse(new SourceFile("script.kvs", "let x = 1\ntest \"a\" {\n    asert x == 1\n}\n"))
                                .diagnostics()));
    }

    @Test
    void everyReservedWordHasAFormThatIsWellFormed() {
        for (Reserved word : Reserved.values()) {
            String example = word.form()
                    .replace("\"\"\"...\"\"\"", "\"\"")
                    .replace("...", "")
                    .replace("asm64 {  }", "asm64 { hlt }");
            String text = switch (word) {
                case RETURN -> "fn f() { " + example + " }";
                case ALWAYS, NEVER, SOMETIMES -> "race \"r\" {\n a: b.c\n}\n" + example;
                default -> example;
            };
            Samples.parse(text.replace("in list {", "in items {"));
        }
    }
}
