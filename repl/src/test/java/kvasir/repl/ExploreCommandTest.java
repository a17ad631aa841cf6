package kvasir.repl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import kvasir.scripts.RaceReport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code kvs explore} and {@code kvs merge}: the same whichever way a search is cut, and however often it is made. */
final class ExploreCommandTest {
    private static final String SCRIPTS = "../scripts/";

    @TempDir
    private Path folder;

    private record Ran(int exitCode, String text) {}

    private static Ran kvs(List<String> words) {
        var bytes = new ByteArrayOutputStream();
        int exitCode;
        try (var out = new PrintStream(bytes, false, StandardCharsets.UTF_8)) {
            exitCode = Main.run(words, new Console(out, out, false));
        }
        return new Ran(exitCode, bytes.toString(StandardCharsets.UTF_8));
    }

    private Path explore(String script, String report, String... options) {
        Path json = folder.resolve(report);
        var words = new ArrayList<>(List.of("explore", SCRIPTS + script, "--quiet", "--json", json.toString()));
        words.addAll(List.of(options));
        Ran ran = kvs(words);
        assertEquals(0, ran.exitCode(), ran.text());
        return json;
    }

    private static Ran merge(Stream<Path> reports, String... options) {
        var words = new ArrayList<>(List.of("merge"));
        reports.forEach(report -> words.add(report.toString()));
        words.addAll(List.of(options));
        return kvs(words);
    }

