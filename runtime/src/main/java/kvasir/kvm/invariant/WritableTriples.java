package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.TdpMmu;

/** The software bits of writability go together (spte.h, check_spte_writable_invariants). */
final class WritableTriples implements LeafInvariant {
    @Override
    public String name() {
        return "writable_triples";
    }

    @Override
    public String statement() {
        return "(Host-writable, MMU-writable, W) of a present leaf is 111, 110, 100 or 000.";
    }

    @Override
    public Optional<Mappings.Judge> judge(Vm vm) {
        var format = ((TdpMmu) vm.mmu()).format();
        return Optional.of((tree, gfn, level, spte) ->
                format.writableTripleIsLegal(spte) ? Optional.empty() : Optional.of("has another triple"));
    }
}
