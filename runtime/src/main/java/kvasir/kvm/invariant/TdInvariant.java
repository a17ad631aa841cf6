package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.Tdcs;
import kvasir.metal.tdx.Tdr;

/** An invariant of a TD that has its control structure, checked while no leaf of the module is under way. */
abstract class TdInvariant implements Invariant {
    @Override
    public final Optional<String> violation(Vm vm) {
        if (!(vm.vendor() instanceof TdxVm td)
                || !td.settled()
                || !td.host().module().idle()) {
            return Optional.empty();
        }
        return td.root().filter(Tdr::hasTdcs).flatMap(root -> violation(td, root.tdcs()));
    }

    /** What breaks it, if anything does. */
    abstract Optional<String> violation(TdxVm td, Tdcs tdcs);
}
