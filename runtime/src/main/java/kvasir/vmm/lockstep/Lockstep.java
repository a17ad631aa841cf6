package kvasir.vmm.lockstep;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import kvasir.event.Events;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.Gpr;
import kvasir.metal.cpu.Segment;
import kvasir.metal.cpu.VmExit;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.memory.PhysicalMemory;

/** Steps our processor and QEMU's through the same program until they differ, halt, or have done enough. */
public final class Lockstep implements AutoCloseable {
    private static final int CHUNK = 1024;
    private static final int RANDOM_BYTES = 256;
    private static final long FLAGS = 0x3f_7fd7;

    /** Bytes that an exception pushes at most. */
    private static final int EXCEPTION_FRAME = 48;

    /** Between the two QEMU has a display adapter's memory and ROM. */
    private static final long HOLE = 0xa_0000;

    private static final long ABOVE_ROM = 0x10_0000;

    /** Where random registers point, far from what lies below. */
    private static final long DATA = 0x20_0000;

    private static final String ELSEWHERE = "QEMU has a device, a ROM or nothing there";

    private static final long TF = 0x100;

    private static final Set<Integer> PREFIXES =
            Set.of(0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3);

    private static final String NO_SECOND_TEST = "QEMU has no second form of TEST";

    /** Instructions that are remembered. */
    private static final int WAY = 8;

    private static final String HALTED = "HLT";
    private static final String ENOUGH = "as many steps as wanted";

    /** Their results are QEMU's: time, chance, what there is, and devices. */
    private static final Set<String> ADOPTED = Set.of(
            "in", "insb", "insw", "insd", "rdtsc", "rdtscp", "rdrand", "rdseed", "cpuid", "rdmsr", "rdpmc", "rdpid",
            "xgetbv", "smsw", "str", "rdpru");

    private final String program;
    private Qemu qemu;
    private PhysicalMemory memory = new PhysicalMemory(1L << 32);
    private Cpu cpu = processor(memory);

    /** Whether the last instruction of ours touched what is no memory in QEMU. */
    private boolean strayed;

    /** The last instructions, oldest first. */
    private final ArrayDeque<String> way = new ArrayDeque<>();

    private Lockstep(String program) throws IOException, InterruptedException {
        this.program = program;
        qemu = Qemu.start(program);
    }

    private static Cpu processor(PhysicalMemory memory) {
        var cpu = new Cpu(memory, new Events(), CpuidModel.standard(), 0);
        cpu.stepEveryInstruction(true);
        cpu.watch(HOLE, ABOVE_ROM - 1, true);
        cpu.watch(Qemu.MEMORY, -1, true);
        return cpu;
    }

    /** Both at RESET, with memory as it is then. */
    private void restart() throws IOException, InterruptedException {
        qemu.close();
        memory = new PhysicalMemory(1L << 32);
        cpu = processor(memory);
        qemu = Qemu.start(program);
    }

    /** How a run ended. */
    public sealed interface Result {
        /**
         * Both agreed to the end.
         *
         * @param why it ended
         */
        record Agreed(long steps, String why) implements Result {}

        /**
         * They differ.
         *
         * @param steps instructions before the one that differs
         * @param rip its address, an offset in CS
         * @param instruction as text
         * @param differences registers, or bytes of memory
         */
        record Differed(long steps, long rip, String instruction, List<String> differences) implements Result {}
    }

    /** Whether QEMU is installed. */
    public static boolean available() {
        return Qemu.program().isPresent();
    }

    /** A pair of processors at RESET. Throws if QEMU is missing or does not start. */
    public static Lockstep start() throws IOException, InterruptedException {
        Optional<String> program = Qemu.program();
        if (program.isEmpty()) {
            throw new IOException("qemu-system-x86_64 is not installed");
        }
        return new Lockstep(program.get());
    }

    /**
     * Runs code from its first byte. 16-bit code begins in real mode at 0:7C00h like a boot sector; 32- and 64-bit code at
     * 8000h with flat segments, stack at 7000h, and handlers of exceptions that halt.
     *
     * @param most instructions
     */
    public Result run(CodeSize size, byte[] code, long most) throws IOException {
        load(size, code);
        return steps(size, most, false);
    }

