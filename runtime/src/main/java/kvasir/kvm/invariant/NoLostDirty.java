package kvasir.kvm.invariant;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kvasir.kvm.DirtyRing;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.EntryVisitor;
import kvasir.kvm.mmu.Level;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;

/** I5: what the guest writes unseen has been reported already. */
final class NoLostDirty implements LeafInvariant {
    @Override
    public String name() {
        return "no_lost_dirty";
    }

    @Override
    public String statement() {
        return "A page of a logging slot that the guest can write without anybody noticing is dirty already.";
    }

    @Override
    public Optional<Mappings.Judge> judge(Vm vm) {
        if (vm.slotsLock().held() || !vm.dirtyLogging()) {
            return Optional.empty();
        }
        Set<Long> ring = ringPages(vm);
        long dirtyMask = ((TdpMmu) vm.mmu()).format().dirtyMask();
        return Optional.of((EntryVisitor.Tree tree, long gfn, int level, long spte) -> {
            if (tree.mirror() || tree.invalid() || !Spte.isWritable(spte)) {
                return Optional.empty();
            }
            boolean hardwareLogs = vm.usesPml() && level == Level.PG_4K && (spte & dirtyMask) == 0;
            return hardwareLogs ? Optional.empty() : clean(vm, tree.addressSpace(), gfn, level, ring);
        });
    }

    /** The complaint about the first page under a leaf that nobody has reported. */
    private static Optional<String> clean(Vm vm, int addressSpace, long gfn, int level, Set<Long> ring) {
        Memslot slot = vm.memslots(addressSpace).lookup(gfn);
        if (!slot.exists() || slot.invalid() || !slot.logsDirty()) {
            return Optional.empty();
        }
        long last = Math.min(gfn + Level.pages(level), slot.endGfn());
        for (long page = gfn; page < last; page++) {
            long offset = page - slot.baseGfn();
            boolean reported = slot.dirty().isPresent() && slot.dirty().get().get(offset)
                    || ring.contains(key(addressSpace << 16 | slot.id(), offset))
                    || waits(vm, page);
            if (!reported) {
                return Optional.of("can be written unseen, and gpa 0x%x is not dirty".formatted(page << 12));
            }
        }
        return Optional.empty();
    }

    private static boolean waits(Vm vm, long gfn) {
        return vm.vcpus().stream().anyMatch(vcpu -> vcpu.logged(gfn));
    }

    private static Set<Long> ringPages(Vm vm) {
        Set<Long> pages = new HashSet<>();
        for (Vcpu vcpu : vm.vcpus()) {
            List<DirtyRing.Entry> entries =
                    vcpu.dirtyRing().map(DirtyRing::entries).orElse(List.of());
            entries.forEach(entry -> pages.add(key(entry.slot(), entry.offset())));
        }
        return pages;
    }

    private static long key(int slot, long offset) {
        return (long) slot << 40 | offset;
    }
}
