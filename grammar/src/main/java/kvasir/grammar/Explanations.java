package kvasir.grammar;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** What {@code kvs explain} tells about the codes of diagnostics. */
public final class Explanations {
    private static final Pattern SECTION = Pattern.compile("(?m)^# ");

    private final SortedMap<String, String> byCode;

    private Explanations(SortedMap<String, String> byCode) {
        this.byCode = byCode;
    }

    /** Those of the language itself, {@code E01..} and {@code E02..}. */
    public static Explanations ofGrammar() {
        try (InputStream stream = Explanations.class.getResourceAsStream("explanations.md")) {
            if (stream == null) {
                throw new IllegalStateException("explanations.md is not in the jar");
            }
            return read(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads sections that each begin with a line {@code # code title}. */
    public static Explanations read(String markdown) {
        SortedMap<String, String> byCode = new TreeMap<>();
        SECTION.splitAsStream(markdown)
                .filter(section -> !section.isBlank())
                .forEach(section -> byCode.put(section.substring(0, section.indexOf(' ')), section.strip() + "\n"));
        return new Explanations(byCode);
    }

    /** These and {@code others}. */
    public Explanations and(Explanations others) {
        SortedMap<String, String> all = new TreeMap<>(byCode);
        all.putAll(others.byCode);
        return new Explanations(all);
    }

    /** The title with the code before it, an empty line, and the text, for {@code E0204} or {@code e0204}. */
    public Optional<String> of(String code) {
        return Optional.ofNullable(byCode.get(code.toUpperCase(Locale.ROOT)));
    }

    /** All codes in order. */
    public List<String> codes() {
        return List.copyOf(byCode.keySet());
    }
}
