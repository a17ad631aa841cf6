package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import kvasir.metal.cpu.isa.Encoding;
import kvasir.metal.cpu.isa.InstructionTable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random bytes as code, in every mode, under second stages with holes, and translated: always an exit within the budget,
 * never a Java exception. {@code -Dkvasir.fuzz.programs=N} sets the programs of a mode.
 */
final class FuzzTest {
    private static final int PROGRAMS = Integer.getInteger("kvasir.fuzz.programs", 40);
    private static final int STARTS = 8;
    private static final long IN_16_BITS = 0x1_0000;
    private static final long VM86 = 0x2_0000;
    private static final int SECOND_STAGE = 0x4_0000;

    /** Where random code lies and starts; its linear address is {@code at + rip - first}. */
    enum Mode {
        BITS64(Bench.CODE, Bench.CODE),
        BITS64_TRANSLATED(Bench.CODE, Bench.CODE),
        RING3_WITH_HANDLERS(Bench.CODE, Bench.CODE),
        COMPATIBILITY(Bench.CODE, Bench.CODE),
        COMPATIBILITY_16(0, 0),
        BITS32(Bench.CODE, Bench.CODE),
        BITS32_PAGED(Bench.CODE, Bench.CODE),
        REAL(IN_16_BITS, 0),
        SMM(IN_16_BITS, 0),
        VM86_IOPL0_VME(VM86, 0),
        VM86_IOPL3(VM86, 0),
        BITS64_UNDER_EPT(Bench.CODE, Bench.CODE),
        BITS64_TRANSLATED_UNDER_EPT(Bench.CODE, Bench.CODE),
        BITS32_PAGED_UNDER_EPT(Bench.CODE, Bench.CODE),
        REAL_UNDER_EPT(IN_16_BITS, 0),
        BITS64_UNDER_NPT(Bench.CODE, Bench.CODE),
        BITS64_TRANSLATED_UNDER_NPT(Bench.CODE, Bench.CODE),
        BITS32_PAGED_UNDER_NPT(Bench.CODE, Bench.CODE);

        final long at;
        final long first;

        Mode(long at, long first) {
            this.at = at;
            this.first = first;
        }

        Bench bench(SplittableRandom random) {
            Bench bench = switch (this) {
                case BITS64,
                        BITS64_TRANSLATED,
                        BITS64_UNDER_EPT,
                        BITS64_TRANSLATED_UNDER_EPT,
                        BITS64_UNDER_NPT,
                        BITS64_TRANSLATED_UNDER_NPT -> Bench.bits64("hlt");
                case RING3_WITH_HANDLERS -> Bench.withIdt("hlt").inRing3();
                case COMPATIBILITY -> compatibility(new Segment(24, 0, -1, 0xc09b));
                case COMPATIBILITY_16 -> compatibility(new Segment(24, 0, 0xffff, 0x9b));
                case BITS32 -> Bench.bits32("hlt");
                case BITS32_PAGED, BITS32_PAGED_UNDER_EPT, BITS32_PAGED_UNDER_NPT -> paged();
                case REAL, REAL_UNDER_EPT -> Bench.bits16("hlt");
                case SMM -> smm();
                case VM86_IOPL0_VME -> Virtual8086Test.bench("hlt", 0, true, Bits.VIF);
                case VM86_IOPL3 -> Virtual8086Test.bench("hlt", 3, false, Bits.IF);
            };
            if (name().endsWith("UNDER_EPT")) {
                secondStage(bench, random, 0xb7, 7);
                bench.cpu.setSecondStage(new SecondStage.Ept(SECOND_STAGE | 0x5e));
            } else if (name().endsWith("UNDER_NPT")) {
                secondStage(bench, random, 0x87, 0x67);
                bench.cpu.setSecondStage(new SecondStage.Npt(SECOND_STAGE, 4));
            }
            if (name().contains("TRANSLATED")) {
                bench.cpu.setEngine(Engine.TRANSLATOR_AT_ONCE);
            }
            return bench;
        }
    }

    @ParameterizedTest
    @EnumSource
    void randomBytesAlwaysEndInAnExit(Mode mode) {
        var random = new SplittableRandom(7 + mode.ordinal());
        long retired = 0;
        for (int program = 0; program < PROGRAMS; program++) {
            Bench bench = mode.bench(random);
            byte[] code = new byte[4096];
            random.nextBytes(code);
            bench.memory.write(mode.at, code, 0, code.length);
            registers(bench.cpu, random);
            if (program % 8 == 7) {
                bench.cpu.setRflags(bench.cpu.rflags() | 0x100);
                bench.cpu.setDr(0, random.nextInt(1 << 24));
                bench.cpu.setDr(1, mode.at + random.nextInt(64));
                bench.cpu.setDr(7, random.nextInt() & 0xffff_23ffL | 0x400);
            }
            Cpu.Image image = bench.cpu.save();
            for (int start = 0; start < STARTS; start++) {
                run(bench.cpu, random, mode + " program " + program);
                retired += bench.cpu.retired();
                bench.cpu.restore(image);
                registers(bench.cpu, random);
                bench.cpu.setRip(mode.first + random.nextInt(4000));
            }
        }
        assertTrue(retired >= 10L * PROGRAMS, "retired " + retired);
    }

