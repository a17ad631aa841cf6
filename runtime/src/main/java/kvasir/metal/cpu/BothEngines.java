package kvasir.metal.cpu;

import java.util.Optional;
import java.util.OptionalLong;
import kvasir.metal.memory.PhysicalMemory;

/**
 * Runs every piece of code twice, from the same state: by the interpreter, whose result is remembered and undone, then by
 * the translator, whose result stays. A difference in any register, in any byte of memory or in the exit is a bug of ours.
 */
final class BothEngines {
    /** Instructions up to the first comparison behind an exit; twice as many up to each that follows. */
    private static final long SHORTEST_PIECE = 20_000;

    private static final long LONGEST_PIECE = 32 * SHORTEST_PIECE;

    private final Cpu c;
    private final Interpreter interpreter;

    BothEngines(Cpu c, Interpreter interpreter) {
        this.c = c;
        this.interpreter = interpreter;
    }

    /** As {@link Cpu#run}. Throws if the engines differ. */
    VmExit run(long budget) {
        long left = budget;
        long longest = SHORTEST_PIECE;
        while (true) {
            long before = c.retired;
            long piece = Math.min(left, longest);
            longest = Math.min(2 * longest, LONGEST_PIECE);
            VmExit exit = piece(piece);
            left -= Math.max(piece, c.retired - before);
            if (!(exit instanceof VmExit.Budget) || left <= 0) {
                return exit;
            }
        }
    }

    private VmExit piece(long budget) {
        Cpu.Image start = c.save();
        boolean kicked = c.kicked;
        Optional<Runnable> sev = c.sev.map(SevGuest::checkpoint);
        try (PhysicalMemory.Snapshot bytes = c.memory.snapshot()) {
            c.regions.rest(true);
            c.events.mute(true);
            VmExit expected = interpreter.run(budget);
            c.events.mute(false);
            c.regions.rest(false);
            Cpu.Image state = c.save();
            String sevState = sevState();
            try (PhysicalMemory.Snapshot result = c.memory.snapshot()) {
                c.restore(start);
                c.kicked = kicked;
                sev.ifPresent(Runnable::run);
                c.memory.restore(bytes);
                VmExit exit = interpreter.run(budget);
                Cpu.Image other = c.save();
                OptionalLong byteThatDiffers = c.memory.difference(result);
                if (!exit.equals(expected)
                        || !other.sameAs(state)
                        || !sevState().equals(sevState)
                        || byteThatDiffers.isPresent()) {
                    throw new IllegalStateException("interpreter and translator differ after at most " + budget
                            + " instructions from\n" + start + "\ninterpreter: " + expected + "\n" + state + sevState
                            + "\ntranslator: " + exit + "\n" + other + sevState()
                            + (byteThatDiffers.isPresent()
                                    ? "\nmemory differs at 0x" + Long.toHexString(byteThatDiffers.getAsLong())
                                    : ""));
                }
                return exit;
            }
        }
    }

    private String sevState() {
        return c.sev.map(guest -> " sev " + guest).orElse("");
    }
}
