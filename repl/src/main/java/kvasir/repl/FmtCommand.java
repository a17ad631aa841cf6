package kvasir.repl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import kvasir.grammar.DiagnosticPrinter;
import kvasir.grammar.Formatter;
import kvasir.grammar.Kvs;
import kvasir.grammar.SourceFile;
import kvasir.scripts.RunSummary;
import kvasir.scripts.runner.ScriptFiles;

/** {@code kvs fmt}. */
final class FmtCommand {
    private FmtCommand() {}

    static int run(CommandLine line, Console console) {
        int code = 0;
        List<Path> paths = line.operands().stream().map(Path::of).toList();
        for (Path file : ScriptFiles.expand(paths)) {
            code = RunSummary.worse(code, one(file, line.has("--check"), console));
        }
        return code;
    }

    private static int one(Path file, boolean checkOnly, Console console) {
        return switch (ScriptFiles.read(file)) {
            case ScriptFiles.Content.Unreadable(var failure) -> {
                console.err().println(failure.text());
                yield 1;
            }
            case ScriptFiles.Content.Text(String text) -> {
                var source = new SourceFile(file.toString(), text);
                Optional<String> laidOut = Formatter.format(source);
                if (laidOut.isEmpty()) {
                    console.out()
                            .print(new DiagnosticPrinter(console.colours())
                                    .print(Kvs.parse(source).diagnostics()));
                    yield 2;
                }
                if (laidOut.get().equals(text)) {
                    yield 0;
                }
                console.out().println(checkOnly ? file + " is not in the canonical layout" : "formatted " + file);
                yield checkOnly ? 2 : write(file, laidOut.get(), console);
            }
        };
    }

    private static int write(Path file, String text, Console console) {
        try {
            Files.writeString(file, text);
            return 0;
        } catch (IOException e) {
            console.err().println("kvs: cannot write " + file + ": " + e.getMessage());
            return 1;
        }
    }
}
