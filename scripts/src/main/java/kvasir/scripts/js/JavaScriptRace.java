package kvasir.scripts.js;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import kvasir.grammar.Statement.Frequency;
import kvasir.kvm.Seams;
import kvasir.metal.memory.MemoryWatch;
import kvasir.registry.Outcome;
import kvasir.scripts.Machines;
import kvasir.scripts.RaceReport;
import kvasir.scripts.binding.Nothing;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Spelling;
import kvasir.scripts.explore.Attendant;
import kvasir.scripts.explore.Bounds;
import kvasir.scripts.explore.EndState;
import kvasir.scripts.explore.Exploration;
import kvasir.scripts.explore.Explorer;
import kvasir.scripts.explore.Scenario;
import kvasir.scripts.explore.Schedule;
import kvasir.scripts.explore.Shard;
import kvasir.scripts.runner.RaceSearch;
import kvasir.scripts.runner.WorldRun;
import kvasir.scripts.translate.RaceBody;
import org.graalvm.polyglot.Value;

/**
 * A race in JavaScript: {@code race("name", { a: () => ..., b: () => ... }, { explore: { preemptions: 2 }, never:
 * ["deadlock"], always: [({ a }) => a.ok] })}. The function of a task is called once, to see which operations it asks for;
 * these are what runs, in the machine as it is at the call of {@code race}, which is put back for each schedule and
 * behind the last.
 */
final class JavaScriptRace implements Scenario {
    private static final int MOST_TASKS = 16;
    private static final Map<String, RaceBody.Known> KNOWN = new LinkedHashMap<>();

    static {
        for (RaceBody.Known known : RaceBody.Known.values()) {
            String words = known == RaceBody.Known.KVM_BUG
                    ? "kvm_bug"
                    : known.name().toLowerCase(Locale.ROOT).replace('_', ' ');
            KNOWN.put(words, known);
        }
    }

    private final Bridge bridge;
    private final Machines.World world;
    private final String title;
    private final List<String> faults;
    private final Exploring exploring;
    private final Map<String, List<Supplier<Object>>> tasks = new LinkedHashMap<>();
    private final List<RaceSearch.Clause> clauses = new ArrayList<>();
    private final List<Optional<Value>> conditions = new ArrayList<>();
    private final Map<String, Outcome> outcomes = new LinkedHashMap<>();
    private Bounds bounds = Bounds.DEFAULT;
    private Optional<Schedule> replay = Optional.empty();
    private Runnable putBack = () -> {};

    /** @param faults what a host may do at any time */
    JavaScriptRace(
            Bridge bridge,
            Machines.World world,
            List<String> faults,
            Exploring exploring,
            String title,
            Value tasks,
            Value options) {
        this.bridge = bridge;
        this.world = world;
        this.title = title;
        this.faults = faults;
        this.exploring = exploring;
        tasks(tasks);
        options(options);
        bounds = exploring.options().over(bounds);
        replay = exploring.options().replay().or(() -> replay);
        int size = this.tasks.size();
        if (size < 2 || size > MOST_TASKS) {
            throw bridge.raise(Refusal.of("E0322", "a race has 2 to " + MOST_TASKS + " tasks", "this one has " + size));
        }
    }

    private void tasks(Value given) {
        for (String label : given.hasMembers() ? given.getMemberKeys() : Set.<String>of()) {
            Value body = given.getMember(label);
            if (!body.canExecute()) {
                throw bridge.raise(Refusal.of("E0202", "task `" + label + "` is no function", ""));
            }
            List<Supplier<Object>> calls = bridge.recorded(() -> body.executeVoid());
            if (calls.isEmpty()) {
                throw bridge.raise(Refusal.of(
                        "E0202", "task `" + label + "` asks nothing of the machine", "it calls no operation"));
            }
            tasks.put(label, calls);
        }
    }

