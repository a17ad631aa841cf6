package kvasir.scripts.explore;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import kvasir.scripts.CaseResult;
import kvasir.scripts.ExploreOptions;
import kvasir.scripts.Failure;
import kvasir.scripts.KvasirMachines;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.ScriptRunner;

/** Explores the races of a script. */
final class Races {
    private Races() {}

    /** @param off reductions that are switched off */
    static List<CaseResult> run(Path script, List<String> off) {
        return run(script, OptionalInt.empty(), off, false);
    }

    static List<CaseResult> run(Path script, OptionalInt preemptions, List<String> off, boolean invariants) {
        var results = new ArrayList<CaseResult>();
        var explore = new ExploreOptions(preemptions, OptionalInt.empty(), Shard.ALL, Optional.empty(), true, off);
        run(script, RunOptions.defaults().withExplore(explore).withInvariants(invariants), new RunListener() {
            @Override
            public void finished(CaseResult result) {
                results.add(result);
            }
        });
        return results;
    }

    /** What one schedule of a race prints under one semantics. */
    static String replay(Path script, String race, String semantics, String token) {
        var output = new ArrayList<String>();
        var explore = new ExploreOptions(
                OptionalInt.empty(), OptionalInt.empty(), Shard.ALL, Schedule.parse(token), true, List.of());
        run(script, RunOptions.defaults().withExplore(explore).withFilter(race), new RunListener() {
            @Override
            public void finished(CaseResult result) {
                if (result.semantics().equals(semantics) && result.test().equals(race)) {
                    output.addAll(result.output());
                }
            }
        });
        return String.join("\n", output);
    }

    /** What is wrong with a script that cannot be run. */
    static List<Failure> rejections(Path script) {
        var failures = new ArrayList<Failure>();
        run(script, RunOptions.defaults(), new RunListener() {
            @Override
            public void rejected(Path file, Failure failure) {
                failures.add(failure);
            }
        });
        return failures;
    }

    private static void run(Path script, RunOptions options, RunListener listener) {
        new ScriptRunner(new KvasirMachines()).run(List.of(script), options, listener);
    }
}
