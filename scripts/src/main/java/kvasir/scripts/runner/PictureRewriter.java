package kvasir.scripts.runner;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import kvasir.grammar.Span;
import kvasir.scripts.Failure;
import kvasir.scripts.RunListener;
import kvasir.scripts.nodes.Execution.PictureUpdate;

/** Puts the pictures that the machine shows in place of those in a script. */
final class PictureRewriter {
    private PictureRewriter() {}

    /** Rewrites files; a picture that two cases show differently is left alone and reported. */
    static List<Failure> rewrite(List<PictureUpdate> updates, RunListener listener) {
        Map<Span, PictureUpdate> byPlace = new LinkedHashMap<>();
        var failures = new ArrayList<Failure>();
        for (PictureUpdate update : updates) {
            PictureUpdate older = byPlace.putIfAbsent(update.span(), update);
            if (older != null && !older.shown().equals(update.shown())) {
                failures.add(Failure.of(
                        Failure.Kind.ASSERTION,
                        kvasir.grammar.Diagnostic.of(
                                        "E0505",
                                        update.span(),
                                        "this picture cannot be updated",
                                        "it looks different in different cases")
                                .help("give each semantics its own picture with `on`"),
                        List.of()));
            }
        }
        failures.forEach(
                failure -> byPlace.values().removeIf(update -> update.span().line() == failure.line()));
        Map<Path, List<PictureUpdate>> byFile = byPlace.values().stream()
                .collect(Collectors.groupingBy(
                        update -> Path.of(update.span().source().name()), LinkedHashMap::new, Collectors.toList()));
        byFile.forEach((file, list) -> rewrite(file, list, listener));
        return failures;
    }

    private static void rewrite(Path file, List<PictureUpdate> updates, RunListener listener) {
        updates.sort(
                Comparator.comparingInt((PictureUpdate update) -> update.span().start())
                        .reversed());
        var text = new StringBuilder(updates.getFirst().span().source().text());
        for (PictureUpdate update : updates) {
            Span span = update.span();
            text.replace(span.start(), span.end(), block(update.shown(), indentation(span)));
            listener.updated(file, span.line());
        }
        try {
            Files.writeString(file, text);
        } catch (IOException exception) {
            throw new UncheckedIOException(exception);
        }
    }

    private static String indentation(Span span) {
        String line = span.source().lineText(span.line());
        return line.substring(0, line.length() - line.stripLeading().length());
    }

    private static String block(String shown, String indentation) {
        var block = new StringBuilder("\"\"\"\n");
        shown.lines()
                .forEach(line -> block.append(line.isEmpty() ? "" : indentation + "    " + line)
                        .append('\n'));
        return block.append(indentation).append("\"\"\"").toString();
    }
}
