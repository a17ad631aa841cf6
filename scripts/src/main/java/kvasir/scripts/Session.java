package kvasir.scripts;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A conversation: statements one after another in one machine that keeps its state. */
@SuppressWarnings("DoNotCallSuggester")
public final class Session implements AutoCloseable {
    private final Machines machines;
    private final Machines.Choice choice;
    private final Path folder;

    /**
     * Begins with a fresh machine.
     *
     * @param folder what {@code import} and {@code file("...")} are relative to
     */
    public Session(Machines machines, Machines.Choice choice, Path folder) {
        this.machines = machines;
        this.choice = choice;
        this.folder = folder;
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
     * Evaluates statements or one expression, whose value is printed. Tests are run at once in this machine.
     *
     * @param text one or more lines
     */
    public Reply evaluate(String text) {
        throw new UnsupportedOperationException("not delivered yet: " + machines + folder);
    }

    /** What could stand at offset {@code cursor} of {@code text}. Nothing is evaluated but properties. */
    public Completion complete(String text, int cursor) {
        throw new UnsupportedOperationException("not delivered yet");
    }

    /** Help for the name at offset {@code cursor}: signature, documentation, example; lines without a last newline. */
    public Optional<String> help(String text, int cursor) {
        throw new UnsupportedOperationException("not delivered yet");
    }

    /** Makes an {@link #evaluate} on another thread come back soon with {@link Failure.Kind#INTERRUPTED}. */
    public void interrupt() {
        throw new UnsupportedOperationException("not delivered yet");
    }

    @Override
    public void close() {}
}
