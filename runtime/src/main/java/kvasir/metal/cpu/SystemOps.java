package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.CpuidModel.Feature;
import kvasir.metal.cpu.Segments.Descriptor;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.cpu.isa.Register;
import kvasir.metal.paging.GuestWalker;

/** Segment registers, descriptor tables, control and debug registers. */
final class SystemOps {
    private static final long CR0_DEFINED = 0xe005_003fL;

    private static final long SERIALIZING_TICKS = 100;

    /** Bits of CR4 that no cached translation depends on. */
    private static final long CR4_WITHOUT_TRANSLATION = Bits.CR4_VME
            | Bits.CR4_PVI
            | Bits.CR4_TSD
            | Bits.CR4_DE
            | Bits.CR4_MCE
            | Bits.CR4_PCE
            | Bits.CR4_OSFXSR
            | Bits.CR4_OSXMMEXCPT
            | Bits.CR4_UMIP
            | Bits.CR4_FSGSBASE
            | Bits.CR4_OSXSAVE;

    private SystemOps() {}

    static void bind(Map<String, Maker> makers) {
        makers.put("LES", o -> loadFar(o, Segment.ES));
        makers.put("LDS", o -> loadFar(o, Segment.DS));
        makers.put("LSS", o -> loadFar(o, Segment.SS));
        makers.put("LFS", o -> loadFar(o, Segment.FS));
        makers.put("LGS", o -> loadFar(o, Segment.GS));
        makers.put("SGDT", o -> storeTable(o, true));
        makers.put("SIDT", o -> storeTable(o, false));
        makers.put("LGDT", o -> loadTable(o, true));
        makers.put("LIDT", o -> loadTable(o, false));
        makers.put("SLDT", o -> storeSelector(o, Segment.LDTR));
        makers.put("STR", o -> storeSelector(o, Segment.TR));
        makers.put("LLDT", o -> {
            Arg from = o.arg(0);
            return Semantics.op(o, c -> c.segments.loadLdt((int) from.load(c)));
        });
        makers.put("LTR", o -> {
            Arg from = o.arg(0);
            return Semantics.op(o, c -> c.segments.loadTask((int) from.load(c)));
        });
        makers.put("SMSW", o -> {
            Arg to = o.arg(0);
            return Semantics.op(o, c -> {
                requireUmip(c);
                to.store(c, c.sys.cr0);
            });
        });
        makers.put("LMSW", o -> {
            Arg from = o.arg(0);
            return Semantics.end(o, c -> writeCr0(c, c.sys.cr0 & ~0xeL | from.load(c) & 0xf));
        });
        makers.put(
                "CLTS",
                o -> Semantics.end(o, c -> {
                    c.sys.cr0 &= ~Bits.CR0_TS;
                    c.updateMode();
                }));
        makers.put("LAR", o -> examine(o, true));
        makers.put("LSL", o -> examine(o, false));
        makers.put("VERR", o -> verify(o, false));
        makers.put("VERW", o -> verify(o, true));
        makers.put("ARPL", SystemOps::adjustRpl);
    }

    /** MOV to a segment, control or debug register. */
    static Op moveToSpecial(Operands o, Register to) {
        Arg from = o.arg(1);
        int number = to.number();
        return switch (to.file()) {
            case SEGMENT ->
                Semantics.end(o, c -> {
                    if (number == Segment.CS) {
                        throw c.exception(Vector.UD, 0);
                    }
                    c.segments.load(number, (int) from.load(c) & 0xffff);
                    if (number == Segment.SS) {
                        c.shadow = true;
                        c.stackShadow = true;
                    }
                });
            case CONTROL -> Semantics.end(o, c -> writeControl(c, number, from.load(c)));
            case DEBUG -> Semantics.end(o, c -> writeDebug(c, number, from.load(c)));
            default -> throw new IllegalStateException("MOV to " + to.name());
        };
    }

    /** MOV from a segment, control or debug register. */
    static Op moveFromSpecial(Operands o, Register from) {
        Arg to = o.arg(0);
        int number = from.number();
        return switch (from.file()) {
            case SEGMENT -> Semantics.op(o, c -> to.store(c, c.sys.selector[number]));
            case CONTROL -> Semantics.op(o, c -> to.store(c, readControl(c, number)));
            case DEBUG -> Semantics.op(o, c -> to.store(c, readDebug(c, number)));
            default -> throw new IllegalStateException("MOV from " + from.name());
        };
    }

    private static void requireUmip(Cpu c) {
        if ((c.sys.cr4 & Bits.CR4_UMIP) != 0 && c.cpl != 0) {
            throw c.exception(Vector.GP, 0);
        }
    }

