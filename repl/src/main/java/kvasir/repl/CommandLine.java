package kvasir.repl;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.scripts.binding.Spelling;

/**
 * The words after a command, sorted out.
 *
 * @param options by name with dashes; a flag has the empty value
 * @param operands everything else, in order
 */
record CommandLine(Map<String, String> options, List<String> operands) {
    /** What became of the words. */
    sealed interface Result {
        /** They are in order. */
        record Ok(CommandLine line) implements Result {}

        /** The person wants the help of this command. */
        record Help() implements Result {}

        /** They are not; {@code message} says what to do. */
        record Wrong(String message) implements Result {}
    }

    boolean has(String option) {
        return options.containsKey(option);
    }

    Optional<String> value(String option) {
        return Optional.ofNullable(options.get(option));
    }

    /** Reads the words that follow {@code command}; {@code --} ends the options. */
    static Result parse(Command command, List<String> words) {
        var options = new LinkedHashMap<String, String>();
        var operands = new ArrayList<String>();
        boolean optionsEnded = false;
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (optionsEnded || !word.startsWith("-") || word.equals("-")) {
                operands.add(word);
            } else if (word.equals("--")) {
                optionsEnded = true;
            } else if (word.equals("--help") || word.equals("-h")) {
                return new Result.Help();
            } else {
                int equals = word.indexOf('=');
                String name = equals < 0 ? word : word.substring(0, equals);
                Optional<Command.Option> option = command.option(name);
                if (option.isEmpty()) {
                    return new Result.Wrong(unknownOption(command, name));
                }
                boolean flag = option.get().value().isEmpty();
                if (flag && equals >= 0) {
                    return new Result.Wrong("option `" + name + "` takes no value");
                }
                if (!flag && equals < 0 && i + 1 == words.size()) {
                    return new Result.Wrong("option `" + name + "` needs a value: " + name + " "
                            + option.get().value());
                }
                options.put(name, flag ? "" : equals >= 0 ? word.substring(equals + 1) : words.get(++i));
            }
        }
        if (command.needsOperands() && operands.isEmpty()) {
            return new Result.Wrong(
                    "`kvs " + command.word() + "` needs " + command.operands() + "\n" + command.usage());
        }
        int most = command.takesMany() ? Integer.MAX_VALUE : command.operands().isEmpty() ? 0 : 1;
        if (operands.size() > most) {
            return new Result.Wrong("too many words: `" + operands.get(most) + "`\n" + command.usage());
        }
        return new Result.Ok(new CommandLine(options, List.copyOf(operands)));
    }

    private static String unknownOption(Command command, String name) {
        List<String> known =
                command.options().stream().map(Command.Option::name).toList();
        return "unknown option `" + name + "` of `kvs " + command.word() + "`"
                + Spelling.help(name, known).map(help -> "; " + help).orElse("")
                + "\n" + command.usage();
    }
}
