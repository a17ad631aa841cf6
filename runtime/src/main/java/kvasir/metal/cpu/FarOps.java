package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Segments.Descriptor;
import kvasir.metal.cpu.Semantics.Action;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Operand;

/** Far control flow: far JMP, CALL and RET, call gates, INT, IRET, SYSCALL, SYSENTER and their returns. */
final class FarOps {
    /** RFLAGS bits that SYSRET takes from R11. */
    private static final long SYSRET_FLAGS = 0x3c_7fd7;

    private static final int CODE_64 = 0xa09b;
    private static final int CODE_32 = 0xc09b;
    private static final int DATA = 0xc093;

    private FarOps() {}

    static void bind(Map<String, Maker> makers) {
        makers.put("JMPF", o -> far(o, FarOps::jump));
        makers.put("CALLF", o -> far(o, FarOps::call));
        makers.put("RETF", FarOps::farReturn);
        makers.put("INT", o -> interrupt(o, (int) o.immediate(0) & 0xff, true));
        makers.put("INT3", o -> interrupt(o, Vector.BP, false));
        makers.put("INT1", o -> interrupt(o, Vector.DB, false));
        makers.put("INTO", FarOps::interruptOnOverflow);
        makers.put("BOUND", FarOps::bound);
        makers.put("IRETW", o -> interruptReturn(o, 2));
        makers.put("IRETD", o -> interruptReturn(o, 4));
        makers.put("IRETQ", o -> interruptReturn(o, 8));
        makers.put("SYSCALL", FarOps::syscall);
        makers.put("SYSRETD", o -> Semantics.end(o, c -> c.transaction.run(c, x -> sysret(x, false))));
        makers.put("SYSRETQ", o -> Semantics.end(o, c -> c.transaction.run(c, x -> sysret(x, true))));
        makers.put("SYSENTER", o -> Semantics.end(o, FarOps::sysenter));
        makers.put("SYSEXITD", o -> Semantics.end(o, c -> sysexit(c, false)));
        makers.put("SYSEXITQ", o -> Semantics.end(o, c -> sysexit(c, true)));
    }

    /** A transfer to {@code selector:offset}; {@code next} is the return address, {@code bytes} the operand size. */
    private interface Transfer {
        void go(Cpu c, int selector, long offset, int bytes, long next);
    }

    private static long next(Cpu c, Operands o) {
        return (c.r[Address.BLOCK] + o.end) & c.ipMask;
    }

    private static Op far(Operands o, Transfer transfer) {
        int bytes = o.size();
        if (o.instruction.operand(0) instanceof Operand.Far(int selector, long offset)) {
            return Semantics.end(
                    o, c -> c.transaction.run(c, x -> transfer.go(x, selector, offset, bytes, next(x, o))));
        }
        Address address = o.arg(0).address;
        return Semantics.end(o, c -> {
            long offset = c.mem.load(address.linear(c, bytes + 2, false), bytes);
            int selector = (int) c.mem.load(address.linear(c, bytes, 2, false), 2);
            c.transaction.run(c, x -> transfer.go(x, selector, offset, bytes, next(x, o)));
        });
    }

    private static void jump(Cpu c, int selector, long offset, int bytes, long next) {
        if (!c.protectedMode()) {
            c.segments.setReal(Segment.CS, selector);
            c.updateMode();
            c.jump(offset & 0xffff_ffffL);
            return;
        }
        Descriptor d = target(c, selector);
        if (d.code()) {
            checkDirect(c, selector, d);
            enter(c, selector & 0xfffc | c.cpl, d, offset);
            return;
        }
        if (switchesTask(c, d)) {
            c.tasks.transfer(selector, d, TaskSwitch.Reason.JUMP, next);
            return;
        }
        Gate gate = gate(c, selector, d);
        Descriptor code = gateTarget(c, gate.selector());
        if (code.conforming() ? code.dpl() > c.cpl : code.dpl() != c.cpl) {
            throw c.exception(Vector.GP, gate.selector() & 0xfffc);
        }
        enter(c, gate.selector() & 0xfffc | c.cpl, code, gate.offset());
    }

