package kvasir.scripts;

import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import kvasir.vmm.ConsoleInput;
import kvasir.vmm.Ended;
import kvasir.vmm.Pc;

/** A guest's serial port with somebody in front of it. */
public final class SerialConsole {
    private final Pc pc;
    private final Runnable interrupt;

    /** Somebody at a terminal. */
    public interface Keyboard extends ConsoleInput {}

    /** @param interrupt makes a run on another thread come back soon */
    SerialConsole(Pc pc, Runnable interrupt) {
        this.pc = pc;
        this.interrupt = interrupt;
    }

    /**
     * Runs the guest, whose serial port is the keyboard's and the screen's meanwhile.
     *
     * @param screen receives each byte, 0 to 255, that the guest sends
     * @param budget instructions of all vCPUs together, at least 1
     * @return why it came back, in words
     */
    public String attach(Keyboard keyboard, IntConsumer screen, long budget) {
        pc.connect(keyboard);
        pc.onSerial(screen);
        try {
            return reason(pc.run(budget));
        } finally {
            pc.connect(ConsoleInput.NONE);
            pc.onSerial(_ -> {});
        }
    }

    /** Makes {@link #attach} come back soon; from any thread. */
    public void interrupt() {
        interrupt.run();
    }

    /** Why a run came back. */
    static String reason(Ended end) {
        return switch (end) {
            case Ended.DebugExit(int code) -> "the guest ended with exit code " + (code & 0xff);
            case Ended.PoweredOff _ -> "the guest switched itself off";
            case Ended.Awaited _ -> "the guest ended";
            case Ended.Reset _ -> "the guest asked for a reset";
            case Ended.Asleep asleep ->
                "every vCPU sleeps and no timer is armed: "
                        + asleep.states().stream().map(Object::toString).collect(Collectors.joining(", "));
            case Ended.BudgetSpent spent ->
                "the guest did not end within %,d instructions; --budget gives more".formatted(spent.instructions());
            case Ended.Interrupted _ -> "interrupted";
            case Ended.Stopped stopped -> "vcpu%d stopped: %s".formatted(stopped.vcpu(), stopped.outcome());
        };
    }
}
