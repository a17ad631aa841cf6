package kvasir.kvm;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import kvasir.metal.cpu.VmExit;
import kvasir.registry.Outcome;

/** How KVM_RUN came back. */
public sealed interface RunResult {
    /** The same as a value of the registry. */
    Outcome outcome();

    /**
     * It returned 0; kvm_run tells why.
     *
     * @param fields the exit's fields in kvm_run
     */
    record Exited(ExitReason reason, Map<String, ?> fields) implements RunResult {
        @Override
        public Outcome outcome() {
            return new Outcome.Exit(reason.name(), fields);
        }
    }

    /** It returned -1 with EFAULT or EHWPOISON, and exit_reason is KVM_EXIT_MEMORY_FAULT. */
    record MemoryFault(Errno errno, Map<String, ?> fields) implements RunResult {
        @Override
        public Outcome outcome() {
            var details = new LinkedHashMap<String, Object>();
            details.put("errno", errno.name());
            details.putAll(fields);
            return new Outcome.Exit(ExitReason.MEMORY_FAULT.name(), details);
        }
    }

    /**
     * It returned -1; exit_reason says nothing, unless errno is EINTR.
     *
     * @param check the row of the errno table, where there is a table
     */
    record Refused(Errno errno, String why, Optional<Check> check) implements RunResult {
        /** A refusal by a row of the errno table. */
        public Refused(Check check, String why) {
            this(check.errno(), why, Optional.of(check));
        }

        /** A refusal outside the tables of {@link Check}. */
        public Refused(Errno errno, String why) {
            this(errno, why, Optional.empty());
        }

        @Override
        public Outcome outcome() {
            return new Outcome.Failed(errno.name(), why, Map.of());
        }
    }

    /** Not an answer of KVM's: the guest used up the instructions it was given. */
    record BudgetSpent(long instructions) implements RunResult {
        @Override
        public Outcome outcome() {
            return new Outcome.Failed(
                    "BUDGET",
                    "the guest retired %d instructions and did not exit; is it in an endless loop? `run budget N` gives more"
                            .formatted(instructions),
                    Map.of("instructions", instructions));
        }
    }

    /**
     * Not an answer of KVM's: whoever debugs the guest from outside wanted to be told.
     *
     * @param stop why, with addresses
     */
    record Stopped(VmExit.Stopped stop) implements RunResult {
        @Override
        public Outcome outcome() {
            var details = new LinkedHashMap<String, Object>();
            if (stop.stop() != VmExit.Stop.STEP) {
                details.put("address", stop.linear());
            }
            details.put("pc", stop.pc());
            return new Outcome.Exit(stop.stop().name(), details);
        }
    }

    /**
     * KVM_RUN has not returned: the vCPU's thread gave up its processor in the kernel.
     *
     * @param state HALTED or another state in which it sleeps; RUNNABLE if it spins (kvm_vcpu_on_spin)
     */
    record Descheduled(MpState state) implements RunResult {
        @Override
        public Outcome outcome() {
            return new Outcome.Failed(
                    "BLOCKED",
                    "KVM_RUN sleeps in the kernel (%s), and no timer and no other vCPU that runs will wake it"
                            .formatted(state),
                    Map.of("mp_state", state.name()));
        }
    }

    /** Not an answer of KVM's: the guest did something that is not modelled. */
    record Unsupported(String what) implements RunResult {
        @Override
        public Outcome outcome() {
            return new Outcome.Failed("unsupported", "unsupported: " + what, Map.of());
        }
    }
}
