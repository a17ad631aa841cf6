package kvasir.scripts.translate;

import com.oracle.truffle.api.CallTarget;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.SourceFile;
import kvasir.grammar.Span;
import kvasir.scripts.Machines;

/**
 * A script with all it imports.
 *
 * @param topLevel runs the declarations, imports first where they stand
 * @param setups run after it, before each test
 * @param tests in source order; empty if the top level itself is the test
 * @param semantics those the script names; empty if it names none
 * @param customs semantics that the script puts together, all of them named in {@code semantics}
 * @param history whether events must be kept from the start
 * @param diagnostics what is wrong; a program with any is not run
 */
public record Program(
        SourceFile source,
        CallTarget topLevel,
        List<CallTarget> setups,
        List<Test> tests,
        List<String> semantics,
        List<Machines.Custom> customs,
        boolean history,
        List<Diagnostic> diagnostics) {
    /**
     * One test.
     *
     * @param body what runs; a test that is a race has more to run in its {@code race}
     * @param only the semantics of the {@code on} block around it, if any
     */
    public record Test(String name, Span span, Body body, Optional<Set<String>> only) {}

    /** What a test runs. */
    public sealed interface Body permits Statements, RaceBody {}

    /** Statements, one after another. */
    public record Statements(CallTarget target) implements Body {}

    /** The machine for a case under {@code semantics}. */
    public Machines.Choice choice(String semantics, long seed, long instructionBudget) {
        Optional<Machines.Custom> custom =
                customs.stream().filter(each -> each.name().equals(semantics)).findFirst();
        return new Machines.Choice(semantics, custom, seed, instructionBudget);
    }
}
