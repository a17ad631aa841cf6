package kvasir.repl;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Where a command writes: UTF-8 whatever the locale, colours only for a person at a terminal.
 *
 * @param out results
 * @param err what went wrong with the command itself
 * @param colours whether {@code out} understands them and the person wants them
 */
record Console(PrintStream out, PrintStream err, boolean colours) {
    /** The process's own streams; the launcher, which asks the terminal for nothing, says what they are. */
    static Console ofProcess() {
        boolean wanted = System.getenv("NO_COLOR") == null && !"dumb".equals(System.getenv("TERM"));
        return new Console(
                stream(FileDescriptor.out), stream(FileDescriptor.err), wanted && Boolean.getBoolean("kvs.tty.out"));
    }

    /** Whether a person types the input. */
    static boolean interactive() {
        return Boolean.getBoolean("kvs.tty.in") && Boolean.getBoolean("kvs.tty.out");
    }

    private static PrintStream stream(FileDescriptor descriptor) {
        var buffered = new BufferedOutputStream(new FileOutputStream(descriptor), 8192);
        return new PrintStream(buffered, false, StandardCharsets.UTF_8);
    }

    String green(String text) {
        return colours ? "\u001b[32m" + text + "\u001b[0m" : text;
    }

    String red(String text) {
        return colours ? "\u001b[31m" + text + "\u001b[0m" : text;
    }

    String faint(String text) {
        return colours ? "\u001b[2m" + text + "\u001b[0m" : text;
    }

    void flush() {
        out.flush();
        err.flush();
    }
}