    private static void call(Cpu c, int selector, long offset, int bytes, long next) {
        int oldCs = c.sys.selector[Segment.CS];
        if (!c.protectedMode()) {
            StackOps.push(c, bytes, oldCs);
            StackOps.push(c, bytes, next);
            c.segments.setReal(Segment.CS, selector);
            c.updateMode();
            c.jump(offset & 0xffff_ffffL);
            return;
        }
        Descriptor d = target(c, selector);
        if (d.code()) {
            checkDirect(c, selector, d);
            StackOps.push(c, bytes, oldCs);
            StackOps.push(c, bytes, next);
            enter(c, selector & 0xfffc | c.cpl, d, offset);
            return;
        }
        if (switchesTask(c, d)) {
            c.tasks.transfer(selector, d, TaskSwitch.Reason.CALL, next);
            return;
        }
        Gate gate = gate(c, selector, d);
        Descriptor code = gateTarget(c, gate.selector());
        if (code.dpl() > c.cpl) {
            throw c.exception(Vector.GP, gate.selector() & 0xfffc);
        }
        int level = code.conforming() ? c.cpl : code.dpl();
        if (level < c.cpl) {
            callInner(c, gate, level);
        }
        StackOps.push(c, gate.bytes(), oldCs);
        StackOps.push(c, gate.bytes(), next);
        enter(c, gate.selector() & 0xfffc | level, code, gate.offset());
    }

    /** Switches to the stack of an inner level and copies the parameters of a call gate. */
    private static void callInner(Cpu c, Gate gate, int level) {
        int oldSs = c.sys.selector[Segment.SS];
        long oldSp = c.r[Gpr.RSP];
        long[] parameters = new long[gate.parameters()];
        for (int i = 0; i < parameters.length; i++) {
            parameters[i] = StackOps.peek(c, (long) i * gate.bytes(), gate.bytes());
        }
        if (c.longMode()) {
            c.r[Gpr.RSP] = c.delivery.longStack(level, 0, 0);
            c.sys.selector[Segment.SS] = level;
            c.sys.access[Segment.SS] = Segment.UNUSABLE | level << 5;
            c.sys.access[Segment.CS] |= 0x2000;
            c.updateMode();
        } else {
            c.delivery.innerStack(level, 0);
        }
        StackOps.push(c, gate.bytes(), oldSs);
        StackOps.push(c, gate.bytes(), oldSp);
        for (int i = parameters.length - 1; i >= 0; i--) {
            StackOps.push(c, gate.bytes(), parameters[i]);
        }
    }

    private static Descriptor target(Cpu c, int selector) {
        if ((selector & 0xfffc) == 0) {
            throw c.exception(Vector.GP, 0);
        }
        return c.segments.descriptor(selector, Vector.GP, 0);
    }

    private static void checkDirect(Cpu c, int selector, Descriptor d) {
        boolean allowed = d.conforming() ? d.dpl() <= c.cpl : (selector & 3) <= c.cpl && d.dpl() == c.cpl;
        if (!allowed || (c.longMode() && d.longMode() && d.big())) {
            throw c.exception(Vector.GP, selector & 0xfffc);
        }
        if (!d.present()) {
            throw c.exception(Vector.NP, selector & 0xfffc);
        }
    }

    private static void enter(Cpu c, int selector, Descriptor d, long offset) {
        c.segments.set(Segment.CS, selector, c.segments.touch(selector, d));
        int level = selector & 3;
        if (level != c.cpl) {
            c.sys.access[Segment.SS] = c.sys.access[Segment.SS] & ~0x60 | level << 5;
        }
        c.updateMode();
        c.jump(c.codeSize == CodeSize.BITS64 ? offset : offset & 0xffff_ffffL);
    }

    /** A call gate. */
    private record Gate(int selector, long offset, int bytes, int parameters) {}

    /** A task gate or a TSS, outside long mode. */
    private static boolean switchesTask(Cpu c, Descriptor d) {
        return !c.longMode() && !d.codeOrData() && (d.type() == 5 || (d.type() & 5) == 1);
    }

