package kvasir.repl;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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

    /** @param args one word: {@code kvs}, {@code js}, {@code repl} or {@code cli} */
    public static void main(String[] args) throws IOException {
        var nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        var console = new Console(nowhere, nowhere, false);
        Path scripts = Path.of(System.getProperty("kvs.home", ""), "scripts");
        switch (args[0]) {
            case "kvs" -> run(scripts.resolve("tour"), console);
            case "js" -> run(scripts.resolve("js"), console);
            case "repl" -> talk();
            default -> {
                for (String command : List.of("help", "version", "reference")) {
                    Main.run(List.of(command), console);
                }
                Main.run(List.of("check", scripts.resolve("tour").toString()), console);
            }
        }
    }

    private static void run(Path folder, Console console) {
        if (Files.isDirectory(folder)) {
            Main.run(List.of("run", folder.toString()), console);
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
