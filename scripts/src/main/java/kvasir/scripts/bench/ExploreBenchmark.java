package kvasir.scripts.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntSupplier;
import kvasir.event.Events;
import kvasir.kvm.HostConfig;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Kvm;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.Seams;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.kvm.semantics.MemoryMapping;
import kvasir.kvm.semantics.Semantics;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.memory.MemoryWatch;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.registry.Outcome;
import kvasir.scripts.explore.Bounds;
import kvasir.scripts.explore.EndState;
import kvasir.scripts.explore.Exploration;
import kvasir.scripts.explore.Explorer;
import kvasir.scripts.explore.Scenario;

/** The search of states: three vCPUs that pre-fault at once, learning and hashing included: {@code kvs bench explore}. */
final class ExploreBenchmark implements Benchmark {
    private static final double GOAL = 200_000;
    private static final int STATES = 1_000_000;
    private static final long BLOCK = 2 << 20;
    private static final long PAGE = 4096;

    @Override
    public String word() {
        return "explore";
    }

    @Override
    public String doc() {
        return "every interleaving of pre-faults, by states; processor time of the whole process";
    }

    @Override
    public List<Comparison> comparisons() {
        return List.of(
                new Comparison(
                        "three vCPUs, each state itself, up to %,d states".formatted(STATES),
                        List.of(
                                new Workload("q15, disjoint ranges", "states", GOAL, 0, () -> each(BLOCK)),
                                new Workload("q16, the same page", "states", GOAL, 0, () -> each(0)))),
                new Comparison(
                        "three vCPUs, with symmetry and merging, complete",
                        List.of(
                                new Workload("q15, disjoint ranges", "steps", 0, 0, () -> reduced(BLOCK)),
                                new Workload("q16, the same page", "steps", 0, 0, () -> reduced(0)))));
    }

    private static Sample each(long apart) {
        Bounds bounds = Bounds.DEFAULT.with(OptionalInt.empty(), OptionalInt.of(STATES));
        for (String reduction : Bounds.SWITCHES) {
            bounds = bounds.with(reduction, 0).orElseThrow();
        }
        long before = processorTime();
        Exploration found = explore(apart, bounds);
        long nanos = processorTime() - before;
        return new Sample(found.size(), nanos, "%d bytes a state".formatted(found.bytesPerState()));
    }

    private static Sample reduced(long apart) {
        long before = processorTime();
        Exploration found = explore(apart, Bounds.DEFAULT);
        long nanos = processorTime() - before;
        return new Sample(
                found.steps(),
                nanos,
                "%s, %d bytes a state, %.1f s".formatted(found.completeness(), found.bytesPerState(), nanos / 1e9));
    }

    private static Exploration explore(long apart, Bounds bounds) {
        Exploration found = new Explorer(seams -> new Prefaults(seams, apart), bounds).explore();
        if (found.method() != Exploration.Method.STATES) {
            throw new IllegalStateException("not by states: " + found.whyNotStates());
        }
        return found;
    }

    /** Tasks have threads of their own: the time of all counts. */
    private static long processorTime() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    /** A VM with three vCPUs, each of which is to pre-fault a page. */
    private static final class Prefaults implements Scenario.Run {
        private final Semantics semantics = Semantics.newest();
        private final PhysicalMemory memory;
        private final Kvm kvm;
        private final Mm mm;
        private final Vm vm;
        private final long apart;

        Prefaults(Seams seams, long apart) {
            this.apart = apart;
            HostConfig host = HostConfig.intel();
            memory = new PhysicalMemory(host.memoryBytes());
            kvm = new Kvm(host, semantics.kernel(), memory, new Events(), vm -> new TdpMmu(vm, semantics.mmuPolicy()));
            mm = new Mm(memory, kvm.pages(), kvm.seams(), kvm.events(), host.thp());
            vm = new Vm(kvm, "vm", VmType.DEFAULT, mm);
            long hva = mm.mmap(Optional.empty(), 0, 4 * BLOCK >>> 12, Mm.anonymous(true));
            mm.populate(hva, hva + 4 * BLOCK);
            must(vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 4 * BLOCK, hva)));
            for (int id = 0; id < 3; id++) {
                must(vm.createVcpu(id, CpuidModel.standard()));
            }
            kvm.seams().use(seams);
        }

        private static void must(IoctlResult result) {
            if (!result.succeeded()) {
                throw new IllegalStateException(result.toString());
            }
        }

        @Override
        public List<Scenario.Task> tasks() {
            var tasks = new ArrayList<Scenario.Task>();
            for (int id = 0; id < 3; id++) {
                var vcpu = vm.vcpus().get(id);
                long gpa = id * apart;
                tasks.add(new Scenario.Task("vcpu" + id, () -> {
                    must(semantics.mapMemory(vcpu, new MemoryMapping(gpa, PAGE, 0, 0)));
                    return Outcome.ok();
                }));
            }
            return tasks;
        }

        @Override
        public Optional<String> violation() {
            return Optional.empty();
        }

        @Override
        public boolean watchesInvariants() {
            return false;
        }

        @Override
        public EndState end() {
            return EndState.NONE;
        }

        @Override
        public void divide(int tasks, IntSupplier running) {
            kvm.pages().divide(tasks, running, kvm.seams()::footprint);
        }

        @Override
        public boolean fingerprinted() {
            return true;
        }

        @Override
        public long fingerprint() {
            return kvm.fingerprint() * 31 + mm.fingerprint();
        }

        @Override
        public PhysicalMemory memory() {
            return memory;
        }

        @Override
        public void watch(MemoryWatch watch) {
            memory.watch(watch);
        }

        @Override
        public void close() {}
    }
}
