package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.Access;
import kvasir.metal.snp.RmpEntry;

/** VMPL0 always has every permission on a page of its guest. */
final class Vmpl0IsFull extends RmpInvariant {
    @Override
    public String name() {
        return "vmpl0_is_full";
    }

    @Override
    public String statement() {
        return "VMPL0 has every permission on a page that is a guest's:";
    }

    @Override
    Optional<String> judge(SnpVm snp, long spa, RmpEntry entry) {
        return entry.asid() == 0 || entry.permissions(0) == Access.ALL_PERMISSIONS
                ? Optional.empty()
                : Optional.of("lacks " + Access.permissionWord(Access.ALL_PERMISSIONS & ~entry.permissions(0)));
    }
}
