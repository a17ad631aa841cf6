package kvasir.vmm;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import kvasir.kvm.MpState;
import kvasir.kvm.RunResult;
import kvasir.registry.Outcome;

/** Why a VMM's loop over its vCPUs came to an end. */
public sealed interface Ended {
    /** The same as a value of the registry. */
    Outcome outcome();

    /**
     * The guest wrote to the debug-exit port.
     *
     * @param code QEMU's exit code: the value written, times two, plus one
     */
    record DebugExit(int code) implements Ended {
        @Override
        public Outcome outcome() {
            return new Outcome.Exit("DEBUG_EXIT", Map.of("code", Integer.toUnsignedLong(code)));
        }
    }

    /** The guest asked for a reset. */
    record Reset() implements Ended {
        @Override
        public Outcome outcome() {
            return new Outcome.Exit("RESET", Map.of());
        }
    }

    /** The guest switched itself off: ACPI's S5. */
    record PoweredOff() implements Ended {
        @Override
        public Outcome outcome() {
            return new Outcome.Exit("POWER_OFF", Map.of());
        }
    }

    /** What the caller waited for has happened. */
    record Awaited() implements Ended {
        @Override
        public Outcome outcome() {
            return Outcome.ok();
        }
    }

    /** Every vCPU sleeps and no timer is armed. */
    record Asleep(List<MpState> states) implements Ended {
        public Asleep {
            states = List.copyOf(states);
        }

        @Override
        public Outcome outcome() {
            String text = states.stream().map(MpState::name).collect(Collectors.joining(", "));
            return new Outcome.Exit("ASLEEP", Map.of("mp_states", text));
        }
    }

    /** The instructions given are used up. */
    record BudgetSpent(long instructions) implements Ended {
        @Override
        public Outcome outcome() {
            return new RunResult.BudgetSpent(instructions).outcome();
        }
    }

    /** Somebody asked from outside. */
    record Interrupted() implements Ended {
        @Override
        public Outcome outcome() {
            return new Outcome.Failed("EINTR", "interrupted from outside", Map.of());
        }
    }

    /**
     * One vCPU came back with something that no device answers: HLT without an irqchip, a triple fault, an errno.
     *
     * @param vcpu its id
     */
    record Stopped(int vcpu, RunResult result) implements Ended {
        @Override
        public Outcome outcome() {
            return result.outcome();
        }
    }
}
