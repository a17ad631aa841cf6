package kvasir.repl;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import kvasir.scripts.Machines;
import kvasir.scripts.binding.Spelling;

/** {@code kvs repl}: a prompt for a person, or a plain reader of lines when no person types. */
final class ReplCommand {
    private ReplCommand() {}

    static int run(CommandLine line, Console console) {
        Machines machines = Engine.machines();
        String semantics = line.value("--semantics").orElse(machines.defaultSemantics());
        if (!machines.semantics().contains(semantics)) {
            console.err()
                    .println("kvs: unknown semantics `" + semantics + "`"
                            + Spelling.help(semantics, machines.semantics())
                                    .map(help -> "; " + help)
                                    .orElse(""));
            return 1;
        }
        try (var conversation = new Conversation(machines, semantics, Path.of(""))) {
            if (Console.interactive()) {
                return Prompt.run(conversation, console);
            }
            return plain(conversation, new InputStreamReader(System.in, StandardCharsets.UTF_8), console);
        } catch (IOException e) {
            console.err().println("kvs: cannot read the input: " + e.getMessage());
            return 1;
        }
    }

    /** No prompt, no escape codes: what is said is read to its end, what is answered is printed. */
    static int plain(Conversation conversation, Reader input, Console console) throws IOException {
        var reader = new BufferedReader(input);
        var said = new StringBuilder();
        Optional<String> line = Optional.ofNullable(reader.readLine());
        while (line.isPresent()) {
            said.append(line.get()).append('\n');
            switch (conversation.say(said.toString())) {
                case Conversation.Turn.More() -> {}
                case Conversation.Turn.Attach _ -> {
                    console.out().println("error: :console needs a terminal; `kvs boot --console` reads a pipe");
                    console.out().flush();
                    said.setLength(0);
                }
                case Conversation.Turn.Bye() -> {
                    return conversation.exitCode();
                }
                case Conversation.Turn.Said(var lines) -> {
                    lines.forEach(console.out()::println);
                    console.out().flush();
                    said.setLength(0);
                }
            }
            line = Optional.ofNullable(reader.readLine());
        }
        if (!said.toString().isBlank()) {
            console.out().println("error: the input ends in the middle of a statement");
            return 2;
        }
        return conversation.exitCode();
    }
}
