package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import kvasir.metal.cpu.isa.Encoding;
import kvasir.metal.cpu.isa.InstructionTable;
import org.junit.jupiter.api.Test;

/** Random bytes as code, in every mode: always an exit within the budget, never a Java exception. */
final class FuzzTest {
    private static final int PROGRAMS = Integer.getInteger("kvasir.fuzz.programs", 300);

    @Test
    void randomBytesAlwaysEndInAnExit() {
        List<Supplier<Bench>> modes =
                List.of(() -> Bench.bits64("hlt"), () -> Bench.bits32("hlt"), () -> Bench.bits16("hlt"), FuzzTest::smm);
        for (int mode = 0; mode < modes.size(); mode++) {
            var random = new SplittableRandom(7 + mode);
            for (int program = 0; program < PROGRAMS; program++) {
                Bench bench = modes.get(mode).get();
                byte[] code = new byte[4096];
                random.nextBytes(code);
                long at = mode >= 2 ? 0x1_0000 : Bench.CODE;
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

    /** As KVM enters system-management mode: real mode with limits of 4 GiB, and RSM exits. */
    private static Bench smm() {
        Bench bench = Bench.bits16("hlt");
        bench.cpu.setSegment(Segment.CS, new Segment(0x1000, 0x1_0000, -1, 0x8093));
        for (int segment : new int[] {Segment.ES, Segment.SS, Segment.DS, Segment.FS, Segment.GS}) {
            bench.cpu.setSegment(segment, new Segment(0, 0, -1, 0x8093));
        }
        bench.cpu.interceptRsm(true);
        return bench;
    }

    /** Bytes that begin as rows of the table do reach more than random ones; vector state is enabled. */
    @Test
    void instancesOfTheTableAlwaysEndInAnExit() {
        for (int mode = 0; mode < 3; mode++) {
            var random = new SplittableRandom(70 + mode);
            for (int program = 0; program < PROGRAMS / 30; program++) {
                Bench bench = mode == 2 ? Bench.bits16("hlt") : Bench.silicon(mode == 1);
                long at = mode == 2 ? 0x1_0000 : Bench.CODE;
                byte[] code = code(random, mode == 1);
                bench.memory.write(at, code, 0, code.length);
                for (int r = 0; r < 16; r++) {
                    bench.cpu.setGpr(r, random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(1 << 24));
                }
                for (int start = 0; start < 4000; start += 1 + random.nextInt(400)) {
                    bench.cpu.setRip(mode == 2 ? start : at + start);
                    run(bench.cpu, random, "mode " + mode + " program " + program);
                }
            }
        }
    }

    private static byte[] code(SplittableRandom random, boolean bits32) {
        byte[] code = new byte[4096];
        random.nextBytes(code);
        int[] pp = {0, 0, 1, 3, 2};
        List<Encoding> rows = InstructionTable.rows();
        for (int at = 0; at < 4060; at += random.nextInt(4)) {
            Encoding row = rows.get(random.nextInt(rows.size()));
            if (row.vex().isPresent()) {
                code[at++] = (byte) 0xc4;
                code[at] = (byte) (code[at] & 0xe0 | row.map().ordinal() | (bits32 ? 0xc0 : 0));
                at++;
                int v = random.nextBoolean() ? 0x78 : 0;
                code[at] = (byte) (code[at] & 0xfc | v | pp[row.prefix().ordinal()]);
                at++;
            } else {
                switch (row.prefix()) {
                    case P66 -> code[at++] = 0x66;
                    case PF2 -> code[at++] = (byte) 0xf2;
                    case PF3 -> code[at++] = (byte) 0xf3;
                    default -> {}
                }
                switch (row.map()) {
                    case ONE -> {}
                    case TWO_0F -> code[at++] = 0x0f;
                    case THREE_0F38 -> {
                        code[at++] = 0x0f;
                        code[at++] = 0x38;
                    }
                    case THREE_0F3A -> {
                        code[at++] = 0x0f;
                        code[at++] = 0x3a;
                    }
                }
            }
            code[at++] = (byte) row.opcode();
        }
        return code;
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
