package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.event.Event;
import kvasir.kvm.VcpuEvent;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.MmuEvent;

/** I10: a pre-fault tells what it did. */
final class PreFaultIsTruthful implements StreamInvariant {
    private final Supplier<List<Vm>> vms;

    PreFaultIsTruthful(Supplier<List<Vm>> vms) {
        this.vms = vms;
    }

    @Override
    public String name() {
        return "pre_fault_is_truthful";
    }

    @Override
    public String statement() {
        return "A pre-fault succeeds only where a present leaf covers the page, and the size shrinks if and only if the"
                + " call returns 0.";
    }

    @Override
    public Optional<String> violation(Event event) {
        return switch (event) {
            case MmuEvent.Faulted fault
            when fault.prefetch()
                    && (fault.result().equals("FIXED") || fault.result().equals("SPURIOUS"))
                    && !Trees.maps(vms.get(), fault.space(), fault.gpa() >>> 12) ->
                Optional.of(fault.describe() + ", and no leaf maps the page");
            case VcpuEvent.PreFaulted call
            when call.errno().isEmpty() != (Long.compareUnsigned(call.left(), call.asked()) < 0) ->
                Optional.of(call.describe());
            default -> Optional.empty();
        };
    }
}
