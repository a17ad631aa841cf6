package kvasir.scripts.nodes;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import kvasir.event.History;
import kvasir.grammar.Span;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.scripts.Machines;
import kvasir.scripts.binding.Values;
import org.jspecify.annotations.Nullable;

/**
 * One run of a script in one machine. Confined to the thread that runs, except that {@code interrupted} may ask
 * about another.
 */
public final class Execution {
    private static final int MAX_CALL_DEPTH = 200;
    private static final long MAX_STEPS = 50_000_000;

    private final Machines.World world;
    private final String semantics;
    private final Optional<History> history;
    private final boolean updating;
    private final Consumer<String> output;
    private final BooleanSupplier interrupted;
    private final Deque<Span> calls = new ArrayDeque<>();
    private final List<String> answers = new ArrayList<>();
    private final List<PictureUpdate> updates = new ArrayList<>();
    private @Nullable Object[] globals = new Object[16];
    private @Nullable Watch watch;
    private @Nullable Object otherLanguage;
    private String observed = "";
    private long steps;

    /**
     * A picture in a script that differs from what the machine shows.
     *
     * @param span of the text in the script, quotes included
     * @param shown what it should be
     */
    public record PictureUpdate(Span span, String shown) {}

    /**
     * @param history present if failures are to be explained: assertions then keep what they saw
     * @param updating whether pictures that differ are to be rewritten rather than to fail
     * @param output takes what {@code show} prints
     * @param interrupted whether the user wants it to end
     */
    public Execution(
            Machines.World world,
            String semantics,
            Optional<History> history,
            boolean updating,
            Consumer<String> output,
            BooleanSupplier interrupted) {
        this.world = world;
        this.semantics = semantics;
        this.history = history;
        this.updating = updating;
        this.output = output;
        this.interrupted = interrupted;
    }

    /** Another line of execution in the same machine, with the names known so far: a task of a race. */
    public Execution beside() {
        var other = new Execution(world, semantics, history, updating, output, interrupted);
        other.globals = globals.clone();
        return other;
    }

    /** The same names in the same machine, but what is shown goes nowhere and nobody interrupts. */
    public Execution unheard() {
        var other = new Execution(world, semantics, Optional.empty(), false, text -> {}, () -> false);
        other.globals = globals.clone();
        return other;
    }

    /** The machine. */
    public Machines.World world() {
        return world;
    }

    /** The semantics it runs under. */
    public String semantics() {
        return semantics;
    }

    /** Recent events, if they are kept. */
    public Optional<History> history() {
        return history;
    }

    boolean updating() {
        return updating;
    }

    /** What {@code answer} recorded, in order. */
    public List<String> answers() {
        return answers;
    }

    /** The first outcome since {@link #beginTest} that the script states; empty if none. */
    public String observed() {
        return observed;
    }

    /** The declarations and setups are done: what is observed from now on is what the script is about. */
    public void beginTest() {
        observed = "";
    }

    /** Keeps the first outcome that the script states. */
    void observe(Outcome outcome) {
        if (observed.isEmpty()) {
            observed = outcome.name()
                    + (outcome.details().get("left") instanceof Long left && left != 0
                            ? " left " + Values.size(left)
                            : "");
        }
    }

    /** Pictures that differed, in order. */
    public List<PictureUpdate> updates() {
        return updates;
    }

    /** The value of a top-level name. */
    public @Nullable Object global(int index) {
        return index < globals.length ? globals[index] : null;
    }

    /** Gives a top-level name its value. */
    public void setGlobal(int index, Object value) {
        if (index >= globals.length) {
            globals = Arrays.copyOf(globals, Math.max(2 * globals.length, index + 1));
        }
        globals[index] = value;
    }

    /** The other language of this run, of which there is at most one; {@code make} begins it when it is needed first. */
    public <T> T otherLanguage(Class<T> type, Supplier<T> make) {
        Object known = otherLanguage;
        if (known == null) {
            known = make.get();
            otherLanguage = known;
        }
        return type.cast(known);
    }

    /** Prints as {@code show} does. */
    public void print(String text) {
        output.accept(text);
    }

    /** The object behind a name that every script sees. */
    Optional<Described> machineGlobal(String name) {
        return world.global(name);
    }

    /** The next input of a conversation begins: how long the ones before took does not count against it. */
    public void nextInput() {
        steps = 0;
        calls.clear();
    }

    /** Counts one step of a loop or a call; whether the script may go on. */
    boolean step() {
        return ++steps <= MAX_STEPS;
    }

    public boolean interrupted() {
        return interrupted.getAsBoolean();
    }

    /** Enters a function called at {@code span}; false if functions are nested too deep. */
    boolean enter(Span span) {
        if (calls.size() >= MAX_CALL_DEPTH) {
            return false;
        }
        calls.push(span);
        return true;
    }

    void leave() {
        calls.pop();
    }

    /** Where the functions now running were called, innermost first. */
    List<Span> calls() {
        return List.copyOf(calls);
    }

    /** Begins to keep what an assertion sees, if failures are to be explained. */
    @Nullable
    Watch watchAssertion() {
        watch = history.isPresent() ? new Watch() : null;
        return watch;
    }

    void endWatch() {
        watch = null;
    }

    void resumeWatch(@Nullable Watch outer) {
        watch = outer;
    }

    /** What the running assertion has seen; null if nobody will ask. */
    @Nullable
    Watch watch() {
        return watch;
    }
}
