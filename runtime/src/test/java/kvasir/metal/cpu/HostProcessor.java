package kvasir.metal.cpu;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import kvasir.metal.cpu.isa.Assembled;
import kvasir.metal.cpu.isa.AssemblyText;
import kvasir.metal.cpu.isa.CodeSize;

/**
 * The processor that this JVM runs on, as an oracle: executes one user-mode instruction with given registers, flags and
 * memory. Only where the host is x86-64 Linux.
 */
final class HostProcessor {
    static final int SCRATCH_BYTES = 0x2000;
    /** Bytes of an XSAVE area with x87, SSE and AVX state. */
    static final int EXTENDED_BYTES = 832;

    private static final byte[] RETURN = {(byte) 0xc3};
    private static final int GUEST_AREA = 0x1000;
    private static final int JAVA_AREA = 0x2000;
    private static final long MEBIBYTE = 1 << 20;

    /** What a run without fault answers. */
    static final int NO_FAULT = -1;

    private static final int FAULT = 0x118;
    private static final int CONTINUATION = 0x110;
    private static final int HANDLERS_BEFORE = 0x200;
    private static final int SIGNAL_ARGUMENT = 0x400;
    private static final int HANDLER = 0x800;
    private static final int SIGNAL_STACK = 0x1_0000;
    private static final long SIGNAL_STACK_BYTES = 0x4_0000;
    private static final int SIGILL = 4;
    private static final int SIGBUS = 7;
    private static final int SIGFPE = 8;
    private static final int SIGSEGV = 11;
    private static final int SA_FLAGS_AT = 136;
    private static final int SA_SIGINFO = 4;
    private static final int SA_ONSTACK = 0x0800_0000;
    /** MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE. */
    private static final int PRIVATE_ANONYMOUS_HERE = 0x10_0022;

    /** The generated code addresses its memory with 31 bits; where in them the JVM's own reservations lie is random. */
    private static final long LOWEST = 0x1000_0000L;

    private static final long HIGHEST = 0x7f00_0000L;
    private static final List<String> REGISTERS = List.of(
            "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
            "r15");

    private final MemorySegment all = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    /** Address of the state, of the scratch memory 1 MiB above, and of the code 2 MiB above; below 2^31. */
    private final long base;

    private final MethodHandle call;
    private final byte[] prologue32;
    private final byte[] prologue;
    private final byte[] epilogue;
    private final Set<String> features;
    private final byte[] enter;
    private final byte[] leave;
    private long codeAddress;

    private HostProcessor(
            long base, MethodHandle call, byte[] prologue32, byte[] prologue, byte[] epilogue, Set<String> features) {
        enter = joined(extended(4, base + JAVA_AREA), extended(5, base + GUEST_AREA));
        leave = joined(extended(4, base + GUEST_AREA), extended(5, base + JAVA_AREA));
        this.base = base;
        this.call = call;
        this.prologue32 = prologue32;
        this.prologue = prologue;
        this.epilogue = epilogue;
        this.features = features;
    }

    /** Why there is no host processor to compare with, or empty if there is one. */
    static Optional<String> missing() {
        boolean x86 = Set.of("amd64", "x86_64").contains(System.getProperty("os.arch"));
        boolean linux = System.getProperty("os.name").equals("Linux");
        return x86 && linux ? Optional.empty() : Optional.of("the host is not x86-64 Linux");
    }

