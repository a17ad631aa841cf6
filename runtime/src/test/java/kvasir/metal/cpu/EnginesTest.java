package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Both engines are one machine: whatever the code, every register, flag and byte is the same after every budget. */
class EnginesTest {
    private static final long DATA = 0x30_0000;
    private static final String[] NAMES8 = {"al", "cl", "dl", "bl", "sil", "dil", "r8b", "r9b", "ah", "ch", "dh", "bh"};
    private static final String[] NAMES16 = {"ax", "cx", "dx", "bx", "si", "di", "r8w", "r9w"};
    private static final String[] NAMES32 = {"eax", "ecx", "edx", "ebx", "esi", "edi", "r8d", "r9d"};
    private static final String[] NAMES64 = {"rax", "rcx", "rdx", "rbx", "rsi", "rdi", "r8", "r9"};
    private static final String[] CONDITIONS = {
        "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
    };

    /** Random code: a loop over straight pieces, forward branches, calls, stack and memory traffic. */
    private static final class Program {
        private final Random random;
        private final StringBuilder text = new StringBuilder();

        Program(long seed) {
            random = new Random(seed);
        }

        String text() {
            text.append("mov r14, 0x300000\nmov r15, 400\nagain:\n");
            int pieces = 3 + random.nextInt(6);
            for (int i = 0; i < pieces; i++) {
                int count = 1 + random.nextInt(7);
                for (int k = 0; k < count; k++) {
                    line();
                }
                switch (random.nextInt(4)) {
                    case 0 -> text.append("call f").append(random.nextInt(2)).append('\n');
                    case 1 -> text.append("jmp p").append(i + 1).append('\n');
                    default ->
                        text.append("j")
                                .append(condition())
                                .append(" p")
                                .append(i + 1)
                                .append('\n');
                }
                line();
                text.append("p").append(i + 1).append(":\n");
            }
            text.append("dec r15\njnz again\nhlt\n");
            for (int i = 0; i < 2; i++) {
                text.append("f").append(i).append(":\n");
                line();
                line();
                text.append("ret\n");
            }
            return text.toString();
        }

        private String condition() {
            return CONDITIONS[random.nextInt(16)];
        }

        private String name(int bytes) {
            String[] names = bytes == 1 ? NAMES8 : bytes == 2 ? NAMES16 : bytes == 4 ? NAMES32 : NAMES64;
            return names[random.nextInt(bytes == 1 && random.nextBoolean() ? 8 : names.length)];
        }

        /** A register without REX, so that AH to BH can stand beside it. */
        private String legacy() {
            return NAMES8[new int[] {0, 1, 2, 3, 8, 9, 10, 11}[random.nextInt(8)]];
        }

        private String memory() {
            String index = NAMES64[random.nextInt(8)];
            if (random.nextInt(40) == 0) {
                return "[r14 + " + index + " + 5]";
            }
            text.append("movzx r12d, ")
                    .append(random.nextBoolean() ? "word" : "byte")
                    .append(" [r14 + 16]\n");
            text.append("and r12, 0xff8\n");
            return "[r14 + r12*" + (1 << random.nextInt(4)) + " + " + random.nextInt(20) + "]";
        }

        private static String size(int bytes) {
            return bytes == 1 ? "byte " : bytes == 2 ? "word " : bytes == 4 ? "dword " : "qword ";
        }

        private String xmm() {
            return "xmm" + random.nextInt(6);
        }

