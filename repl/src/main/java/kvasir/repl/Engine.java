package kvasir.repl;

import kvasir.grammar.Explanations;
import kvasir.scripts.KvasirMachines;
import kvasir.scripts.Machines;
import kvasir.scripts.ScriptExplanations;

/** The one place where the command gets what its scripts drive. */
final class Engine {
    private static final Machines MACHINES = new KvasirMachines();

    private Engine() {}

    static Machines machines() {
        return MACHINES;
    }

    /** What {@code --engine} asks for. */
    static Machines machines(CommandLine line) {
        return line.value("--engine").<Machines>map(KvasirMachines::executedBy).orElse(MACHINES);
    }

    static Explanations explanations() {
        return ScriptExplanations.all();
    }
}
