package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Decoded;
import kvasir.metal.cpu.isa.Decoder;
import kvasir.metal.cpu.isa.Disassembler;
import kvasir.metal.cpu.isa.Encoding;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.InstructionTable;
import kvasir.metal.cpu.isa.Operand;
import org.junit.jupiter.api.Test;

/**
 * Random instances of every user-mode integer encoding, on the host's processor and on ours: registers, memory and
 * defined flags must agree. {@code -Dkvasir.silicon.cases=N} sets the instances an encoding.
 */
final class SiliconTest {
    private static final int CASES = Integer.getInteger("kvasir.silicon.cases", 60);

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
            "RDRAND",
            "RDSEED",
            "RDFSBASE",
            "RDGSBASE",
            "WRFSBASE",
            "WRGSBASE",
            "LFS",
            "LGS",
            "LSS",
            "CLI",
            "STI",
            "PUSHFW",
            "PUSHFQ",
            "POPFW",
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
            "LDMXCSR",
            "STMXCSR",
            "XGETBV");

    private static final int[] STATUS = {Bits.OF, Bits.SF, Bits.ZF, Bits.AF, Bits.PF, Bits.CF};

    private final SplittableRandom random = new SplittableRandom(1);
    private boolean bits32;
    private Decoder decoder = new Decoder(CodeSize.BITS64, CpuidModel.standard(), true);
    private Bench bench = Bench.bits64("hlt");

    @Test
    void every64BitEncodingAgreesWithTheHost() throws IOException {
        compareAll();
    }

    @Test
    void every32BitEncodingAgreesWithTheHost() throws IOException {
        bits32 = true;
        decoder = new Decoder(CodeSize.BITS32, CpuidModel.standard(), true);
        bench = Bench.bits32("hlt");
        compareAll();
    }

    private void compareAll() throws IOException {
        assumeTrue(
                HostProcessor.missing().isEmpty(), () -> HostProcessor.missing().orElse(""));
        HostProcessor host = HostProcessor.open();
        var differences = new ArrayList<String>();
        int compared = 0;
        int rows = 0;
        for (Encoding row : InstructionTable.rows()) {
            boolean jump = row.mnemonic().startsWith("J");
            boolean segment = row.forms().contains("sreg") || row.forms().matches("(.*\\b)?[c-g]s(\\b.*)?");
            boolean absent =
                    row.feature().isPresent() && !host.has(row.feature().get());
            if (LEFT_OUT.contains(row.mnemonic())
                    || jump
                    || segment
                    || absent
                    || row.is("cpl0")
                    || row.is("i64")
                    || row.is("pm")) {
                continue;
            }
            int before = compared;
            for (int i = 0; i < CASES; i++) {
                Optional<Instruction> instance = instance(row);
                if (instance.isPresent() && compare(host, instance.get(), differences)) {
                    compared++;
                }
            }
            rows += compared > before ? 1 : 0;
        }
        assertEquals(List.of(), differences.subList(0, Math.min(20, differences.size())));
        System.getLogger("kvasir.silicon")
                .log(System.Logger.Level.INFO, "{0} cases of {1} encodings agree", compared, rows);
        assertTrue(compared > rows * CASES / 4, compared + " cases of " + rows + " encodings");
    }

    private byte[] code = {};
    private int length;

    /** Bytes of the row with random prefixes and operands; empty if the try failed. */
    private Optional<Instruction> instance(Encoding row) {
        for (int attempt = 0; attempt < 40; attempt++) {
            byte[] bytes = new byte[24];
            random.nextBytes(bytes);
            int at = 0;
            if (row.vex().isPresent()) {
                bytes[at++] = (byte) 0xc4;
                int pp = row.prefix().ordinal() < 2
                        ? 0
                        : new int[] {0, 0, 1, 3, 2}[row.prefix().ordinal()];
                bytes[at] = (byte) (bytes[at] & 0xe0 | row.map().ordinal() | (bits32 ? 0xc0 : 0));
                at++;
                bytes[at] = (byte) (bytes[at] & 0xf8 | pp | (bits32 ? 0x40 : 0));
                at++;
            } else {
                if (row.is("lock") && random.nextInt(6) == 0) {
                    bytes[at++] = (byte) 0xf0;
                }
                if (row.is("rep") && random.nextInt(2) == 0) {
                    bytes[at++] = (byte) (random.nextBoolean() ? 0xf3 : 0xf2);
                }
                switch (row.prefix()) {
                    case P66 -> bytes[at++] = 0x66;
                    case PF2 -> bytes[at++] = (byte) 0xf2;
                    case PF3 -> bytes[at++] = (byte) 0xf3;
                    default -> {
                        if (row.is("o16") || random.nextInt(4) == 0) {
                            bytes[at++] = 0x66;
                        }
                    }
                }
                if (!bits32 && (row.is("o64") || random.nextBoolean())) {
                    bytes[at++] = (byte) (0x40 | random.nextInt(16) | (row.is("o64") ? 8 : 0));
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
            }
            bytes[at++] = (byte) (row.opcode() + (row.registerInOpcode() ? random.nextInt(8) : 0));
            if (row.fixedModrm() >= 0) {
                bytes[at] = (byte) row.fixedModrm();
            } else if (row.reg() >= 0) {
                bytes[at] = (byte) (bytes[at] & 0xc7 | row.reg() << 3);
            }
            Decoded decoded = decoder.decode(bytes, 0, bytes.length);
            if (decoded instanceof Instruction i && i.encoding() == row && usable(i)) {
                code = bytes;
                length = i.length();
                return Optional.of(i);
            }
        }
        return Optional.empty();
    }

    private boolean usable(Instruction i) {
        boolean shift16 = Set.of("SHLD", "SHRD").contains(i.mnemonic()) && i.operandSize() == 2;
        if (shift16 || (i.mnemonic().equals("BSWAP") && i.operandSize() == 2)) {
            return false;
        }
        for (Operand operand : i.operands()) {
            if (operand instanceof Operand.Mem mem && mem.bytes() + i.operands().size() > 0) {
                boolean based = mem.base().isPresent()
                        && mem.addressBytes() == 8
                        && !mem.base().get().equals(4);
                boolean apart = mem.index().isEmpty() || !mem.index().equals(mem.base());
                if (!based || !apart || mem.segment() > 3) {
                    return false;
                }
            }
        }
        return i.addressSize() == (bits32 ? 4 : 8);
    }

    private long value() {
        long raw = random.nextLong();
        return switch (random.nextInt(6)) {
            case 0 -> raw & 0xff;
            case 1 -> (long) (byte) raw;
            case 2 -> 1L << (raw & 63);
            case 3 -> raw >>> 32;
            case 4 -> -1L << (raw & 63);
            default -> raw;
        };
    }

    private boolean compare(HostProcessor host, Instruction i, List<String> differences) {
        long middle = host.scratch() + HostProcessor.SCRATCH_BYTES / 2 + 16L * random.nextInt(64);
        long[] start = new long[17];
        for (int r = 0; r < 16; r++) {
            start[r] = value();
        }
        start[Gpr.RSP] = host.scratch() + 0x1800;
        if (i.encoding().is("rep")) {
            start[Gpr.RCX] = random.nextInt(20);
            start[Gpr.RSI] = middle;
            start[Gpr.RDI] = middle + random.nextInt(-40, 40);
        }
        if (i.mnemonic().equals("XLATB")) {
            start[Gpr.RBX] = middle;
        }
        if (i.mnemonic().startsWith("BT")
                && i.operand(1) instanceof Operand.Reg(var register)
                && i.operand(0) instanceof Operand.Mem mem) {
            int number = register.number();
            if (mem.base().orElse(-1) == number || mem.index().orElse(-1) == number) {
                return false;
            }
            start[number] = random.nextInt(-2000, 2000);
        }
        int unaligned = i.mnemonic().equals("CMPXCHG16B") ? 0 : random.nextInt(16);
        for (Operand operand : i.operands()) {
            if (operand instanceof Operand.Mem mem) {
                long index = 0;
                if (mem.index().isPresent()) {
                    int number = mem.index().get();
                    if (number != Gpr.RSP && !i.mnemonic().startsWith("BT")) {
                        start[number] = random.nextInt(64);
                    }
                    index = start[number] * mem.scale();
                }
                if (mem.index().isPresent()
                        && mem.index().get().equals(mem.base().orElse(-1))) {
                    return false;
                }
                start[mem.base().orElseThrow()] = middle + unaligned - mem.displacement() - index;
            }
        }
        if (bits32) {
            for (int r = 0; r < 16; r++) {
                start[r] = r < 8 ? start[r] & 0xffff_ffffL : 0;
            }
        }
        start[16] = 0x202 | (random.nextInt() & Bits.STATUS) | (random.nextInt(4) == 0 ? Bits.DF : 0);
        byte[] scratch = new byte[HostProcessor.SCRATCH_BYTES];
        random.nextBytes(scratch);

        long[] ours = start.clone();
        byte[] ourScratch = scratch.clone();
        if (!emulate(host.scratch(), ours, ourScratch)) {
            return false;
        }
        long[] theirs = start.clone();
        byte[] theirScratch = scratch.clone();
        host.run(bits32, code, length, theirs, theirScratch);
        if (bits32) {
            for (int r = 0; r < 16; r++) {
                theirs[r] = r < 8 ? theirs[r] & 0xffff_ffffL : 0;
            }
        }
        long mask = definedFlags(i, start);
        ours[16] &= mask;
        theirs[16] &= mask;
        if (!Arrays.equals(ours, theirs) || !Arrays.equals(ourScratch, theirScratch)) {
            differences.add(describe(i, start, ours, theirs, Arrays.mismatch(ourScratch, theirScratch)));
        }
        return true;
    }

    /** Whether the instruction went through; an exception would end the JVM if it came from the host. */
    private boolean emulate(long at, long[] state, byte[] scratch) {
        Cpu cpu = bench.cpu;
        bench.memory.write(Bench.CODE, code, 0, length);
        bench.memory.write8(Bench.CODE + length, (byte) 0xf4);
        bench.memory.write(at, scratch, 0, scratch.length);
        for (int r = 0; r < 16; r++) {
            cpu.setGpr(r, state[r]);
        }
        cpu.setRflags(state[16]);
        cpu.setRip(Bench.CODE);
        VmExit exit = cpu.run(1000);
        if (!(exit instanceof VmExit.Hlt)) {
            assertTrue(
                    exit instanceof VmExit.TripleFault,
                    exit + " at " + HexFormat.of().formatHex(code, 0, length));
            return false;
        }
        for (int r = 0; r < 16; r++) {
            state[r] = cpu.gpr(r);
        }
        state[16] = cpu.rflags();
        bench.memory.read(at, scratch, 0, scratch.length);
        return true;
    }

    private static long definedFlags(Instruction i, long[] start) {
        long mask = Bits.STATUS | Bits.DF;
        String effect = i.encoding().flags();
        for (int f = 0; f < 6; f++) {
            if (effect.charAt(f) == '?') {
                mask &= ~STATUS[f];
            }
        }
        // a shift of 8 or 16 bits by more than that leaves CF undefined
        if (Set.of("SHL", "SHR").contains(i.mnemonic())) {
            mask &= ~Bits.CF | (i.operandSize() >= 4 ? Bits.CF : 0);
        }
        return mask;
    }

    private String describe(Instruction i, long[] start, long[] ours, long[] theirs, int memory) {
        var text =
                new StringBuilder(HexFormat.of().formatHex(code, 0, length) + " " + Disassembler.text(i, Bench.CODE));
        for (int r = 0; r < 17; r++) {
            if (ours[r] != theirs[r]) {
                text.append(String.format(
                        " %s: %x -> ours %x host %x", r == 16 ? "flags" : "r" + r, start[r], ours[r], theirs[r]));
            }
        }
        for (Operand operand : i.operands()) {
            if (operand instanceof Operand.Reg(var register) && register.general()) {
                text.append(String.format(" (%s was %x)", register.name(), start[register.number()]));
            }
        }
        return text + (memory < 0 ? "" : " memory differs at " + Integer.toHexString(memory)) + "\n";
    }
}
