package kvasir.scripts.js;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.RunSummary;
import kvasir.scripts.ScriptRunner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JavaScriptRunnerTest {
    private final List<String> heard = new ArrayList<>();

    @TempDir
    private Path folder;

    private RunSummary run(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.writeString(file, text);
        var listener = new RunListener() {
            @Override
            public void rejected(Path path, Failure failure) {
                heard.add("rejected " + failure.kind() + "\n" + told(failure));
            }

            @Override
            public void finished(CaseResult result) {
                heard.add(result.verdict() + " " + result.test() + " (" + result.semantics() + ")");
                result.output().forEach(line -> heard.add("| " + line));
                result.failure().ifPresent(failure -> heard.add(failure.kind() + "\n" + told(failure)));
            }

            private String told(Failure failure) {
                return failure.text().replace(folder + "/", "");
            }
        };
        return new JavaScriptRunner(Shelf.MACHINES).run(List.of(file), RunOptions.defaults(), listener);
    }

    private void passes(String body) throws IOException {
        RunSummary summary =
                run("t.mjs", "import * as kvs from 'kvs'; const { vm, assert, range, show } = kvs;\n" + body);
        assertEquals(List.of("PASSED t.mjs (new)"), heard);
        assertEquals(0, summary.exitCode());
    }

    @Test
    void aWordThatNeedsNothingIsWrittenInFourWays() throws IOException {
        passes("""
                const bare = vm({ type: "shelf" }).size;
                for (const once of [true, {}, []])
                    assert.equal(vm({ type: "shelf", varnish: once }).size, bare + 1n);
                assert.equal(vm({ type: "shelf", varnish: false }).size, bare);
                assert.throws(() => vm({ type: "shelf", varnish: 3 }), "varnish");
                """);
    }

    @Test
    void quantitiesCrossWithoutLoss() throws IOException {
        passes("""
                const s = vm({ type: "shelf" });
                for (const q of [0n, 1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n, 0xffffffff81000000n]) {
                    const back = s.echo(q);
                    if (typeof back !== "bigint") throw new Error(typeof back);
                    if (back !== q) throw new Error(`${q} came back as ${back}`);
                }
                if (s.echo(2 ** 40) !== 1099511627776n) throw new Error("number");
                if (s.echo("64M") !== 67108864n) throw new Error("64M");
                if (s.echo("0xfee0_0000") !== 0xfee00000n) throw new Error("hex");
                if (s.facts.top !== 2n ** 64n - 1n) throw new Error("record");
                if (s.boxes[1] !== 2n || !Array.isArray(s.boxes)) throw new Error("list");
                """);
    }

    @Test
    void quantitiesThatAreNoneAreRefused() throws IOException {
        passes("""
                const s = vm({ type: "shelf" });
                assert.throws(() => s.echo(2 ** 53 + 2), "0x20000000000002n");
                assert.throws(() => s.echo(1.5), "1.5 is no integer");
                assert.throws(() => s.echo(-1), "-1 is outside 0 .. 2^64");
                assert.throws(() => s.echo(2n ** 64n), "outside");
                assert.throws(() => s.echo("12 monkeys"), "no quantity");
                assert.throws(() => s.echo(), "`value` is missing");
                assert.throws(() => s.ecko(1), "did you mean `echo`?");
                assert.throws(() => s.put(0, 1, { vallue: 1 }), "did you mean `value`?");
                assert.throws(() => vm({ type: "shel" }), "did you mean `shelf`?");
                assert.throws(() => vm({ type: "shelf", memry: 1 }), "did you mean `memory`?");
                """);
    }

    @Test
    void argumentsComeByPositionAndByName() throws IOException {
        passes("""
                const s = vm({ type: "shelf", size: "4K", memory: [{ gpa: 0x10, size: 16, private: true }, [0x40, 0x50]] });
                assert.equal(s.size, 4096);
                assert.shows(s, "10 = 1\\n40 = 0");
                assert.outcome(s.put(0x1000, 0x2000), "ok", { left: 0 });
                assert.outcome(s.put(range("0x2000 .. 0x3000"), { value: "1G", quietly: true }), "ok", { left: 1 });
                assert.outcome(s.put({ gpa: 0x3000, size: "4K" }), "ok");
                assert.outcome(s.put("0 .. 4K"), "ok");
                assert.outcome(s.put(5, 5), "EINVAL");
                assert.equal(s[0x2000].value, 1n << 30n);
                assert.equal(s[0x2000n].name, "full");
                assert.equal(`${s[0x2000]}`, "full(4K, rw)");
                assert.equal(s["0 .. 2M"], range(0, "2M"));
                assert.equal(s.digest, "00FF");
                assert.equal(s.length(new Uint8Array(3)), 3);
                assert.equal(s.length(kvs.zeros("4K")), 4096);
                s.size = "1M";
                assert.equal(s.size, 1048576);
                assert.throws(() => { s.digest = 1; }, "cannot be assigned");
                """);
    }

    @Test
    void testsRunOncePerSemanticsInFreshMachines() throws IOException {
        RunSummary summary = run("t.mjs", """
                import { vm, test, setup, semantics, show, assert } from "kvs";
                const now = semantics("old", "new");
                const s = vm({ type: "shelf" });
                setup(() => { assert.outcome(s.put(0, 1), "ok"); });
                test("one", () => { assert.outcome(s.put(2, 3), "ok"); show(s); });
                test("two", async () => { await null; console.log(now); show(s); });
                """);
        assertEquals(
                List.of(
                        "PASSED one (old)",
                        "| 0 = 1\n2 = 1",
                        "PASSED two (old)",
                        "| old",
                        "| 0 = 1",
                        "PASSED one (new)",
                        "| 0 = 1\n2 = 1",
                        "PASSED two (new)",
                        "| new",
                        "| 0 = 1"),
                heard);
        assertEquals(new RunSummary(4, 0, 0, 0, 0), summary);
    }

    @Test
    void anAssertionTellsItsPlace() throws IOException {
        RunSummary summary = run("t.mjs", """
                import { vm, assert } from "kvs";
                const s = vm({ type: "shelf" });
                function check() {
                    assert.equal(s.echo("2M"), 5);
                }
                check();
                """);
        assertEquals(List.of("FAILED t.mjs (new)", """
                        ASSERTION
                        error[E0501]: these are not equal
                         --> t.mjs:4:5
                          |
                        4 |     assert.equal(s.echo("2M"), 5);
                          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
                          = left: 0x200000 (2M)
                          = right: 5
                          = called from: t.mjs:6"""), heard);
        assertEquals(4, summary.exitCode());
    }

    @Test
    void anAssertionInATestIsOneToo() throws IOException {
        RunSummary summary = run("t.mjs", """
                import { vm, assert, test } from "kvs";
                const s = vm({ type: "shelf" });
                test("plain", () => { assert.outcome(s.put(0, 1), "ok", { left: "4K" }); });
                test("later", async () => { await null; assert(false, "no"); });
                """);
        assertEquals(List.of("FAILED plain (new)", """
                        ASSERTION
                        error[E0501]: the outcome is not ok
                         --> t.mjs:3:23
                          |
                        3 | test("plain", () => { assert.outcome(s.put(0, 1), "ok", { left: "4K" }); });
                          |                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
                          = it is: ok left 0""", "FAILED later (new)", """
                        ASSERTION
                        error[E0501]: no
                         --> t.mjs:4:41
                          |
                        4 | test("later", async () => { await null; assert(false, "no"); });
                          |                                         ^^^^^^^^^^^^^^^^^^^"""), heard);
        assertEquals(4, summary.exitCode());
    }

    @Test
    void aFailureNobodyLookedAtFailsTheCase() throws IOException {
        RunSummary summary = run("t.mjs", """
                import { vm } from "kvs";
                const s = vm({ type: "shelf" });
                s.put(7, 7);
                """);
        assertEquals(List.of("FAILED t.mjs (new)", """
                        ASSERTION
                        error[E0502]: the operation failed with EINVAL, and the script did not look
                         --> t.mjs:3:1
                          |
                        3 | s.put(7, 7);
                          | ^^^^^^^^^^^^
                          = reason: the range is empty
                          = help: assert it: assert.outcome(result, "EINVAL")"""), heard);
        assertEquals(4, summary.exitCode());
    }

    @Test
    void anExceptionIsReportedWithItsPlace() throws IOException {
        RunSummary summary = run("t.mjs", """
                import { vm, attic } from "kvs";
                const limit = attic.size + 1;
                """);
        assertEquals(List.of("FAILED t.mjs (new)", """
                        SCRIPT
                        error[E0510]: uncaught TypeError: Cannot convert a BigInt value to a number
                         --> t.mjs:2:15
                          |
                        2 | const limit = attic.size + 1;
                          |               ^^^^^^^^^^^^^^"""), heard);
        assertEquals(3, summary.exitCode());
    }

    @Test
    void aSyntaxErrorRejectsTheFile() throws IOException {
        RunSummary summary = run("t.mjs", "const = 1;\n");
        assertEquals(List.of("rejected SYNTAX\n" + """
                        error[E0510]: expected BindingIdentifier or BindingPattern
                         --> t.mjs:1:7
                          |
                        1 | const = 1;
                          |       ^"""), heard);
        assertEquals(2, summary.exitCode());
    }

    @Test
    void aMissingImportIsNamed() throws IOException {
        RunSummary summary = run("t.mjs", "import { x } from './missing.mjs';\n");
        assertEquals(
                List.of(
                        "FAILED t.mjs (new)",
                        "STATIC\nerror[E0510]: Cannot find module 'missing.mjs' imported from t.mjs"),
                heard);
        assertEquals(2, summary.exitCode());
    }

    @Test
    void aMissingFileIsAnErrorOfUsage() {
        RunSummary summary = new JavaScriptRunner(Shelf.MACHINES)
                .run(List.of(Path.of("nowhere.mjs")), RunOptions.defaults(), RunListener.SILENT);
        assertEquals(new RunSummary(0, 0, 0, 1, 1), summary);
    }

    @Test
    void patternsAreThoseOfKvs() throws IOException {
        RunSummary summary = run("t.mjs", """
                import { vm, assert } from "kvs";
                const s = vm({ type: "shelf", memory: [[0x10, 0x20]] });
                assert.is(s[0x10], "full(4K, rw)");
                assert.is(s[0x10], "full(4K, rw) value 0");
                assert.isNot(s[0x10], "empty");
                assert.is(s[0x30], "empty");
                assert.is(s.put(0, 1), "ok left 0");
                assert.is(s.put(1, 1), "EINVAL or ENOENT");
                assert.is(7n, "0 .. 8");
                assert.is(s[0x10], "full(2M)");
                """);
        assertEquals(List.of("FAILED t.mjs (new)", """
                        ASSERTION
                        error[E0501]: this is not full(2M)
                          --> t.mjs:10:1
                           |
                        10 | assert.is(s[0x10], "full(2M)");
                           | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
                           = 0x1000 (4K) is not 0x200000 (2M)
                           = left:  full(4K, rw)
                           = right: full(2M)"""), heard);
        assertEquals(4, summary.exitCode());
    }

    @Test
    void javaScriptImportsKvs() throws IOException {
        Files.writeString(folder.resolve("lib.kvs"), """
                let base = 0xffff_ffff_8100_0000
                vm store = shelf { memory 0 .. 4K }
                fn twice(x) { return x + x }
                fn strict(x) { assert x is 1 }
                """);
        passes("""
                const { base, store, twice, strict } = await import("./lib.kvs");
                assert(base === 0xffffffff81000000n);
                assert(twice(2n ** 53n + 1n) === 2n ** 54n + 2n);
                assert.is(store[0], "full");
                strict(1);
                assert.throws(() => strict(2), "assertion failed");
                assert.throws(() => twice(1, 2), "twice takes 1 argument");
                """);
    }

    @Test
    void kvsImportsJavaScript() throws IOException {
        Files.writeString(folder.resolve("lib.mjs"), """
                import { vm, attic } from "kvs";
                export function next(x) { return x + 1n; }
                export function stored(shelf) { return shelf[0].value; }
                export async function late(x) { await null; return x; }
                export function broken() { return missing; }
                """);
        Path script = folder.resolve("t.kvs");
        Files.writeString(script, """
                import { next, stored as kept, late, broken } from "lib.mjs"
                vm store = shelf { memory 0 .. 4K }
                test "calls" {
                    assert next(0x20_0000_0000_0001) == 0x20_0000_0000_0002
                    assert kept(store) == 0
                    assert late(7) == 7
                }
                test "fails" {
                    broken()
                }
                """);
        var listener = new RunListener() {
            @Override
            public void rejected(Path path, Failure failure) {
                heard.add(failure.text().replace(folder + "/", ""));
            }

            @Override
            public void finished(CaseResult result) {
                heard.add(result.verdict() + " " + result.test());
                result.failure().ifPresent(failure -> heard.add(failure.text().replace(folder + "/", "")));
            }
        };
        RunSummary summary = new ScriptRunner(Shelf.MACHINES).run(List.of(script), RunOptions.defaults(), listener);
        assertEquals(List.of("PASSED calls", "FAILED fails", """
                        error[E0510]: uncaught ReferenceError: missing is not defined
                         --> t.kvs:1:38
                          |
                        1 | import { next, stored as kept, late, broken } from "lib.mjs"
                          |                                      ^^^^^^ thrown by JavaScript
                          = at: lib.mjs:5:35
                          = called from: t.kvs:9:5
                          = in: test "fails" under new"""), heard);
        assertEquals(3, summary.exitCode());
    }

    @Test
    void whatIsNotInstalledSkipsTheTest() throws IOException {
        RunSummary summary = run("absent.mjs", """
                import { installed, test } from "kvs";
                test("needs it", () => { installed("/no/such/file"); });
                test("does not", () => {});
                """);
        assertEquals(List.of(1, 0, 1), List.of(summary.passed(), summary.failed(), summary.skipped()));
    }
}