    static HostProcessor open() throws IOException {
        Linker linker = Linker.nativeLinker();
        MethodHandle mmap = linker.downcallHandle(
                linker.defaultLookup().find("mmap").orElseThrow(),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_LONG));
        long base = -1;
        try {
            for (long hint = LOWEST; base == -1 && hint <= HIGHEST; hint += 16 * MEBIBYTE) {
                base = (long) mmap.invokeExact(hint, 3 * MEBIBYTE, 7, PRIVATE_ANONYMOUS_HERE, -1, 0L);
            }
        } catch (Throwable e) {
            throw new IOException(e);
        }
        if (base == -1) {
            throw new IOException("mmap gives no executable memory");
        }
        String flags = "[0x" + Long.toHexString(base + 0x80) + "]";
        String stack = "[0x" + Long.toHexString(base + 0x100) + "]";
        MethodHandle call =
                linker.downcallHandle(MemorySegment.ofAddress(base + 2 * MEBIBYTE), FunctionDescriptor.ofVoid());
        var before = new StringBuilder();
        for (String saved : List.of("rbx", "rbp", "r12", "r13", "r14", "r15")) {
            before.append("push ").append(saved).append('\n');
        }
        before.append("mov " + stack + ", rsp\npush qword " + flags + "\npopfq\n");
        var after = new StringBuilder();
        for (int i = 0; i < 16; i++) {
            String memory = "[0x" + Long.toHexString(base + 8L * i) + "]";
            before.append("mov ")
                    .append(REGISTERS.get(i))
                    .append(", ")
                    .append(memory)
                    .append('\n');
            after.append("mov ")
                    .append(memory)
                    .append(", ")
                    .append(REGISTERS.get(i))
                    .append('\n');
        }
        after.append("mov rsp, " + stack + "\npushfq\npop qword " + flags + "\ncld\n");
        for (String saved : List.of("r15", "r14", "r13", "r12", "rbp", "rbx")) {
            after.append("pop ").append(saved).append('\n');
        }
        String far = "[0x" + Long.toHexString(base + 0x108) + "]";
        String to32 = "mov eax, 0x2b\nmov ds, ax\nmov es, ax\n" + before + "jmpf " + far + "\n";
        return new HostProcessor(
                base, call, assemble(to32), assemble(before.toString()), assemble(after.toString()), hostFeatures());
    }

    /** XSAVE64 ({@code reg} 4) or XRSTOR64 (5) of components 0 to 2; changes EAX and EDX. */
    private static byte[] extended(int reg, long area) {
        return assemble("mov eax, 7\nmov edx, 0\ndb 0x48, 0x0f, 0xae, " + (reg << 3 | 4) + ", 0x25\ndd " + area);
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    private static byte[] assemble(String text) {
        Assembled assembled = AssemblyText.assemble(CodeSize.BITS64, 0, text);
        if (!assembled.ok()) {
            throw new IllegalStateException(assembled.errors().toString());
        }
        return assembled.code().toArray();
    }

    private static Set<String> hostFeatures() throws IOException {
        var found = new TreeSet<String>();
        for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
            if (line.startsWith("flags")) {
                found.addAll(Arrays.asList(line.split("\\s+", -1)));
            }
        }
        return found;
    }

    /** Where the code of the last run was. */
    long codeAddress() {
        return codeAddress;
    }

    /** Address of the memory that instructions may use. */
    long scratch() {
        return base + MEBIBYTE;
    }

    /** Whether it has AVX-VNNI's instructions in their EVEX encodings only. */
    boolean vnniOfAvx512() {
        return features.contains("avx512_vnni") && features.contains("avx512vl") && !features.contains("avx_vnni");
    }

    boolean has(CpuidModel.Feature feature) {
        String name = feature.name().toLowerCase(Locale.ROOT);
        return switch (feature) {
            case CLFSH -> features.contains("clflush");
            case LZCNT -> features.contains("abm") || features.contains("lzcnt");
            case SSE3 -> features.contains("pni");
            case SHA -> features.contains("sha_ni");
            case FFXSR -> features.contains("fxsr_opt");
            case AVX_VNNI -> features.contains(name) || vnniOfAvx512();
            default -> features.contains(name);
        };
    }

    /**
     * Runs {@code code} with registers 0 to 15 and flags in {@code state[16]}; leaves the results there. 32-bit code runs
     * in Linux's compatibility-mode segment, and only the low halves of registers 0 to 7 come back.
     */
    void run(boolean bits32, byte[] code, int length, long[] state, byte[] scratch) {
        put(state, scratch);
        execute(bits32, code, length, new byte[0], new byte[0]);
        get(state, scratch);
    }

    /**
     * As {@link #run(boolean, byte[], int, long[], byte[])}, with x87 and vector state too. On a thread that called
     * {@link #catchFaults} the code may fault.
     *
     * @param extended an XSAVE area in the standard format, {@link #EXTENDED_BYTES} long, read and replaced
     * @return the vector of the exception that the code raised, or {@link #NO_FAULT}
     */
    int run(boolean bits32, byte[] code, int length, long[] state, byte[] scratch, byte[] extended) {
        put(state, scratch);
        MemorySegment.copy(extended, 0, all, ValueLayout.JAVA_BYTE, base + GUEST_AREA, EXTENDED_BYTES);
        execute(bits32, code, length, enter, leave);
        get(state, scratch);
        MemorySegment.copy(all, ValueLayout.JAVA_BYTE, base + GUEST_AREA, extended, 0, EXTENDED_BYTES);
        return (int) all.get(ValueLayout.JAVA_LONG, base + FAULT);
    }

    /**
     * From now on a fault of the code that {@link #run(boolean, byte[], int, long[], byte[], byte[])} executes on this
     * thread ends the run; other faults go to the handlers that the JVM has.
     */
    void catchFaults() throws IOException {
        Linker linker = Linker.nativeLinker();
        MethodHandle sigaction = linker.downcallHandle(
                linker.defaultLookup().find("sigaction").orElseThrow(),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        MethodHandle sigaltstack = linker.downcallHandle(
                linker.defaultLookup().find("sigaltstack").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        byte[] handler = assemble(handler());
        append(base + HANDLER, handler, handler.length);
        long argument = base + SIGNAL_ARGUMENT;
        all.set(ValueLayout.JAVA_LONG, argument, base + SIGNAL_STACK);
        all.set(ValueLayout.JAVA_LONG, argument + 8, 0);
        all.set(ValueLayout.JAVA_LONG, argument + 16, SIGNAL_STACK_BYTES);
        try {
            int failed = (int) sigaltstack.invokeExact(argument, 0L);
            for (int signal : new int[] {SIGILL, SIGBUS, SIGFPE, SIGSEGV}) {
                failed |= (int) sigaction.invokeExact(signal, 0L, argument);
                all.set(
                        ValueLayout.JAVA_LONG,
                        base + HANDLERS_BEFORE + 8L * signal,
                        all.get(ValueLayout.JAVA_LONG, argument));
                all.set(ValueLayout.JAVA_LONG, argument, base + HANDLER);
                all.set(
                        ValueLayout.JAVA_INT,
                        argument + SA_FLAGS_AT,
                        all.get(ValueLayout.JAVA_INT, argument + SA_FLAGS_AT) | SA_SIGINFO | SA_ONSTACK);
                failed |= (int) sigaction.invokeExact(signal, argument, 0L);
            }
            if (failed != 0) {
                throw new IOException("signals cannot be caught");
            }
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IOException(e);
        }
    }

    /** Takes (signal, siginfo, ucontext); offsets are those of Linux's ucontext_t on x86-64. */
    private String handler() {
        return """
                mov rax, [rdx + 168]
                mov ecx, %1$#x
                sub rax, rcx
                cmp rax, %2$#x
                jae other
                mov rax, [rdx + 200]
                mov [%3$#x], rax
                mov rax, [%4$#x]
                mov [rdx + 168], rax
                mov word [rdx + 184], 0x33
                ret
                other: movsxd rax, edi
                mov rax, [rax*8 + %5$#x]
                jmp rax
                """.formatted(base + 2 * MEBIBYTE, MEBIBYTE, base + FAULT, base + CONTINUATION, base + HANDLERS_BEFORE);
    }

    private void put(long[] state, byte[] scratch) {
        for (int i = 0; i < 17; i++) {
            all.set(ValueLayout.JAVA_LONG, base + 8L * i, state[i]);
        }
        MemorySegment.copy(scratch, 0, all, ValueLayout.JAVA_BYTE, scratch(), SCRATCH_BYTES);
    }

    private void get(long[] state, byte[] scratch) {
        for (int i = 0; i < 17; i++) {
            state[i] = all.get(ValueLayout.JAVA_LONG, base + 8L * i);
        }
        MemorySegment.copy(all, ValueLayout.JAVA_BYTE, scratch(), scratch, 0, SCRATCH_BYTES);
    }

    private void execute(boolean bits32, byte[] code, int length, byte[] before, byte[] after) {
        long at = base + 2 * MEBIBYTE;
        at = append(at, before, Integer.MAX_VALUE);
        at = append(at, bits32 ? prologue32 : prologue, Integer.MAX_VALUE);
        all.set(ValueLayout.JAVA_INT, base + 0x108, (int) at);
        all.set(ValueLayout.JAVA_SHORT, base + 0x10c, (short) 0x23);
        codeAddress = at;
        at = append(at, code, length);
        if (bits32) {
            byte[] back = {(byte) 0xea, 0, 0, 0, 0, 0x33, 0};
            for (int i = 0; i < 4; i++) {
                back[1 + i] = (byte) ((at + back.length) >>> (8 * i));
            }
            at = append(at, back, back.length);
        }
        all.set(ValueLayout.JAVA_LONG, base + CONTINUATION, at);
        all.set(ValueLayout.JAVA_LONG, base + FAULT, NO_FAULT);
        at = append(at, epilogue, Integer.MAX_VALUE);
        at = append(at, after, Integer.MAX_VALUE);
        append(at, RETURN, 1);
        try {
            call.invokeExact();
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private long append(long at, byte[] code, int most) {
        int length = Math.min(most, code.length);
        MemorySegment.copy(code, 0, all, ValueLayout.JAVA_BYTE, at, length);
        return at + length;
    }
}
