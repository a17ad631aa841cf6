package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Random bytes as code, in every mode: always an exit within the budget, never a Java exception. */
final class FuzzTest {
    private static final int PROGRAMS = Integer.getInteger("kvasir.fuzz.programs", 300);

    @Test
    void randomBytesAlwaysEndInAnExit() {
        List<Supplier<Bench>> modes =
                List.of(() -> Bench.bits64("hlt"), () -> Bench.bits32("hlt"), () -> Bench.bits16("hlt"));
        for (int mode = 0; mode < modes.size(); mode++) {
            var random = new SplittableRandom(7 + mode);
            for (int program = 0; program < PROGRAMS; program++) {
                Bench bench = modes.get(mode).get();
                byte[] code = new byte[4096];
                random.nextBytes(code);
                long at = mode == 2 ? 0x1_0000 : Bench.CODE;
                bench.memory.write(at, code, 0, code.length);
                for (int r = 0; r < 16; r++) {
                    bench.cpu.setGpr(r, random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(1 << 24));
                }
                if (program % 8 == 7) {
                    bench.cpu.setRflags(0x102);
                    bench.cpu.setDr(0, random.nextInt(1 << 24));
                    bench.cpu.setDr(1, at + random.nextInt(64));
                    bench.cpu.setDr(7, random.nextInt() & 0xffff_23ffL | 0x400);
                }
                String where = "mode " + mode + " program " + program;
                run(bench.cpu, random, where);
            }
        }
    }

    private static void run(Cpu cpu, SplittableRandom random, String where) {
        for (int i = 0; i < 50; i++) {
            long before = cpu.retired();
            VmExit exit;
            try {
                exit = cpu.run(200);
            } catch (RuntimeException e) {
                throw new AssertionError(where + ": " + cpu.disassembly(), e);
            }
            assertTrue(cpu.retired() - before <= 200, where);
            switch (exit) {
                case VmExit.TripleFault triple -> {
                    return;
                }
                case VmExit.Io io when io.in() -> cpu.completeIn(random.nextInt());
                case VmExit.Io io -> cpu.completeOut();
                default -> cpu.skip();
            }
        }
    }
}