    /**
     * Runs random programs one after the other, each from where random registers and bytes are put, until one differs.
     * What a program leaves behind must agree too; if it ended with what QEMU is known to do otherwise, the next begins at
     * RESET.
     *
     * @param programs how many
     * @param most instructions of each
     */
    public Result random(CodeSize size, long programs, long most, long seed) throws IOException, InterruptedException {
        long code = Program.of(size, new byte[0]).code();
        var random = new SplittableRandom(seed);
        boolean fresh = true;
        long agreed = 0;
        for (long i = 0; i < programs; i++) {
            if (fresh) {
                load(size, Program.assemble(size, 0, "nop\nhlt"));
                Result begun = steps(size, most, false);
                if (begun instanceof Result.Differed) {
                    return begun;
                }
            }
            byte[] bytes = new byte[RANDOM_BYTES];
            random.nextBytes(bytes);
            flatSegments(size, code);
            put(code, bytes);
            for (int register = 0; register < 16; register++) {
                boolean large = random.nextInt(4) == 0;
                long value = large ? random.nextLong() : DATA + random.nextInt(1 << 17);
                setGpr(size, register, register == Gpr.RSP ? Program.STACK : value);
            }
            setRip(code);
            cpu.setRflags(2);
            qemu.setFlags(2);
            way.clear();
            Result result = steps(size, most, true);
            if (result instanceof Result.Differed differed) {
                return new Result.Differed(
                        differed.steps(),
                        differed.rip(),
                        differed.instruction(),
                        Stream.concat(differed.differences().stream(), way(i)).toList());
            }
            var end = (Result.Agreed) result;
            agreed += end.steps();
            fresh = !end.why().equals(HALTED) && !end.why().equals(ENOUGH);
            if (fresh) {
                restart();
            }
        }
        return new Result.Agreed(agreed, programs + " programs");
    }

    private Stream<String> way(long program) {
        return Stream.concat(
                Stream.of("in program " + program + ", which ran:"),
                way.stream().map(text -> "  " + text));
    }

    /** What a program has left in the segment registers is not the next one's: QEMU does not check null segments. */
    private void flatSegments(CodeSize size, long code) throws IOException {
        if (size != CodeSize.BITS32) {
            return;
        }
        put(code, Program.assemble(size, code, "mov ss, ax\nmov ds, ax\nmov es, ax\nmov fs, ax\nmov gs, ax\nhlt"));
        setGpr(size, Gpr.RAX, 0x10);
        setRip(code);
        cpu.setRflags(2);
        qemu.setFlags(2);
        while (!cpu.disassemble(cpu.rip(), 1).getFirst().text().equals("hlt")
                && stepOurs().isEmpty()) {
            if (qemu.step().isEmpty()) {
                throw new IOException("QEMU has stopped");
            }
        }
    }

    private void setGpr(CodeSize size, int register, long value) throws IOException {
        if (size != CodeSize.BITS64 && register > 7) {
            return;
        }
        long whole = size == CodeSize.BITS64 ? value : value & 0xffff_ffffL;
        cpu.setGpr(register, whole);
        qemu.setGpr(register, whole);
    }

    private void setRip(long value) throws IOException {
        cpu.setRip(value);
        qemu.setRip(value);
    }

    private void put(long physical, byte[] bytes) throws IOException {
        memory.write(physical, bytes, 0, bytes.length);
        qemu.write(physical, bytes);
    }

    private void load(CodeSize size, byte[] code) throws IOException {
        for (Map.Entry<Long, byte[]> part : Program.of(size, code).memory().entrySet()) {
            put(part.getKey(), part.getValue());
        }
        for (int i = 0; i < 8; i++) {
            setGpr(CodeSize.BITS32, i, i == Gpr.RSP ? Program.STACK : 0);
        }
        for (int i = 0; i < 6; i++) {
            cpu.setSegment(i, new Segment(0, 0, 0xffff, 0x93));
        }
        qemu.clearSegments();
        setRip(Program.START);
        cpu.setRflags(2);
        qemu.setFlags(2);
        adopt(qemu.state());
    }

    /** Where ours has bytes of its own, and QEMU has memory. */
    private List<Long> touched() {
        var chunks = new ArrayList<Long>();
        long end = Qemu.MEMORY >>> 12;
        for (long pfn = memory.nextMaterialized(0, end);
                pfn >= 0 && pfn < end;
                pfn = memory.nextMaterialized(pfn + 1, end)) {
            for (int at = 0; isMemory(pfn << 12) && at < PhysicalMemory.FRAME_BYTES; at += CHUNK) {
                chunks.add((pfn << 12) + at);
            }
        }
        return chunks;
    }

