package kvasir.scripts.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.RaceReport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A search that takes one of several mirror images finds what a search of all of them finds: each end with its count, by as
 * few preemptions, also where the claims tell the tasks apart.
 */
final class SymmetryTest {
    @TempDir
    Path folder;

    private RaceReport search(String text, List<String> off) throws IOException {
        return result(text, off).races().getFirst();
    }

    private CaseResult result(String text, List<String> off) throws IOException {
        Path script = folder.resolve("race.kvs");
        Files.writeString(script, text);
        return Races.run(script, off).getFirst();
    }

    private static Map<String, String> ends(RaceReport report) {
        var ends = new TreeMap<String, String>();
        for (RaceReport.Ending each : report.endings()) {
            ends.put(
                    each.kind() + ": " + each.text() + " " + each.conditions(),
                    each.count() + " schedules, " + each.preemptions() + " preemptions");
        }
        return ends;
    }

    private void same(String text, String interchangeable) throws IOException {
        RaceReport all = search(text, List.of("symmetry", "merging"));
        RaceReport some = search(text, List.of("merging"));
        assertEquals(ends(all), ends(some));
        assertEquals(
                all.completeness().replaceAll("[0-9,]+ states", ""),
                some.completeness().replaceAll("[0-9,]+ states", ""));
        assertEquals(
                List.of("symmetry: " + interchangeable
                        + " are interchangeable; of states that are mirror images one was searched"),
                some.reductions());
        assertTrue(some.size() < all.size() * 2 / 3, some.size() + " of " + all.size());
        assertEquals(List.of(), all.reductions());
    }

    @Test
    void outcomesThatTellTheTasksApartAreAllThere() throws IOException {
        same("""
                semantics rfc
                vm td = tdx {
                    vcpus 2
                    memory 0 .. 64M private
                }
                setup {
                    let source = td.host.mmap(4K)
                    td.vcpu0.map_memory 4K .. 8K flags 9 source source
                    td.vcpu1.map_memory 8K .. 12K flags 9 source source
                }
                race "one page, two callers" {
                    a: td.vcpu0.map_memory 0 .. 4K flags 9 source source
                    b: td.vcpu1.map_memory 0 .. 4K flags 9 source source
                } explore { preemptions 2 }
                never a is ok and b is EAGAIN
                """, "a, b");
    }

    @Test
    void aBugIsFoundByAsFewPreemptions() throws IOException {
        same("""
                semantics broken from v6.19 { breaks spte_cmpxchg }
                vm plain = default {
                    vcpus 2
                    memory 0 .. 2M backing anon
                }
                race "one page, two vCPUs" {
                    first:  plain.vcpu0.map_memory 0 .. 4K
                    second: plain.vcpu1.map_memory 0 .. 4K
                } explore { preemptions 1 }
                never invariant violation
                """, "first, second");
    }

    @Test
    void threeTasksHaveSixOrders() throws IOException {
        String text = """
                semantics v6.19
                vm plain = default {
                    vcpus 3
                    memory 0 .. 2M backing anon
                }
                race "one page, three vCPUs" {
                    a: plain.vcpu0.map_memory 0 .. 4K
                    b: plain.vcpu1.map_memory 0 .. 4K
                    c: plain.vcpu2.map_memory 0 .. 4K
                } explore { preemptions 1 }
                never deadlock
                """;
        same(text, "a, b, c");
    }

    @Test
    void tasksThatOnlyLookAlikeAreTakenAsTheyAre() throws IOException {
        RaceReport report = search("""
                semantics v6.19
                vm plain = default {
                    vcpus 3
                    memory 0 .. 4M backing anon
                }
                race "two the same, one elsewhere" {
                    first:  plain.vcpu0.map_memory 0 .. 4K
                    other:  plain.vcpu1.map_memory 2M .. 2M + 4K
                    second: plain.vcpu2.map_memory 0 .. 4K
                } explore { preemptions 1 }
                never deadlock
                """, List.of());
        assertTrue(report.text().contains("symmetry: first, second are interchangeable"), report.text());
    }

    @Test
    void theScriptCanSwitchItOff() throws IOException {
        String text = """
                semantics v6.19
                vm plain = default {
                    vcpus 2
                    memory 0 .. 2M backing anon
                }
                race "one page" {
                    a: plain.vcpu0.map_memory 0 .. 4K
                    b: plain.vcpu1.map_memory 0 .. 4K
                } explore {
                    preemptions 1
                    symmetry off
                    merging off
                }
                never deadlock
                """;
        assertEquals(List.of(), search(text, List.of()).reductions());
        Path script = folder.resolve("wrong.kvs");
        Files.writeString(script, text.replace("symmetry off", "symmetry perhaps"));
        assertEquals(
                List.of("`symmetry` is `on` or `off`"),
                Races.rejections(script).stream().map(Failure::title).toList());
    }
}
