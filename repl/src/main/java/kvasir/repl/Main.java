package kvasir.repl;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import kvasir.scripts.binding.Spelling;

/** The {@code kvs} command. */
final class Main {
    private Main() {}

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] args) {
        Console console = Console.ofProcess();
        int code = safely(List.of(args), console);
        console.flush();
        // Not System.exit: it loads the loggers, a tenth of the start-up of a small script.
        Runtime.getRuntime().halt(code);
    }

    private static int safely(List<String> words, Console console) {
        try {
            return run(words, console);
        } catch (RuntimeException | Error bug) {
            Throwable cause =
                    bug instanceof ExceptionInInitializerError && bug.getCause() != null ? bug.getCause() : bug;
            StackTraceElement[] stack = cause.getStackTrace();
            console.err().println("kvs: this is a bug in Kvasir, please report it: " + cause);
            for (int i = 0; i < Math.min(8, stack.length); i++) {
                console.err().println("  at " + stack[i]);
            }
            return 3;
        }
    }

    /** The exit code of {@code kvs words...}. */
    static int run(List<String> words, Console console) {
        if (words.isEmpty()) {
            return execute(Command.REPL, List.of(), console);
        }
        String word = switch (words.getFirst()) {
            case "--version", "-V" -> "version";
            case "--help", "-h" -> "help";
            default -> words.getFirst();
        };
        Optional<Command> command = Command.of(word);
        if (command.isEmpty()) {
            console.err().println("kvs: " + unknown(word));
            return 1;
        }
        return execute(command.get(), words.subList(1, words.size()), console);
    }

    private static String unknown(String word) {
        if (word.endsWith(".kvs") || word.endsWith(".mjs") || word.endsWith(".js")) {
            return "to run a script, write: kvs run " + word;
        }
        List<String> commands = Stream.of(Command.values()).map(Command::word).toList();
        return "unknown command `" + word + "`"
                + Spelling.help(word, commands).map(help -> "; " + help).orElse("");
    }

    private static int execute(Command command, List<String> words, Console console) {
        return switch (CommandLine.parse(command, words)) {
            case CommandLine.Result.Wrong(String message) -> {
                console.err().println("kvs: " + message);
                yield 1;
            }
            case CommandLine.Result.Help() -> {
                console.out().println(command.help());
                yield 0;
            }
            case CommandLine.Result.Ok(CommandLine line) ->
                switch (command) {
                    case RUN -> RunCommand.run(line, console);
                    case REPL -> ReplCommand.run(line, console);
                    case EXPLORE -> ExploreCommand.run(line, console);
                    case MERGE -> MergeCommand.run(line, console);
                    case MATRIX -> MatrixCommand.run(line, console);
                    case COVERAGE -> CoverageCommand.run(line, console);
                    case BENCH -> BenchCommand.run(line, console);
                    case CHECK -> CheckCommand.run(line, console);
                    case FMT -> FmtCommand.run(line, console);
                    case EXPLAIN -> ExplainCommand.run(line, console);
                    case REFERENCE -> ReferenceCommand.run(line, console);
                    case SNP_DIGEST -> SnpDigestCommand.run(line, console);
                    case BOOT -> BootCommand.run(line, console);
                    case LOCKSTEP -> LockstepCommand.run(line, console);
                    case VERSION -> version(console);
                    case HELP -> HelpCommand.run(line, console);
                };
        };
    }

    private static int version(Console console) {
        console.out().println("kvs " + Version.TEXT + " on Java " + Runtime.version());
        return 0;
    }
}
