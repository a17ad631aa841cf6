package kvasir.scripts.js;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kvasir.registry.Api;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.scripts.InstalledFiles;
import kvasir.scripts.Machines;
import kvasir.scripts.RaceReport;
import kvasir.scripts.binding.Members;
import kvasir.scripts.binding.Nothing;
import kvasir.scripts.binding.Pictures;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Spelling;
import kvasir.scripts.binding.Values;
import kvasir.scripts.binding.Zeros;
import kvasir.scripts.explore.Attendant;
import kvasir.scripts.nodes.Execution;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.Engine;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.io.IOAccess;
import org.graalvm.polyglot.proxy.ProxyExecutable;
import org.graalvm.polyglot.proxy.ProxyObject;
import org.jspecify.annotations.Nullable;

/** One JavaScript context with one machine, for one case. Confined to one thread, but for {@link #interrupt()}. */
final class Realm implements AutoCloseable {
    private static final Pattern DECLARATION =
            Pattern.compile("(?:const|let|var)\\s+([A-Za-z_$][\\w$]*)\\s*=\\s*(?:vm|asm16|asm32|asm64)\\b");

    private final Machines machines;
    private final Execution execution;
    private final Machines.World world;
    private final Path folder;
    private final Context context;
    private final Map<String, Value> modules = new HashMap<>();
    private final List<Test> tests = new ArrayList<>();
    private final List<Value> setups = new ArrayList<>();
    private final List<String> answers = new ArrayList<>();
    private final Map<String, Integer> namesGiven = new LinkedHashMap<>();
    private final KvsText kvs;
    private List<String> declared = List.of();
    private boolean elsewhere;
    private final Exploring exploring;
    private Optional<String> wantedSummary = Optional.empty();
    private Optional<String> summary = Optional.empty();
    private String partly = "";
    private boolean racing;
    private Optional<Bridge> installed = Optional.empty();

    /** A test that the module has registered. */
    record Test(String name, Value body) {}

    /** Ends the evaluation of a module that does not run under the semantics at hand. */
    private static final class Elsewhere extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** Ends a test at the race that was to be summed up. */
    private static final class Summed extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /**
     * @param execution the machine, and where to print
     * @param script whose folder {@code file("...")} is relative to
     * @param exploring how races are explored
     */
    Realm(Machines machines, Execution execution, long seed, Path script, Exploring exploring) {
        this.machines = machines;
        this.exploring = exploring;
        this.execution = execution;
        this.world = execution.world();
        this.folder = Optional.ofNullable(script.toAbsolutePath().getParent()).orElse(Path.of("/"));
        this.kvs = new KvsText(execution, machines, folder);
        var printed = new Lines(execution::print);
        context = Context.newBuilder("js")
                .engine(Shared.ENGINE)
                .allowHostAccess(HostAccess.EXPLICIT)
                .allowExperimentalOptions(true)
                .option("js.unhandled-rejections", "throw")
                .allowIO(IOAccess.newBuilder()
                        .fileSystem(new ScriptFiles(library(machines), new KvsModules()))
                        .build())
                .out(printed)
                .err(printed)
                .build();
        context.getBindings("js").putMember("kvs$engine", ProxyObject.fromMap(functions(seed)));
        evaluate(ScriptFiles.LIBRARY.toString());
    }

    /** One engine for all realms, so that they share what is known of the sources. */
    private static final class Shared {
        static final Engine ENGINE = Engine.newBuilder("js")
                .option("engine.WarnInterpreterOnly", "false")
                .build();
    }

