package kvasir.metal.cpu;

import java.util.Map;
import java.util.OptionalLong;
import kvasir.metal.cpu.Semantics.Action;
import kvasir.metal.cpu.Semantics.Maker;
import kvasir.metal.memory.NativeMemory;

/** CPUID, MSRs, time, random numbers, HLT, cache and TLB control, hypercalls, FS and GS bases, PKRU. */
final class ControlOps {
    /** Bytes of a cache line. */
    private static final int LINE = 64;

    private ControlOps() {}

    static void bind(Map<String, Maker> makers) {
        makers.put(
                "HLT",
                o -> Semantics.end(o, c -> {
                    SevOps.interceptHalt(c);
                    c.interpreter.exitAfter(new VmExit.Hlt());
                }));
        makers.put(
                "PAUSE",
                o -> Semantics.end(o, c -> {
                    if (c.pauseExits) {
                        c.interpreter.exitAfter(new VmExit.Pause());
                    } else if (c.shared) {
                        c.spins();
                    }
                }));
        makers.put("CPUID", o -> Semantics.end(o, ControlOps::cpuid));
        makers.put("RDMSR", o -> Semantics.end(o, c -> readMsr(c, o.index)));
        makers.put("WRMSR", o -> Semantics.end(o, ControlOps::writeMsr));
        makers.put("RDTSC", o -> Semantics.op(o, c -> readTsc(c, o.index)));
        makers.put(
                "RDTSCP",
                o -> Semantics.op(o, c -> {
                    readTsc(c, o.index);
                    c.r[Gpr.RCX] = c.sys.tscAux & 0xffff_ffffL;
                }));
        makers.put("RDPID", o -> {
            Arg to = o.arg(0);
            return Semantics.op(o, c -> to.store(c, c.sys.tscAux));
        });
        makers.put("RDRAND", ControlOps::random);
        makers.put("RDSEED", ControlOps::random);
        for (String name : new String[] {"UD0", "UD1", "UD2"}) {
            makers.put(
                    name,
                    o -> Semantics.end(o, c -> {
                        throw c.exception(Vector.UD, 0);
                    }));
        }
        makers.put("VMCALL", o -> exits(o, new VmExit.Hypercall(false)));
        makers.put(
                "VMMCALL",
                o -> Semantics.end(o, c -> {
                    SevOps.intercept(c, SevOps.VC_VMMCALL);
                    throw c.leave(new VmExit.Hypercall(true));
                }));
        makers.put(
                "RSM",
                o -> Semantics.end(o, c -> {
                    throw c.rsmExits ? c.leave(new VmExit.Rsm()) : c.exception(Vector.UD, 0);
                }));
        makers.put("TDCALL", o -> exits(o, new VmExit.Tdcall()));
        makers.put(
                "SWAPGS",
                o -> Semantics.end(o, c -> {
                    long base = c.sys.base[Segment.GS];
                    c.sys.base[Segment.GS] = c.sys.kernelGsBase;
                    c.sys.kernelGsBase = base;
                    c.updateMode();
                }));
        makers.put("RDFSBASE", o -> readBase(o, Segment.FS));
        makers.put("RDGSBASE", o -> readBase(o, Segment.GS));
        makers.put("WRFSBASE", o -> writeBase(o, Segment.FS));
        makers.put("WRGSBASE", o -> writeBase(o, Segment.GS));
        makers.put(
                "RDPKRU",
                o -> Semantics.op(o, c -> {
                    requirePke(c);
                    c.r[Gpr.RAX] = c.sys.pkru & 0xffff_ffffL;
                    c.r[Gpr.RDX] = 0;
                }));
        makers.put(
                "WRPKRU",
                o -> Semantics.end(o, c -> {
                    requirePke(c);
                    if (((int) c.r[Gpr.RDX]) != 0) {
                        throw c.exception(Vector.GP, 0);
                    }
                    c.sys.pkru = (int) c.r[Gpr.RAX];
                    c.mem.flush();
                }));
        makers.put("INVLPG", o -> {
            Address address = o.arg(0).address;
            return Semantics.end(o, c -> {
                long linear = c.wrap(c.segmentBase(address.segment) + address.offset(c));
                c.mem.flushPage(linear);
            });
        });
        makers.put("INVPCID", ControlOps::invalidatePcid);
        makers.put("INVD", o -> Semantics.end(o, c -> SevOps.intercept(c, SevOps.VC_INVD)));
        for (String name : new String[] {"WBINVD", "WBNOINVD"}) {
            makers.put(name, o -> Semantics.end(o, c -> SevOps.intercept(c, SevOps.VC_WBINVD)));
        }
        for (String name : new String[] {"LFENCE", "SFENCE"}) {
            makers.put(name, o -> Semantics.op(o, c -> {}));
        }
        makers.put(
                "MFENCE",
                o -> Semantics.op(o, c -> {
                    if (c.shared) {
                        NativeMemory.fence();
                    }
                }));
        for (String name : new String[] {"CLFLUSH", "CLFLUSHOPT", "CLWB"}) {
            makers.put(name, ControlOps::flushLine);
        }
        makers.put("MONITOR", o -> monitor(o, true));
        makers.put("MONITORX", o -> monitor(o, false));
        makers.put(
                "MWAIT",
                o -> Semantics.end(o, c -> {
                    requireKernel(c);
                    SevOps.intercept(c, SevOps.VC_MWAIT);
                }));
        makers.put("MWAITX", o -> Semantics.end(o, c -> {}));
        makers.put("CLZERO", ControlOps::clearLine);
        makers.put("RDPRU", o -> Semantics.op(o, c -> readPerformance(c, o.index)));
        makers.put(
                "RDPMC",
                o -> Semantics.end(o, c -> {
                    // KVM without a virtual PMU knows no counter
                    throw c.exception(Vector.GP, 0);
                }));
        makers.put("SERIALIZE", o -> Semantics.end(o, c -> {}));
        makers.put("MOVDIRI", o -> {
            Arg to = o.arg(0);
            Arg from = o.arg(1);
            return Semantics.op(o, c -> to.store(c, from.load(c)));
        });
    }

