package kvasir.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is said about bad input: for each script under {@code errors/} the text beside it, which is read in review. */
class DiagnosticsTest {
    private static final Path ERRORS = Path.of("src/test/resources/kvasir/grammar/errors");
    private static final Path SOURCES = Path.of("src/main/java/kvasir/grammar");

    private static Stream<String> badInputs() throws IOException {
        try (Stream<Path> files = Files.list(ERRORS)) {
            return files
                    .map(each -> each.getFileName().toString())
                    .filter(name -> name.endsWith(".kvs"))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    private static String errors(String text) {
        return new DiagnosticPrinter(false)
                .print(Kvs.parse(new SourceFile("bad.kvs", text)).diagnostics());
    }

    @ParameterizedTest
    @MethodSource("badInputs")
    void badInput(String name) throws IOException {
        SourceFile source = Samples.resource("errors/" + name);
        String expected = Files.readString(ERRORS.resolve(name.replace(".kvs", ".txt")));
        SourceFile named = new SourceFile(name, source.text());
        assertEquals(
                expected, new DiagnosticPrinter(false).print(Kvs.parse(named).diagnostics()));
    }

    @Test
    void noMessageNamesATokenOfTheParserGenerator() throws IOException {
        Pattern tokenName = Pattern.compile(
                "\\b(LBRACE|RBRACE|NL|EOF|NAME|NUMBER|RECORD_OPEN|KEY|missing|mismatched|extraneous)\\b");
        for (String name : badInputs().toList()) {
            String text = Files.readString(ERRORS.resolve(name.replace(".kvs", ".txt")))
                    .replace("counterpart is missing", "");
            assertFalse(tokenName.matcher(text).find(), name);
        }
    }

    @Test
    void aBinaryFile() {
        assertEquals("""
                error[E0111]: bad.kvs is not a text file
                 --> bad.kvs:1:5
                  |
                1 | \u007fELF\ufffd\ufffd\ufffd
                  |     ^ control character 0x02
                """.replace("\u007f", "\ufffd"), errors("\u007fELF\u0002\u0001\u0000"));
    }

    @Test
    void oneLineOfAMegabyte() {
        String text = "let x = [" + "0x1234_5678_9abc_def0, ".repeat(46_000) + "2 3]\n";
        assertEquals("""
                error[E0201]: expected `]`, found `3`
                 --> bad.kvs:1:1058012
                  |
                1 | …f0, 0x1234_5678_9abc_def0, 0x1234_5678_9abc_def0, 0x1234_5678_9abc_def0, 0x1234_5678_9abc_def0, 2 3]
                  |                                                                                                    ^ not expected here
                  = help: write `[value, value]` or `{ name: value, name: value }`
                """, errors(text));
    }

    @Test
    void deepNesting() {
        assertTrue(errors("let x = " + "(".repeat(20_000))
                .startsWith("error[E0208]: brackets are nested too deep\n --> bad.kvs:1:109\n"));
        assertTrue(errors("test \"a\" {\n" + "if x {\n".repeat(20_000)).startsWith("error[E0208]"));
        assertTrue(
                errors("assert x is " + "(".repeat(100) + "a" + ")".repeat(100)).isEmpty());
        assertTrue(errors("let x = " + "[".repeat(100) + "]".repeat(100)).isEmpty());
    }

    @Test
    void longChains() {
        for (String text : List.of(
                "let x = 1" + " + 1".repeat(20_000),
                "let x = a" + ".b".repeat(20_000),
                "let x = " + "not ".repeat(20_000) + "a",
                "let x = " + "~".repeat(20_000) + "1",
                "let x = a" + " or a".repeat(20_000))) {
            assertTrue(errors(text).startsWith("error[E0209]: expression is too long"));
        }
        assertTrue(errors("if a { }" + " else if a { }".repeat(1_000)).isEmpty());
        assertTrue(errors("guest g = asm64 { db " + "-".repeat(20_000) + "1 }").startsWith("error[E0209]"));
    }

    @Test
    void garbageOfAllSorts() {
        StringBuilder all = new StringBuilder();
        for (char c = ' '; c < 0x3000; c++) {
            all.append(c).append(c % 7 == 0 ? '\n' : ' ');
        }
        List<Diagnostic> diagnostics =
                Kvs.parse(new SourceFile("bad.kvs", all.toString())).diagnostics();
        assertEquals(50, diagnostics.size());
    }

    @Test
    void coloursAreOptional() {
        Diagnostic diagnostic = Diagnostic.of("E0201", new SourceFile("a.kvs", "x").span(0, 1), "message", "reason")
                .help("help");
        assertEquals("""
                error[E0201]: message
                 --> a.kvs:1:1
                  |
                1 | x
                  | ^ reason
                  = help: help
                """, new DiagnosticPrinter(false).print(diagnostic));
        assertTrue(new DiagnosticPrinter(true).print(diagnostic).startsWith("\u001b[1;31merror[E0201]\u001b[0m"));
    }

    @Test
    void everyCodeIsExplainedAndEveryExampleProvokesIt() throws IOException {
        Set<String> codes = new TreeSet<>();
        try (Stream<Path> files = Files.list(SOURCES)) {
            for (Path file : files.toList()) {
                Matcher matcher = Pattern.compile("\"(E0[12]\\d\\d)\"").matcher(Files.readString(file));
                matcher.results().forEach(each -> codes.add(each.group(1)));
            }
        }
        Explanations explanations = Explanations.ofGrammar();
        assertEquals(List.copyOf(codes), explanations.codes());
        for (String code : codes) {
            String text = explanations.of(code).orElseThrow();
            Matcher example =
                    Pattern.compile("```kvs\n(.*?)```", Pattern.DOTALL).matcher(text);
            if (example.find()) {
                List<String> found = Kvs.parse(new SourceFile("example.kvs", example.group(1))).diagnostics().stream()
                        .map(Diagnostic::code)
                        .toList();
                assertEquals(List.of(code), found, example.group(1));
            }
        }
        assertEquals(Optional.empty(), explanations.of("E9999"));
    }

    @Test
    void theNearestSpelling() {
        List<String> words = List.of("map_memory", "delete_slot", "run", "test");
        assertEquals(Optional.of("map_memory"), Spelling.nearest("map_memroy", words));
        assertEquals(Optional.of("test"), Spelling.nearest("tset", words));
        assertEquals(Optional.of("run"), Spelling.nearest("rnu", words));
        assertEquals(Optional.empty(), Spelling.nearest("finalize", words));
        assertEquals(Optional.empty(), Spelling.nearest("x", words));
    }
}
