package kvasir.scripts.bench;

import java.util.List;
import java.util.Optional;
import kvasir.event.Events;
import kvasir.kvm.DirtyBitmap;
import kvasir.kvm.GfnRange;
import kvasir.kvm.HostConfig;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.KernelLock.Mode;
import kvasir.kvm.Kvm;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.mm.HostPages;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.mmu.Level;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.kvm.semantics.MemoryMapping;
import kvasir.kvm.semantics.Semantics;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.memory.NativeMemory;
import kvasir.metal.memory.PhysicalMemory;

/** Pre-fault, zap and dirty logging beside a plain loop that fills the same radix table: {@code kvs bench mmu}. */
final class MmuBenchmark implements Benchmark {
    private static final long G = 1L << 30;
    private static final long BYTES = 16 * G;
    private static final long BYTES_OF_HUGE = 1024 * G;
    private static final int LOG_DIRTY = 1;
    private static final long EACH_EIGHTH = 0x0101_0101_0101_0101L;

    @Override
    public String word() {
        return "mmu";
    }

    @Override
    public String doc() {
        return "pre-fault, zap and dirty logging of 16 GiB, beside a bare loop that fills the same table";
    }

    @Override
    public List<Comparison> comparisons() {
        return List.of(
                new Comparison(
                        "4 KiB pages",
                        List.of(
                                new Workload("bare loop", "entries", () -> bareLoop(BYTES)),
                                new Workload("map_memory", "pages", 20e6, 0.5, () -> preFault(BYTES, 4096)),
                                new Workload("zap", "pages", 20e6, 0.3, MmuBenchmark::zap),
                                new Workload("delete_slot", "pages", 20e6, 0.3, MmuBenchmark::deleteSlot),
                                new Workload("protect for logging", "pages", 20e6, 0.3, MmuBenchmark::protect),
                                new Workload("KVM_GET_DIRTY_LOG", "pages", 20e6, 0.3, () -> getDirtyLog(-1L)),
                                new Workload("same, 1 of 8", "pages", 20e6, 0.3, () -> getDirtyLog(EACH_EIGHTH)))),
                new Comparison(
                        "2 MiB pages",
                        List.of(
                                new Workload("bare loop", "entries", () -> bareHugeLoop(BYTES_OF_HUGE)),
                                new Workload("map_memory", "pages", 5e6, 0, () -> preFault(BYTES_OF_HUGE, 0)))));
    }

    /** Four levels of 512 entries, filled in order by nested loops over the same kind of memory. */
    private static Sample bareLoop(long bytes) {
        var memory = new PhysicalMemory(4L << 40);
        var pages = new HostPages(memory);
        Stopwatch watch = Stopwatch.start();
        long root = table(memory, pages);
        long upper = table(memory, pages);
        NativeMemory.put64(memory.writable(root), upper << 12 | 7);
        for (long gib = 0; gib < bytes / G; gib++) {
            long middle = table(memory, pages);
            NativeMemory.put64(memory.writable(upper) + gib % 512 * 8, middle << 12 | 7);
            for (int i = 0; i < 512; i++) {
                long lowest = table(memory, pages);
                NativeMemory.put64(memory.writable(middle) + i * 8L, lowest << 12 | 7);
                fill(memory.writable(lowest), 0x8600_0000_0000_0A77L + (gib << 30) + ((long) i << 21), 4096);
            }
        }
        return new Sample(bytes >>> 12, watch.nanos());
    }

    private static Sample bareHugeLoop(long bytes) {
        var memory = new PhysicalMemory(4L << 40);
        var pages = new HostPages(memory);
        Stopwatch watch = Stopwatch.start();
        long upper = table(memory, pages);
        for (long gib = 0; gib < bytes / G; gib++) {
            long middle = table(memory, pages);
            NativeMemory.put64(memory.writable(upper) + gib % 512 * 8, middle << 12 | 7);
            fill(memory.writable(middle), 0x8600_0000_0000_0AF7L + (gib << 30), 2 << 20);
        }
        return new Sample(bytes >>> 21, watch.nanos());
    }

    private static void fill(long at, long entry, long step) {
        for (int j = 0; j < 512; j++) {
            NativeMemory.put64(at + j * 8L, entry + j * step);
        }
    }

