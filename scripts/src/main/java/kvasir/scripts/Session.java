package kvasir.scripts;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.event.History;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.Kvs;
import kvasir.grammar.SourceFile;
import kvasir.scripts.nodes.Execution;
import kvasir.scripts.nodes.Fault;
import kvasir.scripts.nodes.ScriptException;
import kvasir.scripts.runner.RaceRunner;
import kvasir.scripts.translate.FileScope;
import kvasir.scripts.translate.Loader;
import kvasir.scripts.translate.Program;
import kvasir.scripts.translate.RaceBody;

/** A conversation: statements one after another in one machine that keeps its state. */
public final class Session implements AutoCloseable {
    private static final int EVENTS_KEPT = 1 << 16;

    private final Machines machines;
    private final Machines.Choice choice;
    private final Path folder;
    private final Loader loader;
    private final FileScope scope;
    private final Machines.World world;
    private final Execution execution;
    private final List<String> printed = new ArrayList<>();
    private int inputs;
    private volatile boolean interrupted;

    /**
     * Begins with a fresh machine.
     *
     * @param folder what {@code import} and {@code file("...")} are relative to
     */
    public Session(Machines machines, Machines.Choice choice, Path folder) {
        this.machines = machines;
        this.choice = choice;
        this.folder = folder;
        this.loader = new Loader(machines);
        this.scope = loader.conversation();
        this.world = machines.create(choice);
        var history = new History(EVENTS_KEPT);
        world.events().add(history);
        this.execution =
                new Execution(world, choice.semantics(), Optional.of(history), false, printed::add, () -> interrupted);
    }

    /** What became of one input. */
    public sealed interface Reply {
        /** It is the beginning of something; more lines are needed. */
        record Incomplete() implements Reply {}

        /**
         * It went through.
         *
         * @param lines what to print: pictures, values, outcomes; may be empty
         */
        record Done(List<String> lines) implements Reply {}

        /**
         * It did not; the session goes on in the state reached.
         *
         * @param lines what was printed before it failed
         */
        record Refused(List<String> lines, List<Failure> failures) implements Reply {}
    }

    /**
     * One way to go on.
     *
     * @param text what would stand in place of the word at the cursor
     * @param group {@code operation}, {@code property}, {@code name}, {@code keyword}, {@code word}, {@code parameter}
     * @param signature what it is or takes, in one line
     * @param doc its first sentence; may be empty
     */
    public record Candidate(String text, String group, String signature, String doc) {}

    /**
     * How a text could go on.
     *
     * @param start offset of the word that a candidate replaces, up to the cursor
     */
    public record Completion(int start, List<Candidate> candidates) {}

    /** The semantics and seed of the machine. */
    public Machines.Choice choice() {
        return choice;
    }

    /**
     * Evaluates statements or one expression, whose value is printed. Tests are run at once in this machine; races
     * are explored from where it stands and leave it so.
     *
     * @param text one or more lines
     */
    public Reply evaluate(String text) {
        if (Kvs.isIncomplete(text)) {
            return new Reply.Incomplete();
        }
        interrupted = false;
        printed.clear();
        execution.nextInput();
        var source = new SourceFile("input " + ++inputs, text);
        Loader.Input input = loader.input(source, folder, scope);
        if (!input.diagnostics().isEmpty()) {
            return refused(input.diagnostics().stream().map(Failure::of).toList());
        }
        try {
            input.body().call(execution);
            for (Program.Test test : input.races()) {
                Optional<Fault> broken = explore(test);
                if (broken.isPresent()) {
                    return refused(broken.get());
                }
            }
            return new Reply.Done(List.copyOf(printed));
        } catch (ScriptException exception) {
            return refused(exception.fault());
        } catch (RuntimeException | StackOverflowError bug) {
            StackTraceElement[] stack = bug.getStackTrace();
            var diagnostic = Diagnostic.of("E0600", source.span(0, 0), "this is a bug in Kvasir", bug.toString());
            var notes = List.of("at: " + (stack.length == 0 ? "an unknown place" : stack[0].toString()));
            return refused(List.of(Failure.of(Failure.Kind.BUG, diagnostic, notes)));
        }
    }

    /** Every schedule of a race from the machine as it stands, and then the machine as it stood. */
    private Optional<Fault> explore(Program.Test test) {
        if (!(test.body() instanceof RaceBody race)) {
            return Optional.empty();
        }
        RaceRunner.Result result = RaceRunner.inPlace(world, execution, test, race, () -> interrupted);
        printed.addAll(result.output());
        return result.fault();
    }

    private Reply refused(Fault fault) {
        return refused(List.of(Failure.of(fault.kind(), fault.diagnostic(), fault.notes())));
    }

    private Reply refused(List<Failure> failures) {
        return new Reply.Refused(List.copyOf(printed), failures);
    }

    /** The serial port of the VM of that name, if it has devices. */
    public Optional<SerialConsole> console(String vm) {
        return world.console(vm);
    }

    /** What could stand at offset {@code cursor} of {@code text}. Nothing is evaluated but properties. */
    public Completion complete(String text, int cursor) {
        return new Completer(machines, world, scope, execution).complete(text, cursor);
    }

    /** Help for the name at offset {@code cursor}: signature, documentation, example; lines without a last newline. */
    public Optional<String> help(String text, int cursor) {
        return new Completer(machines, world, scope, execution).help(text, cursor);
    }

    /** Makes an {@link #evaluate} on another thread come back soon with {@link Failure.Kind#INTERRUPTED}. */
    public void interrupt() {
        interrupted = true;
        world.interrupt();
    }

    @Override
    public void close() {
        world.close();
    }
}
