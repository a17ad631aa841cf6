package kvasir.scripts;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import kvasir.grammar.Explanations;

/** What {@code kvs explain} tells about every code, the parser's and those of checking and running. */
public final class ScriptExplanations {
    private ScriptExplanations() {}

    /** All of them. */
    public static Explanations all() {
        try (InputStream stream = ScriptExplanations.class.getResourceAsStream("explanations.md")) {
            if (stream == null) {
                throw new IllegalStateException("explanations.md is not in the jar");
            }
            String text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            return Explanations.ofGrammar().and(Explanations.read(text));
        } catch (IOException exception) {
            throw new UncheckedIOException(exception);
        }
    }
}
