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

    static Explanations explanations() {
        return ScriptExplanations.all();
    }
}
