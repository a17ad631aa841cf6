package kvasir.scripts.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import kvasir.scripts.CaseResult;
import kvasir.scripts.ExploreOptions;
import kvasir.scripts.KvasirMachines;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.ScriptRunner;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Ten ways to break one line of the MMU's locking: each is caught by a script of the suite, by the clause that is about it.
 */
final class MmuRulesTest {
    private static final Path RACES = Path.of("races");

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "breaks stale_seq,            good_invalidate_vs_prefault, invariant violation",
        "breaks stale_range,          good_invalidate_vs_prefault, invariant violation",
        "breaks stale_under_lock,     good_invalidate_vs_prefault, invariant violation",
        "breaks fault_holds_mmu_lock, good_invalidate_vs_prefault, invariant violation",
        "breaks invalid_slot,         good_q22_slot_delete_eagain,     invariant violation",
        "invalid_slot spin,           good_q22_slot_delete_eagain,     livelock",
        "breaks spte_cmpxchg,         good_q16_parallel_same,      invariant violation",
        "root_reload false,           good_prefault_reloads_root,  livelock",
        "breaks yield_restarts,       good_zap_yields,             invariant violation",
        "breaks zap_flushes,          good_zap_yields,             flushed",
    })
    void aBrokenRuleIsCaught(String mutation, String script, String clause) throws IOException {
        String text = Files.readString(RACES.resolve(script + ".kvs"));
        Path broken = folder.resolve(script + ".kvs");
        Files.writeString(
                broken, text.replaceFirst("(?m)^semantics .*$", "semantics broken from v6.19 { " + mutation + " }"));
        List<CaseResult> results = run(broken, options(text));
        assertEquals(1, results.size());
        assertEquals(CaseResult.Verdict.FAILED, results.getFirst().verdict(), mutation);
        String failure = results.getFirst().failure().orElseThrow().text();
        assertTrue(failure.contains(clause), failure);
    }

    /** Two preemptions are enough for each; a script that says fewer means it. */
    private static RunOptions options(String text) {
        OptionalInt preemptions = text.contains("preemptions") ? OptionalInt.empty() : OptionalInt.of(2);
        return RunOptions.defaults()
                .withExplore(new ExploreOptions(
                        preemptions, OptionalInt.empty(), Shard.ALL, Optional.empty(), true, List.of()));
    }

    private static List<CaseResult> run(Path script, RunOptions options) {
        var results = new ArrayList<CaseResult>();
        new ScriptRunner(new KvasirMachines()).run(List.of(script), options, new RunListener() {
            @Override
            public void finished(CaseResult result) {
                results.add(result);
            }
        });
        return results;
    }
}