    private static Gate gate(Cpu c, int selector, Descriptor d) {
        int type = d.codeOrData() ? 0 : d.type();
        if (type != 12 && (type != 4 || c.longMode())) {
            throw c.exception(Vector.GP, selector & 0xfffc);
        }
        if (d.dpl() < c.cpl || d.dpl() < (selector & 3)) {
            throw c.exception(Vector.GP, selector & 0xfffc);
        }
        if (!d.present()) {
            throw c.exception(Vector.NP, selector & 0xfffc);
        }
        long raw = d.raw();
        int to = (int) (raw >>> 16) & 0xffff;
        long offset = raw & 0xffff | (type == 4 ? 0 : raw >>> 32 & 0xffff_0000L);
        if (!c.longMode()) {
            return new Gate(to, offset, type == 4 ? 2 : 4, (int) (raw >>> 32) & 31);
        }
        long address = c.segments.descriptorAddress(selector, 16, Vector.GP, 0);
        long high = c.segments.systemLoad64(address + 8);
        if ((high >>> 40 & 31) != 0) {
            throw c.exception(Vector.GP, selector & 0xfffc);
        }
        return new Gate(to, offset | high << 32, 8, 0);
    }

    private static Descriptor gateTarget(Cpu c, int selector) {
        Descriptor code = target(c, selector);
        if (!code.code() || (c.longMode() && (!code.longMode() || code.big()))) {
            throw c.exception(Vector.GP, selector & 0xfffc);
        }
        if (!code.present()) {
            throw c.exception(Vector.NP, selector & 0xfffc);
        }
        return code;
    }

    private static Op farReturn(Operands o) {
        int bytes = o.size();
        long extra = o.count() == 0 ? 0 : o.immediate(0) & 0xffff;
        return Semantics.end(
                o,
                c -> c.transaction.run(c, x -> {
                    long offset = StackOps.pop(x, bytes);
                    int selector = (int) StackOps.pop(x, bytes) & 0xffff;
                    if (!x.protectedMode()) {
                        x.segments.setReal(Segment.CS, selector);
                        x.updateMode();
                        x.jump(offset);
                        StackOps.setStack(x, (x.r[Gpr.RSP] + extra) & x.stackMask);
                        return;
                    }
                    returnTo(x, selector, offset, bytes, extra, false);
                }));
    }

    /** The protected-mode end of RETF and IRET: CS:IP are popped, SS:SP still on the stack for an outer level. */
    private static void returnTo(Cpu c, int selector, long offset, int bytes, long extra, boolean popsStack) {
        int level = selector & 3;
        if ((selector & 0xfffc) == 0) {
            throw c.exception(Vector.GP, 0);
        }
        Descriptor d = c.segments.descriptor(selector, Vector.GP, 0);
        boolean good = d.code() && level >= c.cpl && (d.conforming() ? d.dpl() <= level : d.dpl() == level);
        if (!good || (c.longMode() && d.longMode() && d.big())) {
            throw c.exception(Vector.GP, selector & 0xfffc);
        }
        if (!d.present()) {
            throw c.exception(Vector.NP, selector & 0xfffc);
        }
        StackOps.setStack(c, (c.r[Gpr.RSP] + extra) & c.stackMask);
        boolean outer = level > c.cpl;
        if (!outer && !popsStack) {
            enter(c, selector, d, offset);
            return;
        }
        long sp = StackOps.pop(c, bytes);
        int ss = (int) StackOps.pop(c, bytes) & 0xffff;
        c.segments.set(Segment.CS, selector, c.segments.touch(selector, d));
        boolean to64 = c.longMode() && d.longMode();
        if ((ss & 0xfffc) == 0) {
            if (!to64 || level == 3 || (ss & 3) != level) {
                throw c.exception(Vector.GP, 0);
            }
            c.sys.selector[Segment.SS] = ss;
            c.sys.access[Segment.SS] = Segment.UNUSABLE | level << 5;
        } else {
            c.segments.loadStack(ss, level, Vector.GP);
        }
        c.updateMode();
        if (bytes == 2) {
            c.r[Gpr.RSP] = c.r[Gpr.RSP] & ~0xffffL | sp;
        } else {
            c.r[Gpr.RSP] = c.codeSize == CodeSize.BITS64 ? sp : sp & 0xffff_ffffL;
        }
        if (extra != 0) {
            StackOps.setStack(c, (c.r[Gpr.RSP] + extra) & c.stackMask);
        }
        c.jump(c.codeSize == CodeSize.BITS64 ? offset : offset & 0xffff_ffffL);
        if (outer) {
            c.segments.dropInaccessible();
            c.updateMode();
        }
    }

