package kvasir.scripts.nodes;

import java.util.List;
import java.util.Optional;
import kvasir.scripts.Failure;

/** Keeps scripts from running for ever and lets the user stop them. */
final class LoopGuard {
    private LoopGuard() {}

    /** Counts one step. */
    static void step(KvsNode node, Execution execution) {
        if (execution.interrupted()) {
            throw node.fault(
                    Failure.Kind.INTERRUPTED, "E0601", "interrupted", "it was here", Optional.empty(), List.of());
        }
        if (!execution.step()) {
            throw node.fault(
                    Failure.Kind.SCRIPT,
                    "E0409",
                    "the script goes on for too long",
                    "50,000,000 steps ended here",
                    Optional.of("what is this heavy is written in JavaScript"),
                    List.of());
        }
    }
}