    /** MONITOR and MWAIT are #UD outside ring 0; MONITORX and MWAITX are for every ring. */
    private static void requireKernel(Cpu c) {
        if (c.cpl != 0) {
            throw c.exception(Vector.UD, 0);
        }
    }

    private static Op monitor(Operands o, boolean kernelOnly) {
        long mask = addressMask(o);
        return Semantics.op(o, c -> {
            if (kernelOnly) {
                requireKernel(c);
                SevOps.intercept(c, SevOps.VC_MONITOR);
            }
            if ((int) c.r[Gpr.RCX] != 0) {
                throw c.exception(Vector.GP, 0);
            }
            c.mem.load8(c.linear(o.instruction.segment(), c.r[Gpr.RAX] & mask, 1, false));
        });
    }

    private static long addressMask(Operands o) {
        int bytes = o.instruction.addressSize();
        return bytes == 8 ? -1 : (1L << 8 * bytes) - 1;
    }

    private static Op clearLine(Operands o) {
        long mask = addressMask(o) & -LINE;
        return Semantics.op(o, c -> {
            long linear = c.linear(o.instruction.segment(), c.r[Gpr.RAX] & mask, LINE, true);
            c.mem.probeWrite(linear, LINE);
            for (int i = 0; i < LINE; i += 8) {
                c.mem.store64(linear + i, 0);
            }
        });
    }

    /** RDPRU: MPERF and APERF, which count as the TSC does; 0 for another register (APM volume 3). */
    private static void readPerformance(Cpu c, int index) {
        if ((c.sys.cr4 & Bits.CR4_TSD) != 0 && c.cpl != 0) {
            throw c.exception(Vector.UD, 0);
        }
        int register = (int) c.r[Gpr.RCX];
        setPair(c, register == 0 || register == 1 ? c.tsc(index) - c.sys.tscOffset : 0);
    }

    private static Op exits(Operands o, VmExit exit) {
        return Semantics.end(o, c -> {
            throw c.leave(exit);
        });
    }

    private static void cpuid(Cpu c) {
        int leaf = (int) c.r[Gpr.RAX];
        int subleaf = (int) c.r[Gpr.RCX];
        SevOps.intercept(c, SevOps.VC_CPUID);
        if (c.cpuidExits) {
            throw c.leave(new VmExit.Cpuid(leaf, subleaf));
        }
        int[] out = c.cpuid(leaf, subleaf);
        c.r[Gpr.RAX] = out[0] & 0xffff_ffffL;
        c.r[Gpr.RBX] = out[1] & 0xffff_ffffL;
        c.r[Gpr.RCX] = out[2] & 0xffff_ffffL;
        c.r[Gpr.RDX] = out[3] & 0xffff_ffffL;
    }

