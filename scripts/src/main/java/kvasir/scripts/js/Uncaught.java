package kvasir.scripts.js;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.DiagnosticPrinter;
import kvasir.grammar.SourceFile;
import kvasir.grammar.Span;
import kvasir.metal.memory.HostMemoryExhausted;
import kvasir.registry.Outcome;
import kvasir.scripts.Failure;
import kvasir.scripts.InstalledFiles;
import kvasir.scripts.binding.Values;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.SourceSection;
import org.graalvm.polyglot.Value;

/** An exception that left a script, made a failure with its place in the script. */
record Uncaught(Path file, PolyglotException exception) {
    private static final DiagnosticPrinter PRINTER = new DiagnosticPrinter(false);

    /** Where something happened, from 1; 0 if it is about no line. */
    private record Place(Path file, int line, int column, int length) {}

    Failure failure() {
        List<Place> places = places();
        Place place = places.isEmpty() ? new Place(file, 0, 0, 0) : places.getFirst();
        if (exception.isCancelled() || exception.isInterrupted()) {
            return failure(Failure.Kind.INTERRUPTED, "interrupted", place, List.of());
        }
        if (exception.isHostException()) {
            Throwable bug = exception.asHostException();
            if (bug instanceof HostMemoryExhausted exhausted) {
                return failure(
                        Failure.Kind.MACHINE,
                        "out of memory: " + exhausted.said(),
                        place,
                        List.of("help: " + exhausted.help()));
            }
            StackTraceElement[] stack = bug.getStackTrace();
            String where = stack.length == 0 ? "an unknown place" : stack[0].toString();
            return failure(
                    Failure.Kind.BUG,
                    "this is a bug in Kvasir: " + bug,
                    place,
                    List.of("at: " + where, "help: please report it with this script"));
        }
        if (exception.isSyntaxError()) {
            String first = message().lines().findFirst().orElse("");
            return failure(
                    Failure.Kind.SYNTAX, first.replaceFirst("^SyntaxError: (\\S+:\\d+:\\d+ )?", ""), place, List.of());
        }
        Value error = exception.getGuestObject();
        // Not toString: outside of the context it gives something else than the text.
        String name = error != null
                        && error.hasMember("name")
                        && error.getMember("name").isString()
                ? error.getMember("name").asString()
                : "";
        var notes = new ArrayList<String>();
        places.stream().skip(1).forEach(caller -> notes.add("called from: " + caller.file + ":" + caller.line));
        return switch (name) {
            case "AssertionError" -> {
                Value own = error.getMember("notes");
                for (long i = own.getArraySize() - 1; i >= 0; i--) {
                    notes.addFirst(own.getArrayElement(i).asString());
                }
                yield failure(
                        Failure.Kind.ASSERTION,
                        "E0501",
                        error.getMember("message").asString(),
                        place,
                        notes);
            }
            case "KvsError" ->
                failure(
                        Failure.Kind.SCRIPT,
                        error.getMember("code").asString(),
                        error.getMember("message").asString(),
                        place,
                        notes);
            default ->
                message().startsWith("Error: Cannot find module")
                        ? failure(Failure.Kind.STATIC, message().substring("Error: ".length()), place, notes)
                        : failure(Failure.Kind.SCRIPT, "uncaught " + message(), place, notes);
        };
    }

    /** Why the case is skipped, if what was thrown says that a file is not installed. */
    Optional<String> absence() {
        Value error = exception.getGuestObject();
        return error != null
                        && error.hasMember("code")
                        && error.getMember("code").isString()
                        && error.getMember("code").asString().equals(InstalledFiles.ABSENT)
                ? Optional.of(error.getMember("message").asString())
                : Optional.empty();
    }

    private String message() {
        return String.valueOf(exception.getMessage());
    }

    /** Frames of the script, innermost first; those of {@code kvs.mjs} and of Java are left out. */
    private List<Place> places() {
        var places = new ArrayList<Place>();
        if (exception.isSyntaxError() && exception.getSourceLocation() != null) {
            places.add(place(exception.getSourceLocation()));
        }
        for (PolyglotException.StackFrame frame : exception.getPolyglotStackTrace()) {
            SourceSection section = frame.isGuestFrame() ? frame.getSourceLocation() : null;
            if (section != null
                    && section.getSource().getPath() != null
                    && !section.getSource().getPath().equals(ScriptFiles.LIBRARY.toString())) {
                places.add(place(section));
            }
        }
        return places;
    }

    private Place place(SourceSection section) {
        String path = section.getSource().getPath();
        Path named = path == null || sameFile(Path.of(path)) ? file : Path.of(path);
        return new Place(named, section.getStartLine(), section.getStartColumn(), section.getCharLength());
    }

    private boolean sameFile(Path path) {
        try {
            return Files.isSameFile(path, file);
        } catch (IOException e) {
            return false;
        }
    }

    /** That a failed outcome went unseen. */
    static Failure unread(Path file, OutcomeView view) {
        int colon = view.place().lastIndexOf(':');
        int line = colon < 0 ? 0 : Integer.parseInt(view.place().substring(colon + 1));
        var notes = new ArrayList<String>();
        if (view.peek() instanceof Outcome.Failed failed) {
            notes.add("reason: " + failed.reason());
        }
        notes.add("help: assert it: assert.outcome(result, \"" + view.peek().name() + "\")");
        return failure(
                Failure.Kind.ASSERTION,
                "E0502",
                "the operation failed with " + Values.outcome(view.peek()) + ", and the script did not look",
                new Place(file, line, 1, 0),
                notes);
    }

    private static Failure failure(Failure.Kind kind, String message, Place place, List<String> notes) {
        return failure(kind, "E0510", message, place, notes);
    }

    private static Failure failure(Failure.Kind kind, String code, String message, Place place, List<String> notes) {
        var lines = new ArrayList<String>();
        Optional<Span> span = span(place);
        if (span.isPresent()) {
            lines.addAll(PRINTER.print(Diagnostic.of(code, span.get(), message, ""))
                    .lines()
                    .map(String::stripTrailing)
                    .toList());
        } else {
            lines.add("error[" + code + "]: " + message);
            if (place.line > 0) {
                lines.add(" --> " + place.file + ":" + place.line);
            }
        }
        String margin = " ".repeat(Integer.toString(place.line).length());
        for (String note : notes) {
            lines.add(margin + " = " + note.replace("\n", "\n" + margin + "   "));
        }
        return new Failure(kind, message, place.file, place.line, place.column, String.join("\n", lines));
    }

    private static Optional<Span> span(Place place) {
        try {
            var source = new SourceFile(place.file.toString(), Files.readString(place.file));
            if (place.line == 0 || place.line > source.lines()) {
                return Optional.empty();
            }
            int start = source.lineStart(place.line) + place.column - 1;
            int end = place.length == 0
                    ? start + source.lineText(place.line).stripTrailing().length()
                    : start + place.length;
            return Optional.of(source.span(start, Math.min(end, source.text().length())));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
