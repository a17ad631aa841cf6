package kvasir.repl;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import kvasir.scripts.BootTool;
import kvasir.scripts.bench.Benchmarks;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** The run from which the launcher's AOT cache is made: it walks the paths of one kind of use. */
final class Training {
    private static final String TALK = """
            vm plain = default { vcpus 1  memory 0 .. 64M }
            plain.vcpu0.map_memory 0 .. 4M
            show plain.ept
            pla\t
            assert plain.ept[0] is FREE
            :help map_memory
            """;

    private Training() {}

    /** Instructions of each of our own guest programs: enough for the JVM's second compiler to see what is hot. */
    private static final long REHEARSED = 60_000_000;

    /** Instructions of the user's guest: of a Linux kernel, until its shell. */
    private static final long MOST_GUEST = 1_500_000_000;

    /** @param args {@code kvs}, {@code js}, {@code repl}, {@code cli} or {@code boot}; behind it the user's own words */
    public static void main(String[] args) throws IOException {
        var nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        var console = new Console(nowhere, nowhere, false);
        Path scripts = Path.of(System.getProperty("kvs.home", ""), "scripts");
        switch (args[0]) {
            case "kvs" -> run(scripts.resolve("tour"), console);
            case "js" -> run(scripts.resolve("js"), console);
            case "repl" -> talk();
            case "boot" -> {
                for (String machine : List.of("01_serial.kvs", "02_timer.kvs", "03_smp.kvs", "20_firmware.kvs")) {
                    run(scripts.resolve("boot").resolve(machine), console);
                }
                Benchmarks.rehearse(REHEARSED);
                boot(List.of(args).subList(1, args.length), nowhere);
            }
            default -> {
                for (String command : List.of("help", "version", "reference")) {
                    Main.run(List.of(command), console);
                }
                Main.run(List.of("check", scripts.resolve("tour").toString()), console);
            }
        }
    }

    private static void run(Path scripts, Console console) {
        if (Files.exists(scripts)) {
            Main.run(List.of("run", scripts.toString()), console);
        }
    }

    /** The user's guest once more, unseen and bounded: of what it runs hot, nothing is known better. */
    private static void boot(List<String> words, PrintStream nowhere) {
        if (words.isEmpty()
                || !words.getFirst().equals("boot")
                || !(CommandLine.parse(Command.BOOT, words.subList(1, words.size()))
                        instanceof CommandLine.Result.Ok(CommandLine line))) {
            return;
        }
        Path file = Path.of(line.operands().getFirst());
        if (!Files.isRegularFile(file)) {
            return;
        }
        var options = new LinkedHashMap<>(line.options());
        options.remove("--console");
        options.put("--budget", String.valueOf(MOST_GUEST));
        try {
            new BootTool(options).load(file.toString(), nowhere).run(nowhere);
        } catch (BootTool.Refused refused) {
            // the command itself tells the user
        }
    }

    private static void talk() throws IOException {
        var input = new ByteArrayInputStream(TALK.getBytes(StandardCharsets.UTF_8));
        var machines = Engine.machines();
        try (Terminal terminal = TerminalBuilder.builder()
                        .system(false)
                        .streams(input, OutputStream.nullOutputStream())
                        .type("xterm-256color")
                        .build();
                var conversation = new Conversation(machines, machines.defaultSemantics(), Path.of(""))) {
            Prompt.talk(conversation, terminal, Optional.empty(), true);
        }
    }
}