    private static long readControl(Cpu c, int number) {
        return switch (number) {
            case 0 -> c.sys.cr0;
            case 2 -> c.sys.cr2;
            case 3 -> c.sys.cr3;
            case 4 -> c.sys.cr4;
            case 8 -> c.sys.cr8;
            default -> throw c.exception(Vector.UD, 0);
        };
    }

    private static void writeControl(Cpu c, int number, long value) {
        switch (number) {
            case 0 -> writeCr0(c, value);
            case 2 -> c.sys.cr2 = value;
            case 3 -> writeCr3(c, value);
            case 4 -> writeCr4(c, value);
            case 8 -> {
                if ((value & ~15L) != 0) {
                    throw c.exception(Vector.GP, 0);
                }
                int before = c.sys.cr8;
                c.sys.cr8 = (int) value;
                if (c.cr8Exits) {
                    c.interpreter.exitAfter(new VmExit.Cr8Write(before, c.sys.cr8));
                }
            }
            default -> throw c.exception(Vector.UD, 0);
        }
    }

    /** What the guard does not allow does not happen. */
    static void guard(Cpu c, int register, long value) {
        switch (c.controlGuard.write(register, value)) {
            case ALLOWED -> {}
            case FAULTS -> throw c.exception(Vector.GP, 0);
            case EXITS -> throw c.leave(new VmExit.ControlWrite(register));
        }
    }

    private static void writeCr0(Cpu c, long written) {
        guard(c, 0, written);
        if (written >>> 32 != 0) {
            throw c.exception(Vector.GP, 0);
        }
        long value = written & CR0_DEFINED | Bits.CR0_ET;
        boolean paging = (value & Bits.CR0_PG) != 0;
        boolean was = (c.sys.cr0 & Bits.CR0_PG) != 0;
        boolean lme = (c.sys.efer & Bits.EFER_LME) != 0;
        boolean bad = paging && (value & Bits.CR0_PE) == 0
                || (value & (Bits.CR0_NW | Bits.CR0_CD)) == Bits.CR0_NW
                || paging
                        && !was
                        && lme
                        && ((c.sys.cr4 & Bits.CR4_PAE) == 0 || (c.sys.access[Segment.CS] & 0x2000) != 0)
                || !paging && was && (c.codeSize == CodeSize.BITS64 || (c.sys.cr4 & Bits.CR4_PCIDE) != 0);
        if (bad) {
            throw c.exception(Vector.GP, 0);
        }
        long efer = paging && lme ? c.sys.efer | Bits.EFER_LMA : c.sys.efer & ~Bits.EFER_LMA;
        boolean pae = paging && (c.sys.cr4 & Bits.CR4_PAE) != 0 && (efer & Bits.EFER_LMA) == 0;
        if (pae && (!was || ((value ^ c.sys.cr0) & (Bits.CR0_CD | Bits.CR0_NW)) != 0)) {
            loadPdptes(c, c.sys.cr3);
        }
        long changed = c.sys.cr0 ^ value;
        c.sys.efer = efer;
        c.sys.cr0 = value;
        serialize(c, changed);
        c.updateMode();
        if ((changed & (Bits.CR0_PE | Bits.CR0_PG)) != 0) {
            c.flushLinear();
        } else if ((changed & Bits.CR0_WP) != 0) {
            c.writeProtectChanged();
        }
    }

    /** Whether bits are set that CR3 does not have in long mode. */
    static boolean cr3Reserved(Cpu c, long value) {
        long masking = c.model.has(Feature.LAM) ? Bits.CR3_LAM_U48 | Bits.CR3_LAM_U57 : 0;
        return (value & -(1L << c.physicalBits()) & ~masking) != 0;
    }

    /** A change of CR0 or CR4 waits for everything before it, on silicon as long as a hundred instructions last. */
    private static void serialize(Cpu c, long changed) {
        if (changed != 0) {
            c.setClock(c.clock() + SERIALIZING_TICKS);
        }
    }

    private static void writeCr3(Cpu c, long written) {
        boolean pcid = (c.sys.cr4 & Bits.CR4_PCIDE) != 0;
        long value = pcid ? written & Long.MAX_VALUE : written;
        if (c.longMode() && cr3Reserved(c, value)) {
            throw c.exception(Vector.GP, 0);
        }
        boolean pae = (c.sys.cr0 & Bits.CR0_PG) != 0 && (c.sys.cr4 & Bits.CR4_PAE) != 0 && !c.longMode();
        if (pae) {
            loadPdptes(c, value);
        }
        if (pcid) {
            c.loadAddressSpace(value, written < 0);
        } else {
            c.sys.cr3 = value;
            c.flushLinear();
        }
    }

