package kvasir.metal.cpu;

import java.util.Optional;
import java.util.OptionalInt;
import kvasir.metal.cpu.Segments.Descriptor;

/**
 * Delivers exceptions and interrupts through the IDT (Intel SDM, volume 3, "Interrupt and exception handling"), with
 * double faults and shutdown.
 */
final class Delivery {
    private static final int LONG_TSS_RSP0 = 4;
    private static final int LONG_TSS_IST1 = 0x24;

    private final Cpu c;

    Delivery(Cpu c) {
        this.c = c;
    }

    /** Delivers what the hypervisor injected. */
    Optional<VmExit> inject(Injection event) {
        return switch (event) {
            case Injection.Interrupt(int vector) -> deliver(event, vector, 0, false, 1);
            case Injection.Nmi nmi -> {
                c.nmiBlocked = true;
                yield deliver(event, Vector.NMI, 0, false, 1);
            }
            case Injection.GuestException(int vector, int errorCode) ->
                deliver(event, vector, errorCode, Vector.hasErrorCode(vector), 1);
        };
    }

    /** Delivers an exception of the instruction at {@code ip}; {@code fault} if the instruction has not happened. */
    Optional<VmExit> exception(int vector, int errorCode, boolean fault) {
        int flags = c.sys.flags;
        if (fault && vector != Vector.DB) {
            c.sys.flags |= Bits.RF;
        }
        var again = new Injection.GuestException(vector, errorCode);
        Optional<VmExit> exit = deliver(again, vector, errorCode, Vector.hasErrorCode(vector), 1);
        if (exit.isPresent()) {
            c.sys.flags = flags;
        }
        return exit;
    }

    private Optional<VmExit> deliver(Injection event, int vector, int errorCode, boolean hasCode, int external) {
        int now = vector;
        int code = errorCode;
        boolean pushes = hasCode && (c.sys.cr0 & Bits.CR0_PE) != 0;
        int ext = external;
        c.breakpoints.alone = true;
        c.breakpoints.traps = 0;
        if (c.events.listening() && !(event instanceof Injection.Interrupt)) {
            c.tell(new ExceptionRaised(c.apicId, vector, errorCode, c.ip, c.sys.cr2));
        }
        while (true) {
            try {
                through(now, code, pushes, false, ext);
                c.shadow = false;
                c.stackShadow = false;
                c.breakpoints.alone = false;
                c.breakpoints.dropHits();
                if (now == Vector.DB) {
                    c.breakpoints.delivered();
                }
                return Optional.empty();
            } catch (Unwind u) {
                if (u.kind == Unwind.Kind.EXIT) {
                    c.breakpoints.alone = false;
                    c.pending = Optional.of(event);
                    c.exitLength = 0;
                    return Optional.of(u.exit);
                }
                if (now == Vector.DF) {
                    c.breakpoints.alone = false;
                    return Optional.of(new VmExit.TripleFault());
                }
                int second = u.kind == Unwind.Kind.NON_CANONICAL ? Vector.SS : u.vector;
                boolean both = Vector.contributory(now) && Vector.contributory(second);
                boolean page = now == Vector.PF && (Vector.contributory(second) || second == Vector.PF);
                now = both || page ? Vector.DF : second;
                code = both || page ? 0 : u.errorCode;
                pushes = Vector.hasErrorCode(now) && (c.sys.cr0 & Bits.CR0_PE) != 0;
                ext = 1;
            }
        }
    }

    /**
     * INT n, INT3, INTO, INT1: the return address is {@code next}. Unwinds with nothing changed if it cannot be delivered.
     *
     * @param checked whether the gate's privilege level is checked, as for all of them but INT1
     */
    void software(int vector, long next, boolean checked) {
        long ip = c.ip;
        c.ip = next;
        try {
            through(vector, 0, false, checked, checked ? 0 : 1);
            c.breakpoints.trapLost = true;
            if (!checked) {
                // what MOV SS has held back becomes part of INT1's own exception; behind INT n and INT3 it follows
                c.breakpoints.traps = 0;
            }
            if (vector == Vector.DB) {
                c.breakpoints.delivered();
            }
        } catch (Unwind u) {
            if (!u.switched) {
                c.ip = ip;
            }
            throw u;
        }
    }

    /** One delivery; on {@link Unwind} the state is as before. */
    private void through(int vector, int errorCode, boolean pushes, boolean soft, int external) {
        c.transaction.run(c, x -> {
            if ((x.sys.cr0 & Bits.CR0_PE) == 0) {
                real(vector);
            } else if (x.longMode()) {
                longMode(vector, errorCode, pushes, soft, external);
            } else {
                legacy(vector, errorCode, pushes, soft, external);
            }
        });
    }

