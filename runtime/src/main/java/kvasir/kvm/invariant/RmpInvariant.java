package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.mm.PageRanges;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpEntry;

/** A sentence about each entry of the reverse map that is assigned or fixed. */
abstract class RmpInvariant extends SnpInvariant {
    /** What is wrong with the entry of {@code spa}, if anything is. */
    abstract Optional<String> judge(SnpVm snp, long spa, RmpEntry entry);

    @Override
    Optional<String> violation(SnpVm snp) {
        return firstEntry(snp.host().rmp(), (spa, entry) -> judge(snp, spa, entry));
    }

    @Override
    Optional<String> violation(SnpVm snp, Touched touched) {
        Rmp rmp = snp.host().rmp();
        for (PageRanges.Run run : touched.rmpPages()) {
            for (long page = run.start(); page < run.end(); page++) {
                long spa = page << 12;
                Optional<RmpEntry> entry = rmp.lookup(spa).filter(e -> e.assigned() || e.immutable());
                Optional<String> wrong = entry.flatMap(e -> judge(snp, spa, e));
                if (wrong.isPresent()) {
                    return Optional.of(
                            "rmp[0x%x] %s %s".formatted(spa, entry.orElseThrow().describe(), wrong.get()));
                }
            }
        }
        return Optional.empty();
    }
}
