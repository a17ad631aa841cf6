package kvasir.kvm.mmu;

import java.util.Optional;
import kvasir.kvm.Memslot;
import kvasir.kvm.Requests;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.mm.HostPte;
import kvasir.kvm.mm.Pfn;
import kvasir.metal.memory.NativeMemory;

/**
 * Goes on where a prefetch has just installed a 4 KiB leaf of the VMM's memory, and fills the rest of that table page
 * by page runs: the same SPTEs as one fault each would leave, at the speed of memory.
 *
 * <p>It does nothing whenever anybody could tell the difference: someone listens to events, a scheduler decides at
 * seams, a signal is on its way, the VM logs, tracks writes, invalidates, or the memory is not the VMM's.
 */
final class BulkPrefetch {
    private final TdpMmu mmu;
    private final Vm vm;
    private final Vcpu vcpu;
    private final TdpIterator iterator;

    BulkPrefetch(TdpMmu mmu, Vcpu vcpu) {
        this.mmu = mmu;
        vm = mmu.vm;
        this.vcpu = vcpu;
        iterator = new TdpIterator(mmu.memory);
    }

    /**
     * @param root the root the page before was mapped in
     * @param slot the slot of the page before
     * @param gfn first page to map: the one after it
     * @param limit pages wanted, at least 1
     * @param prefetch whether the Accessed bit stays clear
     * @return pages mapped, 0 and up
     */
    long fill(Root root, Memslot slot, long gfn, long limit, boolean prefetch) {
        if (Level.index(gfn, Level.PG_4K) == 0 || !undisturbed(root, slot, gfn)) {
            return 0;
        }
        long wanted = Math.min(Math.min(limit, slot.endGfn() - gfn), Level.ENTRIES - Level.index(gfn, Level.PG_4K));
        if (vm.type().hasPrivateMemory() && !vm.attributes().uniform(gfn, gfn + wanted, false)) {
            return 0;
        }
        iterator.start(root, Level.PG_4K, gfn);
        while (Spte.isPresentTable(iterator.oldSpte, iterator.level)) {
            iterator.next();
        }
        if (iterator.level != Level.PG_4K) {
            return 0;
        }
        long filled = 0;
        while (filled < wanted) {
            int run = fillRun(slot, gfn + filled, (int) (wanted - filled), prefetch);
            if (run == 0) {
                break;
            }
            filled += run;
        }
        mmu.stats.addPages(Level.PG_4K, filled);
        return filled;
    }

    private boolean undisturbed(Root root, Memslot slot, long gfn) {
        return mmu.unobserved(root)
                && !vcpu.signalComing()
                && !vcpu.requests().test(Requests.VM_DEAD)
                && !root.role.invalid()
                && vm.invalidate().inProgress() == 0
                && slot.contains(gfn)
                && !slot.invalid()
                && !slot.logsDirty()
                && !slot.gmemOnly()
                && !mmu.writeTracking.any();
    }

    /** Fills entries as far as host pages follow each other and the table is empty. */
    private int fillRun(Memslot slot, long gfn, int wanted, boolean prefetch) {
        long hva = slot.hva(gfn);
        long seq = vm.invalidate().seq();
        long word = vm.mm().gup(hva, false);
        Optional<HostPte> found = vm.mm().pte(hva);
        if (Pfn.isError(word) || found.isEmpty() || vm.invalidate().seq() != seq) {
            return 0;
        }
        HostPte run = found.get();
        boolean zero = run.kind() == HostPte.Kind.ZERO;
        int pages = zero && run.level() > Level.PG_4K ? 1 : (int) Math.min(wanted, run.end() - (hva >>> 12));
        long spte = mmu.format()
                .leaf(
                        Pfn.pfn(word),
                        Level.PG_4K,
                        SpteFormat.ACC_ALL,
                        Pfn.writable(word) && !slot.readonly(),
                        false,
                        prefetch);
        long step = zero ? 0 : 1L << 12;
        long table = mmu.memory.writable(iterator.tablePfn());
        long address = table + 8L * Level.index(gfn, Level.PG_4K);
        int filled = 0;
        while (filled < pages && NativeMemory.get64(address) == Spte.EMPTY) {
            NativeMemory.put64(address, spte);
            spte += step;
            address += 8;
            filled++;
        }
        return filled;
    }
}
