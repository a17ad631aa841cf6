package kvasir.scripts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every .kvs file of this module passes under every semantics it names. */
class ScriptSuitesTest {
    private static final List<String> NOT_SUITES = List.of("src", "target");

    @TestFactory
    Stream<DynamicTest> everyScriptPasses() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(Path.of(""))) {
            files = all.filter(file -> file.toString().endsWith(".kvs"))
                    .filter(file -> !NOT_SUITES.contains(file.getName(0).toString()))
                    .sorted()
                    .toList();
        }
        assertTrue(files.size() > 50, "the suites are not where they were: " + files);
        return files.stream().map(file -> dynamicTest(file.toString(), () -> passes(file, new KvasirMachines())));
    }

    /** SNP's instructions, #VC and the reverse map's checks do not depend on who executes. Firmware takes minutes so. */
    @TestFactory
    Stream<DynamicTest> codeOfSnpGuestsIsTheSameByBothEngines() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(Path.of("snp"))) {
            files = all.filter(file -> file.toString().endsWith(".kvs"))
                    .filter(file -> !file.endsWith("ovmf_runs.kvs"))
                    .sorted()
                    .toList();
        }
        assertTrue(files.size() > 10, "the suite is not where it was: " + files);
        return files.stream()
                .map(file -> dynamicTest(file.toString(), () -> passes(file, KvasirMachines.executedBy("both"))));
    }

    private static void passes(Path file, KvasirMachines machines) {
        var problems = new ArrayList<String>();
        var summary = new ScriptRunner(machines).run(List.of(file), RunOptions.defaults(), new RunListener() {
            @Override
            public void rejected(Path path, Failure failure) {
                problems.add(failure.text());
            }

            @Override
            public void finished(CaseResult result) {
                result.failure()
                        .ifPresent(failure ->
                                problems.add(result.test() + " (" + result.semantics() + ")\n" + failure.text()));
            }
        });
        assertEquals(List.of(), problems);
        assertEquals(0, summary.exitCode());
    }
}
