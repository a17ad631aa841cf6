package kvasir.repl;

import java.util.Optional;
import kvasir.grammar.Explanations;
import kvasir.scripts.binding.Spelling;

/** {@code kvs explain}. */
final class ExplainCommand {
    private ExplainCommand() {}

    static int run(CommandLine line, Console console) {
        String code = line.operands().getFirst();
        Explanations explanations = Engine.explanations();
        Optional<String> text = explanations.of(code);
        if (text.isPresent()) {
            console.out().println(text.get().strip());
            return 0;
        }
        console.err()
                .println("kvs: no error has the code `" + code + "`"
                        + Spelling.help(code, explanations.codes())
                                .map(help -> "; " + help)
                                .orElse(""));
        return 1;
    }
}