    private void options(Value given) {
        List<String> known = List.of("explore", "never", "always", "sometimes");
        for (String key : given.isNull() ? Set.<String>of() : given.getMemberKeys()) {
            Value value = given.getMember(key);
            switch (key) {
                case "explore" -> value.getMemberKeys().forEach(name -> bound(name, value.getMember(name)));
                case "never", "always", "sometimes" -> claims(Frequency.valueOf(key.toUpperCase(Locale.ROOT)), value);
                default ->
                    throw bridge.raise(Refusal.of("E0203", "race has no option `" + key + "`", "unknown")
                            .help(Spelling.help(key, known)));
            }
        }
    }

    private void bound(String name, Value value) {
        if (name.equals("replay")) {
            replay = value.isString() ? Schedule.parse(value.asString()) : Optional.empty();
            if (replay.isEmpty()) {
                throw bridge.raise(
                        Refusal.of("E0320", "`replay` takes a schedule", "one that a search printed, as \"k1:12B\""));
            }
            return;
        }
        if (name.equals("faults")) {
            faults(value);
            return;
        }
        if (Bounds.SWITCHES.contains(name) && value.isBoolean()) {
            bounds = bounds.with(name, value.asBoolean() ? 1 : 0).orElseThrow();
            return;
        }
        int number = Bounds.SWITCHES.contains(name) ? -1 : value.fitsInInt() && value.asInt() >= 0 ? value.asInt() : -1;
        Optional<Bounds> next = number < 0 ? Optional.empty() : bounds.with(name, number);
        if (next.isEmpty()) {
            throw bridge.raise(Refusal.of(
                            "E0320",
                            Bounds.SWITCHES.contains(name)
                                    ? "`" + name + "` is true or false"
                                    : "`" + name + "` is no bound of a search, or takes one number",
                            "")
                    .help(Spelling.help(name, Bounds.NAMES)));
        }
        bounds = next.get();
    }

    private void faults(Value given) {
        if (given.hasArrayElements()) {
            for (long i = 0; i < given.getArraySize(); i++) {
                faults(given.getArrayElement(i));
            }
            return;
        }
        String word = given.isString() ? given.asString() : given.toString();
        if (!faults.contains(word)) {
            throw bridge.raise(
                    Refusal.of("E0320", "no host does `" + word + "`", "there is " + String.join(", ", faults))
                            .help(Spelling.help(word, faults)));
        }
        if (tasks.putIfAbsent(word, List.of(() -> world.inject(word))) != null) {
            throw bridge.raise(
                    Refusal.of("E0320", "there is a task `" + word + "` already", "each fault happens once"));
        }
    }

    private void claims(Frequency frequency, Value given) {
        if (given.hasArrayElements()) {
            for (long i = 0; i < given.getArraySize(); i++) {
                claims(frequency, given.getArrayElement(i));
            }
        } else if (given.canExecute()) {
            String source = given.getSourceLocation() == null
                    ? "a function"
                    : given.getSourceLocation().getCharacters().toString();
            clauses.add(new RaceSearch.Clause(frequency, source, Optional.empty()));
            conditions.add(Optional.of(given));
        } else {
            String words = given.isString() ? given.asString() : given.toString();
            RaceBody.Known known = KNOWN.get(words);
            if (known == null) {
                throw bridge.raise(Refusal.of("E0323", "the explorer does not know `" + words + "`", "")
                        .help(Spelling.help(words, List.copyOf(KNOWN.keySet()))));
            }
            clauses.add(new RaceSearch.Clause(frequency, words, Optional.of(known)));
            conditions.add(Optional.empty());
        }
    }

    /** What became of the race; {@code whole}: the whole search, not a shard's part of it. */
    record Result(
            RaceReport report, Optional<String> broken, List<String> notes, List<String> schedules, boolean whole) {}

    /** The one schedule that was asked for, in writing; empty if all are to be searched. */
    Optional<String> replayed() {
        return replay.map(schedule -> inPlace(() -> {
            Explorer.Replay run = new Explorer(this, bounds).replay(schedule);
            return RaceSearch.replay(title, List.copyOf(tasks.keySet()), run);
        }));
    }

