package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Vm;

/** I2: a private gfn is mapped in the mirror only, a shared one in the direct tables only, where there is a mirror. */
final class MappingFitsAttribute implements LeafInvariant {
    @Override
    public String name() {
        return "mapping_fits_attribute";
    }

    @Override
    public String statement() {
        return "A gfn whose attribute is private is mapped in the mirror only, a shared one never.";
    }

    @Override
    public Optional<Mappings.Judge> judge(Vm vm) {
        if (!vm.type().hasMirror()) {
            return Optional.empty();
        }
        return Optional.of((tree, gfn, level, spte) -> vm.attributes().isPrivate(gfn) == tree.mirror()
                ? Optional.empty()
                : Optional.of(tree.mirror() ? "is shared, and mapped in the mirror" : "is private"));
    }
}