    private static Op interrupt(Operands o, int vector, boolean counted) {
        return Semantics.end(o, c -> {
            if (vector == Vector.BP && !counted && c.breakpointExits) {
                throw c.leave(new VmExit.Debug(Vector.BP, 0));
            }
            if (counted && c.virtual8086()) {
                if ((c.sys.cr4 & Bits.CR4_VME) != 0 && !redirected(c, vector)) {
                    c.transaction.run(c, x -> interrupt8086(x, vector, next(x, o)));
                    return;
                }
                if (c.iopl() < 3) {
                    throw c.exception(Vector.GP, 0);
                }
            }
            c.delivery.software(vector, next(c, o), vector != Vector.DB || counted);
        });
    }

    /** Whether the interrupt redirection bitmap, below the I/O map, sends INT n of virtual-8086 mode to the IDT. */
    private static boolean redirected(Cpu c, int vector) {
        long limit = c.sys.limit[Segment.TR] & 0xffff_ffffL;
        if ((c.sys.access[Segment.TR] & 8) == 0 || limit < 103) {
            throw c.exception(Vector.GP, 0);
        }
        long tss = c.sys.base[Segment.TR];
        long at = c.segments.systemLoad(tss + 102, 2) - 32 + (vector >> 3);
        if (at < 0 || at > limit) {
            throw c.exception(Vector.GP, 0);
        }
        return (c.segments.systemLoad(tss + at, 1) >>> (vector & 7) & 1) != 0;
    }

    /** INT n by the table at linear address 0 (Intel SDM volume 3, "Class 3: Software Interrupt Handling", method 5 and 6). */
    private static void interrupt8086(Cpu c, int vector, long next) {
        long entry = c.segments.systemLoad(vector * 4L, 4);
        int flags = c.eflags() & ~Bits.RF;
        boolean virtual = c.iopl() < 3;
        if (virtual) {
            flags = flags & ~Bits.IF | Bits.IOPL | ((flags & Bits.VIF) != 0 ? Bits.IF : 0);
        }
        StackOps.push(c, 2, flags);
        StackOps.push(c, 2, c.sys.selector[Segment.CS]);
        StackOps.push(c, 2, next);
        c.sys.flags &= ~(Bits.TF | Bits.RF | Bits.NT | (virtual ? Bits.VIF : Bits.IF));
        c.segments.setReal(Segment.CS, (int) (entry >> 16) & 0xffff);
        c.updateMode();
        c.breakpoints.trapLost = true;
        c.breakpoints.traps = 0;
        c.jump(entry & 0xffff);
    }

    private static Op interruptOnOverflow(Operands o) {
        return Semantics.end(o, c -> {
            if (Flags.overflow(c)) {
                c.delivery.software(Vector.OF, next(c, o), true);
            }
        });
    }

    private static Op bound(Operands o) {
        Arg index = o.arg(0);
        Address pair = o.arg(1).address;
        return Semantics.op(o, c -> {
            int shift = index.shift;
            long value = index.loadSigned(c);
            long low = c.mem.load(pair.linear(c, index.bytes, false), index.bytes) << shift >> shift;
            long high = c.mem.load(pair.linear(c, index.bytes, index.bytes, false), index.bytes) << shift >> shift;
            if (value < low || value > high) {
                throw c.exception(Vector.BR, 0);
            }
        });
    }

    private static Op interruptReturn(Operands o, int bytes) {
        Action action = c -> {
            if ((c.sys.cr0 & Bits.CR0_PE) == 0) {
                returnReal(c, bytes);
            } else if (c.virtual8086()) {
                if (c.iopl() < 3) {
                    returnVirtual(c, bytes);
                } else {
                    returnReal(c, bytes);
                }
            } else {
                returnProtected(c, bytes, next(c, o));
            }
        };
        return Semantics.end(o, c -> {
            c.transaction.run(c, action);
            c.nmiBlocked = false;
            c.attention |= c.nmiWindowRequested;
        });
    }

    private static void returnReal(Cpu c, int bytes) {
        long offset = StackOps.pop(c, bytes);
        int selector = (int) StackOps.pop(c, bytes) & 0xffff;
        int flags = (int) StackOps.pop(c, bytes);
        c.segments.setReal(Segment.CS, selector);
        c.updateMode();
        c.jump(offset);
        int keep = Bits.VM | Bits.VIF | Bits.VIP | (c.virtual8086() ? Bits.IOPL : 0) | (bytes == 2 ? 0xffff_0000 : 0);
        setFlags(c, flags & ~keep | c.eflags() & keep);
    }

