package kvasir.metal.cpu;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Decoded;
import kvasir.metal.cpu.isa.Decoder;
import kvasir.metal.cpu.isa.Encoding;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;

/**
 * Makes instances of encodings, and the state they begin in. The state is a function of the instruction and a seed alone:
 * the recorded outcomes depend on that function, so a change here asks for a new recording.
 */
final class SiliconCases {
    /** A processor with every feature, so that every row decodes. */
    static final CpuidModel EVERYTHING = new CpuidModel(
            "everything", "AuthenticAMD", "", 0x00a0_0f11, Set.copyOf(EnumSet.allOf(CpuidModel.Feature.class)), 48);

    /** Control flow, segments, ports, privileged state, and what has no one right answer. */
    private static final Set<String> LEFT_OUT = Set.of(
            "CALL",
            "CALLF",
            "JMP",
            "JMPF",
            "RET",
            "RETF",
            "LOOP",
            "LOOPE",
            "LOOPNE",
            "JCXZ",
            "JECXZ",
            "JRCXZ",
            "INT",
            "INT1",
            "INT3",
            "INTO",
            "IRETW",
            "IRETD",
            "IRETQ",
            "SYSCALL",
            "SYSENTER",
            "SYSRETD",
            "SYSRETQ",
            "SYSEXITD",
            "SYSEXITQ",
            "UD0",
            "UD1",
            "UD2",
            "CPUID",
            "RDTSC",
            "RDTSCP",
            "RDPID",
            "RDPRU",
            "RDRAND",
            "RDSEED",
            "RDFSBASE",
            "RDGSBASE",
            "WRFSBASE",
            "WRGSBASE",
            "LDS",
            "LES",
            "LFS",
            "LGS",
            "LSS",
            "CLI",
            "STI",
            "PUSHFW",
            "PUSHFD",
            "PUSHFQ",
            "POPFW",
            "POPFD",
            "POPFQ",
            "RDPKRU",
            "WRPKRU",
            "IN",
            "OUT",
            "INSB",
            "INSW",
            "INSD",
            "OUTSB",
            "OUTSW",
            "OUTSD",
            "ARPL",
            "LAR",
            "LSL",
            "SLDT",
            "STR",
            "VERR",
            "VERW",
            "SGDT",
            "SIDT",
            "SMSW",
            "VMCALL",
            "VMMCALL",
            "TDCALL",
            "VMGEXIT",
            "ENTER",
            "LEAVE",
            "FXSAVE",
            "FXSAVE64",
            "FXRSTOR",
            "FXRSTOR64",
            "XSAVE",
            "XSAVE64",
            "XSAVEC",
            "XSAVEC64",
            "XSAVEOPT",
            "XSAVEOPT64",
            "XSAVES",
            "XSAVES64",
            "XRSTOR",
            "XRSTOR64",
            "XRSTORS",
            "XRSTORS64",
            "XGETBV",
            "XSETBV",
            "LDMXCSR",
            "VLDMXCSR",
            "MWAITX",
            "MONITORX",
            "BOUND",
            "CLZERO",
            "SERIALIZE",
            "MONITOR",
            "MWAIT",
            "RDPMC",
            "RSM",
            "PVALIDATE",
            "PSMASH",
            "RMPADJUST",
            "RMPQUERY",
            "RMPUPDATE",
            // correctly rounded here, and in the last place differently elsewhere: X87SiliconTest
            "F2XM1",
            "FYL2X",
            "FYL2XP1",
            "FPATAN",
            "FPTAN",
            "FSIN",
            "FCOS",
            "FSINCOS");

    private static final int[] STATUS = {Bits.OF, Bits.SF, Bits.ZF, Bits.AF, Bits.PF, Bits.CF};

