package kvasir.metal.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import kvasir.event.Events;
import kvasir.metal.memory.PhysicalMemory;

/**
 * Translates beside the guests, one region after another, whichever processor asks. A new class would run in the JVM's
 * own interpreter at first, slower than ours: each translation is therefore called with an empty budget, on a processor
 * that nobody uses, until the JVM has compiled it; only then the guest gets it.
 */
final class TranslatorThread {
    private static final TranslatorThread ONE = new TranslatorThread();

    /** Calls at once, after which the JVM compiles (Tier3InvocationThreshold is 200). */
    private static final int FIRST_CALLS = 250;

    /** Calls a round: so few that the JVM does not optimize for the empty budget before the guest has been inside. */
    private static final int CALLS = 12;

    /** A compiled call takes less than this part of an interpreted one. */
    private static final int FASTER = 3;

    /** Rounds after which a translation is given out however slow it is: the JVM may not compile at all. */
    private static final int MOST_ROUNDS = 300;

    private final BlockingQueue<Region> waiting = new LinkedBlockingQueue<>();
    private final List<Warming> warming = new ArrayList<>();
    private final Cpu idle = new Cpu(new PhysicalMemory(1 << 16), new Events(), CpuidModel.standard(), 0);

    private TranslatorThread() {
        Thread.ofPlatform().daemon().name("kvasir translator").start(this::work);
    }

    /** Has {@code region} get a translation, sooner or later. */
    static void translate(Region region) {
        ONE.waiting.add(region);
    }

    private void work() {
        try {
            while (true) {
                next().ifPresent(region -> RegionTranslator.translate(region)
                        .ifPresentOrElse(
                                translation -> warming.add(new Warming(region, translation, idle)),
                                () -> region.untranslatable = true));
                warming.removeIf(each -> each.done(idle));
            }
        } catch (InterruptedException e) {
            // nobody interrupts a thread that nobody knows
            Thread.currentThread().interrupt();
        }
    }

    private Optional<Region> next() throws InterruptedException {
        return warming.isEmpty()
                ? Optional.of(waiting.take())
                : Optional.ofNullable(waiting.poll(1, TimeUnit.MILLISECONDS));
    }

    /** A translation that the JVM has not compiled. */
    private static final class Warming {
        private final Region region;
        private final Region.Translation translation;
        private final long cold;
        private int rounds;

        Warming(Region region, Region.Translation translation, Cpu idle) {
            this.region = region;
            this.translation = translation;
            translation.code().run(idle, 0, 0);
            cold = shortest(idle);
            for (int i = CALLS; i < FIRST_CALLS; i++) {
                translation.code().run(idle, 0, 0);
            }
        }

        /** Calls it a few times; gives it out if it has become fast. */
        boolean done(Cpu idle) {
            if (shortest(idle) * FASTER < cold || ++rounds == MOST_ROUNDS) {
                region.translation = translation;
                return true;
            }
            return region.dead;
        }

        /** Nanoseconds of the shortest of a few calls: the others may have been interrupted. */
        private long shortest(Cpu idle) {
            long shortest = Long.MAX_VALUE;
            for (int i = 0; i < CALLS; i++) {
                long begin = System.nanoTime();
                translation.code().run(idle, 0, 0);
                shortest = Math.min(shortest, System.nanoTime() - begin);
            }
            return shortest;
        }
    }
}
