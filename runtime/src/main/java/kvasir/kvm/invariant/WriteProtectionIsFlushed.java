package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import kvasir.event.Event;
import kvasir.kvm.KernelLock;
import kvasir.kvm.Vm;
import kvasir.kvm.VmEvent;
import kvasir.kvm.mmu.Level;
import kvasir.kvm.mmu.MmuEvent;
import kvasir.kvm.mmu.Spte;
import kvasir.kvm.mmu.TdpMmu;

/** I12: no TLB goes on writing through an entry that has lost its right to be written. */
final class WriteProtectionIsFlushed implements StreamInvariant {
    private final Supplier<List<Vm>> vms;

    /** Ends of gfn ranges that wait for a flush, by VM and start. */
    private final TreeMap<String, TreeMap<Long, Long>> waiting = new TreeMap<>();

    WriteProtectionIsFlushed(Supplier<List<Vm>> vms) {
        this.vms = vms;
    }

    @Override
    public String name() {
        return "write_protection_is_flushed";
    }

    @Override
    public String statement() {
        return "When MMU-writable is taken from a present leaf, TLBs are flushed before the locks are dropped.";
    }

    @Override
    public Optional<String> violation(Event event) {
        switch (event) {
            case MmuEvent.SpteChanged change -> note(change);
            case VmEvent.TlbFlush flush -> {
                TreeMap<Long, Long> ranges = waiting.get(flush.vm());
                if (ranges != null) {
                    ranges.entrySet()
                            .removeIf(range -> range.getKey() >= flush.start() && range.getValue() <= flush.end());
                }
            }
            case KernelLock.Changed lock
            when !lock.taken() -> {
                return unlocked();
            }
            default -> {}
        }
        return Optional.empty();
    }

    private void note(MmuEvent.SpteChanged change) {
        if (!Spte.isPresentLeaf(change.oldSpte(), change.level())
                || !Spte.isPresentLeaf(change.newSpte(), change.level())) {
            return;
        }
        for (Vm vm : vms.get()) {
            if (change.space().startsWith(vm.name() + ".")) {
                var format = ((TdpMmu) vm.mmu()).format();
                if (format.isMmuWritable(change.oldSpte()) && !format.isMmuWritable(change.newSpte())) {
                    waiting.computeIfAbsent(vm.name(), name -> new TreeMap<>())
                            .put(change.gfn(), change.gfn() + Level.pages(change.level()));
                }
            }
        }
    }

    private Optional<String> unlocked() {
        for (Vm vm : vms.get()) {
            TreeMap<Long, Long> ranges = waiting.get(vm.name());
            if (ranges != null
                    && !ranges.isEmpty()
                    && !vm.mmuLock().held()
                    && !vm.slotsLock().held()) {
                long gfn = ranges.firstKey();
                ranges.clear();
                return Optional.of("%s gpa 0x%x was not".formatted(vm.name(), gfn << 12));
            }
        }
        return Optional.empty();
    }
}