    /** All that a report says, but how often the kernel's code was run. */
    private static List<Object> found(Path report) throws IOException {
        var found = new ArrayList<Object>();
        for (RaceJson.Race race : RaceJson.read(Files.readString(report))) {
            RaceReport it = race.report();
            found.add(List.of(race.semantics(), it.text(), it.size(), it.lockOrder(), it.clauses(), it.endings()));
        }
        return found;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "races/good_q22_slot_delete_eagain.kvs",
                "races/bad_q22_slot_delete_retry.kvs",
                "races/good_q16_parallel_same.kvs",
                "races/bad_q35_initvcpu_vs_finalize.kvs",
                "races/bad_q22_by_random_walks.kvs",
                "js/18_race_with_faults.mjs"
            })
    void shardsTogetherFindWhatTheWholeSearchFinds(String script) throws IOException {
        assertEquals(found(explore(script, "whole.json")), found(merged(script)));
    }

    /** All ways of a race meet again, so shards that divide its states would each find nearly all of them. */
    @Test
    void aSearchOfStatesWithoutInvariantsIsOneShards() throws IOException {
        Path whole = explore("races/good_q37_populate_vs_fault.kvs", "whole.json");
        long states = 0;
        for (String shard : List.of("1/3", "2/3", "3/3")) {
            Path part = explore("races/good_q37_populate_vs_fault.kvs", shard.charAt(0) + ".json", "--shard", shard);
            states += size(part);
        }
        assertEquals(size(whole), states);
    }

    private static long size(Path report) throws IOException {
        return RaceJson.read(Files.readString(report)).stream()
                .mapToLong(race -> race.report().size())
                .sum();
    }

    /** A shard that did not ask where an invariant breaks goes on behind the break: only the counts may tell of that. */
    @Test
    void shardsTogetherFindEachBrokenInvariant() throws IOException {
        String script = "races/bad_r09_fault_into_an_invalid_root.kvs";
        Set<String> whole = ends(explore(script, "whole.json"));
        assertTrue(whole.stream().anyMatch(end -> end.contains("invariant violation: page_stats")), whole.toString());
        assertEquals(whole, ends(merged(script)));
    }

    /** Each race's ends, however often there are: semantics, race, preemptions of the first, kind, text. */
    private static Set<String> ends(Path report) throws IOException {
        var ends = new TreeSet<String>();
        for (RaceJson.Race race : RaceJson.read(Files.readString(report))) {
            for (RaceReport.Ending each : race.report().endings()) {
                ends.add("%s %s: %d %s %s"
                        .formatted(
                                race.semantics(), race.report().race(), each.preemptions(), each.kind(), each.text()));
            }
        }
        return ends;
    }

    private Path merged(String script) {
        Path merged = folder.resolve("merged.json");
        Ran ran = merge(
                Stream.of("1/3", "2/3", "3/3")
                        .map(shard -> explore(script, shard.charAt(0) + ".json", "--shard", shard)),
                "--json",
                merged.toString());
        assertEquals(0, ran.exitCode(), ran.text());
        return merged;
    }

    @ParameterizedTest
    @ValueSource(strings = {"races/good_q22_slot_delete_eagain.kvs", "js/16_race.mjs"})
    void twoSearchesWriteTheSameBytes(String script) throws IOException {
        byte[] once = Files.readAllBytes(explore(script, "once.json"));
        assertArrayEquals(once, Files.readAllBytes(explore(script, "again.json")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"races/bad_q22_slot_delete_retry.kvs", "js/16_race.mjs"})
    void aTokenReproducesItsSchedule(String script) throws IOException {
        RaceJson.Race race = RaceJson.read(Files.readString(explore(script, "all.json", "--semantics", "v6.16")))
                .getFirst();
        for (RaceReport.Ending ending : race.report().endings()) {
            List<String> replay = List.of(
                    "explore",
                    SCRIPTS + script,
                    "--semantics",
                    "v6.16",
                    "--filter",
                    race.report().race(),
                    "--replay",
                    ending.token());
            Ran once = kvs(replay);
            assertEquals(once, kvs(replay));
            String ends = once.text()
                    .lines()
                    .map(String::strip)
                    .filter(line -> line.startsWith("ends: "))
                    .findFirst()
                    .orElseThrow();
            if (ending.kind().equals("livelock")) {
                assertTrue(once.text().contains("... and so on, round and round"), once.text());
                assertEquals("ends: populate -, delete -", ends);
            } else {
                assertEquals("ends: " + ending.text(), ends);
            }
            long steps = once.text()
                    .lines()
                    .filter(line -> line.matches("[ >]+\\d+ .*"))
                    .count();
            assertEquals(ending.steps().size(), steps, once.text());
        }
    }

    /** Whoever has the whole search of a race tells what a JavaScript test asserts of it, and who has less says so. */
    @Test
    void assertionsAreToldWhereTheWholeSearchIs() throws IOException {
        Path script = folder.resolve("wrong.mjs");
        Files.writeString(script, """
                import { vm, assert, race, test } from "kvs";
                const plain = vm({ type: "default", vcpus: 2, memory: { range: "0 .. 2M", backing: "anon" } });
                const first = () => plain.vcpu0.map_memory("0 .. 4K");
                const second = () => plain.vcpu1.map_memory("4K .. 8K");
                const ends = (never) => race("ends", { first, second }, { never }).endings.length;
                test("states", () => assert.equal(ends([]), 7));
                test("invariants", () => assert.equal(ends(["invariant violation"]), 7));
                """);
        var words = List.of("explore", script.toString(), "--semantics", "v6.19", "--shard");
        Ran one = kvs(Stream.concat(words.stream(), Stream.of("1/2")).toList());
        Ran two = kvs(Stream.concat(words.stream(), Stream.of("2/2")).toList());
        assertEquals(Set.of(0, 4), Set.of(one.exitCode(), two.exitCode()), one.text() + two.text());
        Ran has = one.exitCode() == 4 ? one : two;
        Ran hasNot = one.exitCode() == 4 ? two : one;
        assertTrue(has.text().contains("these are not equal"), has.text());
        assertTrue(has.text().contains("0 passed, 1 failed, 1 skipped"), has.text());
        assertTrue(hasNot.text().contains("the race \"ends\" is searched by shard"), hasNot.text());
        assertTrue(hasNot.text().contains("of the race \"ends\" this shard has a part"), hasNot.text());
        assertTrue(hasNot.text().contains("0 passed, 0 failed, 2 skipped"), hasNot.text());
    }

    @Test
    void aMissingShardIsTold() {
        Path one = explore("races/good_q16_parallel_same.kvs", "1.json", "--shard", "1/2");
        Ran ran = merge(Stream.of(one));
        assertEquals(1, ran.exitCode());
        assertTrue(ran.text().contains("shard 2/2 is missing"), ran.text());
    }

    @Test
    void linesFitAMail() {
        for (String script : List.of("races/bad_q33_add_meets_init_vcpu.kvs", "races/bad_q22_slot_delete_retry.kvs")) {
            Ran ran = kvs(List.of("explore", SCRIPTS + script));
            ran.text().lines().forEach(line -> assertTrue(line.length() <= 80, line));
        }
    }
}
