package kvasir.repl;

import kvasir.scripts.BootTool;

/** {@code kvs boot}. */
final class BootCommand {
    private BootCommand() {}

    static int run(CommandLine line, Console console) {
        try {
            BootTool.Guest guest =
                    new BootTool(line.options()).load(line.operands().getFirst(), console.out());
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