    private static void setPair(Cpu c, long value) {
        c.r[Gpr.RAX] = value & 0xffff_ffffL;
        c.r[Gpr.RDX] = value >>> 32;
    }

    private static void readMsr(Cpu c, int index) {
        int msr = (int) c.r[Gpr.RCX];
        if (c.msrReadExits.test(msr)) {
            throw c.leave(new VmExit.Rdmsr(msr));
        }
        OptionalLong value = Msrs.read(c, msr, index);
        if (value.isEmpty()) {
            value = SevOps.readMsr(c, msr);
        }
        if (value.isEmpty()) {
            throw c.leave(new VmExit.Rdmsr(msr));
        }
        setPair(c, value.getAsLong());
    }

    private static void writeMsr(Cpu c) {
        int msr = (int) c.r[Gpr.RCX];
        long value = c.r[Gpr.RDX] << 32 | c.r[Gpr.RAX] & 0xffff_ffffL;
        if (c.msrWriteExits.test(msr) || !Msrs.guestWrite(c, msr, value) && !SevOps.writeMsr(c, msr, value)) {
            throw c.leave(new VmExit.Wrmsr(msr, value));
        }
    }

    private static void readTsc(Cpu c, int index) {
        if ((c.sys.cr4 & Bits.CR4_TSD) != 0 && c.cpl != 0) {
            throw c.exception(Vector.GP, 0);
        }
        setPair(c, c.tsc(index));
    }

    private static Op random(Operands o) {
        Arg to = o.arg(0);
        return Semantics.op(o, c -> {
            to.store(c, c.random.next());
            Flags.setStatus(c, Bits.CF);
        });
    }

    private static void requireFsgsbase(Cpu c) {
        if ((c.sys.cr4 & Bits.CR4_FSGSBASE) == 0) {
            throw c.exception(Vector.UD, 0);
        }
    }

    private static Op readBase(Operands o, int segment) {
        Arg to = o.arg(0);
        return Semantics.op(o, c -> {
            requireFsgsbase(c);
            to.store(c, c.sys.base[segment]);
        });
    }

    private static Op writeBase(Operands o, int segment) {
        Arg from = o.arg(0);
        return Semantics.end(o, c -> {
            requireFsgsbase(c);
            long value = from.load(c);
            if (!c.canonical(value)) {
                throw c.exception(Vector.GP, 0);
            }
            c.sys.base[segment] = value;
            c.updateMode();
        });
    }

    private static void requirePke(Cpu c) {
        if ((c.sys.cr4 & Bits.CR4_PKE) == 0) {
            throw c.exception(Vector.UD, 0);
        }
        if ((int) c.r[Gpr.RCX] != 0) {
            throw c.exception(Vector.GP, 0);
        }
    }

    private static Op flushLine(Operands o) {
        Address address = o.arg(0).address;
        return Semantics.op(o, c -> c.mem.load8(address.linear(c, 1, false)));
    }

    private static Op invalidatePcid(Operands o) {
        Arg type = o.arg(0);
        Address descriptor = o.arg(1).address;
        Action action = c -> {
            long linear = descriptor.linear(c, 16, false);
            long pcid = c.mem.load64(linear);
            long address = c.mem.load64(c.wrap(linear + 8));
            long kind = type.load(c);
            boolean pcidUsed = kind < 2 && (c.sys.cr4 & Bits.CR4_PCIDE) == 0 && pcid != 0;
            if (kind < 0 || kind > 3 || (pcid & ~0xfffL) != 0 || pcidUsed) {
                throw c.exception(Vector.GP, 0);
            }
            if (kind == 0 && !c.canonicalForLoad(address)) {
                throw c.exception(Vector.GP, 0);
            }
            switch ((int) kind) {
                case 0 -> c.mem.flushPage(address);
                case 1 -> c.mem.flushPcid(pcid);
                default -> c.mem.flush();
            }
        };
        return Semantics.end(o, action);
    }
}
