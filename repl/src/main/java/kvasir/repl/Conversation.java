package kvasir.repl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kvasir.scripts.Failure;
import kvasir.scripts.Machines;
import kvasir.scripts.RunOptions;
import kvasir.scripts.RunSummary;
import kvasir.scripts.SerialConsole;
import kvasir.scripts.Session;
import kvasir.scripts.binding.Spelling;

/** What is said at the prompt and answered, free of any terminal. */
final class Conversation implements AutoCloseable {
    /** Commands of the prompt itself, with what they do. */
    static final List<Word> WORDS = List.of(
            new Word(":help", "[NAME]", "what may be said here, or what NAME is"),
            new Word(":why", "EXPRESSION", "the last event that touched the object"),
            new Word(":load", "FILE", "say the statements of a script"),
            new Word(":console", "VM", "the VM runs, and this terminal is its serial port; Ctrl-] comes back"),
            new Word(":semantics", "[NAME]", "which semantics this is, or a fresh machine under another one"),
            new Word(":reset", "", "a fresh machine"),
            new Word(":quit", "", "good-bye (so does Ctrl-D)"));

    private final Machines machines;
    private final Path folder;
    private Session session;
    private int exitCode;

    /** A command of the prompt. */
    record Word(String name, String operand, String doc) {}

    /** What became of one input. */
    sealed interface Turn {
        /** It needs more lines. */
        record More() implements Turn {}

        /** The answer, to be printed. */
        record Said(List<String> lines) implements Turn {}

        /** The terminal is a guest's from now on, until the person comes back. */
        record Attach(SerialConsole console) implements Turn {}

        /** The person wants to leave. */
        record Bye() implements Turn {}
    }

    /** @param folder what imports and files are relative to */
    Conversation(Machines machines, String semantics, Path folder) {
        this.machines = machines;
        this.folder = folder;
        this.session = begin(semantics);
    }

    private Session begin(String semantics) {
        return new Session(machines, new Machines.Choice(semantics, 1, RunOptions.DEFAULT_BUDGET), folder);
    }

    /** The machine and its names at this moment. */
    Session session() {
        return session;
    }

    /** Names that are there without being declared. */
    Set<String> builtIns() {
        var names = new HashSet<>(machines.vmTypes());
        machines.globals().forEach(global -> names.add(global.name()));
        return names;
    }

    /** Exit code of a script that had said the same. */
    int exitCode() {
        return exitCode;
    }

    /** Answers {@code text}, one line or more. */
    Turn say(String text) {
        String line = text.strip();
        if (line.isEmpty()) {
            return new Turn.Said(List.of());
        }
        return line.startsWith(":") ? command(line) : evaluate(text);
    }

    private Turn evaluate(String text) {
        return switch (session.evaluate(text)) {
            case Session.Reply.Incomplete() -> new Turn.More();
            case Session.Reply.Done(List<String> lines) -> new Turn.Said(lines);
            case Session.Reply.Refused(List<String> lines, List<Failure> failures) -> {
                var said = new ArrayList<>(lines);
                failures.forEach(failure -> said.add(failure.text()));
                failures.forEach(failure -> count(failure.kind().exitCode()));
                yield new Turn.Said(said);
            }
        };
    }

    private void count(int code) {
        exitCode = RunSummary.worse(exitCode, code);
    }

    private Turn command(String line) {
        int blank = line.indexOf(' ');
        String word = blank < 0 ? line : line.substring(0, blank);
        String operand = blank < 0 ? "" : line.substring(blank + 1).strip();
        return switch (word) {
            case ":quit", ":q", ":exit" -> new Turn.Bye();
            case ":help", ":h", ":?" -> new Turn.Said(List.of(help(operand)));
            case ":why" -> operand.isEmpty() ? refuse(":why needs an expression: `:why td.ept[0x1000]`") : why(operand);
            case ":load" -> operand.isEmpty() ? refuse(":load needs a file") : load(operand);
            case ":console" -> attach(operand);
            case ":reset" -> restart(session.choice().semantics());
            case ":semantics" -> semantics(operand);
            default ->
                refuse("there is no " + word
                        + Spelling.help(word, WORDS.stream().map(Word::name).toList())
                                .map(help -> "; " + help)
                                .orElse(""));
        };
    }

    private Turn refuse(String message) {
        count(1);
        return new Turn.Said(List.of("error: " + message));
    }

    private Turn why(String expression) {
        return evaluate("show why(" + expression + ")");
    }

    private Turn attach(String vm) {
        if (vm.isEmpty()) {
            return refuse(":console needs the name of a VM");
        }
        Optional<SerialConsole> console = session.console(vm);
        return console.isPresent()
                ? new Turn.Attach(console.get())
                : refuse("there is no VM `" + vm
                        + "` with a serial port; the line `devices` of its declaration gives one");
    }

    private Turn load(String file) {
        Path path = folder.resolve(file);
        try {
            return switch (evaluate(Files.readString(path))) {
                case Turn.More() -> refuse(path + " ends in the middle of a statement");
                case Turn turn -> turn;
            };
        } catch (IOException e) {
            return refuse("cannot read " + path);
        }
    }

    private Turn semantics(String name) {
        if (name.isEmpty()) {
            return new Turn.Said(List.of(session.choice().semantics()));
        }
        if (!machines.semantics().contains(name)) {
            return refuse("`" + name + "` is no semantics"
                    + Spelling.help(name, machines.semantics())
                            .map(help -> "; " + help)
                            .orElse(""));
        }
        return restart(name);
    }

    private Turn restart(String semantics) {
        session.close();
        session = begin(semantics);
        return new Turn.Said(List.of("a fresh machine under " + semantics));
    }

    private String help(String topic) {
        if (topic.isEmpty()) {
            var text = new StringBuilder("Say any statement of KVS, or an expression to see its value. For example:\n")
                    .append("    vm plain = default { vcpus 1  memory 0 .. 64M }\n")
                    .append("    plain.vcpu0.map_memory 0 .. 4M\n")
                    .append("    show plain.ept\n");
            for (Word word : WORDS) {
                text.append("%-24s %s\n".formatted((word.name() + " " + word.operand()).strip(), word.doc()));
            }
            return text.append("VM types: ")
                    .append(String.join(", ", machines.vmTypes()))
                    .append("; Tab completes, and tells what there is")
                    .toString();
        }
        Optional<String> known = session.help(topic, topic.length()).or(() -> HelpCommand.text(machines, topic));
        return known.orElseGet(() -> "no help for `" + topic + "`"
                + Spelling.help(topic, HelpCommand.topics(machines))
                        .map(help -> "; " + help)
                        .orElse(""));
    }

    @Override
    public void close() {
        session.close();
    }
}
