package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;

/**
 * XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR, XRSTORS (Intel SDM volume 1, 13.7 to 13.12). Components in their initial
 * configuration are left out where the instruction may do so; those not modified since the last XRSTOR never are.
 */
final class XsaveOps {
    private static final int ALIGNMENT = 64;
    private static final int XSTATE_BV = XState.HEADER;
    private static final int XCOMP_BV = XState.HEADER + 8;
    private static final int HEADER_END = XState.HEADER + 64;
    private static final long COMPACTED = 1L << 63;
    private static final int MXCSR_INITIAL = 0x1f80;

    private XsaveOps() {}

    /** How an area is written. */
    private enum Form {
        PLAIN,
        OPTIMISED,
        COMPACTED,
        SUPERVISOR
    }

    static void bind(Map<String, Maker> makers) {
        for (String suffix : new String[] {"", "64"}) {
            makers.put("XSAVE" + suffix, o -> save(o, Form.PLAIN));
            makers.put("XSAVEOPT" + suffix, o -> save(o, Form.OPTIMISED));
            makers.put("XSAVEC" + suffix, o -> save(o, Form.COMPACTED));
            makers.put("XSAVES" + suffix, o -> save(o, Form.SUPERVISOR));
            makers.put("XRSTOR" + suffix, o -> restore(o, false));
            makers.put("XRSTORS" + suffix, o -> restore(o, true));
        }
    }

    /** The requested-feature bitmap. */
    private static long requested(Cpu c, boolean supervisor) {
        long asked = c.r[Gpr.RDX] << 32 | c.r[Gpr.RAX] & 0xffff_ffffL;
        return asked & (c.sys.xcr0 | (supervisor ? c.sys.xss : 0));
    }

    private static long area(Cpu c, Address address, int bytes, boolean write) {
        long linear = address.linear(c, bytes, write);
        if ((linear & ALIGNMENT - 1) != 0) {
            throw c.exception(Vector.GP, 0);
        }
        return linear;
    }

    private static Op save(Operands o, Form form) {
        Address address = o.arg(0).address;
        boolean wide = o.size() == 8;
        boolean compacted = form == Form.COMPACTED || form == Form.SUPERVISOR;
        return Semantics.op(o, c -> {
            long components = requested(c, form == Form.SUPERVISOR);
            long used = XState.inUse(c);
            if (compacted && c.sys.mxcsr != MXCSR_INITIAL) {
                used |= XState.SSE;
            }
            long written = form == Form.PLAIN ? components : components & used;
            int bytes = XState.areaBytes(c.model, components, compacted);
            long at = area(c, address, bytes, true);
            c.mem.probeWrite(at, bytes);
            long old = compacted ? 0 : XStateArea.load(c, at, XSTATE_BV, 8);
            store(c, at, components, written, compacted, wide);
            XStateArea.store(c, at, XSTATE_BV, 8, old & ~components | components & used);
            if (compacted) {
                XStateArea.store(c, at, XCOMP_BV, 8, components | COMPACTED);
            }
        });
    }

    private static void store(Cpu c, long at, long components, long written, boolean compacted, boolean wide) {
        if ((written & XState.X87) != 0) {
            XStateArea.saveX87(c, at, wide);
        }
        long carriesMxcsr = compacted ? written & XState.SSE : components & (XState.SSE | XState.AVX);
        if (carriesMxcsr != 0) {
            XStateArea.saveMxcsr(c, at);
        }
        if ((written & XState.SSE) != 0) {
            XStateArea.saveXmm(c, at);
        }
        int compact = XState.AVX_OFFSET;
        if ((written & XState.AVX) != 0) {
            for (int i = 0; i < XStateArea.registers(c); i++) {
                XStateArea.store(c, at, XState.AVX_OFFSET + 16 * i, 8, c.sys.ymm[4 * i + 2]);
                XStateArea.store(c, at, XState.AVX_OFFSET + 16 * i + 8, 8, c.sys.ymm[4 * i + 3]);
            }
        }
        compact += (components & XState.AVX) != 0 ? XState.AVX_BYTES : 0;
        if ((written & XState.PKRU) != 0) {
            int offset = compacted ? compact : XState.offset(c.model, XState.PKRU);
            XStateArea.store(c, at, offset, 8, c.sys.pkru & 0xffff_ffffL);
        }
    }

