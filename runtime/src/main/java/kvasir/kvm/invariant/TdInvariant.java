package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.Tdcs;
import kvasir.metal.tdx.Tdr;

/** An invariant of a TD that has its control structure, checked while no leaf of the module is under way. */
abstract class TdInvariant implements LocalInvariant {
    @Override
    public final Optional<String> violation(Vm vm) {
        return settled(vm).flatMap(td -> violation(td, td.root().orElseThrow().tdcs()));
    }

    @Override
    public final Optional<String> violation(Vm vm, Touched touched) {
        return settled(vm).flatMap(td -> violation(td, td.root().orElseThrow().tdcs(), touched));
    }

    /** The TD that {@code vm} is, if it can be looked at: it has its control structure, and no leaf is under way. */
    static Optional<TdxVm> settled(Vm vm) {
        return vm.vendor() instanceof TdxVm td
                        && td.settled()
                        && td.host().module().idle()
                        && td.root().filter(Tdr::hasTdcs).isPresent()
                ? Optional.of(td)
                : Optional.empty();
    }

    /** What breaks it, if anything does. */
    abstract Optional<String> violation(TdxVm td, Tdcs tdcs);

    /** What breaks it among what was touched; a sentence about the whole is left to {@link #violation(Vm)}. */
    Optional<String> violation(TdxVm td, Tdcs tdcs, Touched touched) {
        return Optional.empty();
    }
}
