package kvasir.metal.cpu;

import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * What one user-mode instruction can see and change: general registers and flags, x87 and vector state, scratch memory,
 * and the exception it raised.
 */
final class SiliconState {
    static final int FLAGS = 16;
    private static final int MXCSR = 24;
    private static final int XMM = 160;
    private static final int STATE_COMPONENTS = 512;
    private static final int YMM_HIGH = 576;

    /** RAX to R15 and RFLAGS. */
    final long[] r = new long[17];

    /** An XSAVE area in the standard format, with components 0 to 2. */
    final byte[] extended = new byte[HostProcessor.EXTENDED_BYTES];

    final byte[] scratch = new byte[HostProcessor.SCRATCH_BYTES];

    /** Vector of the exception, or {@link HostProcessor#NO_FAULT}. */
    int fault = HostProcessor.NO_FAULT;

    /** The initial state: zeros, all exceptions masked. */
    SiliconState() {
        put(extended, 0, 2, 0x37f);
        put(extended, MXCSR, 4, 0x1f80);
        put(extended, STATE_COMPONENTS, 8, 7);
    }

    SiliconState copy() {
        var copy = new SiliconState();
        System.arraycopy(r, 0, copy.r, 0, r.length);
        System.arraycopy(extended, 0, copy.extended, 0, extended.length);
        System.arraycopy(scratch, 0, copy.scratch, 0, scratch.length);
        copy.fault = fault;
        return copy;
    }

