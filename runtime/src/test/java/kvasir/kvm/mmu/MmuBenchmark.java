package kvasir.kvm.mmu;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import kvasir.kvm.GfnRange;
import kvasir.kvm.HostConfig;
import kvasir.kvm.KernelLock.Mode;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.mm.HostPages;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.semantics.MemoryMapping;
import kvasir.metal.memory.NativeMemory;
import kvasir.metal.memory.PhysicalMemory;

/**
 * Pre-fault, zap and dirty-log speed beside a plain loop that fills the same radix table.
 *
 * <p>Run {@code main} with the bytes of guest memory in GiB; nothing is asserted.
 */
public final class MmuBenchmark {
    private static final long G = 1L << 30;

    private MmuBenchmark() {}

    /** @param args GiB of guest memory, 64 if absent; and rounds, 5 if absent */
    public static void main(String[] args) {
        long bytes = (args.length > 0 ? Long.parseLong(args[0]) : 64) * G;
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 5;
        long pages = bytes >>> 12;
        report("bare loop, 4K entries", pages, rounds, () -> bareLoop(bytes));
        report("map_memory, 4K", pages, rounds, () -> preFault(bytes, 4096));
        report("map_memory, 2M", bytes >>> 21, rounds, () -> preFault(bytes, 0));
        report(
                "zap, 4K",
                pages,
                rounds,
                () -> afterPreFault(bytes, rig -> {
                    rig.vm.mmuLock().lock(Mode.WRITE);
                    var slot = rig.vm.memslots(0).byId(0);
                    rig.mmu.unmap(new GfnRange(slot, 0, bytes >>> 12, GfnRange.Filter.SHARED, true));
                    rig.vm.mmuLock().unlock(Mode.WRITE);
                }));
        report(
                "write-protect for logging, 4K",
                pages,
                rounds,
                () -> afterPreFault(bytes, rig -> {
                    var slot = rig.vm.memslots(0).byId(0);
                    Rig.must(rig.vm.setUserMemoryRegion2(MemoryRegion.user(0, 1, 0, bytes, slot.userspaceAddr())));
                }));
    }

    /** CPU time of this thread: other work on the machine does not count. */
    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static void report(String name, long units, int rounds, LongSupplier body) {
        List<Double> rates = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            rates.add(units * 1e3 / body.getAsLong());
        }
        rates.sort(null);
        System.out.printf(
                "%-32s %8.1f M/s (best %.1f, worst %.1f)%n",
                name, rates.get(rounds / 2), rates.getLast(), rates.getFirst());
    }

    /** Four levels of 512 entries, filled in order by nested loops over the same kind of memory. */
    private static long bareLoop(long bytes) {
        var memory = new PhysicalMemory(4L << 40);
        var pages = new HostPages(memory);
        long start = cpuNanos();
        long root = table(memory, pages);
        long upper = table(memory, pages);
        NativeMemory.put64(memory.writable(root), upper << 12 | 7);
        for (long gib = 0; gib < bytes / G; gib++) {
            long middle = table(memory, pages);
            NativeMemory.put64(memory.writable(upper) + gib % 512 * 8, middle << 12 | 7);
            for (int i = 0; i < 512; i++) {
                long lowest = table(memory, pages);
                NativeMemory.put64(memory.writable(middle) + i * 8L, lowest << 12 | 7);
                long at = memory.writable(lowest);
                long entry = 0x8600_0000_0000_0A77L + (gib << 30) + ((long) i << 21);
                for (int j = 0; j < 512; j++) {
                    NativeMemory.put64(at, entry);
                    at += 8;
                    entry += 4096;
                }
            }
        }
        return cpuNanos() - start;
    }

    private static long table(PhysicalMemory memory, HostPages pages) {
        long pfn = pages.allocate(HostPages.Use.UNMOVABLE);
        memory.writable(pfn);
        return pfn;
    }

    private static Rig rig(long bytes, long skew) {
        var rig = new Rig(HostConfig.intel(), "v6.19", kvasir.kvm.VmType.DEFAULT);
        long hva = rig.mm.mmap(Optional.empty(), 0, (bytes >>> 12) + 512, Mm.anonymous(true));
        rig.mm.populate(hva, hva + bytes + (2 << 20));
        Rig.must(rig.vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, bytes, hva + skew)));
        rig.vcpu().mmu().reload();
        return rig;
    }

    private static long preFault(long bytes, long skew) {
        Rig rig = rig(bytes, skew);
        var request = new MemoryMapping(0, bytes, 0, 0);
        long start = cpuNanos();
        Rig.must(rig.map(request));
        long nanos = cpuNanos() - start;
        if (rig.mmu.stats().pages(skew == 0 ? Level.PG_2M : Level.PG_4K) != bytes >>> (skew == 0 ? 21 : 12)) {
            throw new IllegalStateException(
                    "not everything is mapped: " + rig.mmu.stats().all());
        }
        if (Boolean.getBoolean("mmu.memory")) {
            System.out.printf(
                    "  table pages %d (%d MiB), frames in use %d (%d MiB)%n",
                    rig.mmu.tablePages(),
                    rig.mmu.tablePages() >>> 8,
                    rig.memory.framesInUse(),
                    rig.memory.framesInUse() >>> 8);
        }
        return nanos;
    }

    private static long afterPreFault(long bytes, java.util.function.Consumer<Rig> body) {
        Rig rig = rig(bytes, 4096);
        Rig.must(rig.map(0, bytes));
        long start = cpuNanos();
        body.accept(rig);
        return cpuNanos() - start;
    }
}
