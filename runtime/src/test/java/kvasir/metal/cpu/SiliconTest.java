package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import kvasir.metal.cpu.isa.Disassembler;
import kvasir.metal.cpu.isa.Encoding;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.InstructionTable;
import org.junit.jupiter.api.Test;

/**
 * Random instances of every user-mode encoding, on the host's processor and on ours: registers, memory, defined flags,
 * x87 and vector state, MXCSR and exceptions must agree. {@code -Dkvasir.silicon.cases=N} sets the instances an
 * encoding, {@code -Dkvasir.silicon.seed=N} chooses others, {@code -Dkvasir.silicon.only=REGEX} the mnemonics.
 */
final class SiliconTest {
    private static final int CASES = Integer.getInteger("kvasir.silicon.cases", 30);
    private static final long SEED = Long.getLong("kvasir.silicon.seed", 1);
    private static final String ONLY = System.getProperty("kvasir.silicon.only", ".*");
    private static final int MOST_SHOWN = Integer.getInteger("kvasir.silicon.shown", 20);

    @Test
    void every64BitEncodingAgreesWithTheHost() throws IOException {
        compareAll(false);
    }

    @Test
    void every32BitEncodingAgreesWithTheHost() throws IOException {
        compareAll(true);
    }

    private static void compareAll(boolean bits32) throws IOException {
        assumeTrue(
                HostProcessor.missing().isEmpty(), () -> HostProcessor.missing().orElse(""));
        HostProcessor host = HostProcessor.open();
        host.catchFaults();
        Bench bench = Bench.silicon(bits32);
        var watch = new SiliconState.FaultWatch(bench);
        var cases = new SiliconCases(bits32, host.scratch());
        var differences = new ArrayList<String>();
        long compared = 0;
        int rows = 0;
        for (Encoding row : InstructionTable.rows()) {
            boolean absent =
                    row.feature().isPresent() && !host.has(row.feature().get());
            if (absent
                    || !SiliconCases.comparable(row, bits32)
                    || !row.mnemonic().matches(ONLY)) {
                continue;
            }
            var random = new SiliconCases.Random(SEED * 1_000_003 + rows);
            long before = compared;
            int shown = 0;
            for (int i = 0; i < CASES; i++) {
                Optional<Instruction> instance = cases.instance(row, random);
                if (instance.isEmpty() || !SiliconCases.consistent(instance.get())) {
                    continue;
                }
                Optional<String> difference =
                        compare(host, bench, watch, cases, instance.get(), random.nextLong(), bits32);
                if (difference.isPresent() && shown++ < 3) {
                    differences.add(difference.get());
                }
                compared++;
            }
            rows += compared > before ? 1 : 0;
        }
        assertEquals(List.of(), differences.subList(0, Math.min(MOST_SHOWN, differences.size())));
        System.getLogger("kvasir.silicon")
                .log(System.Logger.Level.INFO, "{0} cases of {1} encodings agree", compared, rows);
        assertTrue(compared > (long) rows * CASES / 2, compared + " cases of " + rows + " encodings");
    }

    private static Optional<String> compare(
            HostProcessor host,
            Bench bench,
            SiliconState.FaultWatch watch,
            SiliconCases cases,
            Instruction i,
            long seed,
            boolean bits32) {
        byte[] code = cases.code();
        SiliconState start = cases.start(i, seed);
        SiliconState ours = start.copy();
        bench.place(code);
        ours.run(bench, host.scratch(), watch);
        long flags = SiliconCases.definedFlags(i);
        ours.forget(bits32, flags);
        SiliconState theirs = onHost(host, code, start, bits32, flags);
        if (!ours.same(theirs)) {
            // a switch of tasks on the host in between loses the x87 pointers: once more
            theirs = onHost(host, code, start, bits32, flags);
        }
        return ours.same(theirs)
                ? Optional.empty()
                : Optional.of(HexFormat.of().formatHex(code) + " " + Disassembler.text(i, Bench.CODE)
                        + ours.difference(theirs, start) + "\n");
    }

    private static SiliconState onHost(
            HostProcessor host, byte[] code, SiliconState start, boolean bits32, long definedFlags) {
        SiliconState state = start.copy();
        state.fault = host.run(bits32, code, code.length, state.r, state.scratch, state.extended);
        state.forget(bits32, definedFlags);
        return state;
    }
}
