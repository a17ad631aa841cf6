package kvasir.repl;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.registry.Api;
import kvasir.scripts.Machines;
import kvasir.scripts.binding.Spelling;

/** {@code kvs help}: commands, and whatever name a script may use. */
final class HelpCommand {
    private HelpCommand() {}

    static int run(CommandLine line, Console console) {
        if (line.operands().isEmpty()) {
            console.out().println(overview());
            return 0;
        }
        String topic = line.operands().getFirst();
        Optional<Command> command = Command.of(topic);
        if (command.isPresent()) {
            console.out().println(command.get().help());
            return 0;
        }
        Optional<String> text = text(Engine.machines(), topic);
        if (text.isPresent()) {
            console.out().println(text.get());
            return 0;
        }
        console.err()
                .println("kvs: no help for `" + topic + "`"
                        + "; "
                        + Spelling.help(topic, topics(Engine.machines()))
                                .orElse("`kvs reference` prints all there is"));
        return 1;
    }

    /** Help for an object, a member or an {@code object.member} of the registry. */
    static Optional<String> text(Machines machines, String topic) {
        List<Api<?>> apis = machines.apis();
        var found = new ArrayList<String>();
        for (Api<?> api : apis) {
            if (api.name().equals(topic)) {
                found.add(ApiText.page(api));
            }
        }
        found.addAll(ApiText.members(apis, topic));
        return found.isEmpty() ? Optional.empty() : Optional.of(String.join("\n\n", found));
    }

    /** Every word that has help. */
    static List<String> topics(Machines machines) {
        var topics = new ArrayList<String>();
        for (Command command : Command.values()) {
            topics.add(command.word());
        }
        for (Api<?> api : machines.apis()) {
            topics.add(api.name());
            api.operations().forEach(operation -> topics.add(operation.name()));
            api.properties().forEach(property -> topics.add(property.name()));
        }
        return topics;
    }

    private static String overview() {
        var text = new StringBuilder("kvs: KVM you can hold in your hand\n\n");
        for (Command command : Command.values()) {
            text.append("  kvs %-10s %-16s %s\n".formatted(command.word(), command.operands(), command.doc()));
        }
        text.append("""

                `kvs help COMMAND` lists the options of a command; `kvs help NAME` explains a name that scripts use.
                Exit codes: 0 all passed, 1 usage, 2 syntax or static error, 3 the machine or engine failed,
                4 an assertion failed, 130 interrupted.""");
        return text.toString();
    }
}
