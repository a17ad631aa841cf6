package kvasir.scripts.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import kvasir.event.Events;
import kvasir.kvm.KernelLock;
import kvasir.kvm.Seam;
import kvasir.kvm.Seams;
import kvasir.registry.Outcome;
import org.junit.jupiter.api.Test;

final class ExplorerTest {
    private int counter;
    private boolean flag;

    /** Two tasks over state that is fresh for each run. */
    private Scenario scenario(BiFunction<Seams, Events, List<Supplier<Outcome>>> bodies) {
        return seams -> {
            counter = 0;
            flag = false;
            List<Supplier<Outcome>> tasks = bodies.apply(seams, new Events());
            return new Scenario.Run() {
                @Override
                public List<Scenario.Task> tasks() {
                    return List.of(new Scenario.Task("a", tasks.get(0)), new Scenario.Task("b", tasks.get(1)));
                }

                @Override
                public Optional<String> violation() {
                    return counter < 0 ? Optional.of("counter is negative") : Optional.empty();
                }

                @Override
                public EndState end() {
                    return new EndState(false, List.of(counter == 1, counter == 2));
                }

                @Override
                public void close() {}
            };
        };
    }

    private static Bounds bounds(int schedules, int steps, int fairSteps) {
        return new Bounds(OptionalInt.of(2), 1000, 64, schedules, steps, fairSteps, 0, 0, 1, true, true);
    }

    private Supplier<Outcome> increment(Seams seams) {
        return () -> {
            int seen = counter;
            seams.at(Seam.SPTE, "counter");
            counter = seen + 1;
            return Outcome.ok();
        };
    }

    private static final EndState ONE = new EndState(false, List.of(true, false));
    private static final EndState TWO = new EndState(false, List.of(false, true));

    private static Set<EndState> ends(Exploration exploration) {
        return exploration.outcomes().stream().map(Exploration.Distinct::end).collect(Collectors.toSet());
    }

    @Test
    void aLostUpdateIsFoundWithOnePreemption() {
        Exploration found = new Explorer(
                        scenario((seams, events) -> List.of(increment(seams), increment(seams))), Bounds.DEFAULT)
                .explore();
        assertEquals(Set.of(ONE, TWO), ends(found));
        Schedule witness = found.outcomes().stream()
                .filter(distinct -> distinct.end().equals(ONE))
                .findFirst()
                .orElseThrow()
                .witness();
        assertEquals(1, witness.preemptions());
        assertEquals("k1:1B", witness.token());
        assertTrue(found.exhaustive());
        assertEquals("complete (6 schedules)", found.completeness(), "the interleavings of two and two steps");
    }

    @Test
    void aLockMakesTheUpdateSafe() {
        Exploration found = new Explorer(
                        scenario((seams, events) -> {
                            var lock = new KernelLock("vm.mmu_lock", seams, events);
                            Supplier<Outcome> body = () -> {
                                lock.lock();
                                try {
                                    return increment(seams).get();
                                } finally {
                                    lock.unlock();
                                }
                            };
                            return List.of(body, body);
                        }),
                        Bounds.DEFAULT)
                .explore();
        assertEquals(Set.of(TWO), ends(found));
    }

    @Test
    void oppositeLockOrdersDeadlockAndAreAnInversion() {
        var explorer = new Explorer(
                scenario((seams, events) -> {
                    var one = new KernelLock("mmap_lock", seams, events);
                    var two = new KernelLock("invalidate_lock", seams, events);
                    return List.of(nested(one, two), nested(two, one));
                }),
                Bounds.DEFAULT);
        Exploration found = explorer.explore();
        Exploration.Distinct deadlock = found.outcomes().stream()
                .filter(distinct -> distinct.verdict() instanceof Verdict.Deadlock)
                .findFirst()
                .orElseThrow();
        assertEquals(
                new Verdict.Deadlock(List.of("a waits for invalidate_lock", "b waits for mmap_lock")),
                deadlock.verdict());
        assertEquals(1, deadlock.witness().preemptions());
        assertEquals(Optional.of(List.of("invalidate_lock", "mmap_lock")), found.lockInversion());
        Explorer.Replay replay =
                explorer.replay(Schedule.parse(deadlock.witness().token()).orElseThrow());
        assertEquals(deadlock.verdict(), replay.verdict());
        assertEquals(1, replay.steps().stream().filter(Step::preempts).count());
    }

    private static Supplier<Outcome> nested(KernelLock outer, KernelLock inner) {
        return () -> {
            outer.lock();
            inner.lock();
            inner.unlock();
            outer.unlock();
            return Outcome.ok();
        };
    }