    private void real(int vector) {
        if (vector * 4 + 3 > c.sys.idtLimit) {
            throw c.exception(Vector.GP, 0);
        }
        long entry = c.segments.systemLoad(c.sys.idtBase + vector * 4L, 4);
        push(2, c.eflags() & ~Bits.RF);
        push(2, c.sys.selector[Segment.CS]);
        push(2, c.ip);
        c.sys.flags &= ~(Bits.IF | Bits.TF | Bits.AC | Bits.RF);
        c.segments.setReal(Segment.CS, (int) (entry >> 16) & 0xffff);
        c.ip = entry & 0xffff;
        c.updateMode();
    }

    /** Pushes with the present stack and privilege. */
    private void push(int bytes, long value) {
        long sp = (c.r[Gpr.RSP] - bytes) & c.stackMask;
        c.mem.store(c.linear(Segment.SS, sp, bytes, true), bytes, value);
        c.r[Gpr.RSP] = c.r[Gpr.RSP] & ~c.stackMask | sp;
    }

    private void legacy(int vector, int errorCode, boolean pushes, boolean soft, int external) {
        int gateError = vector * 8 + 2;
        if (vector * 8 + 7 > c.sys.idtLimit) {
            throw c.exception(Vector.GP, gateError | external);
        }
        Descriptor gate = new Descriptor(c.segments.systemLoad64(c.sys.idtBase + vector * 8L));
        int type = gate.codeOrData() ? 0 : gate.type();
        if ((type & 7) < 5 || type == 13) {
            throw c.exception(Vector.GP, gateError | external);
        }
        if (soft && (gate.dpl() < c.cpl)) {
            throw c.exception(Vector.GP, gateError);
        }
        if (!gate.present()) {
            throw c.exception(Vector.NP, gateError | external);
        }
        if (type == 5) {
            c.tasks.event(gate, pushes ? OptionalInt.of(errorCode) : OptionalInt.empty(), external);
            return;
        }
        int size = type >= 8 ? 4 : 2;
        int selector = (int) (gate.raw() >>> 16) & 0xffff;
        long target = gate.raw() & 0xffff | (size == 4 ? gate.raw() >>> 32 & 0xffff_0000L : 0);
        Descriptor code = handler(selector, external);
        long oldFlags = c.eflags();
        boolean wasVirtual = c.virtual8086();
        int oldSs = c.sys.selector[Segment.SS];
        long oldSp = c.r[Gpr.RSP];
        int oldCs = c.sys.selector[Segment.CS];
        boolean inner = !code.conforming() && code.dpl() < c.cpl;
        if (wasVirtual && (!inner || code.dpl() != 0)) {
            throw c.exception(Vector.GP, selector & 0xfffc | external);
        }
        int level = inner ? code.dpl() : c.cpl;
        int[] dataSelectors = {
            c.sys.selector[Segment.ES],
            c.sys.selector[Segment.DS],
            c.sys.selector[Segment.FS],
            c.sys.selector[Segment.GS]
        };
        if (inner) {
            c.sys.flags &= ~Bits.VM;
            innerStack(level, external);
        }
        if (inner && wasVirtual) {
            push(size, dataSelectors[3]);
            push(size, dataSelectors[2]);
            push(size, dataSelectors[1]);
            push(size, dataSelectors[0]);
        }
        if (inner) {
            push(size, oldSs);
            push(size, oldSp);
        }
        push(size, oldFlags);
        push(size, oldCs);
        push(size, c.ip);
        if (pushes) {
            push(size, errorCode);
        }
        if (wasVirtual) {
            for (int segment : new int[] {Segment.ES, Segment.DS, Segment.FS, Segment.GS}) {
                c.segments.setNull(segment, 0);
            }
        }
        enter(selector, level, code, target, (type & 1) == 0);
    }

    private Descriptor handler(int selector, int external) {
        if ((selector & 0xfffc) == 0) {
            throw c.exception(Vector.GP, external);
        }
        Descriptor code = c.segments.descriptor(selector, Vector.GP, external);
        if (!code.code() || code.dpl() > c.cpl) {
            throw c.exception(Vector.GP, selector & 0xfffc | external);
        }
        if (!code.present()) {
            throw c.exception(Vector.NP, selector & 0xfffc | external);
        }
        return code;
    }

    private void enter(int selector, int level, Descriptor code, long target, boolean interrupt) {
        c.segments.set(Segment.CS, selector & 0xfffc | level, c.segments.touch(selector, code));
        c.sys.flags &= ~(Bits.TF | Bits.NT | Bits.RF | Bits.VM | (interrupt ? Bits.IF : 0));
        c.updateMode();
        c.jump(target);
    }