        private String vector() {
            String arithmetic = new String[] {"add", "sub", "mul", "div", "sqrt"}[random.nextInt(5)]
                    + (random.nextBoolean() ? "sd" : "ss");
            String element = arithmetic.endsWith("d") ? "qword " : "dword ";
            return switch (random.nextInt(16)) {
                case 0, 1, 2 -> arithmetic + " " + xmm() + ", " + xmm();
                case 3 -> arithmetic + " " + xmm() + ", " + element + memory();
                case 4 -> "v" + arithmetic + " " + xmm() + ", " + xmm() + ", " + xmm();
                case 5 -> (random.nextBoolean() ? "u" : "") + "comisd " + xmm() + ", " + xmm();
                case 6 -> "cvtsi2sd " + xmm() + ", " + name(random.nextBoolean() ? 4 : 8);
                case 7 -> "cvttsd2si " + name(8) + ", " + xmm();
                case 8 -> "cvtsi2ss " + xmm() + ", " + name(4) + "\ncvtss2sd " + xmm() + ", " + xmm();
                case 9 -> "movaps " + xmm() + ", " + xmm();
                case 10 -> "movups " + xmm() + ", " + memory();
                case 11 -> "movups " + memory() + ", " + xmm();
                case 12 -> "movsd " + xmm() + ", " + xmm() + "\nmovss " + xmm() + ", dword " + memory();
                case 13 ->
                    new String[] {"xorps", "pand", "orpd", "pandn"}[random.nextInt(4)] + " " + xmm() + ", " + xmm();
                case 14 -> "movq " + name(8) + ", " + xmm() + "\nmovd " + xmm() + ", " + name(4);
                default -> "paddd " + xmm() + ", " + xmm() + "\ncvtsd2ss " + xmm() + ", " + xmm();
            };
        }

        private void line() {
            int bytes = 1 << random.nextInt(4);
            String two = new String[] {"add", "sub", "adc", "sbb", "and", "or", "xor", "cmp", "test", "mov"}
                    [random.nextInt(10)];
            String one = new String[] {"inc", "dec", "neg", "not"}[random.nextInt(4)];
            String shift = new String[] {"shl", "shr", "sar", "rol", "rcr"}[random.nextInt(5)];
            int immediate = random.nextInt(bytes == 1 ? 127 : 30000) - (bytes == 1 ? 63 : 9000);
            String made = switch (random.nextInt(25)) {
                case 0, 1 ->
                    bytes == 1 ? two + " " + legacy() + ", " + legacy() : two + " " + name(bytes) + ", " + name(bytes);
                case 2 -> two + " " + name(bytes) + ", " + immediate;
                case 3 -> two + " " + (bytes == 1 ? "cl" : name(bytes)) + ", " + size(bytes) + memory();
                case 4 -> two + " " + size(bytes) + memory() + ", " + (bytes == 1 ? "dl" : name(bytes));
                case 5 -> two + " " + size(bytes) + memory() + ", " + immediate;
                case 6 -> one + " " + name(bytes);
                case 7 -> one + " " + size(bytes) + memory();
                case 8 -> shift + " " + name(bytes) + ", " + random.nextInt(70);
                case 9 -> shift + " " + name(bytes) + ", cl";
                case 10 -> shift + " " + size(bytes) + memory() + ", " + random.nextInt(9);
                case 11 -> "imul " + name(Math.max(2, bytes)) + ", " + name(Math.max(2, bytes)) + ", " + immediate;
                case 12 -> {
                    int size = Math.max(2, bytes);
                    yield "imul " + name(size) + ", " + size(size) + memory();
                }
                case 13 -> "set" + condition() + " " + NAMES8[random.nextInt(8)];
                case 14 -> "cmov" + condition() + " " + name(Math.max(2, bytes)) + ", " + name(Math.max(2, bytes));
                case 15 -> "movzx " + name(4) + ", " + NAMES8[random.nextInt(8)];
                case 16 -> "movsx " + name(8) + ", " + size(2) + memory();
                case 17 -> "push " + name(8) + "\npop " + name(8);
                case 18 ->
                    "lea " + name(Math.max(2, bytes)) + ", [" + name(8) + " + " + NAMES64[random.nextInt(8)]
                            + "*4 - 7]";
                case 19 ->
                    new String[] {
                                "cdqe",
                                "cqo",
                                "cdq",
                                "cwde",
                                "cbw",
                                "bswap rax",
                                "bswap edx",
                                "cmc",
                                "stc",
                                "lahf",
                                "nop",
                                "xchg rax, rdx",
                                "popcnt rax, rcx",
                                "bt rax, 5",
                                "mul rdx"
                            }
                            [random.nextInt(15)];
                case 21, 22, 23 -> vector();
                case 20 -> "movsxd " + name(8) + ", " + name(4);
                default -> "xchg " + (bytes == 1 ? "sil" : name(bytes)) + ", " + size(bytes) + memory();
            };
            text.append(made).append('\n');
        }
    }