    /** A task switch loads CR3; bits beyond MAXPHYADDR cannot be there. */
    static void loadCr3(Cpu c, long value) {
        if ((c.sys.cr4 & Bits.CR4_PAE) != 0) {
            loadPdptes(c, value);
        }
        c.sys.cr3 = value;
        c.flushLinear();
    }

    private static void loadPdptes(Cpu c, long cr3) {
        long[] loaded = new long[4];
        for (int i = 0; i < 4; i++) {
            loaded[i] = c.mem.loadGuestPhysical((cr3 & 0xffff_ffe0L) + 8L * i);
            if (GuestWalker.reservedInPdpte(loaded[i], c.physicalBits())) {
                throw c.exception(Vector.GP, 0);
            }
        }
        System.arraycopy(loaded, 0, c.sys.pdpte, 0, 4);
    }

    /** The bits of CR4 that the CPUID model has. */
    static long cr4Defined(CpuidModel model) {
        long bits = Bits.CR4_VME
                | Bits.CR4_PVI
                | Bits.CR4_TSD
                | Bits.CR4_DE
                | Bits.CR4_PSE
                | Bits.CR4_PAE
                | Bits.CR4_MCE
                | Bits.CR4_PGE
                | Bits.CR4_PCE
                | Bits.CR4_OSFXSR
                | Bits.CR4_OSXMMEXCPT;
        bits |= model.has(Feature.UMIP) ? Bits.CR4_UMIP : 0;
        bits |= model.has(Feature.LA57) ? Bits.CR4_LA57 : 0;
        bits |= model.has(Feature.FSGSBASE) ? Bits.CR4_FSGSBASE : 0;
        bits |= model.has(Feature.XSAVE) ? Bits.CR4_OSXSAVE : 0;
        bits |= model.has(Feature.PCID) ? Bits.CR4_PCIDE : 0;
        bits |= model.has(Feature.SMEP) ? Bits.CR4_SMEP : 0;
        bits |= model.has(Feature.SMAP) ? Bits.CR4_SMAP : 0;
        bits |= model.has(Feature.PKU) ? Bits.CR4_PKE : 0;
        bits |= model.has(Feature.PKS) ? Bits.CR4_PKS : 0;
        bits |= model.has(Feature.LAM) ? Bits.CR4_LAM_SUP : 0;
        return bits;
    }

    private static void writeCr4(Cpu c, long value) {
        guard(c, 4, value);
        long changed = value ^ c.sys.cr4;
        boolean bad = (value & ~cr4Defined(c.model)) != 0
                || c.longMode() && ((value & Bits.CR4_PAE) == 0 || (changed & Bits.CR4_LA57) != 0)
                || (changed & value & Bits.CR4_PCIDE) != 0 && (!c.longMode() || (c.sys.cr3 & 0xfff) != 0);
        if (bad) {
            throw c.exception(Vector.GP, 0);
        }
        boolean pae = (c.sys.cr0 & Bits.CR0_PG) != 0 && (value & Bits.CR4_PAE) != 0 && !c.longMode();
        long reload = Bits.CR4_PAE | Bits.CR4_PGE | Bits.CR4_PSE | Bits.CR4_SMEP;
        if (pae && (changed & reload) != 0) {
            loadPdptes(c, c.sys.cr3);
        }
        c.sys.cr4 = value;
        c.breakpoints.follow();
        serialize(c, changed);
        if ((changed & ~CR4_WITHOUT_TRANSLATION) != 0) {
            c.flushLinear();
        }
    }

    private static int debugNumber(Cpu c, int number) {
        boolean alias = number == 4 || number == 5;
        if (number > 7 || alias && (c.sys.cr4 & Bits.CR4_DE) != 0) {
            throw c.exception(Vector.UD, 0);
        }
        if ((c.sys.dr[7] & 1 << 13) != 0) {
            throw c.exception(Vector.DB, Breakpoints.BD);
        }
        return alias ? number + 2 : number;
    }

    private static long readDebug(Cpu c, int number) {
        if (number == 7) {
            SevOps.interceptDr7(c, false);
        }
        return c.sys.dr[debugNumber(c, number)];
    }

    private static void writeDebug(Cpu c, int number, long value) {
        int to = debugNumber(c, number);
        if (to == 7) {
            SevOps.interceptDr7(c, true);
        }
        if (to >= 6 && value >>> 32 != 0) {
            throw c.exception(Vector.GP, 0);
        }
        c.sys.dr[to] = switch (to) {
            case 6 -> value & 0xe00f | 0xffff_0ff0L;
            case 7 -> value & 0xffff_23ffL | 0x400;
            default -> value;
        };
        if (to != 6) {
            c.breakpoints.follow();
        }
    }

