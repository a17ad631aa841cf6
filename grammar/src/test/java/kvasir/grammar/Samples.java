package kvasir.grammar;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Texts that tests parse. */
final class Samples {
    private Samples() {}

    static SourceFile resource(String name) {
        try (InputStream stream = Samples.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new IllegalStateException("no resource " + name);
            }
            return new SourceFile(name, new String(stream.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The tree of text that must be well formed. */
    static Script parse(String text) {
        Parsed parsed = Kvs.parse(new SourceFile("test.kvs", text));
        if (!parsed.ok()) {
            throw new AssertionError(new DiagnosticPrinter(false).print(parsed.diagnostics()) + text);
        }
        return parsed.script();
    }

    /** The shape of the only statement of {@code text}. */
    static String shape(String text) {
        Script script = parse(text);
        if (script.statements().size() != 1) {
            throw new AssertionError("not one statement: " + Shape.of(script));
        }
        return Shape.of(script.statements().getFirst());
    }
}