    private static String library(Machines machines) {
        try (var stream = Realm.class.getResourceAsStream("kvs.mjs")) {
            if (stream == null) {
                throw new IllegalStateException("kvs.mjs is not in the jar");
            }
            String globals = machines.globals().stream()
                    .map(global -> "export const " + global.name() + " = engine.global(\"" + global.name() + "\");\n")
                    .collect(Collectors.joining());
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8) + globals;
        } catch (IOException e) {
            throw new IllegalStateException("kvs.mjs cannot be read", e);
        }
    }

    /** Tests in the order of registration; empty before {@link #load}. */
    List<Test> tests() {
        return tests;
    }

    List<String> answers() {
        return answers;
    }

    /** What {@code semantics(...)} named; empty if it was not called. */
    List<String> declaredSemantics() {
        return declared;
    }

    /** Whether the module asked for other semantics than this realm has, and its evaluation stopped there. */
    boolean elsewhere() {
        return elsewhere;
    }

    /**
     * Evaluates the module at {@code file}.
     *
     * @throws PolyglotException what the module throws
     */
    void load(Path file) {
        evaluate(file.toAbsolutePath().toString());
    }

    /** The exports of the module. */
    private Value evaluate(String module) {
        return settle(context.eval("js", "(path) => import(path)").execute(module));
    }

    /** Runs what a call has left to do; gives what it came to, or throws what it ended with. */
    private Value settle(Value promise) {
        if (!promise.hasMembers() || promise.isProxyObject() || !promise.canInvokeMember("then")) {
            return promise;
        }
        var values = new ArrayList<Value>();
        var errors = new ArrayList<Value>();
        promise.invokeMember("then", keep(values), keep(errors));
        if (!errors.isEmpty()) {
            context.eval("js", "(error) => { throw error; }").executeVoid(errors.getFirst());
        }
        if (values.isEmpty()) {
            throw bridge().raise(Refusal.of("E0308", "this waits for something that never happens", ""));
        }
        return values.getFirst();
    }

    private static ProxyExecutable keep(List<Value> settled) {
        return values -> {
            settled.add(values[0]);
            return null;
        };
    }

    /** Runs the setups, then the test. */
    void run(Test test) {
        setups.forEach(setup -> settle(setup.execute()));
        settle(test.body().execute());
    }

    /**
     * From now on the module runs under whatever semantics there is, up to its race of that title: {@link #summary} then
     * says what that comes to.
     */
    void sumUp(String race) {
        wantedSummary = Optional.of(race);
    }

    /** The line that {@link #sumUp} asked for; empty if the module did not come to that race. */
    Optional<String> summary() {
        return summary;
    }

    /** Whether a race runs its schedules. */
    boolean racing() {
        return racing;
    }

    /** How a race gave the script less than it asks for, so that what fails behind it says nothing; empty if none did. */
    String partly() {
        return partly;
    }

    /** The first failed outcome that the script neither asserted nor looked at. */
    Optional<OutcomeView> unread() {
        return bridge().unread();
    }

    /** What the function {@code name} of the module gives. */
    Object call(Path module, String name, List<Object> arguments) {
        Value exports = modules.computeIfAbsent(module.toAbsolutePath().toString(), this::evaluate);
        Value function = exports.getMember(name);
        if (function == null || !function.canExecute()) {
            throw bridge().raise(Refusal.of("E0306", module + " exports no function `" + name + "`", "")
                    .help(Spelling.help(name, exports.getMemberKeys())));
        }
        Value result =
                settle(function.execute(arguments.stream().map(bridge()::toJs).toArray()));
        return result.isNull() ? Nothing.NOTHING : bridge().toMachine(result);
    }

    /** Makes a run on another thread come back soon. */
    void interrupt() {
        world.interrupt();
        context.close(true);
    }

    @Override
    public void close() {
        context.close(true);
    }

    private Bridge bridge() {
        return installed.orElseThrow();
    }

    private Map<String, Object> functions(long seed) {
        var functions = new LinkedHashMap<String, Object>();
        functions.put("seed", (ProxyExecutable) a -> (double) seed);
        functions.put("install", (ProxyExecutable) a -> {
            installed = Optional.of(new Bridge(a[0]));
            return null;
        });
        functions.put("isLibrary", (ProxyExecutable) a -> a[0].asString().endsWith(ScriptFiles.LIBRARY.toString()));
        functions.put("quantity", (ProxyExecutable) a -> bridge().toJs(quantity(a[0])));
        functions.put("range", (ProxyExecutable) a -> new Range(quantity(a[0]), quantity(a[1])));
        functions.put("rangeOf", (ProxyExecutable) a -> bridge().toJs(rangeOf(a[0])));
        functions.put("bytes", (ProxyExecutable) a -> bridge().toJs(bytes(a[0])));
        functions.put("file", (ProxyExecutable) a -> bridge().toJs(file(a[0].asString())));
        functions.put("installed", (ProxyExecutable) a -> installedFile(a[0].asString()));
        functions.put("zeros", (ProxyExecutable) a -> bridge().toJs(zeros(a[0])));
        functions.put("variableAt", (ProxyExecutable) a -> variableAt(a[0].asString()));
        functions.put("global", (ProxyExecutable)
                a -> bridge().toJs(world.global(a[0].asString()).orElseThrow()));
        functions.put("declare", (ProxyExecutable) a -> bridge().toJs(declare(a[0], a[1])));
        functions.put("guest", (ProxyExecutable) a -> guest(a[0].asInt(), a[1].asString(), a[2].asString()));
        functions.put("semantics", (ProxyExecutable) a -> semantics(a[0]));
        functions.put("test", (ProxyExecutable) a -> {
            tests.add(new Test(a[0].asString(), a[1]));
            return null;
        });
        functions.put("setup", (ProxyExecutable) a -> {
            setups.add(a[0]);
            return null;
        });
        functions.put("race", (ProxyExecutable) a -> race(a[0].asString(), a[1], a[2]));
        functions.put("show", (ProxyExecutable) a -> {
            execution.print(Pictures.of(bridge().toMachine(a[0])));
            return null;
        });
        functions.put("answer", (ProxyExecutable) a -> {
            answers.add(Values.plain(bridge().toMachine(a[0])));
            return null;
        });
        functions.put("text", (ProxyExecutable) a -> text(a[0]));
        functions.put("why", (ProxyExecutable) a -> bridge().toMachine(a[0]) instanceof Described object
                ? lastEvent(object).orElse("nothing has touched " + object.label())
                : "only objects of the machine have a history");
        functions.put("imported", (ProxyExecutable) a -> imported(a[0].asString()));
        functions.put("same", (ProxyExecutable) a -> same(a[0], a[1]));
        functions.put("mismatch", (ProxyExecutable) a -> notes(mismatch(a[0], a[1].asString(), a[2].asBoolean())));
        functions.put("pictureMismatch", (ProxyExecutable) a -> notes(pictureMismatch(a[0], a[1].asString())));
        functions.put("outcomeMismatch", (ProxyExecutable) a -> notes(outcomeMismatch(a[0], a[1].asString(), a[2])));
        return functions;
    }

    private Object race(String title, Value tasks, Value options) {
        var race = new JavaScriptRace(bridge(), world, machines.faults(), exploring, title, tasks, options);
        if (wantedSummary.filter(title::equals).isPresent()) {
            summary = summary.or(() -> Optional.of(race.summary(execution.semantics(), execution::interrupted)));
            throw new Summed();
        }
        racing = true;
        try {
            return explored(title, race);
        } finally {
            racing = false;
        }
    }

    private Object explored(String title, JavaScriptRace race) {
        Optional<String> replayed = race.replayed();
        if (replayed.isPresent()) {
            if (exploring.options().replay().isPresent()) {
                partly = "of the race \"%s\" one schedule was run again".formatted(title);
                execution.print(replayed.get());
            }
            return bridge().toJs(Map.of("text", replayed.get()));
        }
        JavaScriptRace.Result result = race.run(new Attendant() {
            @Override
            public boolean interrupted() {
                return execution.interrupted();
            }

            @Override
            public void reached(String how) {
                exploring.reached().accept(how);
            }
        });
        execution.print(result.report().text());
        exploring.found().accept(result.report());
        if (result.broken().isPresent()) {
            partly = "";
            throw bridge().refuse("race \"" + title + "\": " + result.broken().get(), result.notes());
        }
        if (!result.whole()) {
            partly = "of the race \"%s\" this shard has a part".formatted(title);
        }
        if (result.report().elsewhereSearched()) {
            partly = "the race \"%s\" is %s".formatted(title, result.report().completeness());
        }
        var endings = new ArrayList<Map<String, Object>>();
        for (int i = 0; i < result.report().endings().size(); i++) {
            RaceReport.Ending ending = result.report().endings().get(i);
            var fields = new LinkedHashMap<String, Object>();
            fields.put("kind", ending.kind());
            fields.put("text", ending.text());
            fields.put("count", ending.count());
            fields.put("token", ending.token());
            fields.put("preemptions", (long) ending.preemptions());
            fields.put("schedule", result.schedules().get(i));
            endings.add(fields);
        }
        var found = new LinkedHashMap<String, Object>();
        found.put("completeness", result.report().completeness());
        found.put("method", result.report().method());
        found.put("size", result.report().size());
        found.put("steps", result.report().steps());
        found.put("endings", endings);
        found.put("lockInversion", result.report().lockInversion().orElse(List.of()));
        found.put("text", result.report().text());
        return bridge().toJs(found);
    }

    private long quantity(Value value) {
        return switch (Quantity.of(value)) {
            case Quantity.Result.Ok(long quantity) -> quantity;
            case Quantity.Result.Wrong(String reason) -> throw bridge().raise(Refusal.of("E0202", reason, ""));
        };
    }

    private Range rangeOf(Value value) {
        Optional<Range> range = value.isString() ? Quantity.rangeOfText(value.asString()) : Optional.empty();
        return range.orElseThrow(() -> bridge().raise(Refusal.of("E0202", "this is no range", "")
                .help("write range(0, \"2M\") or range(\"0 .. 2M\")")));
    }

    private Bytes bytes(Value value) {
        if (value.isString()) {
            String digits = value.asString();
            if (!digits.matches("([0-9a-fA-F]{2})*")) {
                throw bridge().raise(Refusal.of("E0202", "the text is no hexadecimal bytes", ""));
            }
            return Bytes.fromHex(digits);
        }
        if (value.hasArrayElements()) {
            byte[] content = new byte[Math.toIntExact(value.getArraySize())];
            for (int i = 0; i < content.length; i++) {
                content[i] = (byte) value.getArrayElement(i).asInt();
            }
            return Bytes.of(content);
        }
        if (bridge().toMachine(value) instanceof Bytes bytes) {
            return bytes;
        }
        throw bridge().raise(Refusal.of("E0202", "these are no bytes", ""));
    }

    private String installedFile(String pattern) {
        return InstalledFiles.find(pattern)
                .orElseThrow(
                        () -> bridge().raise(Refusal.of(InstalledFiles.ABSENT, InstalledFiles.absence(pattern), "")));
    }

    private Bytes file(String name) {
        Path path = folder.resolve(name);
        try {
            return Bytes.of(Files.readAllBytes(path));
        } catch (IOException e) {
            throw bridge().raise(Refusal.of("E0309", "the file " + path + " cannot be read", ""));
        }
    }

    private Object zeros(Value count) {
        if (count.isNull()) {
            return Zeros.ZEROS;
        }
        long size = quantity(count);
        if (Long.compareUnsigned(size, Integer.MAX_VALUE) >= 0) {
            throw bridge().raise(Refusal.of("E0202", Values.size(size) + " of zeros are too many", ""));
        }
        return Bytes.of(new byte[(int) size]);
    }

    /** The variable that the statement at {@code place} ({@code file:line}) declares, so that messages can name it. */
    private String variableAt(String place) {
        int colon = place.lastIndexOf(':');
        if (colon > 0) {
            try (var lines = Files.lines(Path.of(place.substring(0, colon)))) {
                Matcher matcher = DECLARATION.matcher(lines.skip(Integer.parseInt(place.substring(colon + 1)) - 1L)
                        .findFirst()
                        .orElse(""));
                if (matcher.find()) {
                    return matcher.group(1);
                }
            } catch (IOException e) {
                return numbered("vm");
            }
        }
        return numbered("vm");
    }

    private String numbered(String stem) {
        int number = namesGiven.merge(stem, 1, Integer::sum) - 1;
        return stem + number;
    }

    private Described declare(Value declaration, Value name) {
        if (!declaration.hasMembers() || !declaration.hasMember("type")) {
            throw bridge().raise(Refusal.of("E0204", "vm({ type: ... }) needs a type", "")
                    .help("one of " + String.join(", ", machines.vmTypes())));
        }
        String type = declaration.getMember("type").asString();
        if (!machines.vmTypes().contains(type)) {
            throw bridge().raise(Refusal.of("E0205", "`" + type + "` is no VM type", "")
                    .help(Spelling.help(type, machines.vmTypes())));
        }
        Described builder = world.builder(type, name.asString());
        for (String key : declaration.getMemberKeys()) {
            if (!key.equals("type") && !key.equals("name")) {
                line(builder, builder.api(), key, declaration.getMember(key));
            }
        }
        return switch (world.build(builder)) {
            case Described vm -> vm;
            case Outcome.Failed failed ->
                throw bridge().raise(Refusal.of(failed.name(), failed.reason(), failed.name()));
            case Object other -> throw new IllegalStateException("a declaration gave " + other);
        };
    }

    /**
     * A line of a declaration; a list stands for one line for each of its elements. A word that needs nothing is written
     * {@code word: true}, {@code {}} or {@code []}; with {@code false} any word is left out.
     */
    private <T> void line(Described builder, Api<T> api, String key, Value value) {
        Optional<Api.Operation<T>> operation = Members.operation(api, key);
        if (operation.isEmpty()) {
            throw bridge().raise(Members.unknown(api, builder.label(), key));
        }
        var lines = new ArrayList<Value>();
        if (value.hasArrayElements() && !operation.get().parameters().isEmpty()) {
            for (long i = 0; i < value.getArraySize(); i++) {
                lines.add(value.getArrayElement(i));
            }
        } else if (!(value.isBoolean() && !value.asBoolean())) {
            lines.add(value);
        }
        for (Value each : lines) {
            var call = new Call(bridge(), operation.get(), builder.label() + "." + key);
            Object result = operation.get().body().apply(api.type().cast(builder), call.bindField(each));
            if (result instanceof Outcome.Failed failed) {
                throw bridge().raise(Refusal.of(failed.name(), key + ": " + failed.reason(), failed.name()));
            }
        }
    }

    private Object guest(int bits, String assembly, String name) {
        return bridge().toJs(kvs.guest(bridge(), name, bits, assembly));
    }

    private String semantics(Value names) {
        var wanted = new ArrayList<String>();
        for (long i = 0; i < names.getArraySize(); i++) {
            String name = names.getArrayElement(i).asString();
            if (!machines.semantics().contains(name)) {
                throw bridge().raise(Refusal.of("E0205", "`" + name + "` is no semantics", "")
                        .help(Spelling.help(name, machines.semantics())));
            }
            wanted.add(name);
        }
        if (!wanted.isEmpty()) {
            declared = List.copyOf(wanted);
            if (!wanted.contains(execution.semantics()) && wantedSummary.isEmpty()) {
                elsewhere = true;
                throw new Elsewhere();
            }
        }
        return execution.semantics();
    }

    /** In one line; what is no value of the machine as JavaScript writes it. */
    private String text(Value value) {
        return value.isString() || value.isNull() || value.isBoolean() || value.isNumber() && !value.fitsInBigInteger()
                ? value.toString()
                : Values.show(bridge().toMachine(value));
    }

    private boolean same(Value left, Value right) {
        if (left.isNull() || right.isNull() || left.canExecute() || right.canExecute()) {
            return false;
        }
        Object a = bridge().toMachine(left);
        Object b = bridge().toMachine(right);
        return switch (a) {
            case Bytes bytes when b instanceof String hex -> bytes.hex().equalsIgnoreCase(hex);
            case String hex when b instanceof Bytes bytes -> bytes.hex().equalsIgnoreCase(hex);
            default -> Values.same(a, b);
        };
    }

    private @Nullable Object notes(Optional<List<String>> notes) {
        return notes.<Object>map(list -> bridge().toJs(list)).orElse(null);
    }

    private Optional<List<String>> mismatch(Value value, String pattern, boolean negated) {
        return kvs.mismatch(bridge(), bridge().toMachine(value), pattern, negated);
    }

    /** The names of a {@code .kvs} file as JavaScript holds them, its functions as functions. */
    private Object imported(String file) {
        var names = new LinkedHashMap<String, Object>();
        kvs.imported(bridge(), Path.of(file))
                .forEach((name, value) -> names.put(
                        name,
                        switch (value) {
                            case KvsText.Imported.Value(Object known) -> bridge().toJs(known);
                            case KvsText.Imported.Function(int parameters) ->
                                (ProxyExecutable) arguments -> bridge().toJs(kvs.call(
                                        bridge(),
                                        name,
                                        Stream.of(arguments)
                                                .map(bridge()::toMachine)
                                                .toList()));
                        }));
        return ProxyObject.fromMap(names);
    }

    private Optional<List<String>> pictureMismatch(Value value, String picture) {
        if (!(bridge().toMachine(value) instanceof Described object)
                || object.picture().isEmpty()) {
            throw bridge().raise(Refusal.of("E0305", "this has no picture", ""));
        }
        String actual = trimmed(object.picture().get());
        String wanted = trimmed(picture);
        if (actual.equals(wanted)) {
            return Optional.empty();
        }
        var notes = new ArrayList<>(List.of(object.label() + ":\n" + actual, "wanted:\n" + wanted));
        lastEvent(object).ifPresent(event -> notes.add("last event: " + event));
        return Optional.of(notes);
    }

    private static String trimmed(String picture) {
        return picture.stripIndent()
                .lines()
                .map(String::stripTrailing)
                .collect(Collectors.joining("\n"))
                .strip();
    }

    private Optional<List<String>> outcomeMismatch(Value value, String name, Value details) {
        if (!(bridge().toMachine(value) instanceof Outcome outcome)) {
            throw bridge().raise(Refusal.of("E0305", "this is no outcome", ""));
        }
        boolean matches = outcome.name().equals(name) || name.equals("error") && outcome instanceof Outcome.Failed;
        for (String key : details.getMemberKeys()) {
            Object actual = outcome.details().get(key);
            matches = matches && actual != null && sameDetail(actual, details.getMember(key));
        }
        if (matches) {
            return Optional.empty();
        }
        var notes = new ArrayList<>(List.of("it is: " + Values.outcome(outcome)));
        if (outcome instanceof Outcome.Failed failed) {
            notes.add("reason: " + failed.reason());
        }
        return Optional.of(notes);
    }

    /** A quantity may be wanted as text: {@code { left: "2M" }}. */
    private boolean sameDetail(Object actual, Value wanted) {
        if (actual instanceof Long quantity && wanted.isString()) {
            return Quantity.ofText(wanted.asString()) instanceof Quantity.Result.Ok(long size) && size == quantity;
        }
        return Values.same(actual, bridge().toMachine(wanted));
    }

    /** The newest event about {@code object}. */
    Optional<String> lastEvent(Described object) {
        return execution
                .history()
                .flatMap(history -> history.last(object.topic()))
                .map(entry -> entry.event().describe() + " (event " + entry.sequence() + ")");
    }

    /** Splits what JavaScript prints into lines. */
    private static final class Lines extends OutputStream {
        private final Consumer<String> output;
        private final java.io.ByteArrayOutputStream line = new java.io.ByteArrayOutputStream();

        Lines(Consumer<String> output) {
            this.output = output;
        }

        @Override
        public void write(int value) {
            if (value == '\n') {
                output.accept(line.toString(StandardCharsets.UTF_8));
                line.reset();
            } else {
                line.write(value);
            }
        }
    }
}
