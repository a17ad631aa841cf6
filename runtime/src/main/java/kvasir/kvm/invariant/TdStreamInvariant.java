package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import kvasir.event.Event;
import kvasir.kvm.Vm;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.LeafDone;

/** A sentence about leaves of the TDX module that have succeeded. */
abstract class TdStreamInvariant implements StreamInvariant {
    private final Supplier<List<Vm>> vms;

    TdStreamInvariant(Supplier<List<Vm>> vms) {
        this.vms = vms;
    }

    /** The TDs there are. */
    final Stream<TdxVm> tds() {
        return vms.get().stream()
                .filter(vm -> vm.vendor() instanceof TdxVm td && td.tdr() != 0)
                .map(vm -> (TdxVm) vm.vendor());
    }

    @Override
    public final Optional<String> violation(Event event) {
        return event instanceof LeafDone leaf && leaf.out().rax() == 0 ? violation(leaf) : Optional.empty();
    }

    /** What breaks it with a leaf that has succeeded, if anything does. */
    abstract Optional<String> violation(LeafDone leaf);
}
