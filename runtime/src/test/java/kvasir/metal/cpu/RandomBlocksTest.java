package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import kvasir.metal.cpu.isa.Encoding;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.InstructionTable;
import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.registry.Bytes;
import org.junit.jupiter.api.Test;

/**
 * Blocks of random instances of every user-mode encoding, with branches between them and a loop around them, in the
 * interpreter and in the translator: the same registers and the same bytes, also where an instruction in the middle
 * faults. {@code -Dkvasir.engines.blocks=N} sets how many, {@code -Dkvasir.engines.seed=N} which.
 */
final class RandomBlocksTest {
    private static final int BLOCKS = Integer.getInteger("kvasir.engines.blocks", 3000);
    private static final long SEED = Long.getLong("kvasir.engines.seed", 1);
    private static final int BLOCKS_A_PROGRAM = 3;

    private static final int STATES = 3;
    private static final int TURNS = 3;
    private static final long COUNTER = 0x4f00;
    private static final long MIDDLE = SiliconRecord.SCRATCH + HostProcessor.SCRATCH_BYTES / 2;
    private static final List<Encoding> ROWS = InstructionTable.rows().stream()
            .filter(row -> SiliconCases.comparable(row, false))
            .toList();

    private final SiliconCases cases = new SiliconCases(false, SiliconRecord.SCRATCH);
    private int instructions;

    /** Blocks of a few instructions each; the state of the first fits all. */
    private record Program(Bytes code, Instruction first) {}

    @Test
    void blocksOfRandomInstructionsAgree() {
        var random = new SiliconCases.Random(SEED);
        Bench bench = Bench.silicon(false);
        bench.cpu.setEngine(Engine.BOTH);
        bench.cpu.regions.hot = Regions.HOT_AT_ONCE;
        PhysicalMemory.Snapshot clean = bench.memory.snapshot();
        int blocks = 0;
        for (int made = 0; blocks < BLOCKS; made++) {
            Program program = program(random, bench.cpu.gateKey);
            for (int state = 0; state < STATES; state++) {
                // a stray store may have hit the page tables, or the code
                bench.memory.restore(clean);
                bench.place(program.code().toArray());
                long seed = random.nextLong();
                cases.start(program.first(), seed).load(bench, SiliconRecord.SCRATCH);
                bench.memory.write32(COUNTER, TURNS);
                run(bench, program, made);
            }
            blocks += BLOCKS_A_PROGRAM;
        }
        long translated = bench.cpu.translations().made();
        System.getLogger("kvasir.engines")
                .log(
                        System.Logger.Level.INFO,
                        "{0} blocks of {1} instructions agree, {2} translations",
                        blocks,
                        instructions,
                        translated);
        assertTrue(translated > blocks / 10, translated + " translations");
    }

    private static void run(Bench bench, Program program, int number) {
        try {
            // code that stores into itself may do anything
            bench.cpu.run(2000);
        } catch (IllegalStateException e) {
            throw new AssertionError(
                    "program " + number + ", "
                            + HexFormat.of().formatHex(program.code().toArray()),
                    e);
        }
    }

    /** The loop's counter is in memory, where no instruction but its own is likely to come. */
    private Program program(SiliconCases.Random random, int gateKey) {
        var code = new ByteArrayOutputStream();
        Optional<Instruction> first = Optional.empty();
        for (int block = 0; block < BLOCKS_A_PROGRAM; block++) {
            var body = new ByteArrayOutputStream();
            int count = 1 + random.below(8);
            for (int k = 0; k < count; k++) {
                Instruction i = instance(random, gateKey);
                if (first.isEmpty()) {
                    first = Optional.of(i);
                }
                if (random.below(10) != 0) {
                    aim(i, body, random);
                }
                if (i.encoding().is("rep")) {
                    repeat(body, random);
                }
                body.writeBytes(cases.code());
                instructions++;
            }
            if (block > 0) {
                code.writeBytes(new byte[] {0x0f, (byte) (0x80 + random.below(16))});
                write(code, 4, body.size());
            }
            code.writeBytes(body.toByteArray());
        }
        int back = code.size() + 7 + 6;
        code.writeBytes(new byte[] {(byte) 0xff, 0x0c, 0x25});
        write(code, 4, COUNTER);
        code.writeBytes(new byte[] {0x0f, (byte) 0x85});
        write(code, 4, -back);
        return new Program(Bytes.of(code.toByteArray()), first.orElseThrow());
    }

    /** Half of them are instructions that become bytecode of their own. */
    private Instruction instance(SiliconCases.Random random, int gateKey) {
        boolean wanted = random.below(2) == 0;
        while (true) {
            Optional<Instruction> i = cases.instance(ROWS.get(random.below(ROWS.size())), random);
            if (i.isPresent()
                    && SiliconCases.consistent(i.get())
                    && (!wanted || Regions.translates(i.get(), gateKey))) {
                return i.get();
            }
        }
    }

    /** Loads the registers that the instruction's address is made of, so that it lies in the scratch memory. */
    private static void aim(Instruction i, ByteArrayOutputStream code, SiliconCases.Random random) {
        for (Operand operand : i.operands()) {
            if (operand instanceof Operand.Mem mem && mem.base().isPresent()) {
                boolean aligned = random.below(3) != 0;
                long target = MIDDLE + random.below(64) * (aligned ? 32L : 5L);
                long index = mem.index().isPresent() ? random.below(64) : 0;
                mem.index().filter(number -> number != Gpr.RSP).ifPresent(number -> load(code, number, index));
                load(code, mem.base().get(), target - mem.displacement() - index * mem.scale());
            }
        }
    }

    /** A repeated instruction must not go through all of memory. */
    private static void repeat(ByteArrayOutputStream code, SiliconCases.Random random) {
        load(code, Gpr.RCX, random.below(20));
        load(code, Gpr.RSI, MIDDLE + random.below(64));
        load(code, Gpr.RDI, MIDDLE + random.below(64));
    }

    private static void load(ByteArrayOutputStream code, int register, long value) {
        code.write(0x48 | register >> 3);
        code.write(0xb8 | register & 7);
        write(code, 8, value);
    }

    private static void write(ByteArrayOutputStream code, int bytes, long value) {
        byte[] all = new byte[bytes];
        SiliconState.put(all, 0, bytes, value);
        code.writeBytes(all);
    }
}