    private static Op loadFar(Operands o, int segment) {
        Arg to = o.arg(0);
        Address from = o.arg(1).address;
        int bytes = o.size();
        return Semantics.end(o, c -> {
            long offset = c.mem.load(from.linear(c, bytes + 2, false), bytes);
            int selector = (int) c.mem.load(from.linear(c, bytes, 2, false), 2);
            c.segments.load(segment, selector);
            to.store(c, offset);
        });
    }

    private static Op storeTable(Operands o, boolean global) {
        Address to = o.arg(0).address;
        int bytes = o.codeSize == CodeSize.BITS64 ? 8 : 4;
        return Semantics.op(o, c -> {
            requireUmip(c);
            long linear = to.linear(c, bytes + 2, true);
            c.mem.probeWrite(linear, bytes + 2);
            c.mem.store16(linear, global ? c.sys.gdtLimit : c.sys.idtLimit);
            c.mem.store(c.wrap(linear + 2), bytes, global ? c.sys.gdtBase : c.sys.idtBase);
        });
    }

    private static Op loadTable(Operands o, boolean global) {
        Address from = o.arg(0).address;
        boolean bits64 = o.codeSize == CodeSize.BITS64;
        int bytes = bits64 ? 8 : 4;
        long mask = bits64 ? -1 : o.size() == 2 ? 0xff_ffff : 0xffff_ffffL;
        return Semantics.op(o, c -> {
            long linear = from.linear(c, bytes + 2, false);
            int limit = (int) c.mem.load16(linear);
            long base = c.mem.load(c.wrap(linear + 2), bytes) & mask;
            if (!c.canonicalForLoad(base)) {
                throw c.exception(Vector.GP, 0);
            }
            if (global) {
                c.sys.gdtLimit = limit;
                c.sys.gdtBase = base;
            } else {
                c.sys.idtLimit = limit;
                c.sys.idtBase = base;
            }
        });
    }

    private static Op storeSelector(Operands o, int segment) {
        Arg to = o.arg(0);
        return Semantics.op(o, c -> {
            requireUmip(c);
            to.store(c, c.sys.selector[segment]);
        });
    }

    private static void setZero(Cpu c, boolean zero) {
        int status = Flags.status(c);
        Flags.setStatus(c, zero ? status | Bits.ZF : status & ~Bits.ZF);
    }

    /** The descriptor if the selector is in its table; a descriptor of zeros if it is not. */
    private static Descriptor lookup(Cpu c, int selector) {
        boolean local = (selector & 4) != 0;
        long limit = local ? c.sys.limit[Segment.LDTR] & 0xffff_ffffL : c.sys.gdtLimit;
        boolean absent = local && (c.sys.access[Segment.LDTR] & Segment.UNUSABLE) != 0;
        if ((selector & 0xfffc) == 0 || absent || (selector & 0xfff8) + 7 > limit) {
            return new Descriptor(0);
        }
        return c.segments.descriptor(selector, Vector.GP, 0);
    }

    private static Op examine(Operands o, boolean rights) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        return Semantics.op(o, c -> {
            int selector = (int) from.load(c) & 0xffff;
            Descriptor d = lookup(c, selector);
            int type = d.type();
            boolean known;
            if (d.codeOrData()) {
                known = true;
            } else if (c.longMode()) {
                known = type == 2 || type == 9 || type == 11 || rights && type == 12;
            } else {
                boolean gate = type == 4 || type == 5 || type == 12;
                known = type == 1 || type == 2 || type == 3 || type == 9 || type == 11 || rights && gate;
            }
            boolean conforming = d.code() && d.conforming();
            boolean visible = conforming || d.dpl() >= Math.max(c.cpl, selector & 3);
            boolean good = d.raw() != 0 && known && visible;
            if (good) {
                to.store(c, rights ? d.raw() >>> 32 & 0x00ff_ff00L : d.limit() & 0xffff_ffffL);
            }
            setZero(c, good);
        });
    }

    private static Op verify(Operands o, boolean write) {
        Arg from = o.arg(0);
        return Semantics.op(o, c -> {
            int selector = (int) from.load(c) & 0xffff;
            Descriptor d = lookup(c, selector);
            boolean conforming = d.code() && d.conforming();
            boolean visible = conforming || d.dpl() >= Math.max(c.cpl, selector & 3);
            setZero(c, d.raw() != 0 && visible && (write ? d.writableData() : d.readable()));
        });
    }

    private static Op adjustRpl(Operands o) {
        Arg to = o.arg(0);
        Arg from = o.arg(1);
        return Semantics.op(o, c -> {
            long a = to.loadForStore(c);
            long b = from.load(c) & 3;
            boolean lower = (a & 3) < b;
            to.store(c, lower ? a & ~3L | b : a);
            setZero(c, lower);
        });
    }
}
