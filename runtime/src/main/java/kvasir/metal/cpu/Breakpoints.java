package kvasir.metal.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Debug registers at work (Intel SDM volume 3, "Debug Registers"), and the breakpoints of whoever debugs the guest from
 * outside. With DR7 clear and nobody outside nothing here is asked on the way of an instruction.
 *
 * <p>A page with a watched address never enters the software TLB, so that only accesses to it come here. A hit met at full
 * speed unwinds the instruction, which then runs again alone; its hits are remembered and become a trap behind it.
 */
final class Breakpoints {
    /** Conditions of DR6: general detect, single step, task switch. */
    static final int BD = 1 << 13;

    static final int BS = 1 << 14;
    static final int BT = 1 << 15;

    private static final int BREAKPOINTS = 15;
    private static final int GENERAL_DETECT = 1 << 13;
    private static final int ENABLES = 0xff;

    /** Among the bits of DR6 in {@link #hits}: a breakpoint of the debugger outside. */
    private static final int OUTSIDE = 1 << 30;

    /** What a breakpoint waits for; the order is that of the R/W fields of DR7. */
    enum Kind {
        EXECUTE,
        WRITE,
        PORT,
        ACCESS
    }

    /**
     * @param first linear address, or port
     * @param last the last address it covers
     * @param hit its bit in DR6, or {@link #OUTSIDE}
     * @param enabled whether DR7 enables it; one that is not still shows in DR6 when another one hits
     */
    private record Entry(Kind kind, long first, long last, int hit, boolean enabled) {
        boolean covers(long from, long to) {
            return Long.compareUnsigned(from, last) <= 0 && Long.compareUnsigned(first, to) <= 0;
        }
    }

    private final Cpu c;
    private final List<Entry> outside = new ArrayList<>();
    private List<Entry> entries = List.of();

    /** DR0 to DR3 and DR7 that the hypervisor puts in the place of the guest's (KVM_GUESTDBG_USE_HW_BP). */
    private Optional<long[]> forced = Optional.empty();

    /** Whether an instruction can match, and whether data can. */
    boolean code;

    boolean data;

    /** The running instruction runs alone: hits are remembered, its own instruction breakpoint is behind it. */
    boolean alone;

    /** Set by an instruction behind which no trap may follow, because an event was delivered. */
    boolean trapLost;

    /** Conditions of a debug trap that waits to be delivered. */
    int traps;

    /** What the debugger outside is to see before the next instruction. */
    Optional<VmExit> stop = Optional.empty();

    /** The debugger outside wants to see every instruction. */
    boolean steps;

    /** The next instruction runs although there is a breakpoint of the debugger outside: it was told. */
    boolean resume;

    private int hits;
    private long hitAddress;

    Breakpoints(Cpu c) {
        this.c = c;
    }

    /** Follows a change of DR0 to DR3, of DR7, of CR4.DE, or of the breakpoints outside. */
    void follow() {
        long[] dr = forced.orElse(c.sys.dr);
        long dr7 = dr[7];
        var found = new ArrayList<>(outside);
        for (int i = 0; i < 4 && (dr7 & ENABLES) != 0; i++) {
            Kind kind = Kind.values()[(int) (dr7 >> 16 + 4 * i) & 3];
            boolean enabled = (dr7 >> 2 * i & 3) != 0;
            if (kind != Kind.PORT || (c.sys.cr4 & Bits.CR4_DE) != 0) {
                int code = (int) (dr7 >> 18 + 4 * i) & 3;
                int bytes = kind == Kind.EXECUTE ? 1 : code == 2 ? 8 : code + 1;
                long first = dr[i] & -bytes;
                found.add(new Entry(kind, first, first + bytes - 1, 1 << i, enabled));
            }
        }
        boolean changed = !found.equals(entries);
        entries = List.copyOf(found);
        code = found.stream().anyMatch(e -> e.kind() == Kind.EXECUTE && e.enabled());
        data = found.stream().anyMatch(e -> (e.kind() == Kind.WRITE || e.kind() == Kind.ACCESS) && e.enabled());
        if (changed) {
            c.mem.flush();
        }
        c.updateMode();
    }

    /** The hypervisor's registers instead of the guest's: eight, of which 0 to 3 and 7 count; empty ends that. */
    void force(Optional<long[]> registers) {
        forced = registers;
        follow();
    }

