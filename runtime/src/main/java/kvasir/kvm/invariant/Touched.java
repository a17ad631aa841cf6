package kvasir.kvm.invariant;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import kvasir.event.Event;
import kvasir.kvm.KernelLock;
import kvasir.kvm.Memslot;
import kvasir.kvm.MemslotEvent;
import kvasir.kvm.Vm;
import kvasir.kvm.VmEvent;
import kvasir.kvm.gmem.GmemEvent;
import kvasir.kvm.mm.PageRanges;
import kvasir.kvm.mmu.Level;
import kvasir.kvm.mmu.MmuEvent;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.metal.snp.RmpChanged;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.tdx.LeafDone;
import kvasir.metal.tdx.SeptChanged;

/**
 * What the stream has told about one VM: the addresses that events have touched since they were last looked at, and the
 * counts that follow from all that was told.
 */
final class Touched {
    private final Vm vm;
    private final String prefix;
    private final long[] leaves = new long[4];
    private final Map<Long, Integer> parents = new HashMap<>();
    private PageRanges gfns = new PageRanges();
    private PageRanges septGfns = new PageRanges();
    private PageRanges rmpPages = new PageRanges();
    private PageRanges slotGfns = new PageRanges();
    private boolean module;

    Touched(Vm vm) {
        this.vm = vm;
        prefix = vm.name() + ".";
    }

    /** Takes note of an event. */
    void note(Event event) {
        switch (event) {
            case MmuEvent.SpteChanged change when change.space().startsWith(prefix) -> note(change);
            case MemslotEvent step
            when step.vm().equals(vm.name()) -> {
                slotGfns.add(step.slot().baseGfn(), step.slot().endGfn());
                touch(step.slot().baseGfn(), step.slot().endGfn());
            }
            case VmEvent.Attributes change
            when change.vm().equals(vm.name()) -> {
                slotGfns.add(change.start(), change.end());
                touch(change.start(), change.end());
            }
            case VmEvent.Invalidation window when window.vm().equals(vm.name()) -> touch(window.start(), window.end());
            case GmemEvent.Freed freed when freed.vm().equals(vm.name()) -> note(freed);
            case SeptChanged change
            when change.td().equals(vm.name()) -> {
                module = true;
                touch(change.gpa() >>> 12, (change.gpa() >>> 12) + (1L << 9 * change.level()));
            }
            case LeafDone leaf -> module = vm.type().hasMirror();
            case RmpChanged change -> {
                rmpPages.add(change.spa() >>> 12, (change.topic().end() + 4095) >>> 12);
                owner(change.before(), gfn -> touch(gfn, gfn + Level.pages(Level.PG_2M)));
                owner(change.after(), gfn -> touch(gfn, gfn + Level.pages(Level.PG_2M)));
            }
            case KernelLock.Changed lock
            when vm.dirtyLogging()
                    && !lock.taken()
                    && lock.lock().equals(vm.slotsLock().name()) ->
                vm.allSlots().stream().filter(Memslot::logsDirty).forEach(slot -> touch(slot.baseGfn(), slot.endGfn()));
            default -> {}
        }
    }

    private void note(MmuEvent.SpteChanged change) {
        int level = change.level();
        if (Spte.isPresentLeaf(change.oldSpte(), level)) {
            leaves[level]--;
        } else if (Spte.isPresentTable(change.oldSpte(), level)) {
            parents.computeIfPresent(Spte.pfn(change.oldSpte()), (table, count) -> count == 1 ? null : count - 1);
        }
        if (Spte.isPresentLeaf(change.newSpte(), level)) {
            leaves[level]++;
        } else if (Spte.isPresentTable(change.newSpte(), level)) {
            parents.merge(Spte.pfn(change.newSpte()), 1, Integer::sum);
            if (Spte.isPresentLeaf(change.oldSpte(), level)) {
                leaves[level - 1] += Level.pages(Level.PG_2M); // a split: the table was filled before it was linked
            }
        }
        touch(change.gfn(), change.gfn() + Level.pages(level));
    }

    private void note(GmemEvent.Freed freed) {
        for (Memslot slot : vm.allSlots()) {
            if (slot.gmem().filter(file -> file.fd() == freed.fd()).isPresent()) {
                long start = slot.baseGfn() + freed.start() - slot.gmemPgoff();
                touch(Math.max(slot.baseGfn(), start), Math.min(slot.endGfn(), start + freed.end() - freed.start()));
            }
        }
    }

    private static void owner(RmpEntry entry, LongConsumer gfn) {
        if (entry.assigned() && entry.asid() != 0) {
            gfn.accept(entry.gpa() >>> 12);
        }
    }

    private void touch(long start, long end) {
        if (start < end) {
            gfns.add(start, end);
            if (vm.type().hasMirror()) {
                septGfns.add(start, end);
            }
        }
    }

    /** Whether anything is to be looked at. */
    boolean anything() {
        return !gfns.isEmpty() || !slotGfns.isEmpty() || !rmpPages.isEmpty() || module || !septGfns.isEmpty();
    }

    /** Counts the tables afresh. */
    void count() {
        parents.clear();
        java.util.Arrays.fill(leaves, 0);
        ((TdpMmu) vm.mmu()).visitEntries((tree, gfn, level, table, spte) -> {
            if (Spte.isPresentLeaf(spte, level)) {
                leaves[level]++;
            } else if (Spte.isPresentTable(spte, level)) {
                parents.merge(Spte.pfn(spte), 1, Integer::sum);
            }
        });
    }

    /** Leaves of a level in all trees. */
    long leaves(int level) {
        return leaves[level];
    }

    /** Entries that point to a table page. */
    int parents(long table) {
        return parents.getOrDefault(table, 0);
    }

    /** Entries of all tables that lead to a page or a table, and slots. */
    long entries() {
        return leaves[Level.PG_4K]
                + leaves[Level.PG_2M]
                + leaves[Level.PG_1G]
                + parents.size()
                + vm.allSlots().size();
    }

    /** Runs of gfns whose mapping, slot, attribute or page changed. */
    List<PageRanges.Run> gfns() {
        return gfns.runs();
    }

    /** The same, for the secure EPT: it is looked at only while the module is at rest. */
    List<PageRanges.Run> septGfns() {
        return septGfns.runs();
    }

    /** Runs of pages whose RMP entry changed. */
    List<PageRanges.Run> rmpPages() {
        return rmpPages.runs();
    }

    /** Runs of gfns whose slot or attribute changed, while slots_lock is free; none while it is held. */
    List<PageRanges.Run> slotGfns() {
        return vm.slotsLock().held() ? List.of() : slotGfns.runs();
    }

    /** Whether a leaf of the TDX module has ended. */
    boolean module() {
        return module;
    }

    /** Nothing that was told matters any more: all was looked at. */
    void forget() {
        looked();
        lookedAtModule();
    }

    /** What is KVM's was looked at. */
    void looked() {
        slotGfns = vm.slotsLock().held() ? slotGfns : renewed(slotGfns);
        gfns = renewed(gfns);
        rmpPages = renewed(rmpPages);
    }

    /** What is the TDX module's was looked at. */
    void lookedAtModule() {
        module = false;
        septGfns = renewed(septGfns);
    }

    private static PageRanges renewed(PageRanges pages) {
        return pages.isEmpty() ? pages : new PageRanges();
    }
}
