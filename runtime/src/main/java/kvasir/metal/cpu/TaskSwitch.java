package kvasir.metal.cpu;

import java.util.OptionalInt;
import kvasir.metal.cpu.Segments.Descriptor;

/**
 * Hardware task switches (Intel SDM volume 3, "Task Management"): to a 16- or 32-bit TSS, by JMP, CALL, an event's task
 * gate, or IRET with NT set.
 *
 * <p>What can refuse before the state of the new task is loaded leaves the old task as it was. What refuses afterwards
 * does so in the new task ({@link Unwind#switched}).
 */
final class TaskSwitch {
    private static final int LARGE_LIMIT = 0x67;
    private static final int SMALL_LIMIT = 0x2b;
    private static final int BUSY = 2;
    private static final long LOCAL_ENABLES = 0x155;
    private static final int[] SEGMENTS = {Segment.ES, Segment.CS, Segment.SS, Segment.DS, Segment.FS, Segment.GS};

    /** What switches. */
    enum Reason {
        JUMP,
        CALL,
        EVENT,
        RETURN;

        boolean nests() {
            return this == CALL || this == EVENT;
        }
    }

    private final Cpu c;
    private final SystemState before = new SystemState();
    private final long[] registers = new long[18];

    TaskSwitch(Cpu c) {
        this.c = c;
    }

    /** What the TSS of the new task holds. */
    private static final class Incoming {
        final boolean wide;
        final long[] gpr = new long[8];
        final int[] selectors = new int[6];
        long cr3;
        long ip;
        int flags;
        int ldt;
        int trap;

        Incoming(boolean wide) {
            this.wide = wide;
        }
    }

    /** JMP or CALL to a TSS or through a task gate, whose descriptor is {@code d}; {@code next} is the return address. */
    void transfer(int selector, Descriptor d, Reason reason, long next) {
        if (d.dpl() < c.cpl || d.dpl() < (selector & 3)) {
            throw c.exception(Vector.GP, selector & 0xfffc);
        }
        int target = selector;
        if (d.type() == 5) {
            if (!d.present()) {
                throw c.exception(Vector.NP, selector & 0xfffc);
            }
            target = (int) (d.raw() >>> 16) & 0xffff;
        }
        to(target, reason, next, OptionalInt.empty(), 0);
    }

    /** An event through the task gate {@code gate} of the IDT; the present IP is what the old task goes on with. */
    void event(Descriptor gate, OptionalInt errorCode, int external) {
        to((int) (gate.raw() >>> 16) & 0xffff, Reason.EVENT, c.ip, errorCode, external);
    }

    /** IRET with NT set: back to the task that the TSS links to; {@code next} is where this one goes on. */
    void back(long next) {
        int link = (int) c.segments.systemLoad(c.sys.base[Segment.TR], 2);
        to(link, Reason.RETURN, next, OptionalInt.empty(), 0);
    }

    private void to(int selector, Reason reason, long next, OptionalInt errorCode, int external) {
        int error = selector & 0xfffc | external;
        int refusal = reason == Reason.RETURN ? Vector.TS : Vector.GP;
        if ((selector & 4) != 0 || (selector & 0xfffc) == 0) {
            throw c.exception(refusal, error);
        }
        Descriptor d = c.segments.descriptor(selector, refusal, external);
        int wanted = reason == Reason.RETURN ? 3 : 1;
        if (d.codeOrData() || (d.type() & 7) != wanted) {
            throw c.exception(refusal, error);
        }
        if (!d.present()) {
            throw c.exception(Vector.NP, error);
        }
        boolean wide = (d.type() & 8) != 0;
        if ((d.limit() & 0xffff_ffffL) < (wide ? LARGE_LIMIT : SMALL_LIMIT)) {
            throw c.exception(Vector.TS, error);
        }
        boolean oldWide = (c.sys.access[Segment.TR] & 8) != 0;
        if ((c.sys.limit[Segment.TR] & 0xffff_ffffL) < (oldWide ? 0x5f : 0x29)) {
            throw c.exception(Vector.TS, error);
        }
        Incoming incoming = read(d.base(), wide);
        int oldSelector = c.sys.selector[Segment.TR];
        long oldTss = c.sys.base[Segment.TR];
        long oldEntry = c.segments.descriptorAddress(oldSelector, 8, Vector.TS, external) + 5;
        long newEntry = c.segments.descriptorAddress(selector, 8, Vector.TS, external) + 5;
        probe(oldTss, oldWide, oldEntry, newEntry, d.base(), reason);
        // from here on the old task is left
        save(oldTss, oldWide, next, reason == Reason.RETURN);
        if (!reason.nests()) {
            mark(oldEntry, false);
        }
        if (reason != Reason.RETURN) {
            mark(newEntry, true);
        }
        if (reason.nests()) {
            c.segments.systemStore(d.base(), 2, oldSelector);
        }
        remember();
        long oldIp = c.ip;
        int oldStatus = Flags.status(c);
        try {
            c.segments.set(Segment.TR, selector, d);
            c.sys.access[Segment.TR] |= BUSY;
            load(incoming, reason);
            errorCode.ifPresent(code -> push(code, wide));
        } catch (Unwind u) {
            if (u.kind == Unwind.Kind.EXIT) {
                // the hypervisor will map what is missing, and the whole switch happens again
                restore(oldIp, oldStatus);
                if (!reason.nests()) {
                    mark(oldEntry, true);
                }
                if (reason != Reason.RETURN) {
                    mark(newEntry, false);
                }
            } else {
                u.switched = true;
            }
            throw u;
        }
    }

