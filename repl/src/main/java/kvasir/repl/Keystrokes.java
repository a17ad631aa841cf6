package kvasir.repl;

import java.io.IOException;
import java.io.InputStream;
import java.util.OptionalInt;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import kvasir.scripts.SerialConsole;
import org.jline.terminal.Terminal;
import org.jline.utils.NonBlockingInputStream;

/** Standard input as a guest's keyboard; on a terminal Ctrl-] leaves. */
final class Keystrokes implements SerialConsole.Keyboard {
    private static final int ESCAPE = 0x1d;

    /** Milliseconds between two looks at whether the guest is still there. */
    private static final int LOOK = 50;

    /** Real time that a sleeping guest waits at most before it goes on to its next timer. */
    private static final long PATIENCE = TimeUnit.MILLISECONDS.toNanos(200);

    private final LinkedBlockingQueue<Integer> typed = new LinkedBlockingQueue<>();
    private final Runnable leave;
    private volatile boolean open = true;
    private volatile boolean left;
    private Thread reader = Thread.currentThread();

    /** @param leave called, on another thread, when the escape key is typed */
    Keystrokes(Runnable leave) {
        this.leave = leave;
    }

    /** Reads {@code in} to its end, beside the guest. */
    void listen(InputStream in) {
        start(() -> {
            for (int octet = in.read(); octet >= 0; octet = in.read()) {
                typed.add(octet);
            }
        });
    }

    /** Reads what is typed until Ctrl-] or {@link #close}; from then on the keys are somebody else's again. */
    void listen(Terminal terminal) {
        start(() -> {
            if (!(terminal.input() instanceof NonBlockingInputStream in)) {
                throw new IOException("the terminal cannot be read key by key");
            }
            int octet = in.read(LOOK);
            while (open && octet != ESCAPE && octet != NonBlockingInputStream.EOF) {
                if (octet >= 0) {
                    typed.add(octet);
                }
                octet = in.read(LOOK);
            }
            if (octet == ESCAPE) {
                left = true;
                leave.run();
            }
        });
    }

    private interface Reading {
        void run() throws IOException;
    }

    private void start(Reading reading) {
        reader = Thread.ofPlatform().daemon().name("kvasir keyboard").start(() -> {
            try {
                reading.run();
            } catch (IOException e) {
                // the terminal is gone: the same as its end
            }
            open = false;
        });
    }

    /** Whether the escape key was typed. */
    boolean left() {
        return left;
    }

    /** Ends {@link #listen(Terminal)}. */
    void close() {
        open = false;
        try {
            reader.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public OptionalInt poll() {
        Integer octet = typed.poll();
        return octet == null ? OptionalInt.empty() : OptionalInt.of(octet);
    }

    @Override
    public boolean await(long ticks) {
        try {
            long end = System.nanoTime() + Math.min(ticks, PATIENCE);
            while (open && typed.isEmpty() && System.nanoTime() - end < 0) {
                Thread.sleep(1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return !typed.isEmpty();
    }

    @Override
    public boolean open() {
        return open || !typed.isEmpty();
    }
}