    /** IRET in virtual-8086 mode with IOPL below 3: only with CR4.VME, where VIF stands for IF. */
    private static void returnVirtual(Cpu c, int bytes) {
        if (bytes != 2 || (c.sys.cr4 & Bits.CR4_VME) == 0) {
            throw c.exception(Vector.GP, 0);
        }
        long offset = StackOps.pop(c, 2);
        int selector = (int) StackOps.pop(c, 2) & 0xffff;
        int flags = (int) StackOps.pop(c, 2);
        boolean on = (flags & Bits.IF) != 0;
        if ((flags & Bits.TF) != 0 || on && (c.sys.flags & Bits.VIP) != 0) {
            throw c.exception(Vector.GP, 0);
        }
        c.segments.setReal(Segment.CS, selector);
        c.updateMode();
        c.jump(offset);
        int keep = 0xffff_0000 | Bits.IF | Bits.IOPL;
        int merged = flags & ~keep | c.eflags() & keep;
        setFlags(c, on ? merged | Bits.VIF : merged & ~Bits.VIF);
    }

    private static void setFlags(Cpu c, int flags) {
        boolean virtual = c.virtual8086();
        Flags.setStatus(c, flags);
        c.sys.flags = flags & Bits.SYSTEM_FLAGS | 2;
        if (virtual == c.virtual8086()) {
            c.updatePrivilege();
        } else {
            c.updateMode();
        }
    }

    private static void returnProtected(Cpu c, int bytes, long next) {
        if ((c.sys.flags & Bits.NT) != 0) {
            if (c.longMode()) {
                throw c.exception(Vector.GP, 0);
            }
            c.tasks.back(next);
            return;
        }
        long offset = StackOps.pop(c, bytes);
        int selector = (int) StackOps.pop(c, bytes) & 0xffff;
        int flags = (int) StackOps.pop(c, bytes);
        if (!c.longMode() && bytes == 4 && (flags & Bits.VM) != 0 && c.cpl == 0) {
            returnToVirtual8086(c, selector, offset, flags);
            return;
        }
        int level = c.cpl;
        boolean interrupts = c.iopl() >= level;
        int old = c.eflags();
        returnTo(c, selector, offset, bytes, 0, c.codeSize == CodeSize.BITS64);
        int may = Bits.STATUS | Bits.TF | Bits.DF | Bits.NT | Bits.RF | Bits.AC | Bits.ID;
        may |= interrupts ? Bits.IF : 0;
        may |= level == 0 ? Bits.IOPL | Bits.VIF | Bits.VIP : 0;
        may &= bytes == 2 ? 0xffff : -1;
        setFlags(c, old & ~may | flags & may);
    }

    private static void returnToVirtual8086(Cpu c, int selector, long offset, int flags) {
        long sp = StackOps.pop(c, 4);
        int[] order = {Segment.SS, Segment.ES, Segment.DS, Segment.FS, Segment.GS};
        int[] selectors = new int[5];
        for (int i = 0; i < 5; i++) {
            selectors[i] = (int) StackOps.pop(c, 4) & 0xffff;
        }
        setFlags(c, flags);
        c.segments.setReal(Segment.CS, selector);
        for (int i = 0; i < 5; i++) {
            c.segments.setReal(order[i], selectors[i]);
        }
        c.updateMode();
        c.r[Gpr.RSP] = sp;
        c.jump(offset & 0xffff);
    }

    /** Fills CS or SS with the flat segments that the fast system calls imply. */
    private static void flat(Cpu c, int segment, int selector, int access, int level) {
        c.sys.selector[segment] = selector;
        c.sys.base[segment] = 0;
        c.sys.limit[segment] = -1;
        c.sys.access[segment] = access | level << 5;
    }

