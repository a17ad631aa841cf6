package kvasir.scripts.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.Engine;
import kvasir.vmm.BootRun;
import kvasir.vmm.Ended;
import kvasir.vmm.boot.BootException;

/** Guest programs under both engines and, where it is installed, QEMU's translator: {@code kvs bench cpu}. */
final class CpuBenchmark implements Benchmark {
    private static final long MEMORY = 64 << 20;
    private static final long BUDGET = 20_000_000_000L;

    /** What of a program the interpreter runs, instructions; to the end it takes many times as long as the others. */
    private static final long PIECE = 100_000_000;

    private static final List<Yardstick> OTHERS = List.of(
            new Yardstick(
                    "QEMU TCG",
                    "qemu-system-x86_64",
                    Pace.EACH_ROUND,
                    GuestPrograms.Program::image,
                    file -> List.of(
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
                            file)),
            new Yardstick(
                    "Bochs",
                    "bochs",
                    Pace.ONCE,
                    GuestPrograms.Program::rom,
                    file -> List.of(
                            "-q",
                            "-f",
                            "/dev/null",
                            "display_library: rfb, options=\"timeout=0\"",
                            "romimage: file=" + file,
                            "vgaromimage: file=" + file,
                            "sound: driver=dummy",
                            "megs: 64",
                            "cpu: model=corei7_haswell_4770, ips=100000000",
                            "log: /dev/null")));

    @Override
    public String word() {
        return "cpu";
    }

    @Override
    public String doc() {
        return Stream.concat(
                        Stream.of("interpreter", "translator"),
                        OTHERS.stream().filter(Yardstick::installed).map(other -> other.name))
                .collect(Collectors.joining(", ", "guest programs: ", ""));
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
        var work = new Work(program);
        String unit = moves ? "bytes" : "instructions";
        var workloads = new ArrayList<Workload>();
        for (Yardstick other : OTHERS) {
            if (other.installed()) {
                workloads.add(new Workload(other.name, unit, 0, 0, other.pace, () -> work.in(other.nanos(program))));
            }
        }
        workloads.add(new Workload(
                "interpreter",
                unit,
                () -> moves ? work.in(run(image, Engine.INTERPRETER).nanos()) : piece(image)));
        workloads.add(new Workload(
                "translator", unit, () -> work.in(run(image, Engine.TRANSLATOR).nanos())));
        return workloads;
    }

    private static Sample run(byte[] image, Engine engine) {
        BootRun run = start(image, engine);
        Stopwatch watch = Stopwatch.start();
        if (!(run.run(BUDGET) instanceof Ended.DebugExit)) {
            throw new IllegalStateException("our own program does not end");
        }
        return new Sample(run.retired(), watch.nanos());
    }

    private static Sample piece(byte[] image) {
        BootRun run = start(image, Engine.INTERPRETER);
        Stopwatch watch = Stopwatch.start();
        Ended ended = run.run(PIECE);
        String note = ended instanceof Ended.DebugExit ? "" : "of its first " + PIECE / 1_000_000 + " M";
        return new Sample(run.retired(), watch.nanos(), note);
    }

    /** What a whole program does: bytes, or instructions, counted when first asked for. */
    private static final class Work {
        private final GuestPrograms.Program program;
        private double units;

        Work(GuestPrograms.Program program) {
            this.program = program;
            units = program.bytes();
        }

        /** All of it in this time. */
        Sample in(long nanos) {
            if (units == 0) {
                units = run(program.image(), Engine.TRANSLATOR).units();
            }
            return new Sample(units, nanos);
        }
    }

    /** A machine in which a program is about to begin. */
    static BootRun start(byte[] image, Engine engine) {
        var shape = new BootRun.Shape(MEMORY, 1, CpuidModel.standard(), false, engine, false, 0);
        var run = new BootRun(shape, octet -> {});
        try {
            run.multiboot("benchmark", image, "", MEMORY);
        } catch (BootException e) {
            throw new IllegalStateException("our own image does not load", e);
        }
        return run;
    }

    /** Another emulator, timed by the shell that starts it. */
    private static final class Yardstick {
        private final String name;
        private final String command;
        private final Pace pace;
        private final Function<GuestPrograms.Program, byte[]> form;
        private final Function<String, List<String>> options;
        private Optional<Long> start = Optional.empty();

        Yardstick(
                String name,
                String command,
                Pace pace,
                Function<GuestPrograms.Program, byte[]> form,
                Function<String, List<String>> options) {
            this.name = name;
            this.command = command;
            this.pace = pace;
            this.form = form;
            this.options = options;
        }

        boolean installed() {
            return Processes.onPath(command);
        }

        /** Processor time for the guest alone: without what an empty program takes. */
        long nanos(GuestPrograms.Program program) {
            if (start.isEmpty()) {
                start = Optional.of(whole(new GuestPrograms.Program("nothing", "nop")));
            }
            return Math.max(1, whole(program) - start.get());
        }

        private long whole(GuestPrograms.Program program) {
            return Processes.processorNanos(form.apply(program), file -> {
                var words = new ArrayList<>(List.of(command));
                words.addAll(options.apply(file));
                return words;
            });
        }
    }
}
