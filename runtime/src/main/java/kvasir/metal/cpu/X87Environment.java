package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;

/**
 * x87 control: control and status words, and the environment and state images in their four formats (Intel SDM volume 1,
 * 8.1.10).
 */
final class X87Environment {
    private static final int REGISTER_BYTES = 10;

    private X87Environment() {}

    static void bind(Map<String, Maker> makers) {
        makers.put("FNSTCW", o -> {
            Arg to = o.arg(0);
            return Semantics.op(o, c -> to.store(c, c.sys.x87.control));
        });
        makers.put("FLDCW", o -> {
            Arg from = o.arg(0);
            return Semantics.op(o, c -> {
                long control = from.load(c);
                pending(c);
                c.sys.x87.setControl((int) control);
            });
        });
        makers.put("FNSTSW", o -> {
            Arg to = o.arg(0);
            return Semantics.op(o, c -> to.store(c, c.sys.x87.statusWord()));
        });
        makers.put("FNCLEX", o -> Semantics.op(o, c -> c.sys.x87.status &= X87.C0 | X87.C1 | X87.C2 | X87.C3));
        for (String name : new String[] {"FNENI", "FNDISI", "FNSETPM"}) {
            makers.put(name, o -> Semantics.op(o, c -> {}));
        }
        makers.put("FNINIT", o -> Semantics.op(o, c -> c.sys.x87.init()));
        makers.put("FNSTENV", o -> store(o, false));
        makers.put("FNSAVE", o -> store(o, true));
        makers.put("FLDENV", o -> load(o, false));
        makers.put("FRSTOR", o -> load(o, true));
    }

    private static void pending(Cpu c) {
        if ((c.sys.x87.status & X87.ES) != 0) {
            throw c.exception(Vector.MF, 0);
        }
    }

    private static Op store(Operands o, boolean registers) {
        Address address = o.arg(0).address;
        int width = o.size() == 2 ? 2 : 4;
        int bytes = 7 * width + (registers ? 8 * REGISTER_BYTES : 0);
        return Semantics.op(o, c -> {
            long at = address.linear(c, bytes, true);
            c.mem.probeWrite(at, bytes);
            X87 x87 = c.sys.x87;
            int[] words = image(c, x87, width == 4);
            for (int i = 0; i < 7; i++) {
                XStateArea.store(c, at, i * width, width, words[i] & 0xffff_ffffL);
            }
            if (!registers) {
                x87.setControl(x87.control | 0x3f);
                return;
            }
            for (int i = 0; i < 8; i++) {
                int physical = x87.top + i & 7;
                XStateArea.store(c, at, 7 * width + i * REGISTER_BYTES, 8, x87.significand[physical]);
                XStateArea.store(c, at, 7 * width + i * REGISTER_BYTES + 8, 2, x87.signExponent[physical]);
            }
            x87.init();
        });
    }

    /** The seven words of the environment. */
    private static int[] image(Cpu c, X87 x87, boolean wide) {
        int[] words = new int[7];
        int unused = wide ? 0xffff_0000 : 0;
        words[0] = x87.control | unused;
        words[1] = x87.statusWord() | unused;
        words[2] = x87.tagWord() | unused;
        if (c.protectedMode()) {
            words[3] = (int) x87.instructionPointer;
            words[4] = x87.instructionSelector | (wide ? x87.opcode << 16 : 0);
            words[5] = (int) x87.dataPointer;
            words[6] = x87.dataSelector | unused;
            return words;
        }
        int instruction = (int) x87.instructionPointer + (x87.instructionSelector << 4);
        int data = (int) x87.dataPointer + (x87.dataSelector << 4);
        words[3] = instruction & 0xffff | unused;
        words[4] = (instruction >>> 16) << 12 | x87.opcode;
        words[5] = data & 0xffff | unused;
        words[6] = (data >>> 16) << 12;
        return words;
    }

    private static Op load(Operands o, boolean registers) {
        Address address = o.arg(0).address;
        int width = o.size() == 2 ? 2 : 4;
        int bytes = 7 * width + (registers ? 8 * REGISTER_BYTES : 0);
        return Semantics.op(o, c -> {
            long at = address.linear(c, bytes, false);
            c.mem.load8(c.wrap(at + bytes - 1));
            int[] words = new int[7];
            for (int i = 0; i < 7; i++) {
                words[i] = (int) XStateArea.load(c, at, i * width, width);
            }
            pending(c);
            X87 x87 = c.sys.x87;
            x87.control = X87.controlBits(words[0]);
            x87.setStatusWord(words[1]);
            x87.setTagWord(words[2]);
            pointers(c, x87, words, width == 4);
            if (registers) {
                for (int i = 0; i < 8; i++) {
                    int physical = x87.top + i & 7;
                    x87.significand[physical] = XStateArea.load(c, at, 7 * width + i * REGISTER_BYTES, 8);
                    x87.signExponent[physical] = (int) XStateArea.load(c, at, 7 * width + i * REGISTER_BYTES + 8, 2);
                }
            }
        });
    }

    private static void pointers(Cpu c, X87 x87, int[] words, boolean wide) {
        if (c.protectedMode()) {
            x87.instructionPointer = words[3] & 0xffff_ffffL;
            x87.instructionSelector = words[4] & 0xffff;
            x87.opcode = wide ? words[4] >>> 16 & 0x7ff : 0;
            x87.dataPointer = words[5] & 0xffff_ffffL;
            x87.dataSelector = words[6] & 0xffff;
            return;
        }
        int high = wide ? 0xffff : 15;
        x87.instructionPointer = words[3] & 0xffff | (long) (words[4] >>> 12 & high) << 16;
        x87.instructionSelector = 0;
        x87.opcode = words[4] & 0x7ff;
        x87.dataPointer = words[5] & 0xffff | (long) (words[6] >>> 12 & high) << 16;
        x87.dataSelector = 0;
    }
}
