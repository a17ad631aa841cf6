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
abstract class SnpInvariant implements LocalInvariant {
    @Override
    public final Optional<String> violation(Vm vm) {
        return initialised(vm).flatMap(this::violation);
    }

    @Override
    public final Optional<String> violation(Vm vm, Touched touched) {
        return initialised(vm).flatMap(snp -> violation(snp, touched));
    }

    /** The SNP guest that {@code vm} is, on a platform whose firmware is up. */
    static Optional<SnpVm> initialised(Vm vm) {
        return vm.vendor() instanceof SnpVm snp && snp.host().firmware().initialised()
                ? Optional.of(snp)
                : Optional.empty();
    }

    /** What breaks it, if anything does. */
    abstract Optional<String> violation(SnpVm snp);

    /** What breaks it among what was touched; a sentence about the whole is left to {@link #violation(Vm)}. */
    Optional<String> violation(SnpVm snp, Touched touched) {
        return Optional.empty();
    }

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
