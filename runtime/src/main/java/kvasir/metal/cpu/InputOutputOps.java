package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;

/** IN, OUT, INS, OUTS: each element is an exit. */
final class InputOutputOps {
    private InputOutputOps() {}

    static void bind(Map<String, Maker> makers) {
        makers.put("IN", o -> new Register(o, true));
        makers.put("OUT", o -> new Register(o, false));
        makers.put("INSB", o -> new Text(o, 1, true));
        makers.put("INSW", o -> new Text(o, 2, true));
        makers.put("INSD", o -> new Text(o, 4, true));
        makers.put("OUTSB", o -> new Text(o, 1, false));
        makers.put("OUTSW", o -> new Text(o, 2, false));
        makers.put("OUTSD", o -> new Text(o, 4, false));
    }

    /** #GP unless IOPL or the TSS's permission bitmap allows the port. */
    private static void checkPermission(Cpu c, int port, int bytes) {
        if ((c.sys.cr0 & Bits.CR0_PE) == 0 || (!c.virtual8086() && c.cpl <= c.iopl())) {
            return;
        }
        boolean wide = (c.sys.access[Segment.TR] & 8) != 0;
        long limit = c.sys.limit[Segment.TR] & 0xffff_ffffL;
        if (!wide || limit < 103) {
            throw c.exception(Vector.GP, 0);
        }
        long base = c.sys.base[Segment.TR];
        long map = c.segments.systemLoad(base + 102, 2);
        long at = map + (port >> 3);
        if (at + 1 > limit) {
            throw c.exception(Vector.GP, 0);
        }
        long bits = c.segments.systemLoad(base + at, 2) >>> (port & 7);
        if ((bits & ((1 << bytes) - 1)) != 0) {
            throw c.exception(Vector.GP, 0);
        }
    }

    private static final class Register extends PortOp {
        private final boolean in;
        private final Arg value;
        private final Arg port;

        Register(Operands o, boolean in) {
            super(o);
            this.in = in;
            value = o.arg(in ? 0 : 1);
            port = o.arg(in ? 1 : 0);
        }

        @Override
        void run(Cpu c) {
            int number = (int) port.load(c) & (port.bytes == 1 ? 0xff : 0xffff);
            checkPermission(c, number, value.bytes);
            SevOps.intercept(c, SevOps.VC_IOIO);
            c.interpreter.awaitPort(this, number, value.bytes);
            throw c.leave(new VmExit.Io(number, value.bytes, in, false, in ? 0 : (int) value.load(c)));
        }

        @Override
        boolean complete(Cpu c, int read) {
            if (in) {
                value.store(c, read);
            }
            return true;
        }
    }

    private static final class Text extends PortOp {
        private final int bytes;
        private final boolean in;
        private final StringOps.Shape shape;

        Text(Operands o, int bytes, boolean in) {
            super(o);
            this.bytes = bytes;
            this.in = in;
            shape = new StringOps.Shape(o, bytes);
        }

        @Override
        void run(Cpu c) {
            if (shape.repeats && shape.count(c) == 0) {
                return;
            }
            int port = (int) c.r[Gpr.RDX] & 0xffff;
            checkPermission(c, port, bytes);
            SevOps.intercept(c, SevOps.VC_IOIO);
            int value = 0;
            if (in) {
                c.mem.probeWrite(shape.destination(c), bytes);
            } else {
                value = (int) c.mem.load(shape.source(c), bytes);
            }
            c.interpreter.awaitPort(this, port, bytes);
            throw c.leave(new VmExit.Io(port, bytes, in, true, value));
        }

        @Override
        boolean complete(Cpu c, int read) {
            if (in) {
                c.mem.store(shape.destination(c), bytes, read);
                shape.advance(c, Gpr.RDI);
            } else {
                shape.advance(c, Gpr.RSI);
            }
            return !shape.repeats || shape.countDown(c) == 0;
        }
    }
}
