package kvasir.kvm.invariant;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import kvasir.kvm.Vm;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpEntry;

/** What must hold of an SNP VM and of the reverse map of its host. */
abstract class SnpInvariant implements Invariant {
    @Override
    public final Optional<String> violation(Vm vm) {
        return vm.vendor() instanceof SnpVm snp && snp.host().firmware().initialised()
                ? violation(snp)
                : Optional.empty();
    }

    abstract Optional<String> violation(SnpVm snp);

    /** The first complaint about an entry of the table, told its address. */
    static Optional<String> firstEntry(Rmp rmp, BiFunction<Long, RmpEntry, Optional<String>> judge) {
        List<String> complaints = new ArrayList<>();
        for (Rmp.Run run : rmp.runs()) {
            for (long spa = run.start(); complaints.isEmpty() && spa < run.end(); ) {
                RmpEntry entry = rmp.entry(spa);
                long at = spa;
                judge.apply(spa, entry)
                        .ifPresent(what -> complaints.add("rmp[0x%x] %s %s".formatted(at, entry.describe(), what)));
                spa += entry.size().bytes();
            }
        }
        return complaints.stream().findFirst();
    }
}
