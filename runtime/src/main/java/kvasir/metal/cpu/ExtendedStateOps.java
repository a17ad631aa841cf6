package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.CpuidModel.Feature;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.cpu.isa.CodeSize;

/** FXSAVE and FXRSTOR, MXCSR, XCR0. */
final class ExtendedStateOps {
    private ExtendedStateOps() {}

    static void bind(Map<String, Maker> makers) {
        for (String name : new String[] {"FXSAVE", "FXSAVE64"}) {
            makers.put(name, ExtendedStateOps::save);
        }
        for (String name : new String[] {"FXRSTOR", "FXRSTOR64"}) {
            makers.put(name, ExtendedStateOps::restore);
        }
        for (String name : new String[] {"LDMXCSR", "VLDMXCSR"}) {
            makers.put(name, ExtendedStateOps::loadMxcsr);
        }
        for (String name : new String[] {"STMXCSR", "VSTMXCSR"}) {
            makers.put(name, o -> {
                Arg to = o.arg(0);
                return Semantics.op(o, c -> to.store(c, c.sys.mxcsr));
            });
        }
        makers.put("XGETBV", o -> Semantics.op(o, ExtendedStateOps::readXcr));
        makers.put("XSETBV", o -> Semantics.end(o, ExtendedStateOps::writeXcr));
    }

    /** EFER.FFXSR leaves the XMM registers out, in 64-bit mode at CPL 0 (AMD APM volume 2, 3.1.7). */
    private static boolean fast(Cpu c) {
        return (c.sys.efer & Bits.EFER_FFXSR) != 0 && c.codeSize == CodeSize.BITS64 && c.cpl == 0;
    }

    private static long area(Cpu c, Address address, boolean write) {
        long linear = address.linear(c, XStateArea.LEGACY_BYTES, write);
        if ((linear & 15) != 0) {
            throw c.exception(Vector.GP, 0);
        }
        return linear;
    }

    private static Op save(Operands o) {
        Address address = o.arg(0).address;
        boolean wide = o.size() == 8;
        return Semantics.op(o, c -> {
            long at = area(c, address, true);
            c.mem.probeWrite(at, XStateArea.LEGACY_BYTES);
            XStateArea.saveX87(c, at, wide);
            XStateArea.saveMxcsr(c, at);
            if (!fast(c)) {
                XStateArea.saveXmm(c, at);
            }
        });
    }

    private static Op restore(Operands o) {
        Address address = o.arg(0).address;
        boolean wide = o.size() == 8;
        return Semantics.op(o, c -> {
            long at = area(c, address, false);
            c.mem.load8(at);
            c.mem.load8(c.wrap(at + XStateArea.LEGACY_BYTES - 1));
            int mxcsr = XStateArea.checkedMxcsr(c, at);
            XStateArea.restoreX87(c, at, wide);
            c.setMxcsr(mxcsr);
            if (!fast(c)) {
                XStateArea.restoreXmm(c, at);
            }
        });
    }

    private static Op loadMxcsr(Operands o) {
        Arg from = o.arg(0);
        return Semantics.op(o, c -> {
            int value = (int) from.load(c);
            if ((value & ~c.mxcsrMask()) != 0) {
                throw c.exception(Vector.GP, 0);
            }
            c.setMxcsr(value);
        });
    }

    private static void readXcr(Cpu c) {
        long value = switch ((int) c.r[Gpr.RCX]) {
            case 0 -> c.sys.xcr0;
            case 1 -> {
                if (!c.model.has(Feature.XGETBV1)) {
                    throw c.exception(Vector.GP, 0);
                }
                yield c.sys.xcr0 & XState.inUse(c);
            }
            default -> throw c.exception(Vector.GP, 0);
        };
        c.r[Gpr.RAX] = value & 0xffff_ffffL;
        c.r[Gpr.RDX] = value >>> 32;
    }

    private static void writeXcr(Cpu c) {
        long value = c.r[Gpr.RDX] << 32 | c.r[Gpr.RAX] & 0xffff_ffffL;
        if ((int) c.r[Gpr.RCX] != 0 || !XState.legalXcr0(c.model, value)) {
            throw c.exception(Vector.GP, 0);
        }
        SystemOps.guard(c, ControlGuard.XCR0, value);
        c.sys.xcr0 = value;
        c.updateMode();
    }
}
