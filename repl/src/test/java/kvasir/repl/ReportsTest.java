package kvasir.repl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files that {@code kvs run} leaves behind. */
final class ReportsTest {
    @TempDir
    private Path folder;

    private Path script(String text) throws IOException {
        return Files.writeString(folder.resolve("a.kvs"), text);
    }

    private int run(Path script, String option, Path report) {
        var bytes = new ByteArrayOutputStream();
        try (var out = new PrintStream(bytes, false, StandardCharsets.UTF_8)) {
            return Main.run(List.of("run", option, report.toString(), script.toString()), new Console(out, out, false));
        }
    }

    @Test
    void json() throws IOException {
        Path script = script("test \"one\" { show \"a \\\"b\\\"\" }\ntest \"two\" { assert 1 == 2 }\n");
        Path report = folder.resolve("report.json");
        assertEquals(4, run(script, "--json", report));
        String text = Files.readString(report).replace(script.toString(), "a.kvs");
        assertEquals(
                """
                {
                  "kvs" : "0.1.0",
                  "exit_code" : 4,
                  "passed" : 1,
                  "failed" : 1,
                  "skipped" : 0,
                  "not_run" : 0,
                  "files" : [
                    {
                      "file" : "a.kvs",
                      "cases" : [
                        {
                          "test" : "one",
                          "semantics" : "v6.19",
                          "verdict" : "passed",
                          "output" : [
                            "a \\"b\\""
                          ]
                        },
                        {
                          "test" : "two",
                          "semantics" : "v6.19",
                          "verdict" : "failed",
                          "failure" : {
                            "kind" : "assertion",
                            "title" : "assertion failed",
                            "file" : "a.kvs",
                            "line" : 2,
                            "column" : 21,
                            "text" : "error[E0501]: assertion failed
                """.stripTrailing(),
                text.substring(0, text.indexOf("assertion failed\\n") + "assertion failed".length()));
        assertTrue(text.endsWith("""
                          }
                        }
                      ]
                    }
                  ]
                }
                """));
    }

    @Test
    void htmlIsOnePageInWhichScriptsCannotWriteMarkup() throws IOException {
        Path script = script("test \"<b>one</b>\" { show \"<script>\" }\n");
        Path report = folder.resolve("report.html");
        assertEquals(0, run(script, "--html", report));
        String page = Files.readString(report);
        assertTrue(page.contains("<td>&lt;b&gt;one&lt;/b&gt;</td><td class=\"passed\">passed</td>"), page);
        assertTrue(page.contains("<pre>&lt;script&gt;</pre>"), page);
        assertFalse(page.contains("<script") || page.contains("http:") || page.contains("https:"), page);
    }

    @Test
    void aReportThatCannotBeWrittenFailsTheRun() throws IOException {
        Path script = script("test \"one\" { }\n");
        assertEquals(1, run(script, "--json", folder.resolve("missing").resolve("report.json")));
    }
}
