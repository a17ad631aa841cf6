package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import kvasir.event.Events;
import kvasir.metal.cpu.isa.Assembled;
import kvasir.metal.cpu.isa.AssemblyText;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.memory.PhysicalMemory;

/** A processor on a bench: memory, identity-mapped tables, code at 1 MiB, flat segments. */
final class Bench {
    static final long CODE = 0x10_0000;
    static final long STACK = 0x20_0000;

    /** Where an XSAVE area can lie. */
    static final long EXTENDED = 0x28_0000;

    /** What {@link #withIdt} sets up. */
    static final long IDT = 0x6000;

    static final long TSS = 0x7000;
    static final long HANDLER = 0x8000;

    final PhysicalMemory memory = new PhysicalMemory(1L << 32);
    final Events events = new Events();
    final Cpu cpu;

    private Bench(CpuidModel model) {
        cpu = new Cpu(memory, events, model, 0);
    }

    /** 64-bit mode at CPL 0: 4 GiB of user pages mapped, the first GiB by the 2 MiB pages of 0x3000, GDT at 0x5000. */
    static Bench bits64(String source) {
        return bits64(source, CpuidModel.standard());
    }

    /** As {@link #bits64(String)} with a processor of {@code model}. */
    static Bench bits64(String source, CpuidModel model) {
        var bench = new Bench(model);
        bench.memory.write64(0x1000, 0x2007);
        bench.memory.write64(0x2000, 0x3007);
        for (int i = 0; i < 512; i++) {
            bench.memory.write64(0x3000 + 8L * i, ((long) i << 21) | 0x87);
        }
        for (int i = 1; i < 4; i++) {
            bench.memory.write64(0x2000 + 8L * i, ((long) i << 30) | 0x87);
        }
        bench.load(CodeSize.BITS64, source);
        Cpu cpu = bench.cpu;
        cpu.setCr(0, 0x8001_0033L);
        cpu.setCr(3, 0x1000);
        cpu.setCr(4, Bits.CR4_PAE | Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT | Bits.CR4_OSXSAVE);
        cpu.setXcr0(7);
        cpu.setMsr(Msr.EFER, Bits.EFER_LME | Bits.EFER_LMA | Bits.EFER_NXE);
        bench.segments(0xa09b);
        return bench;
    }

    static Bench withIdt(String source) {
        return withIdt(source, CpuidModel.standard());
    }

    /** 64-bit mode with an IDT whose every gate goes to a HLT of its own, 16 bytes apart, in the present code segment. */
    static Bench withIdt(String source, CpuidModel model) {
        Bench bench = bits64(source, model);
        for (int vector = 0; vector < 256; vector++) {
            gate(bench, vector, HANDLER + 16L * vector, 0x8e, 0);
            bench.memory.write8(HANDLER + 16L * vector, (byte) 0xf4);
        }
        bench.cpu.setIdtr(new DescriptorTable(IDT, 0xfff));
        bench.memory.write64(TSS + 4, 0x30_0000);
        bench.memory.write64(TSS + 0x24, 0x31_0000);
        bench.cpu.setSegment(Segment.TR, new Segment(0x40, TSS, 103, 0x8b));
        return bench;
    }

    static void gate(Bench bench, int vector, long target, int access, int ist) {
        bench.memory.write64(
                IDT + 16L * vector,
                target & 0xffff | 8L << 16 | (long) ist << 32 | (long) access << 40 | (target >>> 16 & 0xffff) << 48);
        bench.memory.write64(IDT + 16L * vector + 8, target >>> 32);
    }

    /** Runs to the HLT of a handler; which one. */
    static int vector(Bench bench) {
        assertEquals(new VmExit.Hlt(), bench.run());
        return (int) (bench.cpu.rip() - 1 - HANDLER) / 16;
    }

    /** A 64-bit slot of the handler's stack. */
    static long stacked(Bench bench, int slot) {
        return bench.memory.read64(bench.cpu.gpr(Gpr.RSP) + 8L * slot);
    }

