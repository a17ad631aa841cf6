package kvasir.scripts.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;
import kvasir.scripts.CaseResult;
import kvasir.scripts.RaceReport;
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
        for (List<String> off : List.of(List.<String>of(), List.of("symmetry"))) {
            List<CaseResult> reduced = run(script, off);
            assertEquals(whole.size(), reduced.size());
            if (off.isEmpty()) {
                assertEquals(races(reduced), races(run(script, off)), "two searches are equal");
                everyTokenLeadsThere(script, reduced);
            }
            for (int i = 0; i < whole.size(); i++) {
                String what = whole.get(i).test() + " under " + whole.get(i).semantics() + " without " + off;
                RaceReport all = whole.get(i).races().getFirst();
                RaceReport some = reduced.get(i).races().getFirst();
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

    private static List<RaceReport> races(List<CaseResult> results) {
        return results.stream().map(result -> result.races().getFirst()).toList();
    }

    /** The schedule that a token stands for ends as the search said, each time. */
    private static void everyTokenLeadsThere(Path script, List<CaseResult> results) {
        RaceReport report = results.getFirst().races().getFirst();
        String semantics = results.getFirst().semantics();
        for (RaceReport.Ending ending : report.endings()) {
            String once = Races.replay(script, report.race(), semantics, ending.token());
            assertEquals(once, Races.replay(script, report.race(), semantics, ending.token()));
            assertTrue(
                    !ending.kind().equals("ended")
                            || once.replaceAll("\\s+", " ").contains("ends: " + ending.text()),
                    () -> ending.token() + " of " + ending.text() + ":\n" + once);
            long steps = once.lines()
                    .filter(line -> line.matches("(> |  )[ 0-9]{4}[0-9] {3}.*"))
                    .count();
            assertEquals(ending.steps().size(), steps, once);
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

    /** The two with three tasks have millions of states if nothing is left out: there one preemption must do. */
    private static List<CaseResult> run(Path script, List<String> off) {
        String name = script.getFileName().toString();
        return Races.run(script, name.contains("three") ? OptionalInt.of(1) : OptionalInt.empty(), off, false);
    }
}
