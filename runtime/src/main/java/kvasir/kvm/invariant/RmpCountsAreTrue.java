package kvasir.kvm.invariant;

import java.util.Optional;
import java.util.TreeMap;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.Rmp;

/** A 2M entry stands alone, and Subpage_Count is the number of assigned 4K entries. */
final class RmpCountsAreTrue extends SnpInvariant {
    @Override
    public String name() {
        return "rmp_counts_are_true";
    }

    @Override
    public String statement() {
        return "Subpage_Count is the number of assigned 4K entries of its 2M frame, and a 2M entry has none beside it:";
    }

    @Override
    Optional<String> violation(SnpVm snp) {
        Rmp rmp = snp.host().rmp();
        var small = new TreeMap<Long, Integer>();
        for (Rmp.Run run : rmp.runs()) {
            for (long spa = run.start();
                    spa < run.end();
                    spa += run.first().size().bytes()) {
                boolean counts = run.first().assigned() && run.first().size() == PageSize.SIZE_4K;
                small.merge(spa & -PageSize.SIZE_2M.bytes(), counts ? 1 : 0, Integer::sum);
            }
        }
        for (var frame : small.entrySet()) {
            if (rmp.subpageCount(frame.getKey()) != frame.getValue()) {
                return Optional.of("rmp[0x%x] says %d, there are %d"
                        .formatted(frame.getKey(), rmp.subpageCount(frame.getKey()), frame.getValue()));
            }
        }
        return Optional.empty();
    }
}
