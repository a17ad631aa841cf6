package kvasir.scripts.bench;

import java.util.List;

/** What {@code kvs bench WORD} measures. */
public interface Benchmark {
    /** The word after {@code kvs bench}. */
    String word();

    /** What is measured, in one line for the help. */
    String doc();

    /** In the order of the report. */
    List<Comparison> comparisons();

    /**
     * Workloads that are measured together.
     *
     * @param title what they have in common
     * @param workloads the first is the yardstick
     */
    record Comparison(String title, List<Workload> workloads) {}

    /**
     * One line of the table.
     *
     * @param unit plural: {@code pages}
     * @param goal units a second that are promised; 0 for none
     * @param ratioGoal part of the yardstick's rate that is promised; 0 for none
     * @param pace how often it runs
     */
    record Workload(String name, String unit, double goal, double ratioGoal, Pace pace, Body body) {
        /** One that warms up, and is measured in every round. */
        public Workload(String name, String unit, double goal, double ratioGoal, Body body) {
            this(name, unit, goal, ratioGoal, Pace.WARMED, body);
        }

        /** A workload of which nothing is promised. */
        public Workload(String name, String unit, Body body) {
            this(name, unit, 0, 0, body);
        }
    }

    /** How often a workload runs. */
    enum Pace {
        /** Once to warm up, and in every round. */
        WARMED,
        /** In every round: another program, which begins anew each time. */
        EACH_ROUND,
        /** In the first round only, as it is slow and steady. */
        ONCE
    }

    /** The work itself; what has to be there before is not timed. */
    @FunctionalInterface
    interface Body {
        /** Does it once. */
        Sample run();
    }

    /**
     * One execution.
     *
     * @param units how much was done
     * @param nanos processor time that it took, best by {@link Stopwatch}
     * @param note what else there is to say, in a few words
     */
    record Sample(double units, long nanos, String note) {
        Sample(double units, long nanos) {
            this(units, nanos, "");
        }

        double rate() {
            return units * 1e9 / Math.max(1, nanos);
        }
    }
}
