package kvasir.repl;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.RaceReport;
import kvasir.scripts.RunSummary;

/**
 * What a run came to, as one page without anything beside it: a table of tests and semantics for each file, failures
 * open, what scripts printed behind a fold.
 */
final class HtmlReport {
    private final StringBuilder page = new StringBuilder();

    private HtmlReport() {}

    /** The whole page. */
    static String of(Results results) {
        var report = new HtmlReport();
        report.write(results);
        return report.page.toString();
    }

    private void write(Results results) {
        RunSummary summary = results.summary();
        String verdict = summary.exitCode() == 0 ? "passed" : "failed";
        page.append("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
        page.append("<meta name=\"viewport\" content=\"width=device-width\">\n");
        page.append("<title>").append(escaped(summary.closingLine())).append("</title>\n<style>\n");
        page.append(style()).append("</style>\n<h1>Kvasir</h1>\n");
        element("p", "closing " + verdict, summary.closingLine());
        page.append("<nav><label><input type=\"checkbox\" id=\"problems\"> only files with failures</label></nav>\n");
        for (Path file : results.files()) {
            file(file, results);
        }
        page.append("</html>\n");
    }

    private static String style() {
        try (var stream = HtmlReport.class.getResourceAsStream("report.css")) {
            if (stream == null) {
                throw new IllegalStateException("report.css is not in the jar");
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("report.css cannot be read", e);
        }
    }

    private void file(Path file, Results results) {
        List<CaseResult> cases = results.cases(file);
        boolean clean = results.rejected(file).isEmpty()
                && cases.stream().allMatch(each -> each.failure().isEmpty());
        page.append("<section").append(clean ? " class=\"clean\"" : "").append(">\n");
        element("h2", "", file.toString());
        results.rejected(file).ifPresent(failure -> {
            element("p", "failed", "not run: " + failure.title());
            element("pre", "", failure.text());
        });
        if (!cases.isEmpty()) {
            table(cases);
        }
        for (CaseResult each : cases) {
            each.failure().ifPresent(failure -> failure(each, failure));
            each.races().forEach(race -> race(each, race));
            if (!each.output().isEmpty()) {
                page.append("<details>");
                element("summary", "skipped", title(each) + " printed");
                element("pre", "", String.join("\n", each.output()));
                page.append("</details>\n");
            }
        }
        page.append("</section>\n");
    }

    /** A picture of each schedule that {@link RaceReport#shown} names; the text is in what the case printed. */
    private void race(CaseResult result, RaceReport race) {
        page.append("<details>");
        element("summary", "", title(result) + ": schedules of race \"" + race.race() + "\"");
        for (RaceReport.Ending ending : race.shown()) {
            page.append("<figure>").append(race.svg(ending)).append("</figure>\n");
        }
        page.append("</details>\n");
    }

    private static String title(CaseResult result) {
        return result.test() + " (" + result.semantics() + ")";
    }

    private void failure(CaseResult result, Failure failure) {
        page.append("<details open>");
        element("summary", "failed", title(result));
        element("pre", "", failure.text());
        page.append("</details>\n");
    }

    /** A row for each test, a column for each semantics. */
    private void table(List<CaseResult> cases) {
        Set<String> semantics = new LinkedHashSet<>();
        Map<String, Map<String, CaseResult>> rows = new LinkedHashMap<>();
        for (CaseResult each : cases) {
            semantics.add(each.semantics());
            rows.computeIfAbsent(each.test(), _ -> new LinkedHashMap<>()).put(each.semantics(), each);
        }
        page.append("<div class=\"scroll\"><table>\n<tr><th>test</th>");
        semantics.forEach(name -> element("th", "", name));
        page.append("</tr>\n");
        rows.forEach((test, results) -> {
            page.append("<tr>");
            element("td", "", test);
            for (String name : semantics) {
                cell(results, name);
            }
            page.append("</tr>\n");
        });
        page.append("</table></div>\n");
    }

    private void cell(Map<String, CaseResult> results, String semantics) {
        CaseResult result = results.get(semantics);
        if (result == null) {
            page.append("<td></td>");
            return;
        }
        String verdict = result.verdict().name().toLowerCase(Locale.ROOT);
        page.append("<td class=\"").append(verdict).append('"');
        if (!result.skipReason().isEmpty()) {
            page.append(" title=\"").append(escaped(result.skipReason())).append('"');
        }
        page.append('>').append(verdict).append("</td>");
    }

    private void element(String name, String kind, String text) {
        page.append('<').append(name);
        if (!kind.isEmpty()) {
            page.append(" class=\"").append(kind).append('"');
        }
        page.append('>').append(escaped(text)).append("</").append(name).append('>');
        page.append(name.startsWith("t") ? "" : "\n");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
