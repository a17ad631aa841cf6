package kvasir.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Scripts that nobody wrote. The seed is in the message of a failure. */
class FuzzTest {
    private static final int PROGRAMS = 250;
    private static final int MUTATIONS = 600;
    private static final String SIGNS = "{}()[]\"\\'\n\t ->=.,:;0x9Kasm64onlet\u00e4\uD83D\u0007%|&!";

    @Test
    void whatIsPrintedIsReadBackAsTheSameTree() {
        for (long seed = 0; seed < PROGRAMS; seed++) {
            Script script = new ProgramGenerator(seed).script();
            String text = Formatter.print(script);
            Parsed parsed = Kvs.parse(new SourceFile("seed " + seed, text));
            assertTrue(parsed.ok(), () -> new DiagnosticPrinter(false).print(parsed.diagnostics()) + text);
            assertEquals(Shape.of(script), Shape.of(parsed.script()), "seed " + seed + "\n" + text);
        }
    }

    @Test
    void formattingKeepsTheTreeAndHasNothingToDoTwice() {
        for (long seed = 0; seed < PROGRAMS; seed++) {
            Random random = new Random(seed);
            String text = disturbed(Formatter.print(new ProgramGenerator(seed).script()), random);
            SourceFile source = new SourceFile("seed " + seed, text);
            String once = Formatter.format(source).orElseThrow(() -> new AssertionError(source.name() + text));
            assertEquals(
                    Shape.of(Kvs.parse(source).script()),
                    Shape.of(Kvs.parse(new SourceFile(source.name(), once)).script()),
                    () -> source.name() + "\n" + text + "\n=====\n" + once);
            assertEquals(Optional.of(once), Formatter.format(new SourceFile(source.name(), once)), source::name);
            assertEquals(count(text), count(once), () -> source.name() + "\n" + text + "\n=====\n" + once);
        }
    }

    /** Number of the comments that {@link #disturbed} has put in. */
    private static int count(String text) {
        return text.split("// comment", -1).length;
    }

    /** The same script with comments and empty lines at line ends outside of blocks of text. */
    private static String disturbed(String text, Random random) {
        StringBuilder result = new StringBuilder();
        boolean quoted = false;
        for (String line : text.split("\n", -1)) {
            int quotes = line.split("\"\"\"", -1).length - 1;
            quoted ^= quotes == 1;
            result.append(line);
            if (!quoted) {
                result.append(random.nextInt(6) == 0 ? " // comment " + random.nextInt(100) : "");
                result.append(random.nextInt(8) == 0 ? "\n\n\n" : "");
                result.append(random.nextInt(8) == 0 ? "\n   // comment" : "");
            }
            result.append('\n');
        }
        return result.toString();
    }

    @Test
    void noMutationIsTooMuch() {
        String everything = Samples.resource("everything.kvs").text();
        for (long seed = 0; seed < MUTATIONS; seed++) {
            Random random = new Random(seed);
            String base = seed % 3 == 0 ? Formatter.print(new ProgramGenerator(seed).script()) : everything;
            StringBuilder text = new StringBuilder(base);
            for (int i = random.nextInt(6); i >= 0 && text.length() > 8; i--) {
                mutate(text, random);
            }
            survives("seed " + seed, text.toString());
        }
    }

    private static void mutate(StringBuilder text, Random random) {
        int at = random.nextInt(text.length() - 4);
        switch (random.nextInt(5)) {
            case 0 -> text.deleteCharAt(at);
            case 1 -> text.insert(at, SIGNS.charAt(random.nextInt(SIGNS.length())));
            case 2 -> text.delete(at, at + random.nextInt(Math.min(40, text.length() - at)));
            case 3 -> {
                int to = at + random.nextInt(Math.min(40, text.length() - at));
                text.insert(random.nextInt(text.length()), text.substring(at, to));
            }
            default -> text.setLength(at);
        }
    }

    @Test
    void noGarbageIsTooMuch() {
        for (long seed = 0; seed < MUTATIONS; seed++) {
            Random random = new Random(seed);
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(60); i > 0; i--) {
                switch (random.nextInt(3)) {
                    case 0 -> text.append(SIGNS.charAt(random.nextInt(SIGNS.length())));
                    case 1 ->
                        text.append(Reserved.words()
                                .get(random.nextInt(Reserved.words().size())));
                    default -> text.append((char) random.nextInt(0x250));
                }
                text.append(random.nextBoolean() ? " " : "");
            }
            survives("seed " + seed, text.toString());
        }
    }

    private static void survives(String name, String text) {
        SourceFile source = new SourceFile(name, text);
        Parsed parsed;
        try {
            parsed = Kvs.parse(source);
            new DiagnosticPrinter(true).print(parsed.diagnostics());
            Kvs.isIncomplete(text);
        } catch (RuntimeException | StackOverflowError e) {
            throw new AssertionError(name + "\n" + text, e);
        }
        for (Diagnostic diagnostic : parsed.diagnostics()) {
            Span span = diagnostic.span();
            assertTrue(0 <= span.start() && span.start() <= span.end() && span.end() <= text.length(), name);
        }
        assertEquals(parsed.ok(), Formatter.format(source).isPresent(), name);
        int at = 0;
        for (Lexemes.Styled piece : Lexemes.classify(text, Set.of())) {
            assertTrue(at <= piece.start() && piece.start() < piece.end() && piece.end() <= text.length(), name);
            at = piece.end();
        }
    }
}
