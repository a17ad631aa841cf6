package kvasir.repl;

import java.io.IOException;
import java.io.OutputStream;
import kvasir.scripts.SerialConsole;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;

/** A terminal that is a guest's for a while: every key goes to the guest, Ctrl-C too, until Ctrl-]. */
final class GuestTerminal {
    private GuestTerminal() {}

    /** Work for which the terminal is the guest's. */
    interface Work {
        String run(Keystrokes keys);
    }

    /** Gives the terminal to the guest, which runs meanwhile; answers why it is back. */
    static String attach(SerialConsole guest, Terminal terminal) {
        OutputStream screen = terminal.output();
        return during(
                terminal,
                guest::interrupt,
                keys -> guest.attach(
                        keys,
                        octet -> {
                            try {
                                screen.write(octet);
                                screen.flush();
                            } catch (IOException e) {
                                // nobody is there to see it
                                guest.interrupt();
                            }
                        },
                        Long.MAX_VALUE));
    }

    /**
     * Gives the keys to the guest while {@code work} goes on.
     *
     * @param stop makes {@code work} come back soon; from any thread
     * @return what {@code work} says, unless the person left
     */
    static String during(Terminal terminal, Runnable stop, Work work) {
        var interrupts = terminal.handle(Terminal.Signal.INT, Terminal.SignalHandler.SIG_IGN);
        Attributes before = terminal.enterRawMode();
        var raw = new Attributes(terminal.getAttributes());
        raw.setLocalFlag(Attributes.LocalFlag.ISIG, false);
        terminal.setAttributes(raw);
        terminal.writer().print("Ctrl-] leaves the guest\r\n");
        terminal.flush();
        var keys = new Keystrokes(stop);
        keys.listen(terminal);
        try {
            String why = work.run(keys);
            return "\r\n" + (keys.left() ? "(left the guest)" : why);
        } finally {
            keys.close();
            terminal.setAttributes(before);
            terminal.handle(Terminal.Signal.INT, interrupts);
        }
    }
}
