package kvasir.repl;

import kvasir.scripts.KvasirMachines;
import kvasir.scripts.Machines;

/** The one place where the command gets what its scripts drive. */
final class Engine {
    private Engine() {}

    static Machines machines() {
        return new KvasirMachines();
    }
}