    /** Ring 3 with the segments of the GDT. */
    Bench inRing3() {
        cpu.setSegment(Segment.CS, new Segment(0x33, 0, -1, 0xa0fb));
        cpu.setSegment(Segment.SS, new Segment(0x2b, 0, -1, 0xc0f3));
        return this;
    }

    /** 32-bit protected mode without paging at CPL 0. */
    static Bench bits32(String source) {
        return bits32(source, CpuidModel.standard());
    }

    /** A processor with every feature, x87 and vector state enabled, exceptions without handlers; it executes HLT. */
    static Bench silicon(boolean bits32) {
        return enabled(bits32 ? bits32("hlt", SiliconCases.EVERYTHING) : bits64("hlt", SiliconCases.EVERYTHING));
    }

    /** The same in 64-bit mode, with a program. */
    static Bench silicon(String source) {
        return enabled(bits64(source, SiliconCases.EVERYTHING));
    }

    private static Bench enabled(Bench bench) {
        bench.cpu.setCr(4, bench.cpu.cr(4) | Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT | Bits.CR4_OSXSAVE);
        bench.cpu.sys.xcr0 = 7;
        bench.cpu.updateMode();
        return bench;
    }

    /** Puts code at {@link #CODE}, and HLT behind it. */
    void place(byte[] code) {
        memory.write(CODE, code, 0, code.length);
        memory.write8(CODE + code.length, (byte) 0xf4);
    }

    /** As {@link #bits32(String)} with a processor of {@code model}. */
    static Bench bits32(String source, CpuidModel model) {
        var bench = new Bench(model);
        bench.load(CodeSize.BITS32, source);
        bench.cpu.setCr(0, 0x33);
        bench.cpu.setCr(4, Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT | Bits.CR4_OSXSAVE);
        bench.cpu.setXcr0(7);
        bench.segments(0xc09b);
        return bench;
    }

    /** Real mode, CS = 0x1000 with code at linear 0x10000. */
    static Bench bits16(String source) {
        var bench = new Bench(CpuidModel.standard());
        byte[] code = assemble(CodeSize.BITS16, 0, source);
        bench.memory.write(0x1_0000, code, 0, code.length);
        bench.cpu.setSegment(Segment.CS, new Segment(0x1000, 0x1_0000, 0xffff, 0x9b));
        bench.cpu.setRip(0);
        bench.cpu.setGpr(Gpr.RSP, 0x8000);
        return bench;
    }

    private void segments(int code) {
        long[] gdt = {
            0,
            0x00af_9b00_0000_ffffL,
            0x00cf_9300_0000_ffffL,
            0x00cf_9b00_0000_ffffL,
            0x00cf_fb00_0000_ffffL,
            0x00cf_f300_0000_ffffL,
            0x00af_fb00_0000_ffffL
        };
        for (int i = 0; i < gdt.length; i++) {
            memory.write64(0x5000 + 8L * i, gdt[i]);
        }
        cpu.setGdtr(new DescriptorTable(0x5000, gdt.length * 8 - 1));
        cpu.setSegment(Segment.CS, new Segment(code == 0xa09b ? 8 : 24, 0, -1, code));
        for (int segment : new int[] {Segment.ES, Segment.SS, Segment.DS, Segment.FS, Segment.GS}) {
            cpu.setSegment(segment, new Segment(16, 0, -1, 0xc093));
        }
        cpu.setRip(CODE);
        cpu.setGpr(Gpr.RSP, STACK);
        cpu.setRflags(2);
    }

    static byte[] assemble(CodeSize codeSize, long origin, String source) {
        Assembled assembled = AssemblyText.assemble(codeSize, origin, source);
        if (!assembled.ok()) {
            throw new AssertionError(assembled.errors().toString());
        }
        return assembled.code().toArray();
    }

    private void load(CodeSize codeSize, String source) {
        byte[] code = assemble(codeSize, CODE, source);
        memory.write(CODE, code, 0, code.length);
    }

    VmExit run() {
        return cpu.run(1_000_000);
    }
}
