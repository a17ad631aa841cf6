package kvasir.scripts;

import java.util.List;

/**
 * How to run scripts.
 *
 * @param filter run only tests whose {@code file: name} contains this text; empty runs all
 * @param semantics run only under these; empty runs under those each script names
 * @param trace hand every event to {@link RunListener#event}
 * @param update rewrite the {@code shows} pictures that differ, in the files
 * @param seed of everything random in the machine
 * @param instructionBudget guest instructions that one {@code run} may retire
 * @param explore how races are explored
 * @param invariants check what must always hold after every event, whether or not a script says {@code invariants on}
 */
public record RunOptions(
        String filter,
        List<String> semantics,
        boolean trace,
        boolean update,
        long seed,
        long instructionBudget,
        ExploreOptions explore,
        boolean invariants) {
    /** Guest instructions that one {@code run} may retire unless told otherwise. */
    public static final long DEFAULT_BUDGET = 100_000_000;

    /** Everything, as the scripts say. */
    public static RunOptions defaults() {
        return new RunOptions("", List.of(), false, false, 1, DEFAULT_BUDGET, ExploreOptions.DEFAULT, false);
    }

    /** These options with another filter. */
    public RunOptions withFilter(String text) {
        return new RunOptions(text, semantics, trace, update, seed, instructionBudget, explore, invariants);
    }

    /** These options restricted to some semantics. */
    public RunOptions withSemantics(List<String> names) {
        return new RunOptions(filter, List.copyOf(names), trace, update, seed, instructionBudget, explore, invariants);
    }

    /** These options with or without the event stream. */
    public RunOptions withTrace(boolean on) {
        return new RunOptions(filter, semantics, on, update, seed, instructionBudget, explore, invariants);
    }

    /** These options with or without rewriting pictures. */
    public RunOptions withUpdate(boolean on) {
        return new RunOptions(filter, semantics, trace, on, seed, instructionBudget, explore, invariants);
    }

    /** These options with another way to explore races. */
    public RunOptions withExplore(ExploreOptions how) {
        return new RunOptions(filter, semantics, trace, update, seed, instructionBudget, how, invariants);
    }

    /** These options with another seed. */
    public RunOptions withSeed(long value) {
        return new RunOptions(filter, semantics, trace, update, value, instructionBudget, explore, invariants);
    }

    /** These options with or without the check of invariants. */
    public RunOptions withInvariants(boolean on) {
        return new RunOptions(filter, semantics, trace, update, seed, instructionBudget, explore, on);
    }

    /** These options with another budget. */
    public RunOptions withInstructionBudget(long instructions) {
        return new RunOptions(filter, semantics, trace, update, seed, instructions, explore, invariants);
    }
}
