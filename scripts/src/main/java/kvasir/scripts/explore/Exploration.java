package kvasir.scripts.explore;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a search found.
 *
 * @param method what was searched
 * @param outcomes each distinct end, in the order of {@link Distinct#WITNESSES}
 * @param size states, or schedules
 * @param steps steps that were considered
 * @param runs times the real code was run
 * @param bound what stopped the search before everything within the preemption bound was seen; absent if nothing did
 * @param preemptions the preemption bound, if there was one
 * @param exhaustive whether nothing at all was left out, so that a preemption bound did not matter
 * @param lockOrder which lock was taken while which was held, over all runs
 * @param whyNotStates why schedules were searched although states would be fewer; empty if they were not
 * @param bytesPerState what a stored state takes, 0 if none were
 * @param reductions what was searched once for several, a sentence each
 * @param whole whether this is the whole search, not a shard's part of it
 */
public record Exploration(
        Method method,
        List<Distinct> outcomes,
        long size,
        long steps,
        int runs,
        Optional<String> bound,
        OptionalInt preemptions,
        boolean exhaustive,
        List<LockOrder.Taken> lockOrder,
        String whyNotStates,
        long bytesPerState,
        List<String> reductions,
        boolean whole) {
    private static final double EXACT = 1e15;

    /** What a search goes through. */
    public enum Method {
        /** The states of the machine and its tasks, each once. */
        STATES,
        /** Schedules, each from the start. */
        SCHEDULES,
        /** Random schedules. */
        WALKS,
        /** Nothing: it is another shard's. */
        NOTHING;

        /** {@code states}. */
        public String words() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * One distinct end.
     *
     * @param verdict how the run ended
     * @param outcomes how the tasks ended, in words
     * @param end what the race looked at
     * @param count schedules that end so; turns of a retry loop are not counted
     * @param witness the first of them in the order of {@link #WITNESSES}
     * @param way that leads there, or into the loop: who runs at each step, a letter each, {@code AAB}
     */
    public record Distinct(Verdict verdict, String outcomes, EndState end, double count, Schedule witness, String way) {
        /** Fewest preemptions first, then fewest steps, then by who runs. */
        static final Comparator<Distinct> WITNESSES = Comparator.<Distinct>comparingInt(
                        each -> each.witness.preemptions())
                .thenComparingInt(each -> each.way.length())
                .thenComparing(Distinct::way);

        /** The same with another count. */
        Distinct counted(double schedules) {
            return new Distinct(verdict, outcomes, end, schedules, witness, way);
        }

        /** The count, in full as long as it is exact. */
        public String counted() {
            return Exploration.counted(count);
        }
    }

    /** What is told of a search that is another shard's. */
    static Exploration leftTo(Shard owner) {
        return new Exploration(
                Method.NOTHING,
                List.of(),
                0,
                0,
                0,
                Optional.of("searched by shard " + owner),
                OptionalInt.empty(),
                false,
                List.of(),
                "",
                0,
                List.of(),
                false);
    }

    /** The locks of a cycle in the lock order, if there is one. */
    public Optional<List<String>> lockInversion() {
        return LockOrder.of(lockOrder).inversion();
    }

    /** Schedules in all ends together. */
    public double schedules() {
        return outcomes.stream().mapToDouble(Distinct::count).sum();
    }

    /** A number of schedules, in full as long as it is exact. */
    public static String counted(double count) {
        return count < EXACT ? "%,d".formatted((long) count) : String.format(Locale.ROOT, "%.1e", count);
    }

    /** {@code complete (1,234 states)} or {@code bounded (...)}: never silence. */
    public String completeness() {
        String amount = "%,d %s".formatted(size, method.words());
        if (method == Method.WALKS) {
            return "bounded (%s at random)".formatted(amount);
        }
        if (method == Method.NOTHING) {
            return bound.orElseThrow();
        }
        if (bound.isPresent()) {
            return "bounded (%s)".formatted(bound.get());
        }
        return exhaustive || preemptions.isEmpty()
                ? "complete (%s)".formatted(amount)
                : "complete up to %d preemptions (%s)".formatted(preemptions.getAsInt(), amount);
    }
}
