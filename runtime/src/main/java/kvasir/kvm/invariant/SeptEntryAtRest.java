package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.SeptEntry;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.Tdcs;

/** Permissions follow from the state, suppress-#VE is set, and no entry lock is left behind. */
final class SeptEntryAtRest extends SeptInvariant {
    private static final long RWX = 7;
    private static final long LOCK = 1L << 11;

    @Override
    public String name() {
        return "sept_entry_at_rest";
    }

    @Override
    public String statement() {
        return "MAPPED and NL_MAPPED entries are rwx, PENDING and BLOCKED ones have no permission, bit 63 is set and no "
                + "lock is held:";
    }

    @Override
    Optional<String> judge(TdxVm td, Tdcs tdcs, long gpa, int level, long raw) {
        SeptState state = SeptEntry.state(raw);
        long wanted = state == SeptState.NL_MAPPED || state.guestWritable() ? RWX : state.guestReadable() ? 5 : 0;
        return (raw & RWX) == wanted && raw < 0 && (raw & LOCK) == 0
                ? Optional.empty()
                : Optional.of("%s.sept[0x%x] is %s, 0x%016x".formatted(td.vm().name(), gpa, state, raw));
    }
}
