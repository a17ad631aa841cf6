package kvasir.repl;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.RunSummary;

/** What a run came to, for programs. Without times: two runs of the same scripts give the same bytes. */
final class JsonReport {
    private final JsonGenerator json;

    private JsonReport(JsonGenerator json) {
        this.json = json;
    }

    /** The whole document. */
    static String of(Results results) {
        return Json.document(json -> new JsonReport(json).write(results));
    }

    private void write(Results results) throws IOException {
        RunSummary summary = results.summary();
        json.writeStartObject();
        json.writeStringField("kvs", Version.TEXT);
        json.writeNumberField("exit_code", summary.exitCode());
        json.writeNumberField("passed", summary.passed());
        json.writeNumberField("failed", summary.failed());
        json.writeNumberField("skipped", summary.skipped());
        json.writeNumberField("not_run", summary.rejected());
        json.writeArrayFieldStart("files");
        for (Path file : results.files()) {
            json.writeStartObject();
            json.writeStringField("file", file.toString());
            failure("not_run", results.rejected(file));
            json.writeArrayFieldStart("cases");
            for (CaseResult each : results.cases(file)) {
                result(each);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void result(CaseResult result) throws IOException {
        json.writeStartObject();
        json.writeStringField("test", result.test());
        json.writeStringField("semantics", result.semantics());
        json.writeStringField("verdict", result.verdict().name().toLowerCase(Locale.ROOT));
        if (!result.skipReason().isEmpty()) {
            json.writeStringField("reason", result.skipReason());
        }
        failure("failure", result.failure());
        texts("output", result.output());
        texts("answers", result.answers());
        json.writeEndObject();
    }

    private void failure(String name, Optional<Failure> failure) throws IOException {
        if (failure.isEmpty()) {
            return;
        }
        json.writeObjectFieldStart(name);
        json.writeStringField("kind", failure.get().kind().name().toLowerCase(Locale.ROOT));
        json.writeStringField("title", failure.get().title());
        json.writeStringField("file", failure.get().file().toString());
        json.writeNumberField("line", failure.get().line());
        json.writeNumberField("column", failure.get().column());
        json.writeStringField("text", failure.get().text());
        json.writeEndObject();
    }

    private void texts(String name, List<String> texts) throws IOException {
        if (!texts.isEmpty()) {
            json.writeArrayFieldStart(name);
            for (String text : texts) {
                json.writeString(text);
            }
            json.writeEndArray();
        }
    }
}