    /** @param random whether what QEMU is known to do otherwise ends the program */
    private Result steps(CodeSize size, long most, boolean random) throws IOException {
        for (long i = 0; i < most; i++) {
            Cpu.Line line = cpu.disassemble(cpu.rip(), 1).getFirst();
            String mnemonic = mnemonic(line.text());
            if (mnemonic.equals("hlt") && cpu.cpl() == 0) {
                return compareMemory(i, line, HALTED);
            }
            if (random && line.text().matches("[(f].*|int1|enter .*|ret 0x[89a-f]...|(rep[a-z]* )?ins[bwd]")) {
                // QEMU's model has instructions that ours lacks, its x87 no empty registers, its INT1 is the
                // stub's, its RET extends the sign of what it releases, its devices are others
                return new Result.Agreed(i, "no instruction");
            }
            if (random && !isMemory(cpu.segment(Segment.CS).base() + line.rip())) {
                return new Result.Agreed(i, ELSEWHERE);
            }
            if (way.size() == WAY) {
                way.removeFirst();
            }
            byte[] bytes = bytes(line);
            way.addLast("0x%x: %s  (%s)"
                    .formatted(line.rip(), line.text(), HexFormat.of().formatHex(bytes)));
            if (random && size == CodeSize.BITS64 && prefixBehindRex(bytes)) {
                return new Result.Agreed(i, "QEMU minds a REX prefix that is not the last prefix");
            }
            Cpu.Image image = cpu.save();
            boolean nullSegment = nullSegment();
            Optional<String> end = stepOurs();
            if (random && strayed) {
                return new Result.Agreed(i, ELSEWHERE);
            }
            if (end.isPresent()) {
                cpu.restore(image);
                if (!end.get().startsWith("TripleFault")) {
                    return compareMemory(i, line, end.get());
                }
                return qemu.step().isEmpty()
                        ? new Result.Agreed(i, end.get())
                        : new Result.Differed(i, line.rip(), line.text(), List.of("triple fault here, not in QEMU"));
            }
            long before = line.rip();
            Optional<CpuState> stepped = qemu.step();
            if (stepped.isEmpty()) {
                return random && mnemonic.startsWith("out")
                        ? new Result.Agreed(i, "a device of QEMU's has reset the machine")
                        : mnemonic.equals("test")
                                ? new Result.Agreed(i, NO_SECOND_TEST)
                                : new Result.Differed(
                                        i, line.rip(), line.text(), List.of("triple fault in QEMU, not here"));
            }
            CpuState there = stepped.get();
            boolean lastOfRepeat = line.text().startsWith("rep") && there.get("RIP") == before && cpu.rip() != before;
            if (lastOfRepeat) {
                // QEMU looks at the count once more before it goes on
                there = qemu.step().orElse(there);
            }
            if (ADOPTED.contains(mnemonic)) {
                adopt(there);
            }
            long flags = FLAGS & ~line.undefinedFlags() & ~0x1_0000L;
            List<CpuState.Difference> differences = CpuState.of(cpu).against(there, flags);
            Optional<String> known = random ? known(size, line.text(), nullSegment, there) : Optional.empty();
            if (known.isPresent()) {
                return new Result.Agreed(i, known.get());
            }
            if (!differences.isEmpty()) {
                List<String> text =
                        differences.stream().map(CpuState.Difference::toString).toList();
                return new Result.Differed(i, line.rip(), line.text(), text);
            }
            cpu.setRflags(cpu.rflags() & ~line.undefinedFlags() | there.get("RFLAGS") & line.undefinedFlags());
        }
        Cpu.Line next = cpu.disassemble(cpu.rip(), 1).getFirst();
        return compareMemory(most, next, ENOUGH);
    }

    /** Whether QEMU has memory at a physical address; where it has none, programs do not meet the same bytes. */
    private static boolean isMemory(long physical) {
        return physical >= 0 && physical < HOLE || physical >= ABOVE_ROM && physical < Qemu.MEMORY;
    }

    /** The bytes of an instruction, where linear addresses are physical ones. */
    private byte[] bytes(Cpu.Line line) {
        byte[] bytes = new byte[line.bytes()];
        long linear = cpu.segment(Segment.CS).base() + line.rip();
        if (linear >= 0 && linear < Qemu.MEMORY - bytes.length) {
            memory.read(linear, bytes, 0, bytes.length);
        }
        return bytes;
    }

    private static boolean prefixBehindRex(byte[] code) {
        for (int i = 0; i + 1 < code.length && (PREFIXES.contains(code[i] & 0xff) || (code[i] & 0xf0) == 0x40); i++) {
            if ((code[i] & 0xf0) == 0x40 && (PREFIXES.contains(code[i + 1] & 0xff) || (code[i + 1] & 0xf0) == 0x40)) {
                return true;
            }
        }
        return false;
    }

