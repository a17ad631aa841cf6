package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.kvm.Vm;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.tdx.LeafDone;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.SeptWalk;

/** An accepted page holds nothing of its former life. */
final class AcceptedPageIsZero extends TdStreamInvariant {
    AcceptedPageIsZero(Supplier<List<Vm>> vms) {
        super(vms);
    }

    @Override
    public String name() {
        return "accepted_page_is_zero";
    }

    @Override
    public String statement() {
        return "After TDG.MEM.PAGE.ACCEPT the page is MAPPED and reads as zeros.";
    }

    @Override
    Optional<String> violation(LeafDone leaf) {
        if (!leaf.leaf().equals("TDG.MEM.PAGE.ACCEPT")) {
            return Optional.empty();
        }
        return tds().filter(td -> leaf.topic().space().equals(td.vm().name() + ".sept"))
                .flatMap(td ->
                        wrong(td, leaf.in().rcx() & ~0xfffL, (int) leaf.in().rcx() & 7).stream())
                .findFirst();
    }

    private static Optional<String> wrong(TdxVm td, long gpa, int level) {
        PhysicalMemory memory = td.vm().kvm().memory();
        SeptWalk walk = SeptWalk.to(memory, td.root().orElseThrow().tdcs(), gpa, level);
        if (walk.state() != SeptState.MAPPED) {
            return Optional.of("sept[0x%x] is %s".formatted(gpa, walk.state()));
        }
        long end = walk.target() + (4096L << 9 * level);
        for (long word = walk.target(); word < end; word += memory.materialized(word >>> 12) ? 8 : 4096) {
            if (memory.read64(word) != 0) {
                return Optional.of("0x%x holds 0x%x".formatted(gpa + (word - walk.target()), memory.read64(word)));
            }
        }
        return Optional.empty();
    }
}
