package kvasir.repl;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.RunListener;

/** JUnit's XML: a suite for each file. Times are left out, since a run depends on no clock. */
final class JUnitReport implements RunListener {
    private final Map<Path, Suite> suites = new LinkedHashMap<>();

    private static final class Suite {
        final StringBuilder cases = new StringBuilder();
        int tests;
        int failures;
        int errors;
        int skipped;
    }

    @Override
    public void rejected(Path file, Failure failure) {
        Suite suite = suite(file);
        suite.tests++;
        open(suite, file, "the script can be run");
        problem(suite, failure);
        suite.cases.append("    </testcase>\n");
    }

    @Override
    public void finished(CaseResult result) {
        Suite suite = suite(result.file());
        suite.tests++;
        open(suite, result.file(), result.test() + " (" + result.semantics() + ")");
        result.failure().ifPresent(failure -> problem(suite, failure));
        if (result.verdict() == CaseResult.Verdict.SKIPPED) {
            suite.skipped++;
            suite.cases.append("      <skipped message=\"%s\"/>\n".formatted(escaped(result.skipReason())));
        }
        if (!result.output().isEmpty()) {
            suite.cases.append(
                    "      <system-out>%s</system-out>\n".formatted(escaped(String.join("\n", result.output()))));
        }
        suite.cases.append("    </testcase>\n");
    }

    private Suite suite(Path file) {
        return suites.computeIfAbsent(file, _ -> new Suite());
    }

    private static void open(Suite suite, Path file, String name) {
        suite.cases.append(
                "    <testcase classname=\"%s\" name=\"%s\">\n".formatted(escaped(file.toString()), escaped(name)));
    }

    /** An assertion is a {@code failure}, anything else an {@code error}. */
    private static void problem(Suite suite, Failure failure) {
        boolean assertion = failure.kind() == Failure.Kind.ASSERTION;
        if (assertion) {
            suite.failures++;
        } else {
            suite.errors++;
        }
        suite.cases.append("      <%1$s type=\"%2$s\" message=\"%3$s\">%4$s</%1$s>\n"
                .formatted(
                        assertion ? "failure" : "error",
                        failure.kind(),
                        escaped(failure.title()),
                        escaped(failure.text())));
    }

    /** The whole document. */
    String xml() {
        var xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"kvs\">\n");
        suites.forEach((file, suite) -> xml.append(
                        "  <testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\">\n"
                                .formatted(
                                        escaped(file.toString()),
                                        suite.tests,
                                        suite.failures,
                                        suite.errors,
                                        suite.skipped))
                .append(suite.cases)
                .append("  </testsuite>\n"));
        return xml.append("</testsuites>\n").toString();
    }

    /** Markup replaced; control characters, which XML cannot carry at all, become the replacement character. */
    private static String escaped(String text) {
        var out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\n', '\t' -> out.append(c);
                default -> out.append(c < 0x20 || c == 0xfffe || c == 0xffff ? '\ufffd' : c);
            }
        }
        return out.toString();
    }
}