    private static final int[] SINGLES = {
        0,
        0x8000_0000,
        0x3f80_0000,
        0xbf80_0000,
        1,
        0x8000_0001,
        0x007f_ffff,
        0x807f_ffff,
        0x0080_0000,
        0x8080_0000,
        0x7f7f_ffff,
        0xff7f_ffff,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0000,
        0xffc0_1234,
        0x7f80_0001,
        0xffa0_0000,
        0x4f00_0000,
        0xcf00_0000,
        0x5f00_0000,
        0xdf00_0000,
        0x3f00_0000,
        0xbf00_0000,
        0x4b00_0001,
        0x4eff_ffff
    };
    private static final long[] DOUBLES = {
        0,
        1L << 63,
        0x3ff0_0000_0000_0000L,
        0xbff0_0000_0000_0000L,
        1,
        0x8000_0000_0000_0001L,
        0x000f_ffff_ffff_ffffL,
        0x0010_0000_0000_0000L,
        0x7fef_ffff_ffff_ffffL,
        0xffef_ffff_ffff_ffffL,
        0x7ff0_0000_0000_0000L,
        0xfff0_0000_0000_0000L,
        0x7ff8_0000_0000_0000L,
        0xfff8_0000_0000_1234L,
        0x7ff0_0000_0000_0001L,
        0x41e0_0000_0000_0000L,
        0xc1e0_0000_0000_0000L,
        0x41df_ffff_ffff_ffffL,
        0x43e0_0000_0000_0000L,
        0x3fe0_0000_0000_0000L,
        0x380f_ffff_ffff_ffffL,
        0x47ef_ffff_f000_0000L,
        0x36a0_0000_0000_0000L
    };

    /** SplitMix64, spelt out so that no library can change it. */
    static final class Random {
        private long state;

        Random(long seed) {
            state = seed;
        }

        long nextLong() {
            state += 0x9e37_79b9_7f4a_7c15L;
            long z = state;
            z = (z ^ z >>> 30) * 0xbf58_476d_1ce4_e5b9L;
            z = (z ^ z >>> 27) * 0x94d0_49bb_1331_11ebL;
            return z ^ z >>> 31;
        }

        /** 0 to {@code bound - 1}. */
        int below(int bound) {
            return (int) ((nextLong() >>> 33) % bound);
        }
    }

    private static final byte[] POOL = pool();

    private final boolean bits32;
    private final long scratchAt;
    private final Decoder decoder;
    private byte[] code = {};

    /** @param scratchAt where the memory that instances may use begins */
    SiliconCases(boolean bits32, long scratchAt) {
        this.bits32 = bits32;
        this.scratchAt = scratchAt;
        decoder = new Decoder(bits32 ? CodeSize.BITS32 : CodeSize.BITS64, EVERYTHING, true);
    }

    private static byte[] pool() {
        var random = new Random(1);
        byte[] pool = new byte[0x4000];
        for (int i = 0; i < pool.length; i += 8) {
            SiliconState.put(pool, i, 8, random.nextLong());
        }
        return pool;
    }

    /** Whether instances of the row can run in user mode without leaving it. */
    static boolean comparable(Encoding row, boolean bits32) {
        boolean jump = row.mnemonic().startsWith("J");
        boolean segment = row.forms().contains("sreg") || row.forms().matches("(.*\\b)?[c-gs]s(\\b.*)?");
        return !LEFT_OUT.contains(row.mnemonic())
                && !jump
                && !segment
                && !row.is("cpl0")
                && !row.is("pm")
                && !row.is(bits32 ? "x64" : "i64")
                && !(bits32 && row.is("o64"));
    }

    /** The instruction in {@code bytes}, which begin with one. */
    Instruction decode(byte[] bytes) {
        return (Instruction) decoder.decode(bytes, 0, bytes.length);
    }

    /** The bytes of the last instance. */
    byte[] code() {
        return code;
    }

    /** Random prefixes and operands in the row's encoding; empty if the tries failed. */
    Optional<Instruction> instance(Encoding row, Random random) {
        for (int attempt = 0; attempt < 40; attempt++) {
            byte[] bytes = new byte[24];
            for (int i = 0; i < bytes.length; i += 8) {
                SiliconState.put(bytes, i, 8, random.nextLong());
            }
            int at = row.vex().isPresent() ? vex(row, bytes, random) : legacy(row, bytes, random);
            bytes[at++] = (byte) (row.opcode() + (row.registerInOpcode() ? random.below(8) : 0));
            if (row.fixedModrm() >= 0) {
                bytes[at] = (byte) row.fixedModrm();
            } else if (row.reg() >= 0) {
                bytes[at] = (byte) (bytes[at] & 0xc7 | row.reg() << 3);
            }
            if (row.gathers()) {
                bytes[at] = (byte) (bytes[at] & 0x78 | 4);
            }
            if (isAbsolute(row)) {
                long middle = scratchAt + HostProcessor.SCRATCH_BYTES / 2 + random.below(1024);
                SiliconState.put(bytes, at, 8, middle);
            }
            Decoded decoded = decoder.decode(bytes, 0, bytes.length);
            if (decoded instanceof Instruction i && i.encoding() == row && usable(i)) {
                code = java.util.Arrays.copyOf(bytes, i.length());
                return Optional.of(i);
            }
        }
        return Optional.empty();
    }

