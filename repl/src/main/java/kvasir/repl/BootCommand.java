package kvasir.repl;

import java.nio.file.Files;
import java.nio.file.Path;
import kvasir.scripts.BootTool;

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
}
