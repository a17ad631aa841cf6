package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import kvasir.kvm.Vm;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.LeafDone;
import kvasir.metal.tdx.OpState;
import kvasir.metal.tdx.Tdcs;

/** TLB tracking does what it is there for. */
final class RemovedPageIsUncached extends TdStreamInvariant {
    RemovedPageIsUncached(Supplier<List<Vm>> vms) {
        super(vms);
    }

    @Override
    public String name() {
        return "removed_page_is_uncached";
    }

    @Override
    public String statement() {
        return "When a page is removed from a RUNNABLE TD, no vCPU can use a cached translation to it.";
    }

    @Override
    Optional<String> violation(LeafDone leaf) {
        if (!leaf.leaf().equals("TDH.MEM.PAGE.REMOVE")) {
            return Optional.empty();
        }
        long first = leaf.out().rcx() >>> 12;
        long pages = 1L << 9 * (leaf.in().rcx() & 7);
        return tds().filter(td -> td.tdr() == leaf.in().rdx())
                .flatMap(td -> user(td, LongStream.range(first, first + pages).toArray()).stream())
                .findFirst();
    }

    private static Optional<String> user(TdxVm td, long... pfns) {
        Tdcs tdcs = td.root().orElseThrow().tdcs();
        return tdcs.opState() == OpState.RUNNABLE ? CachedPages.user(td, tdcs, pfns) : Optional.empty();
    }
}
