package kvasir.repl;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kvasir.scripts.RaceReport;
import kvasir.scripts.explore.LockOrder;
import kvasir.scripts.explore.Step;

/** What exploring races found, for programs and for {@code kvs merge}. Two searches give the same bytes. */
final class RaceJson {
    private final JsonGenerator json;

    private RaceJson(JsonGenerator json) {
        this.json = json;
    }

    /** A race of a file under one semantics. */
    record Race(String file, String semantics, RaceReport report) {}

    /** The whole document. */
    static String write(List<Race> races) {
        return Json.document(json -> new RaceJson(json).races(races));
    }

    private void races(List<Race> races) throws IOException {
        json.writeStartObject();
        json.writeStringField("kvs", Version.TEXT);
        json.writeArrayFieldStart("races");
        for (Race race : races) {
            race(race);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void race(Race race) throws IOException {
        RaceReport report = race.report();
        json.writeStartObject();
        json.writeStringField("file", race.file());
        json.writeStringField("race", report.race());
        json.writeStringField("semantics", race.semantics());
        texts("tasks", report.tasks());
        json.writeStringField("method", report.method());
        json.writeStringField("completeness", report.completeness());
        json.writeNumberField("size", report.size());
        json.writeNumberField("steps", report.steps());
        json.writeNumberField("runs", report.runs());
        json.writeStringField("shard", report.shard());
        json.writeArrayFieldStart("clauses");
        for (RaceReport.Clause clause : report.clauses()) {
            json.writeStartObject();
            json.writeStringField("frequency", clause.frequency());
            json.writeStringField("text", clause.text());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("endings");
        for (RaceReport.Ending ending : report.endings()) {
            ending(ending);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("lock_order");
        for (LockOrder.Taken each : report.lockOrder()) {
            json.writeStartObject();
            json.writeStringField("outer", each.outer());
            json.writeStringField("inner", each.inner());
            json.writeEndObject();
        }
        json.writeEndArray();
        if (report.lockInversion().isPresent()) {
            texts("lock_inversion", report.lockInversion().get());
        }
        texts("elsewhere", report.elsewhere());
        json.writeStringField("note", report.note());
        texts("reductions", report.reductions());
        json.writeEndObject();
    }

    private void ending(RaceReport.Ending ending) throws IOException {
        json.writeStartObject();
        json.writeStringField("kind", ending.kind());
        json.writeStringField("text", ending.text());
        json.writeArrayFieldStart("conditions");
        for (boolean holds : ending.conditions()) {
            json.writeBoolean(holds);
        }
        json.writeEndArray();
        json.writeStringField("schedules", ending.count());
        json.writeStringField("token", ending.token());
        json.writeNumberField("preemptions", ending.preemptions());
        json.writeArrayFieldStart("steps");
        for (Step step : ending.steps()) {
            json.writeStartObject();
            json.writeNumberField("number", step.number());
            json.writeNumberField("task", step.task());
            if (step.seam().isPresent()) {
                json.writeStringField("seam", step.seamName());
                json.writeStringField("subject", step.subject());
            }
            json.writeBooleanField("preempts", step.preempts());
            texts("held", step.held());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void texts(String name, List<String> texts) throws IOException {
        json.writeArrayFieldStart(name);
        for (String text : texts) {
            json.writeString(text);
        }
        json.writeEndArray();
    }

    // ---- reading

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws IOException if it is not JSON, or not of this kind
     */
    static List<Race> read(String text) throws IOException {
        try (JsonParser parser = new JsonFactory().createParser(text)) {
            parser.nextToken();
            var races = new ArrayList<Race>();
            for (Object each : list(map(value(parser)), "races")) {
                races.add(race(map(each)));
            }
            return races;
        } catch (IllegalArgumentException wrong) {
            throw new IOException(wrong.getMessage(), wrong);
        }
    }

    private static Object value(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> {
                var map = new LinkedHashMap<String, Object>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    map.put(name, value(parser));
                }
                yield map;
            }
            case START_ARRAY -> {
                var list = new ArrayList<Object>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    list.add(value(parser));
                }
                yield list;
            }
            case VALUE_NUMBER_INT -> parser.getLongValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_STRING -> parser.getText();
            default -> throw new IllegalArgumentException("not a report of kvs explore");
        };
    }

    private static Race race(Map<?, ?> race) {
        var clauses = new ArrayList<RaceReport.Clause>();
        for (Object each : list(race, "clauses")) {
            clauses.add(new RaceReport.Clause(text(map(each), "frequency"), text(map(each), "text")));
        }
        var endings = new ArrayList<RaceReport.Ending>();
        for (Object each : list(race, "endings")) {
            endings.add(ending(map(each)));
        }
        var report = new RaceReport(
                text(race, "race"),
                strings(race, "tasks"),
                text(race, "method"),
                text(race, "completeness"),
                number(race, "size"),
                number(race, "steps"),
                (int) number(race, "runs"),
                text(race, "shard"),
                clauses,
                endings,
                list(race, "lock_order").stream()
                        .map(RaceJson::map)
                        .map(each -> new LockOrder.Taken(text(each, "inner"), text(each, "outer")))
                        .toList(),
                strings(race, "elsewhere"),
                text(race, "note"),
                race.containsKey("reductions") ? strings(race, "reductions") : List.of());
        return new Race(text(race, "file"), text(race, "semantics"), report);
    }

    private static RaceReport.Ending ending(Map<?, ?> ending) {
        var steps = new ArrayList<Step>();
        for (Object each : list(ending, "steps")) {
            Map<?, ?> step = map(each);
            boolean stops = step.containsKey("seam");
            steps.add(Step.named(
                    (int) number(step, "number"),
                    (int) number(step, "task"),
                    stops ? text(step, "seam") : "",
                    stops ? text(step, "subject") : "",
                    strings(step, "held"),
                    Boolean.TRUE.equals(step.get("preempts"))));
        }
        return new RaceReport.Ending(
                text(ending, "kind"),
                text(ending, "text"),
                list(ending, "conditions").stream().map(Boolean.class::cast).toList(),
                text(ending, "schedules"),
                text(ending, "token"),
                (int) number(ending, "preemptions"),
                steps);
    }

    private static Map<?, ?> map(Object value) {
        if (value instanceof Map<?, ?> map) {
            return map;
        }
        throw new IllegalArgumentException("not a report of kvs explore");
    }

    private static List<?> list(Map<?, ?> map, String name) {
        if (map.get(name) instanceof List<?> list) {
            return list;
        }
        throw new IllegalArgumentException("not a report of kvs explore: it has no " + name);
    }

    private static List<String> strings(Map<?, ?> map, String name) {
        return list(map, name).stream().map(String::valueOf).toList();
    }

    private static String text(Map<?, ?> map, String name) {
        if (map.get(name) instanceof String text) {
            return text;
        }
        throw new IllegalArgumentException("not a report of kvs explore: it has no " + name);
    }

    private static long number(Map<?, ?> map, String name) {
        if (map.get(name) instanceof Long number) {
            return number;
        }
        throw new IllegalArgumentException("not a report of kvs explore: it has no " + name);
    }
}