    /** DR7 in force. */
    long dr7() {
        return forced.orElse(c.sys.dr)[7];
    }

    /** False if it is there already. */
    boolean addOutside(Kind kind, long first, long last) {
        var entry = new Entry(kind, first, last, OUTSIDE, true);
        if (outside.contains(entry)) {
            return false;
        }
        outside.add(entry);
        follow();
        return true;
    }

    void removeBreak(long linear) {
        outside.removeIf(e -> e.kind() == Kind.EXECUTE && e.first() == linear);
        follow();
    }

    void clearOutside() {
        outside.clear();
        follow();
    }

    private int matches(Kind kind, Kind other, long from, long to) {
        int all = 0;
        boolean enabled = false;
        for (Entry entry : entries) {
            if ((entry.kind() == kind || entry.kind() == other) && entry.covers(from, to)) {
                all |= entry.hit();
                enabled |= entry.enabled();
                hitAddress = entry.hit() == OUTSIDE ? entry.first() : hitAddress;
            }
        }
        return enabled ? all : 0;
    }

    /** Index of the first instruction of a block that a breakpoint waits for; {@code count} if there is none. */
    int firstIn(Block block, long start, int count) {
        for (int i = alone ? 1 : 0; i < count; i++) {
            long linear = c.codeLinear(start + block.starts[i]);
            if (matches(Kind.EXECUTE, Kind.EXECUTE, linear, linear) != 0) {
                return i;
            }
        }
        return count;
    }

    /** Conditions that executing the instruction at {@code linear} meets, the outside one included. */
    int atInstruction(long linear) {
        return code ? matches(Kind.EXECUTE, Kind.EXECUTE, linear, linear) : 0;
    }

    /** Whether {@link #atInstruction}'s answer is for the debugger outside. */
    static boolean isOutside(int conditions) {
        return (conditions & OUTSIDE) != 0;
    }

    /** Whether a page must stay out of the TLB. */
    boolean watchesPage(long linear) {
        if (!data) {
            return false;
        }
        for (Entry entry : entries) {
            boolean waits = entry.kind() == Kind.WRITE || entry.kind() == Kind.ACCESS;
            if (waits && entry.covers(linear & -4096, linear | 4095)) {
                return true;
            }
        }
        return false;
    }

    /** An access that is about to happen. */
    void touch(long linear, int bytes, boolean write) {
        if (!data) {
            return;
        }
        int hit = matches(Kind.ACCESS, write ? Kind.WRITE : Kind.ACCESS, linear, linear + bytes - 1);
        if (hit == 0) {
            return;
        }
        if (!alone) {
            c.interpreter.runAlone();
            throw c.stale();
        }
        hits |= hit;
    }

    /** An IN or OUT that has happened. */
    void port(int port, int bytes) {
        traps |= matches(Kind.PORT, Kind.PORT, port, port + bytes - 1);
    }

    /** Forgets what an instruction touched that has not happened. */
    void dropHits() {
        hits = 0;
    }

    /** The instruction that ran alone has retired: what it touched becomes a trap, or a stop. */
    void retire() {
        int found = hits;
        hits = 0;
        if (isOutside(found)) {
            stop = Optional.of(new VmExit.Stopped(VmExit.Stop.WATCH, hitAddress, c.codeLinear(c.ip)));
        } else if (steps) {
            stop = Optional.of(new VmExit.Stopped(VmExit.Stop.STEP, c.codeLinear(c.ip), c.codeLinear(c.ip)));
        }
        traps |= trapLost ? 0 : found & ~OUTSIDE;
    }

    /** Puts the conditions of a debug exception into DR6, as it is delivered. */
    void record(int conditions) {
        // the other bits are sticky; AMD processors keep these too
        long kept = c.model.amd() ? c.sys.dr[6] : c.sys.dr[6] & ~BREAKPOINTS;
        c.sys.dr[6] = kept | conditions & ~OUTSIDE;
    }

    /** A debug exception was delivered: its handler may use debug registers, and branches are no longer traced. */
    void delivered() {
        c.sys.dr[7] &= ~(long) GENERAL_DETECT;
        c.sys.debugControl &= ~3L;
    }

    /** SYSCALL and SYSRET have replaced the flags: the new TF decides about the trap behind them. */
    void trapByNewFlags() {
        trapLost = true;
        traps |= (c.sys.flags & Bits.TF) != 0 ? BS : 0;
    }
}
