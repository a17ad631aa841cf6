package kvasir.scripts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The language itself, on a machine of a few lines. */
final class EngineTest {
    @TempDir
    Path folder;

    private record Outcome(RunSummary summary, List<CaseResult> cases, List<Failure> rejected) {
        String verdicts() {
            var text = new ArrayList<String>();
            cases.forEach(each -> text.add(each.test() + "/" + each.semantics() + " " + each.verdict()));
            return String.join(", ", text);
        }
    }

    private Outcome run(String text, RunOptions options) {
        return run(write("script.kvs", text), options);
    }

    private Outcome run(String text) {
        return run(text, RunOptions.defaults());
    }

    private static Outcome run(Path file, RunOptions options) {
        var cases = new ArrayList<CaseResult>();
        var rejected = new ArrayList<Failure>();
        RunSummary summary = new ScriptRunner(new FakeMachines()).run(List.of(file), options, new RunListener() {
            @Override
            public void rejected(Path path, Failure failure) {
                rejected.add(failure);
            }

            @Override
            public void finished(CaseResult result) {
                cases.add(result);
            }
        });
        return new Outcome(summary, cases, rejected);
    }

    private Path write(String name, String text) {
        try {
            return Files.writeString(folder.resolve(name), text);
        } catch (IOException exception) {
            throw new AssertionError(exception);
        }
    }

    private static void passes(Outcome outcome) {
        assertEquals(List.of(), outcome.rejected().stream().map(Failure::text).toList());
        assertEquals(
                List.of(),
                outcome.cases().stream()
                        .flatMap(each -> each.failure().stream())
                        .map(Failure::text)
                        .toList());
        assertEquals(0, outcome.summary().exitCode());
    }

    @Test
    void arithmeticIsUnsignedAndModulo2To64() {
        passes(run("""
                test "numbers" {
                    assert 0 - 1 == 0xffff_ffff_ffff_ffff
                    assert 0 - 1 > 1
                    assert (0 - 1) / 2 == 0x7fff_ffff_ffff_ffff
                    assert 2M + 4K == 0x201000
                    assert ~0 % 10 == 5
                    assert 1 << 63 == 0x8000_0000_0000_0000
                    assert 1 << 64 == 0
                    assert (0 .. 2M).size == 2M
                    assert min(3, 1, 2) == 1 and max(3, 1, 2) == 3
                    let bytes = hex"0a0b0c"
                    assert bytes[1] == 0xb
                    let list = [1, 2, 3]
                    assert list[1 .. 3] == [2, 3]
                    let record = { a: 1 }
                    assert record.a == 1
                }
                """));
    }

    @Test
    void eachCaseHasAMachineOfItsOwnAndSeesWhatSetupDeclares() {
        Outcome outcome = run("""
                semantics sean, v6.16
                vm td = plain { vcpus 1 memory 0 .. 1M }
                setup { let before = td.mrtd }
                test "one" {
                    td.vcpu0.map_memory 0 .. 4K
                    assert td.mrtd != before
                }
                test "two" { assert td.mrtd == before }
                """);
        passes(outcome);
        assertEquals("one/sean PASSED, one/v6.16 PASSED, two/sean PASSED, two/v6.16 PASSED", outcome.verdicts());
    }

    @Test
    void aScriptWithoutTestsIsOneTest() {
        Outcome outcome = run("show 4K\nshow \"text\"\n");
        passes(outcome);
        assertEquals("script", outcome.cases().getFirst().test());
        assertEquals(List.of("0x1000 (4K)", "text"), outcome.cases().getFirst().output());
    }

    @Test
    void outcomeRowsChooseBySemantics() {
        passes(run("""
                semantics old, sean
                vm td = plain { vcpus 1 memory 0 .. 1M }
                test "rows" {
                    td.vcpu0.map_memory 0 .. 4K
                        on old  -> EOPNOTSUPP
                        on sean -> ok left 0
                    td.vcpu0.map_memory 0 .. 4K -> ok or error
                    on old { assert td.ept[0] is empty }
                    on sean { assert td.ept[0] is leaf(4K, rwx, pfn: 0) }
                    td.vcpu0.run -> HLT
                }
                """));
    }

