package kvasir.repl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import kvasir.scripts.BootTool;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** {@code kvs boot}. */
final class BootCommand {
    private BootCommand() {}

    static int run(CommandLine line, Console console) {
        try {
            var tool = new BootTool(line.options());
            Path file = Path.of(line.operands().getFirst());
            if (Files.isDirectory(file)) {
                return tool.suite(file, console.out(), console.colours());
            }
            BootTool.Guest guest = tool.load(file.toString(), console.out());
            if (line.options().containsKey("--console")) {
                return attached(guest, console);
            }
            return Interrupts.during(guest::interrupt, () -> {
                int code = guest.run(console.err());
                console.flush();
                return code;
            });
        } catch (BootTool.Refused refused) {
            console.err().println("kvs: " + refused.getMessage());
            return 1;
        }
    }

    /** Standard input is the guest's keyboard. */
    private static int attached(BootTool.Guest guest, Console console) {
        if (!Console.interactive()) {
            var keys = new Keystrokes(guest::interrupt);
            guest.connect(keys);
            keys.listen(System.in);
            return Interrupts.during(guest::interrupt, () -> ended(guest, console));
        }
        try (Terminal terminal = TerminalBuilder.builder()
                .system(true)
                .signalHandler(Terminal.SignalHandler.SIG_IGN)
                .build()) {
            var code = new int[1];
            GuestTerminal.during(terminal, guest::interrupt, keys -> {
                guest.connect(keys);
                code[0] = ended(guest, console);
                return "";
            });
            return code[0];
        } catch (IOException e) {
            console.err().println("kvs: the terminal cannot be used: " + e.getMessage());
            return 1;
        }
    }

    private static int ended(BootTool.Guest guest, Console console) {
        int code = guest.run(console.err());
        console.flush();
        return code;
    }
}