    static void put(byte[] to, int at, int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            to[at + i] = (byte) (value >>> 8 * i);
        }
    }

    static long get(byte[] from, int at, int bytes) {
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (from[at + i] & 0xffL) << 8 * i;
        }
        return value;
    }

    int mxcsr() {
        return (int) get(extended, MXCSR, 4);
    }

    void setMxcsr(int value) {
        put(extended, MXCSR, 4, value);
    }

    /** Word {@code word}, 0 to 3, of YMM register {@code register}. */
    long ymm(int register, int word) {
        return get(extended, place(register, word), 8);
    }

    void setYmm(int register, int word, long value) {
        put(extended, place(register, word), 8, value);
    }

    private static int place(int register, int word) {
        return (word < 2 ? XMM : YMM_HIGH) + 16 * register + 8 * (word & 1);
    }

    /**
     * Clears what may differ without meaning: undefined flags, what 32-bit code cannot see, reserved bytes.
     *
     * @param definedFlags the flags that count
     */
    void forget(boolean bits32, long definedFlags) {
        r[FLAGS] &= definedFlags;
        for (int i = 0; bits32 && i < 16; i++) {
            r[i] = i < 8 ? r[i] & 0xffff_ffffL : 0;
            for (int word = 0; i >= 8 && word < 4; word++) {
                setYmm(i, word, 0);
            }
        }
        // where the code was, and what a switch of tasks on the host loses
        Arrays.fill(extended, 6, MXCSR, (byte) 0);
        put(extended, MXCSR + 4, 4, 0);
        Arrays.fill(extended, 416, 512, (byte) 0);
        Arrays.fill(extended, STATE_COMPONENTS, YMM_HIGH, (byte) 0);
    }

    boolean same(SiliconState other) {
        return fault == other.fault
                && Arrays.equals(r, other.r)
                && Arrays.equals(extended, other.extended)
                && Arrays.equals(scratch, other.scratch);
    }

    /** 32 bits of everything. */
    int checksum() {
        var sum = new CRC32C();
        byte[] registers = new byte[8 * r.length + 1];
        for (int i = 0; i < r.length; i++) {
            put(registers, 8 * i, 8, r[i]);
        }
        registers[8 * r.length] = (byte) fault;
        sum.update(registers);
        sum.update(extended);
        sum.update(scratch);
        return (int) sum.getValue();
    }

    /** Where this differs from {@code other}, which began as {@code start}. */
    String difference(SiliconState other, SiliconState start) {
        var text = new StringBuilder();
        if (fault != other.fault) {
            text.append(" fault: ours ").append(fault).append(" host ").append(other.fault);
        }
        for (int i = 0; i < 17; i++) {
            if (r[i] != other.r[i]) {
                String name = i == FLAGS ? "flags" : "r" + i;
                text.append(" %s: %x -> ours %x host %x".formatted(name, start.r[i], r[i], other.r[i]));
            }
        }
        if (mxcsr() != other.mxcsr()) {
            text.append(" mxcsr: %x -> ours %x host %x".formatted(start.mxcsr(), mxcsr(), other.mxcsr()));
        }
        for (int i = 0; i < 16; i++) {
            if (!vector(i).equals(other.vector(i))) {
                text.append(" ymm%d: %s -> ours %s host %s".formatted(i, start.vector(i), vector(i), other.vector(i)));
            }
        }
        int x87 = Arrays.mismatch(Arrays.copyOf(extended, MXCSR), Arrays.copyOf(other.extended, MXCSR));
        int stack = Arrays.mismatch(Arrays.copyOfRange(extended, 32, XMM), Arrays.copyOfRange(other.extended, 32, XMM));
        if (x87 >= 0 || stack >= 0) {
            text.append(" x87 area differs at " + (x87 >= 0 ? x87 : 32 + stack));
        }
        int memory = Arrays.mismatch(scratch, other.scratch);
        if (memory >= 0) {
            text.append(" memory differs at " + Integer.toHexString(memory));
        }
        return text.toString();
    }

    /** A YMM register, most significant word first. */
    String vector(int register) {
        return "%016x_%016x_%016x_%016x"
                .formatted(ymm(register, 3), ymm(register, 2), ymm(register, 1), ymm(register, 0));
    }

    /** Gives this state to the processor of {@code bench}, at {@link Bench#CODE}. */
    void load(Bench bench, long scratchAt) {
        Cpu cpu = bench.cpu;
        bench.memory.write(scratchAt, scratch, 0, scratch.length);
        for (int i = 0; i < 16; i++) {
            cpu.setGpr(i, r[i]);
        }
        cpu.setRflags(r[FLAGS]);
        for (int i = 0; i < 16; i++) {
            for (int word = 0; word < 4; word++) {
                cpu.sys.ymm[4 * i + word] = ymm(i, word);
            }
        }
        cpu.setMxcsr(mxcsr());
        bench.memory.write(Bench.EXTENDED, extended, 0, extended.length);
        XStateArea.restoreX87(cpu, Bench.EXTENDED, true);
        cpu.setRip(Bench.CODE);
    }

    /** Runs the instruction at {@link Bench#CODE} of {@code bench} in our processor, on this state. */
    void run(Bench bench, long scratchAt, FaultWatch watch) {
        Cpu cpu = bench.cpu;
        load(bench, scratchAt);
        watch.vector = HostProcessor.NO_FAULT;
        VmExit exit = cpu.run(1000);
        fault = watch.vector;
        if (!(exit instanceof VmExit.Hlt) && !(exit instanceof VmExit.TripleFault)) {
            throw new AssertionError(exit + " at " + cpu.disassembly());
        }
        for (int i = 0; i < 16; i++) {
            r[i] = cpu.gpr(i);
        }
        r[FLAGS] = cpu.rflags();
        XStateArea.saveX87(cpu, Bench.EXTENDED, true);
        bench.memory.read(Bench.EXTENDED, extended, 0, XMM);
        setMxcsr(cpu.sys.mxcsr);
        for (int i = 0; i < 16; i++) {
            for (int word = 0; word < 4; word++) {
                setYmm(i, word, cpu.sys.ymm[4 * i + word]);
            }
        }
        bench.memory.read(scratchAt, scratch, 0, scratch.length);
    }

    /** Remembers the first exception since {@code vector} was reset; the others come of its delivery. */
    static final class FaultWatch {
        int vector = HostProcessor.NO_FAULT;

        FaultWatch(Bench bench) {
            bench.events.add((sequence, event) -> {
                if (event instanceof ExceptionRaised raised && vector == HostProcessor.NO_FAULT) {
                    vector = raised.vector();
                }
            });
        }
    }
}