    /** RCX stays below 2^24, or a repeated store touches more memory than the test may have. */
    private static void registers(Cpu cpu, SplittableRandom random) {
        for (int r = 0; r < 16; r++) {
            cpu.setGpr(r, random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(1 << 24));
        }
        cpu.setGpr(Gpr.RCX, random.nextInt(1 << 24));
    }

    /** As KVM enters system-management mode: real mode with limits of 4 GiB, and RSM exits. */
    private static Bench smm() {
        Bench bench = Bench.bits16("hlt");
        bench.cpu.setSegment(Segment.CS, new Segment(0x1000, IN_16_BITS, -1, 0x8093));
        for (int segment : new int[] {Segment.ES, Segment.SS, Segment.DS, Segment.FS, Segment.GS}) {
            bench.cpu.setSegment(segment, new Segment(0, 0, -1, 0x8093));
        }
        bench.cpu.interceptRsm(true);
        return bench;
    }

    private static Bench compatibility(Segment code) {
        Bench bench = Bench.bits64("hlt");
        bench.cpu.setSegment(Segment.CS, code);
        bench.cpu.setRip(code.limit() == -1 ? Bench.CODE : 0);
        return bench;
    }

    /** 32-bit paging with 4 MiB pages. */
    private static Bench paged() {
        Bench bench = Bench.bits32("hlt");
        for (int i = 0; i < 1024; i++) {
            bench.memory.write32(0x9000 + 4 * i, i << 22 | 0x87);
        }
        bench.cpu.setCr(3, 0x9000);
        bench.cpu.setCr(4, bench.cpu.cr(4) | Bits.CR4_PSE);
        bench.cpu.setCr(0, 0x8000_0033L);
        return bench;
    }

    /** Identity: the first 4 MiB with all rights, the next 12 MiB with random ones, the rest of 4 GiB in 1 GiB pages. */
    private static void secondStage(Bench bench, SplittableRandom random, long large, long table) {
        bench.memory.write64(SECOND_STAGE, SECOND_STAGE + 0x1000 | table);
        bench.memory.write64(SECOND_STAGE + 0x1000, SECOND_STAGE + 0x2000 | table);
        for (int i = 1; i < 4; i++) {
            bench.memory.write64(SECOND_STAGE + 0x1000 + 8 * i, (long) i << 30 | large);
        }
        for (int i = 0; i < 512; i++) {
            long rights = i < 2 ? large : random.nextInt(4) == 0 ? random.nextLong() : large & ~random.nextInt(8);
            bench.memory.write64(SECOND_STAGE + 0x2000 + 8 * i, (long) i << 21 | rights & 0x800f_0000_0000_0fffL);
        }
    }

    /** Bytes that begin as rows of the table do reach more than random ones; vector state is enabled. */
    @Test
    void instancesOfTheTableAlwaysEndInAnExit() {
        for (int mode = 0; mode < 4; mode++) {
            var random = new SplittableRandom(70 + mode);
            for (int program = 0; program < PROGRAMS / 4; program++) {
                Bench bench = mode == 2 ? Bench.bits16("hlt") : Bench.silicon(mode == 1);
                if (mode == 3) {
                    bench.cpu.setEngine(Engine.TRANSLATOR_AT_ONCE);
                }
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

    /** A device behind every page that the second stage refuses; every other read has to be asked for again. */
    private record Device(SplittableRandom random) implements MmioBus {
        @Override
        public boolean claims(long gpa, int bytes, boolean write) {
            return true;
        }

        @Override
        public boolean read(long gpa, byte[] data, int bytes) {
            random.nextBytes(data);
            return random.nextBoolean();
        }

        @Override
        public void write(long gpa, byte[] data, int bytes) {}
    }

    private static void run(Cpu cpu, SplittableRandom random, String where) {
        var device = new Device(random);
        boolean emulate = false;
        for (int i = 0; i < 50; i++) {
            long before = cpu.retired();
            VmExit exit;
            try {
                exit = emulate ? cpu.emulate(device) : cpu.run(200);
            } catch (RuntimeException e) {
                throw new AssertionError(where + ": " + cpu.disassembly(), e);
            }
            assertTrue(cpu.retired() - before <= 200, where);
            emulate = false;
            switch (exit) {
                case VmExit.TripleFault triple -> {
                    return;
                }
                case VmExit.Io io when io.in() -> cpu.completeIn(random.nextInt());
                case VmExit.Io io -> cpu.completeOut();
                case VmExit.EptViolation _, VmExit.EptMisconfig _, VmExit.NestedPageFault _, VmExit.MmioPending _ ->
                    emulate = true;
                default -> cpu.skip();
            }
        }
    }
}