    /** What QEMU does otherwise than the manuals have it, if the instruction that both have executed shows it. */
    private Optional<String> known(CodeSize size, String text, boolean nullSegment, CpuState there) {
        boolean elsewhere = there.get("RIP") != cpu.rip();
        boolean refused = elsewhere && cpu.rip() == Program.HANDLERS + 16 * 13;
        boolean segmented = size != CodeSize.BITS64;
        if ((cpu.rflags() & TF) != 0) {
            return Optional.of("the stub steps too");
        }
        if (segmented && text.matches("push (es|cs|ss|ds|fs|gs)")) {
            return Optional.of("QEMU clears the upper half of what PUSH of a segment register takes");
        }
        if (elsewhere && mnemonic(text).equals("test")) {
            return Optional.of(NO_SECOND_TEST);
        }
        if (size == CodeSize.BITS16 && elsewhere && cpu.rip() == 0) {
            return Optional.of("QEMU checks no limits of segments");
        }
        if (stackFault(there)) {
            return Optional.of("#SS here, #GP in QEMU");
        }
        if (refused && nullSegment) {
            return Optional.of("QEMU does not check null segments");
        }
        if (refused && text.contains("xmmword")) {
            return Optional.of("QEMU does not check the alignment of vectors");
        }
        return refused && segmented && text.contains("cs:")
                ? Optional.of("QEMU does not check whether a segment may be written")
                : Optional.empty();
    }

    private boolean nullSegment() {
        for (int segment : new int[] {Segment.ES, Segment.DS, Segment.FS, Segment.GS}) {
            if (cpu.segment(segment).unusable()) {
                return true;
            }
        }
        return false;
    }

    /** QEMU knows no #SS for addresses that are not canonical, nor segment limits. */
    private boolean stackFault(CpuState there) {
        return cpu.rip() == Program.HANDLERS + 16 * 12 && there.get("RIP") == Program.HANDLERS + 16 * 13;
    }

    private static String mnemonic(String text) {
        String bare = text.replaceFirst("^(rep[a-z]*|lock) ", "");
        int space = bare.indexOf(' ');
        return space < 0 ? bare : bare.substring(0, space);
    }

    /** One instruction of ours; the answer tells why it cannot go on. */
    private Optional<String> stepOurs() {
        strayed = false;
        while (true) {
            VmExit exit = cpu.run(1);
            switch (exit) {
                case VmExit.Stopped stopped -> {
                    strayed = stopped.stop() == VmExit.Stop.WATCH;
                    return Optional.empty();
                }
                case VmExit.Budget _ -> {
                    return Optional.empty();
                }
                case VmExit.Io io when io.in() -> cpu.completeIn(-1);
                case VmExit.Io _ -> cpu.completeOut();
                case VmExit.Rdmsr _, VmExit.Wrmsr _ -> cpu.skip();
                default -> {
                    return Optional.of(exit.toString());
                }
            }
        }
    }

    private void adopt(CpuState there) {
        CpuState ours = CpuState.of(cpu);
        String[] names = {
            "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"
        };
        for (int i = 0; i < names.length; i++) {
            cpu.setGpr(i, there.values().getOrDefault(names[i], ours.get(names[i])));
        }
        cpu.setRflags(there.get("RFLAGS"));
        for (int number : new int[] {0, 2, 3, 4}) {
            if (cpu.cr(number) != there.get("CR" + number)) {
                cpu.setCr(number, there.get("CR" + number));
            }
        }
    }

    /** What both wrote, but for the frame of the exception that ended the program: QEMU pushes RF clear. */
    private Result compareMemory(long steps, Cpu.Line line, String why) throws IOException {
        boolean handled = cpu.rip() >= Program.HANDLERS && cpu.rip() < Program.HANDLERS + 0x1000;
        long frame = handled ? cpu.segment(Segment.SS).base() + cpu.gpr(Gpr.RSP) : -EXCEPTION_FRAME;
        byte[] ours = new byte[CHUNK];
        for (long at : touched()) {
            memory.read(at, ours, 0, CHUNK);
            byte[] theirs = qemu.read(at, CHUNK);
            for (int i = 0; i < theirs.length; i++) {
                boolean pushed = at + i >= frame && at + i < frame + EXCEPTION_FRAME;
                if (ours[i] != theirs[i] && !pushed) {
                    String text = "memory at 0x%x: 0x%02x here, 0x%02x in QEMU"
                            .formatted(at + i, ours[i] & 0xff, theirs[i] & 0xff);
                    return new Result.Differed(steps, line.rip(), line.text(), List.of(text));
                }
            }
        }
        if (handled) {
            byte[] pushed = qemu.read(frame, EXCEPTION_FRAME);
            memory.write(frame, pushed, 0, pushed.length);
        }
        return new Result.Agreed(steps, why);
    }

    @Override
    public void close() throws IOException {
        qemu.close();
    }
}