    private static long table(PhysicalMemory memory, HostPages pages) {
        long pfn = pages.allocate(HostPages.Use.UNMOVABLE);
        memory.writable(pfn);
        return pfn;
    }

    /** A VM with one slot of populated anonymous memory. */
    private static final class Subject {
        final Semantics semantics = Semantics.newest();
        final Vm vm;
        final TdpMmu mmu;

        /** @param skew added to the slot's hva; 4096 makes every page a 4 KiB one */
        Subject(long bytes, long skew) {
            HostConfig host = HostConfig.intel();
            var memory = new PhysicalMemory(host.memoryBytes());
            var kvm = new Kvm(
                    host, semantics.kernel(), memory, new Events(), vm -> new TdpMmu(vm, semantics.mmuPolicy()));
            var mm = new Mm(memory, kvm.pages(), kvm.seams(), kvm.events(), host.thp());
            vm = new Vm(kvm, "vm", VmType.DEFAULT, mm);
            mmu = (TdpMmu) vm.mmu();
            must(vm.createVcpu(0, CpuidModel.standard()));
            long hva = mm.mmap(Optional.empty(), 0, (bytes >>> 12) + 512, Mm.anonymous(true));
            mm.populate(hva, hva + bytes + (2 << 20));
            must(vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, bytes, hva + skew)));
            vm.vcpus().getFirst().mmu().reload();
        }

        Memslot slot() {
            return vm.memslots(0).byId(0);
        }

        void map(long bytes) {
            must(semantics.mapMemory(vm.vcpus().getFirst(), new MemoryMapping(0, bytes, 0, 0)));
        }

        void log() {
            must(vm.setUserMemoryRegion2(
                    MemoryRegion.user(0, LOG_DIRTY, 0, slot().npages() << 12, slot().userspaceAddr())));
        }
    }

    private static void must(IoctlResult result) {
        if (!result.succeeded()) {
            throw new IllegalStateException(result.toString());
        }
    }

    private static Sample preFault(long bytes, long skew) {
        var subject = new Subject(bytes, skew);
        Stopwatch watch = Stopwatch.start();
        subject.map(bytes);
        long nanos = watch.nanos();
        int level = skew == 0 ? Level.PG_2M : Level.PG_4K;
        long units = bytes / Level.bytes(level);
        if (subject.mmu.stats().pages(level) != units) {
            throw new IllegalStateException(
                    "not everything is mapped: " + subject.mmu.stats().all());
        }
        return new Sample(units, nanos);
    }

    private static Subject mapped() {
        var subject = new Subject(BYTES, 4096);
        subject.map(BYTES);
        return subject;
    }

    private static Sample zap() {
        Subject subject = mapped();
        Stopwatch watch = Stopwatch.start();
        subject.vm.mmuLock().lock(Mode.WRITE);
        subject.mmu.unmap(new GfnRange(subject.slot(), 0, BYTES >>> 12, GfnRange.Filter.SHARED, true));
        subject.vm.mmuLock().unlock(Mode.WRITE);
        return new Sample(BYTES >>> 12, watch.nanos());
    }

    private static Sample protect() {
        Subject subject = mapped();
        Stopwatch watch = Stopwatch.start();
        subject.log();
        return new Sample(BYTES >>> 12, watch.nanos());
    }

    /** The root is invalidated, zapped entry by entry and given back with all its tables. */
    private static Sample deleteSlot() {
        Subject subject = mapped();
        Stopwatch watch = Stopwatch.start();
        must(subject.vm.setUserMemoryRegion2(MemoryRegion.deletion(0)));
        return new Sample(BYTES >>> 12, watch.nanos());
    }

    /**
     * The pages whose bits {@code mask} has in each word are dirty: they are reported and protected again.
     *
     * @return pages looked at
     */
    private static Sample getDirtyLog(long mask) {
        var subject = new Subject(BYTES, 4096);
        subject.log();
        subject.map(BYTES);
        DirtyBitmap bitmap = subject.slot().dirty().orElseThrow();
        for (int i = 0; i < bitmap.length(); i++) {
            bitmap.clear(i, ~mask);
        }
        Stopwatch watch = Stopwatch.start();
        must(subject.vm.getDirtyLog(0));
        return new Sample(BYTES >>> 12, watch.nanos());
    }
}
