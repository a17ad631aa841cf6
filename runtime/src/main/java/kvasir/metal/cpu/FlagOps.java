package kvasir.metal.cpu;

import java.util.Map;
import kvasir.metal.cpu.Semantics.Maker;

/** Instructions on EFLAGS: CLC to STD, CLI, STI, LAHF, SAHF, PUSHF, POPF, CLAC, STAC. */
final class FlagOps {
    private static final int POPPABLE = Bits.TF | Bits.DF | Bits.NT | Bits.AC | Bits.ID;

    private FlagOps() {}

    static void bind(Map<String, Maker> makers) {
        makers.put("CLC", o -> Semantics.op(o, c -> Flags.setCarry(c, false)));
        makers.put("STC", o -> Semantics.op(o, c -> Flags.setCarry(c, true)));
        makers.put("CMC", o -> Semantics.op(o, c -> Flags.setCarry(c, !Flags.carry(c))));
        makers.put("CLD", o -> Semantics.op(o, c -> c.sys.flags &= ~Bits.DF));
        makers.put("STD", o -> Semantics.op(o, c -> c.sys.flags |= Bits.DF));
        makers.put("CLI", o -> Semantics.end(o, FlagOps::clearInterrupt));
        makers.put("STI", o -> Semantics.end(o, FlagOps::setInterrupt));
        makers.put(
                "LAHF",
                o -> Semantics.op(o, c -> {
                    long flags = Flags.status(c) & 0xd5 | 2;
                    c.r[Gpr.RAX] = c.r[Gpr.RAX] & ~0xff00L | flags << 8;
                }));
        makers.put(
                "SAHF",
                o -> Semantics.op(o, c -> {
                    int overflow = Flags.status(c) & Bits.OF;
                    Flags.setStatus(c, (int) (c.r[Gpr.RAX] >> 8) & 0xd5 | overflow);
                }));
        for (String suffix : new String[] {"W", "D", "Q"}) {
            makers.put("PUSHF" + suffix, FlagOps::pushFlags);
            makers.put("POPF" + suffix, FlagOps::popFlags);
        }
        makers.put("CLAC", o -> Semantics.end(o, c -> setAlignment(c, false)));
        makers.put("STAC", o -> Semantics.end(o, c -> setAlignment(c, true)));
    }

    private static void setAlignment(Cpu c, boolean on) {
        c.sys.flags = on ? c.sys.flags | Bits.AC : c.sys.flags & ~Bits.AC;
        c.updatePrivilege();
    }

    private static void clearInterrupt(Cpu c) {
        if (interruptFlagAllowed(c)) {
            c.sys.flags &= ~Bits.IF;
        } else if (virtualInterrupts(c)) {
            c.sys.flags &= ~Bits.VIF;
        } else {
            throw c.exception(Vector.GP, 0);
        }
    }

    private static void setInterrupt(Cpu c) {
        if (interruptFlagAllowed(c)) {
            c.shadow |= (c.sys.flags & Bits.IF) == 0;
            c.attention = true;
            c.sys.flags |= Bits.IF;
        } else if (virtualInterrupts(c) && (c.sys.flags & Bits.VIP) == 0) {
            c.sys.flags |= Bits.VIF;
        } else {
            throw c.exception(Vector.GP, 0);
        }
    }

    private static boolean interruptFlagAllowed(Cpu c) {
        return (c.sys.cr0 & Bits.CR0_PE) == 0 || c.iopl() >= c.cpl;
    }

    /** CR4.VME in virtual-8086 mode, CR4.PVI in protected mode at level 3. */
    private static boolean virtualInterrupts(Cpu c) {
        return c.virtual8086() ? (c.sys.cr4 & Bits.CR4_VME) != 0 : c.cpl == 3 && (c.sys.cr4 & Bits.CR4_PVI) != 0;
    }

    private static Op pushFlags(Operands o) {
        int bytes = o.size();
        return Semantics.op(o, c -> {
            int flags = c.eflags() & ~(Bits.VM | Bits.RF);
            if (c.virtual8086() && c.iopl() < 3) {
                if (bytes != 2 || (c.sys.cr4 & Bits.CR4_VME) == 0) {
                    throw c.exception(Vector.GP, 0);
                }
                flags = flags | Bits.IOPL;
                flags = (c.sys.flags & Bits.VIF) != 0 ? flags | Bits.IF : flags & ~Bits.IF;
            }
            StackOps.push(c, bytes, flags);
        });
    }

    private static Op popFlags(Operands o) {
        int bytes = o.size();
        return Semantics.end(o, c -> {
            if (c.virtual8086() && c.iopl() < 3) {
                popVirtual(c, bytes);
                return;
            }
            int value = (int) StackOps.pop(c, bytes);
            replace(c, value, bytes);
        });
    }

    /** Writes the flags that POPF and IRET at the present privilege may change. */
    static void replace(Cpu c, int value, int bytes) {
        int may = POPPABLE | Bits.STATUS;
        if (c.cpl == 0) {
            may |= Bits.IOPL;
        }
        if (interruptFlagAllowed(c)) {
            may |= Bits.IF;
        }
        if (bytes == 2) {
            may &= 0xffff;
        }
        int flags = (c.eflags() & ~may | value & may) & ~Bits.RF;
        Flags.setStatus(c, flags);
        c.sys.flags = flags & ~Bits.STATUS | 2;
        c.updatePrivilege();
    }

    private static void popVirtual(Cpu c, int bytes) {
        int value = (int) StackOps.peek(c, 0, bytes);
        boolean vme = bytes == 2 && (c.sys.cr4 & Bits.CR4_VME) != 0;
        boolean pendingAndOn = (value & Bits.IF) != 0 && (c.sys.flags & Bits.VIP) != 0;
        if (!vme || pendingAndOn || (value & Bits.TF) != 0) {
            throw c.exception(Vector.GP, 0);
        }
        StackOps.pop(c, bytes);
        int may = (POPPABLE | Bits.STATUS) & 0xffff;
        int flags = c.eflags() & ~may | value & may;
        flags = (value & Bits.IF) != 0 ? flags | Bits.VIF : flags & ~Bits.VIF;
        Flags.setStatus(c, flags);
        c.sys.flags = flags & ~Bits.STATUS | 2;
    }
}
