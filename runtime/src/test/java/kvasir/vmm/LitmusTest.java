package kvasir.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import kvasir.metal.cpu.Engine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Memory ordering between vCPUs on threads (Intel SDM volume 3, "Examples illustrating the memory-ordering principles"):
 * the outcomes that it forbids never come, and the one by which real processors differ from sequential ones does.
 *
 * <p>The property {@code kvasir.litmus.runs} says how many iterations each test makes: 10000000 for a campaign.
 */
class LitmusTest {
    private static final long RUNS = Long.getLong("kvasir.litmus.runs", 20_000);

    private static final long ITERATIONS_A_TRY = 100_000;
    private static final long MOST_TRIES = 20_000_000;

    /** The tests, with the outcomes that x86 forbids. */
    @SuppressWarnings("ImmutableEnumChecker") // both are made by List.of and Set.of
    enum Case {
        /** Stores are not reordered with other stores, nor loads with other loads (example 2). */
        MP(List.of("1rax", "1rbx"), Set.of("10"), "mov qword [x], 1; mov qword [y], 1", "mov rax, [y]; mov rbx, [x]"),

        /** Stores are not reordered with earlier loads (example 3). */
        LB(List.of("0rax", "1rax"), Set.of("11"), "mov rax, [x]; mov qword [y], 1", "mov rax, [y]; mov qword [x], 1"),

        /** Loads may be reordered with earlier stores to other places (example 4): nothing is forbidden. */
        SB(List.of("0rax", "1rax"), Set.of(), "mov qword [x], 1; mov rax, [y]", "mov qword [y], 1; mov rax, [x]"),

        SB_MFENCE(
                List.of("0rax", "1rax"),
                Set.of("00"),
                "mov qword [x], 1; mfence; mov rax, [y]",
                "mov qword [y], 1; mfence; mov rax, [x]"),

        /** Loads and stores are not reordered with locked instructions (example 9). */
        SB_XCHG(
                List.of("0rax", "1rax"),
                Set.of("00"),
                "mov ecx, 1; xchg [x], rcx; mov rax, [y]",
                "mov ecx, 1; xchg [y], rcx; mov rax, [x]"),

        SB_LOCK_ADD(
                List.of("0rax", "1rax"),
                Set.of("00"),
                "mov qword [x], 1; lock add dword [rsp - 64], 0; mov rax, [y]",
                "mov qword [y], 1; lock add dword [rsp - 64], 0; mov rax, [x]"),

        SB_CPUID(
                List.of("0rax", "1rax"),
                Set.of("00"),
                "mov qword [x], 1; cpuid; mov ebx, 0; mov rax, [y]",
                "mov qword [y], 1; cpuid; mov ebx, 0; mov rax, [x]"),

        /** A processor sees its own store at once, others later (example 5): only the own one is certain. */
        OWN_STORE(
                List.of("0rax", "1rax"),
                Set.of("00", "01", "10"),
                "mov qword [x], 1; mov rax, [x]",
                "mov qword [y], 1; mov rax, [y]"),

        /** Loads of one place are not reordered. */
        COHERENCE(List.of("1rax", "1rbx"), Set.of("10"), "mov qword [x], 1", "mov rax, [x]; mov rbx, [x]"),

        /** Stores are transitively visible (example 6). */
        TRANSITIVE(
                List.of("1rax", "2rax", "2rbx"),
                Set.of("110"),
                "mov qword [x], 1",
                "mov rax, [x]; mov qword [y], 1",
                "mov rax, [y]; mov rbx, [x]"),

        /** All processors see stores in one order (example 7). */
        IRIW(
                List.of("2rax", "2rbx", "3rax", "3rbx"),
                Set.of("1010"),
                "mov qword [x], 1",
                "mov qword [y], 1",
                "mov rax, [x]; mov rbx, [y]",
                "mov rax, [y]; mov rbx, [x]"),

        /** Locked instructions have one order (example 8). */
        IRIW_XCHG(
                List.of("2rax", "2rbx", "3rax", "3rbx"),
                Set.of("1010"),
                "mov ecx, 1; xchg [x], rcx",
                "mov ecx, 1; xchg [y], rcx",
                "mov rax, [x]; mov rbx, [y]",
                "mov rax, [y]; mov rbx, [x]");

        private final Litmus litmus;
        private final Set<String> forbidden;

        Case(List<String> results, Set<String> forbidden, String... threads) {
            litmus = new Litmus(results, List.of(threads));
            this.forbidden = forbidden;
        }
    }

    @ParameterizedTest
    @EnumSource
    void forbiddenOutcomesNeverCome(Case test) {
        Map<String, Long> seen = test.litmus.run(RUNS, Engine.TRANSLATOR);

        assertTrue(seen.values().stream().mapToLong(Long::longValue).sum() >= RUNS, seen::toString);
        for (String outcome : test.forbidden) {
            assertEquals(0L, seen.getOrDefault(outcome, 0L), () -> test + " " + seen);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Case.class,
            names = {"MP", "SB_MFENCE", "SB_XCHG"})
    void theInterpreterKeepsTheOrderToo(Case test) {
        Map<String, Long> seen = test.litmus.run(RUNS, Engine.INTERPRETER);
        for (String outcome : test.forbidden) {
            assertEquals(0L, seen.getOrDefault(outcome, 0L), () -> test + " " + seen);
        }
    }

    /** A single processor of the host never shows it: there is nothing to see then. */
    @Test
    void aLoadOvertakesAnOlderStore() {
        assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "needs two processors");
        long tried = 0;
        long weak = 0;
        while (weak == 0 && tried < MOST_TRIES) {
            weak = Case.SB.litmus.run(ITERATIONS_A_TRY, Engine.TRANSLATOR).getOrDefault("00", 0L);
            tried += ITERATIONS_A_TRY;
        }
        assertTrue(weak > 0, "not once in " + tried);
    }
}
