package kvasir.scripts;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Scripts that fail, each with the exact text a person sees. With {@code -Dkvasir.update.goldens=true} the expected
 * files are written instead; read the difference before committing it.
 */
final class FailureGoldenTest {
    private static final Path ENGINE = Path.of("src/test/resources/failures/engine");
    private static final Path MACHINE = Path.of("src/test/resources/failures/machine");

    @TestFactory
    Stream<DynamicTest> engine() throws IOException {
        return goldens(ENGINE, new FakeMachines());
    }

    @TestFactory
    Stream<DynamicTest> machine() throws IOException {
        return goldens(MACHINE, new KvasirMachines());
    }

    private static Stream<DynamicTest> goldens(Path folder, Machines machines) throws IOException {
        List<Path> scripts;
        try (Stream<Path> files = Files.list(folder)) {
            scripts = files.filter(file -> file.toString().endsWith(".kvs"))
                    .sorted()
                    .toList();
        }
        return scripts.stream()
                .map(script -> DynamicTest.dynamicTest(script.getFileName().toString(), () -> check(script, machines)));
    }

    private static void check(Path script, Machines machines) throws IOException {
        var lines = new ArrayList<String>();
        RunSummary summary = new ScriptRunner(machines).run(List.of(script), RunOptions.defaults(), new RunListener() {
            @Override
            public void rejected(Path file, Failure failure) {
                lines.add(failure.text() + "\n");
            }

            @Override
            public void finished(CaseResult result) {
                result.failure().ifPresent(failure -> lines.add(failure.text() + "\n"));
            }
        });
        lines.add(summary.closingLine() + "; exit code " + summary.exitCode());
        String shown =
                (String.join("\n", lines) + "\n").replaceAll("\\(FakeMachines\\.java:\\d+\\)", "(FakeMachines.java)");
        Path expected = Path.of(script.toString().replace(".kvs", ".expected"));
        if (Boolean.getBoolean("kvasir.update.goldens")) {
            Files.writeString(expected, shown);
        }
        assertEquals(Files.readString(expected), shown);
    }
}