    /** MOV between the accumulator and memory at an offset in the instruction. */
    private static boolean isAbsolute(Encoding row) {
        return row.map() == Encoding.OpcodeMap.ONE && (row.opcode() & 0xfc) == 0xa0;
    }

    private int vex(Encoding row, byte[] bytes, Random random) {
        int[] pp = {0, 0, 1, 3, 2};
        int v = random.below(2) == 0 ? 0 : 0x78;
        bytes[0] = (byte) 0xc4;
        bytes[1] = (byte) (bytes[1] & 0xe0 | row.map().ordinal() | (bits32 ? 0xc0 : 0));
        int l = row.vex().orElseThrow().l();
        int w = row.vex().orElseThrow().w();
        bytes[2] = (byte) (bytes[2] & 0xf8 | pp[row.prefix().ordinal()] | (bits32 ? 0x40 : 0) | v);
        bytes[2] = (byte) (l < 0 ? bytes[2] : bytes[2] & ~4 | l << 2);
        bytes[2] = (byte) (w < 0 ? bytes[2] : bytes[2] & 0x7f | w << 7);
        return 3;
    }

    private int legacy(Encoding row, byte[] bytes, Random random) {
        int at = 0;
        if (row.is("lock") && random.below(6) == 0) {
            bytes[at++] = (byte) 0xf0;
        }
        if (row.is("rep") && random.below(2) == 0) {
            bytes[at++] = (byte) (random.below(2) == 0 ? 0xf3 : 0xf2);
        }
        switch (row.prefix()) {
            case P66 -> bytes[at++] = 0x66;
            case PF2 -> bytes[at++] = (byte) 0xf2;
            case PF3 -> bytes[at++] = (byte) 0xf3;
            case NP -> {}
            default -> {
                if (row.is("o16") || random.below(4) == 0) {
                    bytes[at++] = 0x66;
                }
            }
        }
        if (!bits32 && (row.is("o64") || random.below(2) == 0)) {
            bytes[at++] = (byte) (0x40 | random.below(16) | (row.is("o64") ? 8 : 0));
        }
        switch (row.map()) {
            case ONE -> {}
            case TWO_0F -> bytes[at++] = 0x0f;
            case THREE_0F38 -> {
                bytes[at++] = 0x0f;
                bytes[at++] = 0x38;
            }
            case THREE_0F3A -> {
                bytes[at++] = 0x0f;
                bytes[at++] = 0x3a;
            }
        }
        return at;
    }

    private boolean usable(Instruction i) {
        boolean shift16 = Set.of("SHLD", "SHRD").contains(i.mnemonic()) && i.operandSize() == 2;
        if (shift16 || (i.mnemonic().equals("BSWAP") && i.operandSize() == 2)) {
            return false;
        }
        for (Operand operand : i.operands()) {
            Optional<Operand.Mem> memory = memory(operand);
            if (memory.isPresent()) {
                Operand.Mem mem = memory.get();
                boolean based = mem.base().isPresent() ? !mem.base().get().equals(4) : isAbsolute(i.encoding());
                boolean apart = mem.index().isEmpty() || !mem.index().equals(mem.base());
                if (!based || !apart || mem.segment() > 3) {
                    return false;
                }
            }
        }
        return i.addressSize() == (bits32 ? 4 : 8) && i.segment() <= 3;
    }

    private static Optional<Operand.Mem> memory(Operand operand) {
        return switch (operand) {
            case Operand.Mem mem -> Optional.of(mem);
            case Operand.Vsib vsib -> Optional.of(vsib.memory());
            default -> Optional.empty();
        };
    }