    @Test
    void functionsLoopsAndBranches() {
        passes(run("""
                fn sum(n) {
                    if n == 0 { return 0 }
                    return n + sum(n - 1)
                }
                fn even(n) = n % 2 == 0
                vm td = plain { vcpus 1 memory 0 .. 1M }
                test "control" {
                    assert sum(4) == 10
                    assert even(4) and not even(5)
                    for gpa in 0 .. 16K step 4K {
                        if gpa < 8K { td.vcpu0.map_memory gpa .. gpa + 4K } else { show gpa }
                    }
                    assert td.ept[4K] is leaf
                    assert td.ept[8K] is empty
                }
                """));
    }

    @Test
    void recursionIsBounded() {
        Outcome outcome = run("fn f(n) = f(n + 1)\ntest \"deep\" { assert f(0) == 0 }\n");
        assertEquals(3, outcome.summary().exitCode());
        assertEquals(
                "functions call each other too deep",
                outcome.cases().getFirst().failure().get().title());
    }

    @Test
    void importsAreReadOnceAndCirclesRefused() {
        write("base.kvs", "vm td = plain { vcpus 1 memory 0 .. 1M }\nlet page = 4K\nfn twice(n) = 2 * n\n");
        write("more.kvs", "import \"base.kvs\"\nlet two = twice(1)\n");
        passes(run("""
                import "base.kvs"
                import { two as zwei } from "more.kvs"
                test "imported" { assert page * zwei == twice(page) }
                """));
        write("a.kvs", "import \"b.kvs\"\n");
        Path b = write("b.kvs", "import \"a.kvs\"\n");
        Outcome circle = run(b, RunOptions.defaults());
        assertEquals(2, circle.summary().exitCode());
        assertTrue(circle.rejected().getFirst().text().contains("imports go round in a circle"));
    }

    @Test
    void filterAndSemanticsSelectCases() {
        String text = """
                semantics old, sean
                test "one" { assert true }
                test "two" { assert true }
                """;
        assertEquals(
                "two/old PASSED, two/sean PASSED",
                run(text, RunOptions.defaults().withFilter("two")).verdicts());
        assertEquals(
                "one/sean PASSED, two/sean PASSED",
                run(text, RunOptions.defaults().withSemantics(List.of("sean"))).verdicts());
        Outcome other = run(text, RunOptions.defaults().withSemantics(List.of("v6.16")));
        assertEquals("0 passed, 0 failed, 2 skipped", other.summary().closingLine());
        assertEquals(
                1,
                run(text, RunOptions.defaults().withFilter("three")).summary().exitCode());
        assertEquals(
                1,
                run(text, RunOptions.defaults().withSemantics(List.of("v7")))
                        .summary()
                        .exitCode());
    }

    @Test
    void updateRewritesPictures() throws IOException {
        String text = """
                vm td = plain { vcpus 1 memory 0 .. 1M }
                test "picture" {
                    td.vcpu0.map_memory 0 .. 8K
                    assert td.ept shows \"""
                        old
                    \"""
                    assert td.ept[0] is leaf
                }
                """;
        assertEquals(4, run(text).summary().exitCode());
        assertEquals(
                0, run(text, RunOptions.defaults().withUpdate(true)).summary().exitCode());
        assertEquals(
                text.replace("old\n", "0x00000000 4K rwx\n        0x00001000 4K rwx\n"),
                Files.readString(folder.resolve("script.kvs")));
        assertEquals(
                0,
                run(folder.resolve("script.kvs"), RunOptions.defaults())
                        .summary()
                        .exitCode());
    }

    @Test
    void traceHandsOutEveryEvent() {
        var events = new ArrayList<String>();
        Path file = write("t.kvs", "vm td = plain { vcpus 1 memory 0 .. 1M }\ntd.vcpu0.map_memory 0 .. 8K\n");
        new ScriptRunner(new FakeMachines())
                .run(List.of(file), RunOptions.defaults().withTrace(true), new RunListener() {
                    @Override
                    public void event(long sequence, kvasir.event.Event event) {
                        events.add(sequence + " " + event.describe());
                    }
                });
        assertEquals(List.of("1 spte td.ept[0x0] 4K installed", "2 spte td.ept[0x1000] 4K installed"), events);
    }

