package kvasir.kvm;

import java.util.Optional;
import kvasir.event.Event;
import kvasir.event.Topic;
import kvasir.metal.cpu.VmExit;

/** What happens to a vCPU. */
public sealed interface VcpuEvent extends Event {
    /**
     * A pre-fault returned.
     *
     * @param asked size before, in the unit of the semantics
     * @param left size after
     * @param errno empty for 0
     */
    record PreFaulted(String vcpu, long asked, long left, Optional<Errno> errno) implements VcpuEvent {
        @Override
        public Topic topic() {
            return Topic.none();
        }

        @Override
        public String describe() {
            return "%s: pre-fault of 0x%x returns %s, 0x%x left"
                    .formatted(vcpu, asked, errno.map(Errno::name).orElse("0"), left);
        }
    }

    /** A system call would never have returned. */
    record Endless(String vcpu, String reason) implements VcpuEvent {
        @Override
        public Topic topic() {
            return Topic.none();
        }

        @Override
        public String describe() {
            return vcpu + " repeats for ever: " + reason;
        }
    }

    /** The page-modification log was turned into {@code pages} dirty pages. */
    record PmlDrained(String vcpu, int pages) implements VcpuEvent {
        @Override
        public Topic topic() {
            return Topic.none();
        }

        @Override
        public String describe() {
            return "%s: vmx_flush_pml_buffer, %d pages".formatted(vcpu, pages);
        }
    }

    /** kvm_smm_transition. */
    record SmmTransition(String vcpu, long smbase, boolean entering) implements VcpuEvent {
        @Override
        public Topic topic() {
            return Topic.of(vcpu, 0, 1);
        }

        @Override
        public String describe() {
            return "%s %s SMM, smbase 0x%x".formatted(vcpu, entering ? "enters" : "leaves", smbase);
        }
    }

    /** The processor left the guest. */
    record Left(String vcpu, long rip, VmExit exit) implements VcpuEvent {
        @Override
        public Topic topic() {
            return Topic.of(vcpu, 0, 1);
        }

        @Override
        public String describe() {
            return "%s leaves the guest at rip 0x%x: %s".formatted(vcpu, rip, what());
        }

        private String what() {
            return switch (exit) {
                case VmExit.EptViolation violation ->
                    "EPT violation, gpa 0x%x, qualification 0x%x".formatted(violation.gpa(), violation.qualification());
                case VmExit.EptMisconfig misconfig -> "EPT misconfiguration, gpa 0x%x".formatted(misconfig.gpa());
                case VmExit.NestedPageFault fault ->
                    "nested page fault, gpa 0x%x, error code 0x%x".formatted(fault.gpa(), fault.errorCode());
                case VmExit.Io io -> "%s port 0x%x".formatted(io.in() ? "IN" : "OUT", io.port());
                case VmExit.Unsupported unsupported -> "unsupported: " + unsupported.what();
                case VmExit.LogFull full -> "PML full, gpa 0x%x".formatted(full.gpa());
                default -> exit.getClass().getSimpleName();
            };
        }
    }

    /** KVM_RUN returned to user space. */
    record Returned(String vcpu, RunResult result) implements VcpuEvent {
        @Override
        public Topic topic() {
            return Topic.of(vcpu, 0, 1);
        }

        @Override
        public String describe() {
            return "%s: KVM_RUN returns %s".formatted(vcpu, result.outcome().name());
        }
    }
}