    private static Bench bench(String source, Engine engine, Random random) {
        Bench bench = Bench.bits64(source);
        bench.cpu.setEngine(engine);
        for (int i = 0; i < 16; i++) {
            if (i != Gpr.RSP) {
                bench.cpu.setGpr(i, random.nextInt(4) == 0 ? random.nextInt(200) - 100 : random.nextLong());
            }
        }
        for (long at = 0; at < 0xa000; at += 8) {
            bench.memory.write64(DATA + at, random.nextLong());
        }
        return bench;
    }

    private static String state(Bench bench) {
        var text = new StringBuilder();
        for (int i = 0; i < 16; i++) {
            text.append("r%d=%x ".formatted(i, bench.cpu.gpr(i)));
        }
        ExtendedRegisters vectors = bench.cpu.extended();
        for (int i = 0; i < 6; i++) {
            text.append("xmm%d=%x:%x ".formatted(i, vectors.ymm(i, 1), vectors.ymm(i, 0)));
        }
        text.append("mxcsr=%x ".formatted(vectors.mxcsr()));
        text.append("rip=%x rflags=%x retired=%d cr2=%x"
                .formatted(bench.cpu.rip(), bench.cpu.rflags(), bench.cpu.retired(), bench.cpu.cr(2)));
        long sum = 0;
        for (long at = 0; at < 0xa000; at += 8) {
            sum = sum * 31 + bench.memory.read64(DATA + at);
        }
        for (long at = Bench.STACK - 0x400; at < Bench.STACK; at += 8) {
            sum = sum * 31 + bench.memory.read64(at);
        }
        return text.append(" memory=%x".formatted(sum)).toString();
    }

    @Test
    void bothEnginesAreComparedPieceByPiece() {
        long made = 0;
        for (long seed = 0; seed < 20; seed++) {
            String source = new Program(seed).text();
            Bench alone = bench(source, Engine.INTERPRETER, new Random(seed));
            Bench both = bench(source, Engine.BOTH, new Random(seed));
            assertEquals(alone.cpu.run(30_000).toString(), both.cpu.run(30_000).toString());
            assertEquals(state(alone), state(both));
            made += both.cpu.translations().made();
        }
        assertTrue(made > 20);
    }

