package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import kvasir.metal.cpu.isa.Disassembler;
import kvasir.metal.cpu.isa.Encoding;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.InstructionTable;
import org.junit.jupiter.api.Test;

/**
 * About 200 instances of every user-mode encoding must leave the state that an AMD EPYC of family 25 left: on any host.
 * {@link SiliconRecord} makes the recording; {@link SiliconTest} shows where a difference lies, on an x86-64 host.
 */
final class RecordedSiliconTest {
    private static final int MOST_SHOWN = 20;

    /** What the recorded processor lacks. */
    private static final Set<CpuidModel.Feature> NOT_RECORDED =
            Set.of(CpuidModel.Feature.AVX_VNNI, CpuidModel.Feature.MOVDIRI);

    @Test
    void recordedCasesOf64BitCode() throws IOException {
        replay(false, Engine.INTERPRETER);
    }

    @Test
    void recordedCasesOf32BitCode() throws IOException {
        replay(true, Engine.INTERPRETER);
    }

    @Test
    void recordedCasesOf64BitCodeTranslated() throws IOException {
        replay(false, Engine.TRANSLATOR_AT_ONCE);
    }

    private static void replay(boolean bits32, Engine engine) throws IOException {
        List<SiliconRecord.Case> recorded = SiliconRecord.read().get(bits32 ? 1 : 0);
        var cases = new SiliconCases(bits32, SiliconRecord.SCRATCH);
        Bench bench = Bench.silicon(bits32);
        bench.cpu.setEngine(engine);
        var watch = new SiliconState.FaultWatch(bench);
        var differences = new ArrayList<String>();
        Set<List<?>> covered = new HashSet<>();
        for (int seed = 0; seed < recorded.size(); seed++) {
            byte[] code = recorded.get(seed).code();
            Instruction i = cases.decode(code);
            covered.add(bytes(i.encoding()));
            SiliconState state = cases.start(i, seed);
            bench.place(code);
            if (engine != Engine.INTERPRETER) {
                if (!Regions.translates(i, bench.cpu.gateKey)) {
                    continue;
                }
                for (int round = 0; round < Regions.HOT_AT_ONCE; round++) {
                    state.copy().run(bench, SiliconRecord.SCRATCH, watch);
                }
            }
            state.run(bench, SiliconRecord.SCRATCH, watch);
            state.forget(bits32, SiliconCases.definedFlags(i));
            if (state.checksum() != recorded.get(seed).checksum() && differences.size() < MOST_SHOWN) {
                differences.add(HexFormat.of().formatHex(code) + " " + Disassembler.text(i, Bench.CODE));
            }
        }
        assertEquals(List.of(), differences);
        if (engine != Engine.INTERPRETER) {
            assertTrue(
                    bench.cpu.translations().made() > 10_000,
                    () -> bench.cpu.translations().made() + " translations");
            return;
        }
        assertTrue(recorded.size() > (bits32 ? 50_000 : 150_000), () -> recorded.size() + " cases");
        var missing = new TreeSet<String>();
        for (Encoding row : InstructionTable.rows()) {
            boolean recordable = row.feature().filter(NOT_RECORDED::contains).isEmpty();
            if (recordable && SiliconCases.comparable(row, bits32) && !covered.contains(bytes(row))) {
                missing.add(row.mnemonic());
            }
        }
        assertEquals(Set.of(), missing, "not recorded; SiliconRecord records again");
    }

    /** What a row asks of the bytes: rows that differ in the order of their operands only are one encoding. */
    private static List<?> bytes(Encoding row) {
        Set<String> attributes = new HashSet<>(row.attributes());
        attributes.remove("lock");
        return List.of(row.map(), row.opcode(), row.prefix(), row.reg(), row.fixedModrm(), row.vex(), attributes);
    }
}
