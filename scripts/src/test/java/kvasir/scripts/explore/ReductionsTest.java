package kvasir.scripts.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;
import kvasir.scripts.CaseResult;
import kvasir.scripts.ExploreOptions;
import kvasir.scripts.KvasirMachines;
import kvasir.scripts.RaceReport;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.ScriptRunner;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a search leaves out because it is the same as something else changes nothing that it finds: each race of the suite
 * has the same ends, by as few preemptions, and the same verdict, with and without symmetry and merging.
 */
final class ReductionsTest {
    private static final List<String> BOTH = List.of("symmetry", "merging");

    static Stream<Path> races() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("races"))) {
            return files.filter(file -> !file.getFileName().toString().contains("random")).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("races")
    void nothingIsFoundThatWasNotThereAndNothingIsMissed(Path script) {
        List<CaseResult> whole = run(script, BOTH);
        for (List<String> off : List.of(List.<String>of(), List.of("symmetry"), List.of("merging"))) {
            List<CaseResult> reduced = run(script, off);
            assertEquals(whole.size(), reduced.size());
            for (int i = 0; i < whole.size(); i++) {
                String what = whole.get(i).test() + " under " + whole.get(i).semantics() + " without " + off;
                RaceReport all = whole.get(i).race().orElseThrow();
                RaceReport some = reduced.get(i).race().orElseThrow();
                if (all.completeness().startsWith("bounded")) {
                    continue;
                }
                assertEquals(whole.get(i).verdict(), reduced.get(i).verdict(), what);
                assertEquals(ends(all), ends(some), what);
                assertEquals(all.lockInversion(), some.lockInversion(), what);
                assertTrue(some.size() <= all.size(), what + ": " + some.size() + " of " + all.size());
            }
        }
    }

    /** Every end, with the preemptions of its shortest schedule. */
    private static Map<String, Integer> ends(RaceReport report) {
        var ends = new TreeMap<String, Integer>();
        for (RaceReport.Ending each : report.endings()) {
            ends.merge(each.kind() + ": " + each.text() + " " + each.conditions(), each.preemptions(), Math::min);
        }
        return ends;
    }

    private static List<CaseResult> run(Path script, List<String> off) {
        var results = new ArrayList<CaseResult>();
        var explore =
                new ExploreOptions(OptionalInt.empty(), OptionalInt.empty(), Shard.ALL, Optional.empty(), true, off);
        new ScriptRunner(new KvasirMachines())
                .run(List.of(script), RunOptions.defaults().withExplore(explore), new RunListener() {
                    @Override
                    public void finished(CaseResult result) {
                        results.add(result);
                    }
                });
        return results;
    }
}