    private Incoming read(long tss, boolean wide) {
        var in = new Incoming(wide);
        for (int i = 0; i < 8; i++) {
            in.gpr[i] = wide ? load(tss + 0x28 + 4 * i, 4) : load(tss + 0x12 + 2 * i, 2);
        }
        for (int i = 0; i < (wide ? 6 : 4); i++) {
            in.selectors[i] = (int) load(wide ? tss + 0x48 + 4 * i : tss + 0x22 + 2 * i, 2);
        }
        in.cr3 = wide ? load(tss + 0x1c, 4) : 0;
        in.ip = wide ? load(tss + 0x20, 4) : load(tss + 0x0e, 2);
        in.flags = (int) (wide ? load(tss + 0x24, 4) : load(tss + 0x10, 2));
        in.ldt = (int) load(wide ? tss + 0x60 : tss + 0x2a, 2);
        in.trap = wide ? (int) load(tss + 0x64, 2) : 0;
        return in;
    }

    private long load(long linear, int bytes) {
        return c.segments.systemLoad(c.wrap(linear), bytes);
    }

    /** Unwinds if one of the stores that leave the old task would be refused. */
    private void probe(long oldTss, boolean oldWide, long oldEntry, long newEntry, long newTss, Reason reason) {
        c.mem.asSystem();
        try {
            int first = oldWide ? 0x20 : 0x0e;
            int last = oldWide ? 0x5f : 0x29;
            c.mem.probeWrite(c.wrap(oldTss + first), 1);
            c.mem.probeWrite(c.wrap(oldTss + last), 1);
            if (!reason.nests()) {
                c.mem.probeWrite(oldEntry, 1);
            }
            if (reason != Reason.RETURN) {
                c.mem.probeWrite(newEntry, 1);
            }
            if (reason.nests()) {
                c.mem.probeWrite(newTss, 2);
            }
        } finally {
            c.updatePrivilege();
        }
    }

    private void mark(long entry, boolean busy) {
        c.segments.systemChange(entry, BUSY, busy);
    }

    private void save(long tss, boolean wide, long next, boolean returns) {
        int flags = c.eflags() & (returns ? ~Bits.NT : -1);
        int bytes = wide ? 4 : 2;
        store(tss + (wide ? 0x20 : 0x0e), bytes, next);
        store(tss + (wide ? 0x24 : 0x10), bytes, flags);
        for (int i = 0; i < 8; i++) {
            store(tss + (wide ? 0x28 : 0x12) + (long) bytes * i, bytes, c.r[i]);
        }
        for (int i = 0; i < (wide ? 6 : 4); i++) {
            store(tss + (wide ? 0x48 : 0x22) + (long) bytes * i, 2, c.sys.selector[SEGMENTS[i]]);
        }
    }

    private void store(long linear, int bytes, long value) {
        c.segments.systemStore(c.wrap(linear), bytes, value);
    }

    private void remember() {
        before.copyFrom(c.sys);
        System.arraycopy(c.r, 0, registers, 0, registers.length);
    }

    private void restore(long ip, int status) {
        c.sys.copyFrom(before);
        System.arraycopy(registers, 0, c.r, 0, registers.length);
        c.ip = ip;
        Flags.setStatus(c, status);
        c.updateMode();
        c.flushLinear();
        c.breakpoints.follow();
    }