    private static Op syscall(Operands o) {
        return Semantics.end(o, c -> {
            boolean bits64 = c.codeSize == CodeSize.BITS64;
            if ((c.sys.efer & Bits.EFER_SCE) == 0 || (!bits64 && !c.model.amd()) || !c.protectedMode()) {
                throw c.exception(Vector.UD, 0);
            }
            int selector = (int) (c.sys.star >>> 32) & 0xfffc;
            c.r[Gpr.RCX] = next(c, o);
            boolean lma = c.longMode();
            if (lma) {
                int flags = c.eflags() & ~Bits.RF;
                c.r[11] = flags & 0xffff_ffffL;
                int masked = flags & ~(int) c.sys.sfmask;
                Flags.setStatus(c, masked);
                c.sys.flags = masked & ~Bits.STATUS | 2;
            } else {
                c.sys.flags &= ~(Bits.IF | Bits.RF);
            }
            flat(c, Segment.CS, selector, lma ? CODE_64 : CODE_32, 0);
            flat(c, Segment.SS, selector + 8, DATA, 0);
            c.updateMode();
            c.breakpoints.trapByNewFlags();
            c.ip = !lma ? c.sys.star & 0xffff_ffffL : bits64 ? c.sys.lstar : c.sys.cstar;
        });
    }

    private static void sysret(Cpu c, boolean to64) {
        if ((c.sys.efer & Bits.EFER_SCE) == 0 || (c.codeSize != CodeSize.BITS64 && !c.model.amd())) {
            throw c.exception(Vector.UD, 0);
        }
        c.requireCpl0();
        if (to64 && !c.canonical(c.r[Gpr.RCX])) {
            throw c.exception(Vector.GP, 0);
        }
        int base = (int) (c.sys.star >>> 48) & 0xffff;
        if (c.longMode()) {
            int flags = (int) (c.r[11] & SYSRET_FLAGS);
            Flags.setStatus(c, flags);
            c.sys.flags = flags & ~Bits.STATUS | 2;
        } else {
            c.sys.flags |= Bits.IF;
        }
        flat(c, Segment.CS, to64 ? base + 16 | 3 : base | 3, to64 ? CODE_64 : CODE_32, 3);
        flat(c, Segment.SS, base + 8 | 3, DATA, 3);
        c.updateMode();
        c.breakpoints.trapByNewFlags();
        c.ip = to64 ? c.r[Gpr.RCX] : c.r[Gpr.RCX] & 0xffff_ffffL;
    }

    /** AMD's processors know SYSENTER and SYSEXIT outside long mode only (APM volume 3). */
    private static void requireSysenter(Cpu c) {
        if (c.model.amd() && c.longMode()) {
            throw c.exception(Vector.UD, 0);
        }
    }

    private static void sysenter(Cpu c) {
        requireSysenter(c);
        if (!c.protectedMode() && !c.virtual8086() || (c.sys.sysenterCs & 0xfffc) == 0) {
            throw c.exception(Vector.GP, 0);
        }
        int selector = (int) c.sys.sysenterCs & 0xfffc;
        boolean lma = c.longMode();
        c.sys.flags &= ~(Bits.VM | Bits.IF | Bits.RF);
        flat(c, Segment.CS, selector, lma ? CODE_64 : CODE_32, 0);
        flat(c, Segment.SS, selector + 8, DATA, 0);
        c.updateMode();
        c.r[Gpr.RSP] = lma ? c.sys.sysenterEsp : c.sys.sysenterEsp & 0xffff_ffffL;
        c.ip = lma ? c.sys.sysenterEip : c.sys.sysenterEip & 0xffff_ffffL;
    }

    private static void sysexit(Cpu c, boolean to64) {
        requireSysenter(c);
        if ((c.sys.sysenterCs & 0xfffc) == 0 || !c.protectedMode()) {
            throw c.exception(Vector.GP, 0);
        }
        if (to64 && (!c.canonical(c.r[Gpr.RDX]) || !c.canonical(c.r[Gpr.RCX]))) {
            throw c.exception(Vector.GP, 0);
        }
        int base = (int) c.sys.sysenterCs & 0xfffc;
        flat(c, Segment.CS, base + (to64 ? 32 : 16) | 3, to64 ? CODE_64 : CODE_32, 3);
        flat(c, Segment.SS, base + (to64 ? 40 : 24) | 3, DATA, 3);
        c.updateMode();
        c.ip = to64 ? c.r[Gpr.RDX] : c.r[Gpr.RDX] & 0xffff_ffffL;
        c.r[Gpr.RSP] = to64 ? c.r[Gpr.RCX] : c.r[Gpr.RCX] & 0xffff_ffffL;
    }
}