    @Test
    void aRetryLoopThatWaitsForItsVictimIsALivelock() {
        // the deleter waits for the reader, and the reader retries until the deleter is done
        Exploration found = new Explorer(
                        scenario((seams, events) -> {
                            var reading = new boolean[1];
                            var deleting = new boolean[1];
                            return List.of(
                                    () -> {
                                        reading[0] = true;
                                        seams.at(Seam.PUBLISH, "slot");
                                        while (deleting[0]) {
                                            seams.at(Seam.PUBLISH, "slot");
                                        }
                                        reading[0] = false;
                                        return Outcome.ok();
                                    },
                                    () -> {
                                        deleting[0] = true;
                                        seams.await("srcu", () -> !reading[0]);
                                        deleting[0] = false;
                                        return Outcome.ok();
                                    });
                        }),
                        bounds(1000, 200, 100))
                .explore();
        Exploration.Distinct livelock = found.outcomes().stream()
                .filter(distinct -> distinct.verdict() instanceof Verdict.Livelock)
                .findFirst()
                .orElseThrow();
        assertEquals(1, livelock.witness().preemptions());
        assertEquals(new Verdict.Livelock(List.of("a", "b")), livelock.verdict());
    }

    @Test
    void violationsEndARunAndOutcomesAreTold() {
        Exploration found = new Explorer(
                        scenario((seams, events) -> List.of(
                                () -> {
                                    counter--;
                                    seams.at(Seam.SPTE, "counter");
                                    counter++;
                                    return Outcome.ok();
                                },
                                () -> new Outcome.Failed("EAGAIN", "busy", Map.of("left", 4096L)))),
                        Bounds.DEFAULT)
                .explore();
        assertTrue(found.outcomes().stream()
                .anyMatch(distinct -> distinct.verdict().equals(new Verdict.Violation("counter is negative"))));
        assertInstanceOf(Verdict.Violation.class, found.outcomes().getFirst().verdict());
    }

    @Test
    void twoSearchesAreEqualAndBoundsAreTold() {
        Supplier<Exploration> search = () -> new Explorer(
                        scenario((seams, events) -> {
                            Supplier<Outcome> body = () -> {
                                for (int i = 0; i < 4; i++) {
                                    seams.at(Seam.SPTE, "counter");
                                }
                                return increment(seams).get();
                            };
                            return List.of(body, body);
                        }),
                        bounds(20, 1000, 100))
                .explore();
        assertEquals("bounded (20 schedules)", search.get().completeness());
        assertEquals(
                search.get().outcomes().stream().map(d -> d.witness().token()).toList(),
                search.get().outcomes().stream().map(d -> d.witness().token()).toList());
    }

    private Explorer walker(int depth, int seed) {
        Bounds bounds = Bounds.DEFAULT
                .with("walks", 200)
                .flatMap(walks -> depth == 0 ? Optional.of(walks) : walks.with("depth", depth))
                .flatMap(walks -> walks.with("seed", seed))
                .orElseThrow();
        return new Explorer(scenario((seams, events) -> List.of(increment(seams), increment(seams))), bounds);
    }

    @Test
    void randomWalksFindALostUpdateAndSaySo() {
        for (int depth : new int[] {0, 2}) {
            Exploration found = walker(depth, 7).explore();
            assertEquals(Exploration.Method.WALKS, found.method());
            assertEquals("bounded (200 walks at random)", found.completeness());
            assertEquals(Set.of(ONE, TWO), ends(found));
            assertEquals(200, found.schedules());
            for (Exploration.Distinct end : found.outcomes()) {
                assertEquals(end.end(), walker(depth, 7).replay(end.witness()).end(), "the token leads there again");
            }
        }
    }

    @Test
    void priorityWalksOfDepthOneNeverPreempt() {
        Exploration found = walker(1, 7).explore();
        assertEquals(Set.of(TWO), ends(found));
        assertTrue(found.outcomes().stream().allMatch(end -> end.witness().preemptions() == 0));
    }

    @Test
    void aSeedGivesTheSameWalks() {
        Supplier<List<String>> walks = () -> walker(2, 3).explore().outcomes().stream()
                .map(end ->
                        end.counted() + " " + end.end() + " " + end.witness().token())
                .toList();
        assertEquals(walks.get(), walks.get());
    }

    @Test
    void tokensAreParsedStrictly() {
        assertEquals("k1:3B.17A", Schedule.parse("k1:3B.17A").orElseThrow().token());
        for (String bad : List.of("", "k2:1A", "k1:A1", "k1:5B.3A", "k1:1b", "k1:1A.", "k1:99999999999A")) {
            assertEquals(Optional.empty(), Schedule.parse(bad).map(Schedule::token), bad);
        }
    }
}
