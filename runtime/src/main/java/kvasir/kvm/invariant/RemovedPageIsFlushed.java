package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import kvasir.kvm.Vm;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.LeafDone;
import kvasir.metal.tdx.Platform;

/** Between its life in a TD and the next owner a page is written back with the key it had. */
final class RemovedPageIsFlushed extends TdStreamInvariant {
    /** First HPAs of what was removed and not written back, with the end. */
    private final TreeMap<Long, Long> dirty = new TreeMap<>();

    RemovedPageIsFlushed(Supplier<List<Vm>> vms) {
        super(vms);
    }

    @Override
    public String name() {
        return "removed_page_is_flushed";
    }

    @Override
    public String statement() {
        return "A page that was removed or reclaimed is written back before it goes back to the allocator.";
    }

    @Override
    Optional<String> violation(LeafDone leaf) {
        Optional<TdxVm> td = tds().findFirst();
        if (td.isEmpty()) {
            dirty.clear();
            return Optional.empty();
        }
        Platform platform = td.get().host().module().platform();
        switch (leaf.leaf()) {
            case "TDH.MEM.PAGE.REMOVE" -> put(leaf.out().rcx(), (int) leaf.in().rcx() & 7);
            case "TDH.PHYMEM.PAGE.RECLAIM" ->
                put(leaf.in().rcx(), (int) leaf.out().r8());
            case "TDH.PHYMEM.PAGE.WBINVD" -> clean(leaf.in().rcx() & (1L << platform.hkidShift()) - 1);
            default -> {}
        }
        var pages = td.get().vm().kvm().pages();
        return dirty.keySet().stream()
                .filter(hpa -> pages.isFree(hpa >>> 12))
                .findFirst()
                .map(hpa -> "0x%x is free again".formatted(hpa));
    }

    private void put(long hpa, int level) {
        dirty.put(hpa, hpa + (4096L << 9 * level));
    }

    private void clean(long hpa) {
        var run = dirty.floorEntry(hpa);
        if (run == null || hpa >= run.getValue()) {
            return;
        }
        dirty.remove(run.getKey());
        if (run.getKey() < hpa) {
            dirty.put(run.getKey(), hpa);
        }
        if (hpa + 4096 < run.getValue()) {
            dirty.put(hpa + 4096, run.getValue());
        }
    }
}
