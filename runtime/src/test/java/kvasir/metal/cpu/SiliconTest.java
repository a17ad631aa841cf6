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
    private static final int STATES = 10;
    private static final long SEED = Long.getLong("kvasir.silicon.seed", 1);
    private static final String ONLY = System.getProperty("kvasir.silicon.only", ".*");
    private static final int MOST_SHOWN = Integer.getInteger("kvasir.silicon.shown", 20);

    @Test
    void every64BitEncodingAgreesWithTheHost() throws IOException {
        compareAll(false, Engine.INTERPRETER);
    }

    @Test
    void every32BitEncodingAgreesWithTheHost() throws IOException {
        compareAll(true, Engine.INTERPRETER);
    }

    /** Each instance is translated once, and meets {@link #STATES} states. */
    @Test
    void every64BitEncodingTranslatedAgreesWithTheHost() throws IOException {
        compareAll(false, Engine.TRANSLATOR_AT_ONCE);
    }

    private static void compareAll(boolean bits32, Engine engine) throws IOException {
        assumeTrue(
                HostProcessor.missing().isEmpty(), () -> HostProcessor.missing().orElse(""));
        HostProcessor host = HostProcessor.open();
        host.catchFaults();
        boolean translated = engine != Engine.INTERPRETER;
        int states = translated ? STATES : 1;
        Bench bench = Bench.silicon(bits32);
        bench.cpu.setEngine(engine);
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
            for (int i = 0; i < CASES; i += states) {
                Optional<Instruction> instance = cases.instance(row, random);
                if (instance.isEmpty()
                        || hostCode(host, row, cases.code()).isEmpty()
                        || !SiliconCases.consistent(instance.get())
                        || translated && !Regions.translates(instance.get(), bench.cpu.gateKey)) {
                    continue;
                }
                bench.place(cases.code());
                for (int round = 0; translated && round < Regions.HOT_AT_ONCE; round++) {
                    cases.start(instance.get(), round).run(bench, host.scratch(), watch);
                }
                for (int state = 0; state < states; state++) {
                    Optional<String> difference =
                            compare(host, bench, watch, cases, instance.get(), random.nextLong(), bits32);
                    if (difference.isPresent() && shown++ < 3) {
                        differences.add(difference.get());
                    }
                    compared++;
                }
            }
            rows += compared > before ? 1 : 0;
        }
        assertEquals(List.of(), differences.subList(0, Math.min(MOST_SHOWN, differences.size())));
        System.getLogger("kvasir.silicon")
                .log(System.Logger.Level.INFO, "{0} cases of {1} encodings agree", compared, rows);
        assertTrue(compared >= (long) rows * CASES / 2, compared + " cases of " + rows + " encodings");
        assertEquals(translated && rows > 0, bench.cpu.translations().made() > 0);
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
        ours.run(bench, host.scratch(), watch);
        long flags = SiliconCases.definedFlags(i);
        ours.forget(bits32, flags);
        byte[] hosts = hostCode(host, i.encoding(), code).orElseThrow();
        SiliconState theirs = onHost(host, hosts, start, bits32, flags);
        if (!ours.same(theirs)) {
            // a switch of tasks on the host in between loses the x87 pointers: once more
            theirs = onHost(host, hosts, start, bits32, flags);
        }
        return ours.same(theirs)
                ? Optional.empty()
                : Optional.of(HexFormat.of().formatHex(code) + " " + Disassembler.text(i, Bench.CODE)
                        + ours.difference(theirs, start) + "\n");
    }

    /** What the host executes for {@code code}; empty if it has no encoding of it. */
    private static Optional<byte[]> hostCode(HostProcessor host, Encoding row, byte[] code) {
        boolean evex = host.vnniOfAvx512()
                && row.feature().filter(CpuidModel.Feature.AVX_VNNI::equals).isPresent();
        return evex ? Evex.of(code) : Optional.of(code);
    }

    private static SiliconState onHost(
            HostProcessor host, byte[] code, SiliconState start, boolean bits32, long definedFlags) {
        SiliconState state = start.copy();
        state.fault = host.run(bits32, code, code.length, state.r, state.scratch, state.extended);
        state.forget(bits32, definedFlags);
        return state;
    }
}