    private static void agree(String source, long seed) {
        Bench one = bench(source, Engine.INTERPRETER, new Random(seed));
        Bench other = bench(source, Engine.TRANSLATOR_AT_ONCE, new Random(seed));
        var budgets = new Random(seed);
        for (int i = 0; i < 60; i++) {
            long budget = 1L + budgets.nextInt(budgets.nextInt(4) == 0 ? 5 : 800);
            VmExit expected = one.cpu.run(budget);
            VmExit actual = other.cpu.run(budget);
            assertEquals(expected.toString(), actual.toString(), () -> source);
            assertEquals(state(one), state(other), () -> "seed " + seed + "\n" + source);
            if (!(expected instanceof VmExit.Budget)) {
                break;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void randomPrograms(int group) {
        for (int i = 0; i < 12; i++) {
            long seed = group * 1000L + i;
            agree(new Program(seed).text(), seed);
        }
    }

    @ParameterizedTest
    @EnumSource
    void secondHalfOfAnInstructionAcrossAPageBorderChanges(Engine engine) {
        // MOV EAX, imm32 with the opcode as the last byte of a page; its constant, in the next page, changes each time
        Bench bench = Bench.bits64("""
                mov ecx, 20
                again:
                mov [0x140000], ecx
                call 0x13ffff
                add rbx, rax
                dec ecx
                jnz again
                hlt
                """);
        bench.cpu.setEngine(engine);
        bench.memory.write8(0x13_ffff, (byte) 0xb8);
        bench.memory.write8(0x14_0004, (byte) 0xc3);
        assertEquals(new VmExit.Hlt(), bench.cpu.run(1000));
        assertEquals(210, bench.cpu.gpr(Gpr.RBX));
    }

    @ParameterizedTest
    @EnumSource
    void changedCodeIsNeverRunStale(Engine engine) {
        // The loop changes the constant of its own ADD each time round: 1, 2, 3 ...
        Bench bench = Bench.bits64("""
                mov ecx, 100
                again:
                add rax, 0
                patch: inc byte [patch - 1]
                mov rdx, rcx
                dec ecx
                jnz again
                hlt
                """);
        bench.cpu.setEngine(engine);
        assertTrue(bench.cpu.run(10_000) instanceof VmExit.Hlt);
        assertEquals(4950, bench.cpu.gpr(Gpr.RAX));
    }

    @ParameterizedTest
    @EnumSource
    void codeThatTheHostChangedIsNeverRunStale(Engine engine) {
        Bench bench = Bench.bits64("again: add rax, 1\ndec rcx\njnz again\nhlt\n");
        bench.cpu.setEngine(engine);
        for (int i = 1; i < 5; i++) {
            bench.memory.write(Bench.CODE + 3, new byte[] {(byte) i}, 0, 1);
            bench.cpu.setGpr(Gpr.RAX, 0);
            bench.cpu.setGpr(Gpr.RCX, 1000);
            bench.cpu.setRip(Bench.CODE);
            assertTrue(bench.cpu.run(10_000) instanceof VmExit.Hlt);
            assertEquals(1000L * i, bench.cpu.gpr(Gpr.RAX));
        }
    }

    /** A function in a page of its own, which leads to one of two frames by turns: each time through INVLPG. */
    @ParameterizedTest
    @EnumSource
    void aRegionAcrossPagesFollowsTheirMapping(Engine engine) {
        Bench bench = Bench.bits64("""
                mov ecx, 3000
                again:
                call 0x400000
                test ecx, 7
                jnz same
                xor qword [0x7000], 0x1000
                invlpg [0x400000]
                same:
                dec ecx
                jnz again
                hlt
                """);
        bench.memory.write64(0x3010, 0x7007);
        bench.memory.write64(0x7000, 0x50_0007);
        bench.memory.write(0x50_0000, new byte[] {0x48, (byte) 0x83, (byte) 0xc0, 1, (byte) 0xc3}, 0, 5);
        bench.memory.write(0x50_1000, new byte[] {0x48, (byte) 0x83, (byte) 0xc0, 100, (byte) 0xc3}, 0, 5);
        bench.cpu.setEngine(engine);
        assertTrue(bench.cpu.run(100_000) instanceof VmExit.Hlt);
        // one call before the first turn, then 187 pairs of turns of eight, then seven calls of the second function
        assertEquals(1 + 187 * (8 + 800) + 700, bench.cpu.gpr(Gpr.RAX));
    }

    /** Snapshots of memory give tables and code frames of their own while they run. */
    @ParameterizedTest
    @EnumSource
    void invlpgIsSeenBehindASnapshot(Engine engine) {
        Bench bench = Bench.bits64("""
                call 0x400000
                xor qword [0x7000], 0x1000
                invlpg [0x400000]
                call 0x400000
                hlt
                """);
        bench.memory.write64(0x3010, 0x7007);
        bench.memory.write64(0x7000, 0x50_0007);
        bench.memory.write(0x50_0000, new byte[] {0x48, (byte) 0x83, (byte) 0xc0, 1, (byte) 0xc3}, 0, 5);
        bench.memory.write(0x50_1000, new byte[] {0x48, (byte) 0x83, (byte) 0xc0, 100, (byte) 0xc3}, 0, 5);
        bench.cpu.setEngine(engine);
        try (var _ = bench.memory.snapshot()) {
            assertTrue(bench.cpu.run(100) instanceof VmExit.Hlt);
        }
        assertEquals(101, bench.cpu.gpr(Gpr.RAX));
    }

    @Test
    void codeIsTranslatedAndRuns() {
        Bench bench = Bench.bits64("mov ecx, 100000\nagain: add rax, rcx\ndec rcx\njnz again\nhlt\n");
        bench.cpu.setEngine(Engine.TRANSLATOR_AT_ONCE);
        assertTrue(bench.cpu.run(1_000_000) instanceof VmExit.Hlt);
        assertEquals(5_000_050_000L, bench.cpu.gpr(Gpr.RAX));
        assertEquals(300_002, bench.cpu.retired());
        assertTrue(bench.cpu.translations().made() > 0);
    }
}
