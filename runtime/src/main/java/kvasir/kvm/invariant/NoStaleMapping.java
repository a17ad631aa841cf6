package kvasir.kvm.invariant;

import java.util.Optional;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.kvm.mm.HostPte;
import kvasir.kvm.mmu.EntryVisitor;
import kvasir.kvm.mmu.Spte;

/** I1: no SPTE maps a frame that its owner has taken away. */
final class NoStaleMapping implements LeafInvariant {
    @Override
    public String name() {
        return "no_stale_mapping";
    }

    @Override
    public String statement() {
        return "No SPTE maps a page after its owner has invalidated it.";
    }

    @Override
    public Optional<Mappings.Judge> judge(Vm vm) {
        return Optional.of((tree, gfn, level, spte) -> judge(vm, tree, gfn, level, spte));
    }

    private static Optional<String> judge(Vm vm, EntryVisitor.Tree tree, long gfn, int level, long spte) {
        Memslot slot = vm.memslots(tree.addressSpace()).lookup(gfn);
        if (slot.invalid()) {
            return Optional.empty();
        }
        if (!slot.exists()) {
            return Optional.of("is mapped, and no slot has the gfn");
        }
        boolean gmem = slot.gmemOnly() || slot.hasGmem() && vm.attributes().isPrivate(gfn);
        long expected = gmem ? gmemPfn(slot, gfn) : hostPfn(vm, slot, gfn);
        return expected == Spte.pfn(spte)
                ? Optional.empty()
                : Optional.of("maps pfn 0x%x, but its owner has %s there"
                        .formatted(Spte.pfn(spte), expected < 0 ? "nothing" : "pfn 0x" + Long.toHexString(expected)));
    }

    private static long gmemPfn(Memslot slot, long gfn) {
        return slot.gmem().map(file -> file.pageAt(slot.gmemIndex(gfn))).orElse(-1L);
    }

    private static long hostPfn(Vm vm, Memslot slot, long gfn) {
        long hva = slot.hva(gfn);
        return vm.mm().pte(hva).map((HostPte run) -> run.pfnAt(hva >>> 12)).orElse(-1L);
    }
}