    private void load(Incoming in, Reason reason) {
        boolean paging = (c.sys.cr0 & Bits.CR0_PG) != 0;
        c.sys.cr0 |= Bits.CR0_TS;
        c.ip = in.ip;
        Flags.setStatus(c, in.flags);
        int known = in.wide ? Bits.SYSTEM_FLAGS : Bits.SYSTEM_FLAGS & 0xffff;
        c.sys.flags = in.flags & known | 2 | (reason.nests() ? Bits.NT : 0);
        System.arraycopy(in.gpr, 0, c.r, 0, 8);
        if ((c.sys.dr[7] & LOCAL_ENABLES) != 0) {
            c.sys.dr[7] &= ~LOCAL_ENABLES;
            c.breakpoints.follow();
        }
        if (in.wide && paging) {
            SystemOps.loadCr3(c, in.cr3);
        }
        if ((in.trap & 1) != 0) {
            c.breakpoints.traps |= Breakpoints.BT;
        }
        c.breakpoints.trapLost = true;
        for (int i = 0; i < 6; i++) {
            c.sys.selector[SEGMENTS[i]] = in.selectors[i];
            c.sys.access[SEGMENTS[i]] |= Segment.UNUSABLE;
        }
        c.sys.selector[Segment.LDTR] = in.ldt;
        c.sys.access[Segment.LDTR] = Segment.UNUSABLE;
        c.updateMode();
        loadLdt(in.ldt);
        if (c.virtual8086()) {
            for (int i = 0; i < 6; i++) {
                c.segments.setReal(SEGMENTS[i], in.selectors[i]);
            }
            c.updateMode();
        } else {
            loadCode(in.selectors[1]);
            loadStack(in.selectors[2]);
            for (int i : new int[] {3, 0, 4, 5}) {
                loadData(SEGMENTS[i], in.selectors[i]);
            }
            c.updateMode();
        }
        c.jump(in.ip);
    }

    private void loadLdt(int selector) {
        if ((selector & 0xfffc) == 0) {
            return;
        }
        if ((selector & 4) != 0) {
            throw refused(selector);
        }
        Descriptor d = c.segments.descriptor(selector, Vector.TS, 0);
        if (d.codeOrData() || d.type() != 2 || !d.present()) {
            throw refused(selector);
        }
        c.segments.set(Segment.LDTR, selector, d);
    }

    private Unwind refused(int selector) {
        return c.exception(Vector.TS, selector & 0xfffc);
    }

    private Descriptor descriptor(int selector) {
        if ((selector & 0xfffc) == 0) {
            throw refused(selector);
        }
        return c.segments.descriptor(selector, Vector.TS, 0);
    }

    private void loadCode(int selector) {
        Descriptor d = descriptor(selector);
        int level = selector & 3;
        if (!d.code() || (d.conforming() ? d.dpl() > level : d.dpl() != level)) {
            throw refused(selector);
        }
        if (!d.present()) {
            throw c.exception(Vector.NP, selector & 0xfffc);
        }
        c.segments.set(Segment.CS, selector, c.segments.touch(selector, d));
        // the level is the new one from here on, also for the delivery of what SS may raise
        c.sys.access[Segment.SS] = Segment.UNUSABLE | level << 5;
        c.updateMode();
    }

    private void loadStack(int selector) {
        Descriptor d = descriptor(selector);
        int level = c.sys.selector[Segment.CS] & 3;
        if (!d.writableData() || d.dpl() != level || (selector & 3) != level) {
            throw refused(selector);
        }
        if (!d.present()) {
            throw c.exception(Vector.SS, selector & 0xfffc);
        }
        c.segments.set(Segment.SS, selector, c.segments.touch(selector, d));
        c.updateMode();
    }

    private void loadData(int segment, int selector) {
        if ((selector & 0xfffc) == 0) {
            c.segments.setNull(segment, selector);
            return;
        }
        Descriptor d = descriptor(selector);
        boolean conforming = d.code() && d.conforming();
        if (!d.readable() || !conforming && d.dpl() < Math.max(c.cpl, selector & 3)) {
            throw refused(selector);
        }
        if (!d.present()) {
            throw c.exception(Vector.NP, selector & 0xfffc);
        }
        c.segments.set(segment, selector, c.segments.touch(selector, d));
    }

    private void push(int errorCode, boolean wide) {
        int bytes = wide ? 4 : 2;
        StackOps.push(c, bytes, errorCode);
    }
}