    /** What it comes to under the semantics at hand, in a line. */
    String summary(String semantics, Attendant attendant) {
        return inPlace(
                () -> RaceSearch.summary(semantics, new Explorer(this, bounds, title, Shard.ALL, attendant).explore()));
    }

    Result run(Attendant attendant) {
        if (exploring.invariants() && !watched()) {
            clauses.add(new RaceSearch.Clause(
                    Frequency.NEVER, "invariant violation", Optional.of(RaceBody.Known.INVARIANT_VIOLATION)));
            conditions.add(Optional.empty());
        }
        return inPlace(() -> {
            Shard shard = exploring.options().shard();
            var explorer = new Explorer(this, bounds, title, shard, attendant);
            var search = new RaceSearch(title, List.copyOf(tasks.keySet()), clauses, explorer, shard);
            Exploration found = explorer.explore();
            Optional<RaceSearch.Broken> broken = search.broken(found);
            List<String> elsewhere =
                    RaceSearch.bad(found) ? exploring.elsewhere().apply(title) : List.of();
            RaceReport report = search.report(found, elsewhere);
            return new Result(
                    report,
                    broken.map(each -> "`" + clauses.get(each.clause()).words() + "` does not hold: " + each.reason()),
                    broken.map(RaceSearch.Broken::details).orElse(List.of()),
                    report.endings().stream().map(search::schedule).toList(),
                    found.whole());
        });
    }

    private boolean watched() {
        return clauses.stream()
                .anyMatch(clause -> clause.known()
                        .filter(RaceBody.Known.INVARIANT_VIOLATION::equals)
                        .isPresent());
    }

    private <T> T inPlace(Supplier<T> body) {
        putBack = world.checkpoint();
        try {
            return body.get();
        } finally {
            world.memory().watch(MemoryWatch.NONE);
            world.seams(Seams.SEQUENTIAL);
            putBack.run();
        }
    }

    @Override
    public Run begin(Seams seams) {
        world.memory().watch(MemoryWatch.NONE);
        world.seams(Seams.SEQUENTIAL);
        putBack.run();
        outcomes.clear();
        world.seams(seams);
        return new Schedules();
    }

    /** One schedule in the machine as it was. */
    private final class Schedules extends WorldRun {
        Schedules() {
            super(world);
        }

        @Override
        public List<Task> tasks() {
            return tasks.entrySet().stream()
                    .map(each -> new Task(each.getKey(), () -> perform(each.getKey(), each.getValue())))
                    .toList();
        }

        private Outcome perform(String label, List<Supplier<Object>> calls) {
            Outcome last = Outcome.ok();
            for (Supplier<Object> call : calls) {
                last = switch (call.get()) {
                    case Outcome outcome -> outcome;
                    case Nothing nothing -> Outcome.ok();
                    case Object value -> new Outcome.Ok(Map.of("value", value));
                };
                if (last instanceof Outcome.Failed) {
                    break;
                }
            }
            outcomes.put(label, last);
            return last;
        }

        @Override
        public boolean watchesInvariants() {
            return watched();
        }

        @Override
        public Optional<String> violation() {
            return watchesInvariants() ? world.violation() : Optional.empty();
        }

        @Override
        public EndState end() {
            world.seams(Seams.SEQUENTIAL);
            Map<String, Object> seen = tasks.keySet().stream()
                    .collect(Collectors.toMap(
                            label -> label,
                            label -> bridge.shown(outcomes.getOrDefault(label, Outcome.ok())),
                            (a, b) -> a,
                            LinkedHashMap::new));
            var holds = new ArrayList<Boolean>();
            for (Optional<Value> condition : conditions) {
                holds.add(condition
                        .map(each -> each.execute(bridge.object(seen)))
                        .filter(each -> each.isBoolean() && each.asBoolean())
                        .isPresent());
            }
            return new EndState(world.kernelBug(), List.copyOf(holds));
        }

        @Override
        public void close() {
            world.memory().watch(MemoryWatch.NONE);
        }
    }
}
