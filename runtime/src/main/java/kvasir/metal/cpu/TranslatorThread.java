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
    private static final int CALLS = 64;

    /** A compiled call takes less than this part of what the first ones took. */
    private static final int FASTER = 4;

    /** Rounds of calls after which a translation is given out however slow it is: the JVM may not compile at all. */
    private static final int MOST_ROUNDS = 40;

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
                        .ifPresent(translation -> warming.add(new Warming(region, translation))));
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
        private long cold;
        private int rounds;

        Warming(Region region, Region.Translation translation) {
            this.region = region;
            this.translation = translation;
        }

        /** Calls it a few times; gives it out if it has become fast. */
        boolean done(Cpu idle) {
            call(idle);
            long begin = System.nanoTime();
            call(idle);
            long taken = System.nanoTime() - begin;
            if (rounds++ == 0) {
                cold = taken;
            } else if (taken * FASTER < cold || rounds == MOST_ROUNDS) {
                region.translation = translation;
                return true;
            }
            return region.dead;
        }

        private void call(Cpu idle) {
            for (int i = 0; i < CALLS; i++) {
                translation.code().run(idle, 0, 0);
            }
        }
    }
}