    /** Switches to the stack that the 16- or 32-bit TSS has for a privilege level. */
    void innerStack(int level, int external) {
        boolean wide = (c.sys.access[Segment.TR] & 8) != 0;
        long at = wide ? 4 + 8L * level : 2 + 4L * level;
        int width = wide ? 4 : 2;
        int tr = c.sys.selector[Segment.TR] & 0xfffc;
        if (at + 2L * width - 1 > (c.sys.limit[Segment.TR] & 0xffff_ffffL)) {
            throw c.exception(Vector.TS, tr | external);
        }
        long sp = c.segments.systemLoad(c.sys.base[Segment.TR] + at, width);
        int ss = (int) c.segments.systemLoad(c.sys.base[Segment.TR] + at + width, 2);
        if ((ss & 0xfffc) == 0) {
            throw c.exception(Vector.TS, external);
        }
        Descriptor d = c.segments.descriptor(ss, Vector.TS, external);
        if ((ss & 3) != level || d.dpl() != level || !d.writableData()) {
            throw c.exception(Vector.TS, ss & 0xfffc | external);
        }
        if (!d.present()) {
            throw c.exception(Vector.SS, ss & 0xfffc | external);
        }
        c.segments.set(Segment.SS, ss, c.segments.touch(ss, d));
        c.updateMode();
        c.r[Gpr.RSP] = sp;
    }

    /** The stack pointer that the 64-bit TSS has for a privilege level (0 to 2) or an IST entry (1 to 7). */
    long longStack(int level, int ist, int external) {
        long at = ist == 0 ? LONG_TSS_RSP0 + 8L * level : LONG_TSS_IST1 + 8L * (ist - 1);
        if (at + 7 > (c.sys.limit[Segment.TR] & 0xffff_ffffL)) {
            throw c.exception(Vector.TS, c.sys.selector[Segment.TR] & 0xfffc | external);
        }
        long sp = c.segments.systemLoad64(c.sys.base[Segment.TR] + at);
        if (!c.canonical(sp)) {
            throw c.exception(Vector.SS, external);
        }
        return sp;
    }

    private void longMode(int vector, int errorCode, boolean pushes, boolean soft, int external) {
        int gateError = vector * 8 + 2;
        if (vector * 16 + 15 > c.sys.idtLimit) {
            throw c.exception(Vector.GP, gateError | external);
        }
        Descriptor gate = new Descriptor(c.segments.systemLoad64(c.sys.idtBase + vector * 16L));
        long high = c.segments.systemLoad64(c.sys.idtBase + vector * 16L + 8);
        if (gate.codeOrData() || (gate.type() != 14 && gate.type() != 15)) {
            throw c.exception(Vector.GP, gateError | external);
        }
        if (soft && gate.dpl() < c.cpl) {
            throw c.exception(Vector.GP, gateError);
        }
        if (!gate.present()) {
            throw c.exception(Vector.NP, gateError | external);
        }
        int selector = (int) (gate.raw() >>> 16) & 0xffff;
        long target = gate.raw() & 0xffff | gate.raw() >>> 32 & 0xffff_0000L | high << 32;
        Descriptor code = handler(selector, external);
        if (!code.longMode() || code.big()) {
            throw c.exception(Vector.GP, selector & 0xfffc | external);
        }
        boolean inner = !code.conforming() && code.dpl() < c.cpl;
        int level = inner ? code.dpl() : c.cpl;
        int ist = (int) (gate.raw() >>> 32) & 7;
        long sp = c.r[Gpr.RSP];
        if (inner || ist != 0) {
            sp = longStack(level, ist, external);
        }
        long[] frame = {
            c.ip, c.sys.selector[Segment.CS], c.eflags(), c.r[Gpr.RSP], c.sys.selector[Segment.SS], errorCode
        };
        if (c.codeSize != kvasir.metal.cpu.isa.CodeSize.BITS64) {
            frame[3] &= 0xffff_ffffL;
            if (!inner && ist == 0) {
                sp &= 0xffff_ffffL;
            }
        }
        c.segments.set(Segment.CS, selector & 0xfffc | level, c.segments.touch(selector, code));
        if (inner) {
            c.sys.selector[Segment.SS] = level;
            c.sys.access[Segment.SS] = Segment.UNUSABLE | level << 5;
        }
        c.sys.flags &= ~(Bits.TF | Bits.NT | Bits.RF | Bits.VM | ((gate.type() & 1) == 0 ? Bits.IF : 0));
        c.updateMode();
        c.r[Gpr.RSP] = sp & ~15L;
        push(8, frame[4]);
        push(8, frame[3]);
        push(8, frame[2]);
        push(8, frame[1]);
        push(8, frame[0]);
        if (pushes) {
            push(8, frame[5]);
        }
        c.jump(target);
    }
}