    /** The state that {@code i} begins in. */
    SiliconState start(Instruction i, long seed) {
        var random = new Random(seed);
        var state = new SiliconState();
        long middle = scratchAt + HostProcessor.SCRATCH_BYTES / 2 + 16L * random.below(64);
        System.arraycopy(POOL, random.below(0x1000) & ~7, state.scratch, 0, state.scratch.length);
        for (int r = 0; r < 16; r++) {
            state.r[r] = value(random);
        }
        state.r[Gpr.RSP] = scratchAt + 0x1800;
        vectors(state, random, i, (int) (middle - scratchAt));
        pointers(i, state, random, middle);
        if (bits32) {
            for (int r = 0; r < 16; r++) {
                state.r[r] = r < 8 ? state.r[r] & 0xffff_ffffL : 0;
            }
        }
        if (x87(i.encoding()) || i.encoding().usesMmxRegisters() || i.mnemonic().equals("EMMS")) {
            var values = new X87Values(new Random(~seed));
            values.fill(state.extended);
            if (x87(i.encoding())) {
                byte[] operand = new byte[16];
                values.put(operand, random.below(8));
                i.operands().stream()
                        .filter(Operand.Mem.class::isInstance)
                        .map(Operand.Mem.class::cast)
                        .findFirst()
                        .ifPresent(mem -> place(state, mem, operand, scratchAt));
            }
        }
        state.r[SiliconState.FLAGS] = 0x202 | (random.nextLong() & Bits.STATUS) | (random.below(4) == 0 ? Bits.DF : 0);
        return state;
    }

    private static boolean x87(Encoding row) {
        return row.map() == Encoding.OpcodeMap.ONE && ((row.opcode() & 0xf8) == 0xd8 || row.opcode() == 0x9b);
    }

    /** Puts an operand where {@code mem} will find it, unless it is zero. */
    private static void place(SiliconState state, Operand.Mem mem, byte[] operand, long scratchAt) {
        long index = mem.index().map(number -> state.r[number] * mem.scale()).orElse(0L);
        long at = state.r[mem.base().orElseThrow()] + index + mem.displacement() - scratchAt;
        if (SiliconState.get(operand, 0, 8) != 0) {
            System.arraycopy(operand, 0, state.scratch, (int) at, mem.bytes() == 0 ? 0 : Math.min(16, mem.bytes()));
        }
    }

    private static long value(Random random) {
        long raw = random.nextLong();
        return switch (random.below(6)) {
            case 0 -> raw & 0xff;
            case 1 -> (long) (byte) raw;
            case 2 -> 1L << (raw & 63);
            case 3 -> raw >>> 32;
            case 4 -> -1L << (raw & 63);
            default -> raw;
        };
    }

    private void pointers(Instruction i, SiliconState state, Random random, long middle) {
        long[] r = state.r;
        if (i.encoding().is("rep")) {
            r[Gpr.RCX] = random.below(20);
            r[Gpr.RSI] = middle;
            r[Gpr.RDI] = middle + random.below(80) - 40;
        }
        switch (i.mnemonic()) {
            case "XLATB" -> r[Gpr.RBX] = middle;
            case "MASKMOVDQU", "VMASKMOVDQU", "MASKMOVQ" -> r[Gpr.RDI] = middle + random.below(16);
            case "PCMPESTRI", "PCMPESTRM", "VPCMPESTRI", "VPCMPESTRM" -> {
                r[Gpr.RAX] = random.below(4) == 0 ? r[Gpr.RAX] : random.below(40) - 20;
                r[Gpr.RDX] = random.below(4) == 0 ? r[Gpr.RDX] : random.below(40) - 20;
            }
            default -> {}
        }
        boolean bitString = i.mnemonic().startsWith("BT")
                && i.operands().getFirst() instanceof Operand.Mem
                && i.operand(1) instanceof Operand.Reg;
        if (bitString) {
            r[((Operand.Reg) i.operand(1)).register().number()] = random.below(4000) - 2000L;
        }
        boolean mustAlign = i.encoding().is("aligned")
                || i.encoding().is("alignedintel")
                || i.mnemonic().equals("CMPXCHG16B");
        int unaligned = mustAlign && random.below(8) != 0 ? 0 : random.below(16);
        long target = middle + unaligned & (mustAlign && unaligned == 0 ? ~31L : -1L);
        for (Operand operand : i.operands()) {
            Optional<Operand.Mem> memory = memory(operand);
            if (memory.isEmpty() || memory.get().base().isEmpty()) {
                continue;
            }
            Operand.Mem mem = memory.get();
            int base = mem.base().orElseThrow();
            long index = 0;
            if (mem.index().isPresent()) {
                int number = mem.index().get();
                if (number != Gpr.RSP && !bitString) {
                    r[number] = random.below(64);
                }
                index = r[number] * mem.scale();
            }
            r[base] = target - mem.displacement() - index;
        }
    }