    @Test
    void whyTellsTheStory() {
        Outcome outcome = run("""
                vm td = plain { vcpus 1 memory 0 .. 1M }
                td.vcpu0.map_memory 0 .. 8K
                show why(td.ept[0x1000])
                """);
        assertEquals(
                List.of("#2 spte td.ept[0x1000] 4K installed"),
                outcome.cases().getFirst().output());
    }

    @Test
    void answersFillTheMatrix() {
        Path file = write("q01.kvs", """
                // q01: is the call there?
                semantics old, sean
                vm td = plain { vcpus 1 memory 0 .. 1M }
                test "ask" {
                    let outcome = td.vcpu0.map_memory 0 .. 4K
                    answer outcome
                }
                """);
        Matrix.Table table =
                new Matrix(new FakeMachines()).run(List.of(file), RunOptions.defaults(), RunListener.SILENT);
        assertEquals("""
                q01: is the call there?
                    old   EOPNOTSUPP
                    sean  ok left 0""", Matrix.text(table));
    }

    @Test
    void withoutAnswersTheMatrixShowsTheFirstStatedOutcomeAsObserved() {
        Path file = write("q02.kvs", """
                // q02: how far does it come?
                semantics old, sean
                vm td = plain { vcpus 1 memory 0 .. 1M }
                setup { td.vcpu0.run -> HLT }
                test "ask" { td.vcpu0.map_memory 0 .. 2M -> _ }
                test "more" { td.vcpu0.run -> HLT }
                """);
        Matrix.Table table =
                new Matrix(new FakeMachines()).run(List.of(file), RunOptions.defaults(), RunListener.SILENT);
        assertEquals("""
                q02: how far does it come?
                    old   EOPNOTSUPP
                    sean  ok left 1M""", Matrix.text(table));
    }

    @Test
    void aSessionKeepsItsState() {
        try (var session =
                new Session(new FakeMachines(), new Machines.Choice("sean", 1, RunOptions.DEFAULT_BUDGET), folder)) {
            assertInstanceOf(Session.Reply.Incomplete.class, session.evaluate("vm td = plain {"));
            assertEquals(
                    new Session.Reply.Done(List.of()), session.evaluate("vm td = plain { vcpus 2 memory 0 .. 1M }"));
            assertEquals(new Session.Reply.Done(List.of("ok left 0")), session.evaluate("td.vcpu0.map_memory 0 .. 8K"));
            assertEquals(new Session.Reply.Done(List.of("leaf(4K, rwx)")), session.evaluate("td.ept[0x1000]"));
            assertEquals(new Session.Reply.Done(List.of("3")), session.evaluate("1 + 2"));
            assertEquals(new Session.Reply.Done(List.of()), session.evaluate("let x = 5"));
            assertEquals(new Session.Reply.Done(List.of()), session.evaluate("let x = 6"));
            assertEquals(new Session.Reply.Done(List.of("6")), session.evaluate("x"));
            var refused = assertInstanceOf(Session.Reply.Refused.class, session.evaluate("let y = td.vcpu0.fly"));
            assertTrue(refused.failures().getFirst().text().contains("has no `fly`"));
            assertInstanceOf(Session.Reply.Refused.class, session.evaluate("y"));
            assertEquals(
                    List.of("map_memory"),
                    session.complete("td.vcpu0.map", 12).candidates().stream()
                            .map(Session.Candidate::text)
                            .toList());
            assertEquals(
                    List.of("vcpus", "vcpu0", "vcpu1"),
                    session.complete("show td.vc", 10).candidates().stream()
                            .map(Session.Candidate::text)
                            .toList());
            assertTrue(session.help("td.vcpu0.map_memory", 15).orElse("").startsWith("map_memory <range>\n"));
        }
    }

    @Test
    void anInterruptedRunEndsWith130() {
        var runner = new ScriptRunner(new FakeMachines());
        Path file = write("long.kvs", "test \"a\" { for i in 0 .. 1T { let j = i } }\ntest \"b\" { assert true }\n");
        var summary = runner.run(List.of(file), RunOptions.defaults(), new RunListener() {
            @Override
            public void started(Path path, String test, String semantics) {
                runner.interrupt();
            }
        });
        assertEquals(130, summary.exitCode());
    }
}