    private static Op restore(Operands o, boolean supervisor) {
        Address address = o.arg(0).address;
        boolean wide = o.size() == 8;
        return Semantics.end(o, c -> {
            long at = area(c, address, HEADER_END, false);
            long present = XStateArea.load(c, at, XSTATE_BV, 8);
            long layout = XStateArea.load(c, at, XCOMP_BV, 8);
            boolean compacted = layout < 0;
            checkHeader(c, at, present, layout, supervisor);
            long components = requested(c, supervisor);
            long loaded = components & present;
            int bytes = XState.areaBytes(c.model, compacted ? layout & ~COMPACTED : components, compacted);
            address.linear(c, bytes, false);
            c.mem.load8(at);
            c.mem.load8(c.wrap(at + bytes - 1));
            long carriesMxcsr = compacted ? loaded & XState.SSE : components & (XState.SSE | XState.AVX);
            int mxcsr = carriesMxcsr != 0 ? XStateArea.checkedMxcsr(c, at) : c.sys.mxcsr;
            if (compacted && (components & ~present & XState.SSE) != 0) {
                mxcsr = MXCSR_INITIAL;
            }
            c.setMxcsr(mxcsr);
            load(c, at, components, loaded, layout, wide);
        });
    }

    private static void checkHeader(Cpu c, long at, long present, long layout, boolean supervisor) {
        long enabled = c.sys.xcr0 | (supervisor ? c.sys.xss : 0);
        boolean compacted = layout < 0;
        boolean good;
        if (compacted) {
            long reserved = 0;
            for (int i = 16; i < 64; i += 8) {
                reserved |= XStateArea.load(c, at, XState.HEADER + i, 8);
            }
            boolean known = c.model.has(CpuidModel.Feature.XSAVEC) || c.model.has(CpuidModel.Feature.XSAVES);
            good = known && reserved == 0 && (layout & ~COMPACTED & ~enabled) == 0 && (present & ~layout) == 0;
        } else {
            good = !supervisor
                    && layout == 0
                    && XStateArea.load(c, at, XState.HEADER + 16, 8) == 0
                    && (present & ~enabled) == 0;
        }
        if (!good) {
            throw c.exception(Vector.GP, 0);
        }
    }

    /** Loads components, and gives those that are asked for but not present their initial configuration. */
    private static void load(Cpu c, long at, long components, long loaded, long layout, boolean wide) {
        SystemState sys = c.sys;
        if ((loaded & XState.X87) != 0) {
            XStateArea.restoreX87(c, at, wide);
        } else if ((components & XState.X87) != 0) {
            sys.x87.reset();
        }
        if ((loaded & XState.SSE) != 0) {
            XStateArea.restoreXmm(c, at);
        }
        boolean clearSse = (components & ~loaded & XState.SSE) != 0;
        boolean clearAvx = (components & ~loaded & XState.AVX) != 0;
        int compact = XState.AVX_OFFSET;
        for (int i = 0; i < XStateArea.registers(c); i++) {
            if (clearSse) {
                sys.ymm[4 * i] = 0;
                sys.ymm[4 * i + 1] = 0;
            }
            if (clearAvx) {
                sys.ymm[4 * i + 2] = 0;
                sys.ymm[4 * i + 3] = 0;
            } else if ((loaded & XState.AVX) != 0) {
                sys.ymm[4 * i + 2] = XStateArea.load(c, at, XState.AVX_OFFSET + 16 * i, 8);
                sys.ymm[4 * i + 3] = XStateArea.load(c, at, XState.AVX_OFFSET + 16 * i + 8, 8);
            }
        }
        compact += (layout & XState.AVX) != 0 ? XState.AVX_BYTES : 0;
        if ((components & XState.PKRU) != 0) {
            int offset = layout < 0 ? compact : XState.offset(c.model, XState.PKRU);
            sys.pkru = (loaded & XState.PKRU) != 0 ? (int) XStateArea.load(c, at, offset, 4) : 0;
            c.mem.flush();
        }
    }
}
