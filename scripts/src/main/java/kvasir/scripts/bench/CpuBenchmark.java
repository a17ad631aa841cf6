package kvasir.scripts.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.Engine;
import kvasir.vmm.BootRun;
import kvasir.vmm.Ended;
import kvasir.vmm.boot.BootException;

/** Guest programs under both engines and, where it is installed, QEMU's translator: {@code kvs bench cpu}. */
final class CpuBenchmark implements Benchmark {
    private static final long MEMORY = 64 << 20;
    private static final long BUDGET = 20_000_000_000L;

    @Override
    public String word() {
        return "cpu";
    }

    @Override
    public String doc() {
        return "guest programs: the interpreter, the translator" + (Qemu.installed() ? ", and QEMU's TCG" : "");
    }

    @Override
    public List<Comparison> comparisons() {
        return GuestPrograms.all().stream()
                .map(program -> new Comparison(program.name(), workloads(program)))
                .toList();
    }

    private static List<Workload> workloads(GuestPrograms.Program program) {
        byte[] image = program.image();
        boolean moves = program.bytes() != 0;
        double work = moves ? program.bytes() : run(image, Engine.TRANSLATOR).units();
        String unit = moves ? "bytes" : "instructions";
        var workloads = new ArrayList<Workload>();
        if (Qemu.installed()) {
            workloads.add(new Workload("QEMU TCG", unit, () -> new Sample(work, Qemu.nanos(image))));
        }
        workloads.add(new Workload(
                "interpreter",
                unit,
                () -> new Sample(work, run(image, Engine.INTERPRETER).nanos())));
        workloads.add(new Workload(
                "translator",
                unit,
                () -> new Sample(work, run(image, Engine.TRANSLATOR).nanos())));
        return workloads;
    }

    private static Sample run(byte[] image, Engine engine) {
        var shape = new BootRun.Shape(MEMORY, 1, CpuidModel.standard(), false, engine, false, 0);
        var run = new BootRun(shape, octet -> {});
        try {
            run.multiboot("benchmark", image, "", MEMORY);
        } catch (BootException e) {
            throw new IllegalStateException("our own image does not load", e);
        }
        Stopwatch watch = Stopwatch.start();
        if (!(run.run(BUDGET) instanceof Ended.DebugExit)) {
            throw new IllegalStateException("our own program does not end");
        }
        return new Sample(run.retired(), watch.nanos());
    }

    /** QEMU without KVM, timed by the shell that starts it. */
    private static final class Qemu {
        private static final String COMMAND = "qemu-system-x86_64";
        private static Optional<Long> start = Optional.empty();

        static boolean installed() {
            return Processes.onPath(COMMAND);
        }

        /** Processor time for the guest alone: without what an empty program takes. */
        static long nanos(byte[] image) {
            if (start.isEmpty()) {
                start = Optional.of(whole(new GuestPrograms.Program("nothing", "nop").image()));
            }
            return Math.max(1, whole(image) - start.get());
        }

        private static long whole(byte[] image) {
            return Processes.processorNanos(
                    image,
                    file -> List.of(
                            COMMAND,
                            "-nodefaults",
                            "-display",
                            "none",
                            "-accel",
                            "tcg",
                            "-m",
                            "64",
                            "-device",
                            "isa-debug-exit,iobase=0xf4,iosize=4",
                            "-kernel",
                            file));
        }
    }
}
