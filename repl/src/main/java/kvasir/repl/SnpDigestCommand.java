package kvasir.repl;

import kvasir.scripts.SnpDigestTool;

/** {@code kvs snp-digest}. */
final class SnpDigestCommand {
    private SnpDigestCommand() {}

    static int run(CommandLine line, Console console) {
        SnpDigestTool.Answer answer =
                new SnpDigestTool(line.options()).run(line.operands().getFirst());
        if (answer.refused()) {
            console.err().println("kvs: " + answer.text());
            return 1;
        }
        console.out().println(answer.text());
        return 0;
    }
}