    /** Whether the registers that the address needs leave the other operands as they must be. */
    static boolean consistent(Instruction i) {
        if (!i.mnemonic().startsWith("BT") || !(i.operands().getFirst() instanceof Operand.Mem mem)) {
            return true;
        }
        return !(i.operand(1) instanceof Operand.Reg(var register))
                || (mem.base().orElse(-1) != register.number() && mem.index().orElse(-1) != register.number());
    }

    private void vectors(SiliconState state, Random random, Instruction i, int memoryAt) {
        int kind = random.below(8);
        for (int register = 0; register < 16; register++) {
            int mine = random.below(4) == 0 ? random.below(8) : kind;
            for (int word = 0; word < 4; word++) {
                state.setYmm(register, word, element(random, mine));
            }
        }
        for (int at = -32; at < 96; at += 8) {
            SiliconState.put(state.scratch, memoryAt + at, 8, element(random, kind));
        }
        for (Operand operand : i.operands()) {
            if (operand instanceof Operand.Vsib(Operand.Mem memory, Register index)) {
                boolean quads = i.mnemonic().contains("ERQ");
                for (int word = 0; word < 4; word++) {
                    long low = random.below(128) - 64L;
                    long high = random.below(128) - 64L;
                    state.setYmm(index.number(), word, quads ? low : low & 0xffff_ffffL | high << 32);
                }
            }
        }
        state.setMxcsr(mxcsr(random));
    }

    private static int mxcsr(Random random) {
        int any = (int) random.nextLong();
        return switch (random.below(8)) {
            case 0 -> 0x1f80;
            case 1 -> any & 0xffff;
            case 2 -> 0x1f80 & ~(0x80 << random.below(6)) | any & 0x603f;
            case 3 -> 0x1fa0;
            default -> 0x1f80 | any & 0xe07f;
        };
    }

    private static long element(Random random, int kind) {
        long raw = random.nextLong();
        return switch (kind) {
            case 0 -> raw;
            case 1 -> single(random) & 0xffff_ffffL | (long) single(random) << 32;
            case 2 -> DOUBLES[random.below(DOUBLES.length)];
            case 3 -> raw & 0x83ff_8000_83ff_8000L | 0x3e00_0000_3e00_0000L;
            case 4 ->
                random.below(3) == 0
                        ? DOUBLES[random.below(DOUBLES.length)]
                        : raw & 0x801f_ffff_ffff_ffffL | 0x3fe0_0000_0000_0000L;
            case 5 -> raw & 0x0003_0003_0001_0003L;
            case 6 -> raw & 0x0303_0003_0303_0301L;
            default -> raw & 0x8fff_8fff_8fff_8fffL | (raw >>> 7 & 0x7000_0000_7000L);
        };
    }

    private static int single(Random random) {
        return random.below(3) == 0
                ? (int) random.nextLong() & 0x80ff_ffff | 0x3f00_0000
                : SINGLES[random.below(SINGLES.length)];
    }

    /** The flags that the instruction defines; the table is the row's, with what AMD and Intel leave open in shifts. */
    static long definedFlags(Instruction i) {
        long mask = Bits.STATUS | Bits.DF;
        String effect = i.encoding().flags();
        for (int f = 0; f < 6; f++) {
            if (effect.charAt(f) == '?') {
                mask &= ~STATUS[f];
            }
        }
        // a shift of 8 or 16 bits by more than that leaves CF undefined
        if (Set.of("SHL", "SHR").contains(i.mnemonic()) && i.operandSize() < 4) {
            mask &= ~Bits.CF;
        }
        boolean byteShift =
                Set.of("SHL", "SHR").contains(i.mnemonic()) && (i.encoding().opcode() & 1) == 0;
        return byteShift ? mask & ~Bits.CF : mask;
    }
}
