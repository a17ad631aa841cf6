package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.mm.PageRanges;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.SeptScan;
import kvasir.metal.tdx.Tdcs;

/** A sentence about each entry of a secure EPT that refers to a page or a table. */
abstract class SeptInvariant extends TdInvariant {
    /**
     * What is wrong with one entry, if anything is.
     *
     * @param gpa first address the entry translates
     * @param level of the entry, 0 for 4 KiB
     * @param raw its 8 bytes
     */
    abstract Optional<String> judge(TdxVm td, Tdcs tdcs, long gpa, int level, long raw);

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs) {
        return within(td, tdcs, 0, Long.MAX_VALUE);
    }

    @Override
    Optional<String> violation(TdxVm td, Tdcs tdcs, Touched touched) {
        for (PageRanges.Run run : touched.septGfns()) {
            Optional<String> wrong = within(td, tdcs, run.start() << 12, run.end() << 12);
            if (wrong.isPresent()) {
                return wrong;
            }
        }
        return Optional.empty();
    }

    private Optional<String> within(TdxVm td, Tdcs tdcs, long from, long to) {
        var found = new String[1];
        SeptScan.visit(tdcs, from, to, (gpa, level, raw) -> {
            if (found[0] == null) {
                judge(td, tdcs, gpa, level, raw).ifPresent(what -> found[0] = what);
            }
        });
        return Optional.ofNullable(found[0]);
    }
}
