package kvasir.scripts.js;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kvasir.scripts.CaseResult;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SuiteRunnerTest {
    private final List<String> heard = new ArrayList<>();
    private final RunListener listener = new RunListener() {
        @Override
        public void finished(CaseResult result) {
            heard.add(result.verdict() + " " + result.test());
        }
    };

    @TempDir
    private Path folder;

    private void both() throws IOException {
        Files.writeString(folder.resolve("a.mjs"), "import { test } from 'kvs'; test('module', () => {});\n");
        Files.writeString(folder.resolve("b.kvs"), "test \"script\" { assert 1 == 1 }\n");
    }

    @Test
    void aFolderHoldsBothLanguages() throws IOException {
        both();
        var summary = new SuiteRunner(Shelf.MACHINES).run(List.of(folder), RunOptions.defaults(), listener);
        assertEquals(List.of("PASSED script", "PASSED module"), heard);
        assertEquals(0, summary.exitCode());
    }

    @Test
    void anInterruptedRunStartsNeither() throws IOException {
        both();
        var runner = new SuiteRunner(Shelf.MACHINES);
        runner.interrupt();
        var summary = runner.run(List.of(folder), RunOptions.defaults(), listener);
        assertEquals(List.of(), heard);
        assertEquals(130, summary.exitCode());
    }
}
