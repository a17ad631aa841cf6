package kvasir.scripts.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import kvasir.metal.cpu.Engine;

/** All benchmarks, and how each is measured. */
public final class Benchmarks {
    private static final List<Benchmark> ALL = List.of(new CpuBenchmark(), new MmuBenchmark(), new ExploreBenchmark());

    private Benchmarks() {}

    /** In the order of the help. */
    public static List<Benchmark> all() {
        return ALL;
    }

    /**
     * Runs each guest program of {@code kvs bench cpu} in the translator, and measures nothing.
     *
     * @param instructions of each, at most
     */
    public static void rehearse(long instructions) {
        GuestPrograms.all()
                .forEach(program ->
                        CpuBenchmark.start(program.image(), Engine.TRANSLATOR).run(instructions));
    }

    /**
     * What one workload reached.
     *
     * @param rate median of the rounds, units a second
     * @param worst of the rounds, units a second
     * @param best of the rounds, units a second
     * @param ratio median of the rounds of this rate by the yardstick's in the same round; 1 for the yardstick
     * @param note what else there is to say of the last round
     */
    public record Reached(
            Benchmark.Workload workload, double rate, double worst, double best, double ratio, String note) {
        /** Whether something was promised and not kept. */
        public boolean missed() {
            return rate < workload.goal() || ratio < workload.ratioGoal();
        }
    }

    /**
     * Measures: every workload to warm up, then {@code rounds} rounds, the workloads of a round side by side.
     *
     * @param rounds at least 1
     * @param progress is told what runs, before each run
     */
    public static List<Reached> measure(Benchmark.Comparison comparison, int rounds, Consumer<String> progress) {
        List<Benchmark.Workload> workloads = comparison.workloads();
        var rates = new double[workloads.size()][rounds];
        var notes = new String[workloads.size()];
        for (Benchmark.Workload workload : workloads) {
            if (workload.pace() == Benchmark.Pace.WARMED) {
                progress.accept("warming up: " + workload.name());
                workload.body().run();
            }
        }
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < rates.length; i++) {
                if (round > 0 && workloads.get(i).pace() == Benchmark.Pace.ONCE) {
                    rates[i][round] = rates[i][0];
                    continue;
                }
                progress.accept("round " + (round + 1) + " of " + rounds + ": "
                        + workloads.get(i).name());
                Benchmark.Sample sample = workloads.get(i).body().run();
                rates[i][round] = sample.rate();
                notes[i] = sample.note();
            }
        }
        var reached = new ArrayList<Reached>();
        for (int i = 0; i < rates.length; i++) {
            double[] own = rates[i];
            double[] ratios = IntStream.range(0, rounds)
                    .mapToDouble(round -> own[round] / rates[0][round])
                    .toArray();
            double[] sorted = own.clone();
            java.util.Arrays.sort(sorted);
            reached.add(new Reached(
                    workloads.get(i), sorted[rounds / 2], sorted[0], sorted[rounds - 1], median(ratios), notes[i]));
        }
        return reached;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        java.util.Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
