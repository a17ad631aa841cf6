package kvasir.repl;

import kvasir.scripts.LockstepTool;

/** {@code kvs lockstep}. */
final class LockstepCommand {
    private LockstepCommand() {}

    static int run(CommandLine line, Console console) {
        return new LockstepTool(line.options()).run(line.operands().stream().findFirst(), console.out(), console.err());
    }
}
