package kvasir.scripts;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.DiagnosticPrinter;

/** The complete message of a failure: title, place, source line with carets, notes, help. */
final class FailureText {
    private static final DiagnosticPrinter PRINTER = new DiagnosticPrinter(false);

    private FailureText() {}

    static String of(Diagnostic diagnostic, List<String> notes) {
        var bare = new Diagnostic(
                diagnostic.code(), diagnostic.span(), diagnostic.message(), diagnostic.reason(), Optional.empty());
        String margin = " ".repeat(Integer.toString(diagnostic.span().line()).length());
        var lines = new ArrayList<String>(PRINTER.print(bare).lines().toList());
        for (String note : notes) {
            List<String> parts = note.lines().toList();
            lines.add(margin + " = " + parts.getFirst());
            for (String more : parts.subList(1, parts.size())) {
                lines.add(margin + "   " + more);
            }
        }
        diagnostic.help().ifPresent(help -> lines.add(margin + " = help: " + help));
        return String.join("\n", lines);
    }
}
