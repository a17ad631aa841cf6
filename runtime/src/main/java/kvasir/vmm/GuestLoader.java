package kvasir.vmm;

import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import kvasir.kvm.Vcpu;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.Gpr;
import kvasir.metal.cpu.Segment;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Guest;
import kvasir.registry.Outcome;
import kvasir.registry.Range;

/**
 * Puts a guest program into memory and a vCPU at its start: {@code asm16} in real mode, {@code asm32} in flat protected
 * mode, {@code asm64} in long mode under an identity mapping.
 */
final class GuestLoader {
    private static final int PAGE = 4096;
    private static final int STACK_END = 4;
    private static final long CR0_PE = 1;
    private static final long CR0_NE_ET = 0x30;
    private static final long CR0_PG = 1L << 31;
    private static final long CR4_PAE_OSFXSR = 0x620;
    private static final long EFER_LME_LMA = 0x500;
    private static final int MSR_EFER = 0xc000_0080;
    private static final int CODE32 = 0xc09b;
    private static final int CODE64 = 0xa09b;
    private static final int DATA = 0xc093;
    private static final int CODE16 = 0x009b;
    private static final int DATA16 = 0x0093;
    private static final int TSS = 0x008b;
    private static final long TABLE = 0x23;
    private static final long HUGE_PAGE = 0xe3;

    private GuestLoader() {}

    static Outcome load(Vcpu vcpu, Guest guest, Arguments a) {
        long at = a.u64("at");
        boolean low = guest.bits() == 16 && Long.compareUnsigned(at, 0x1_0000) < 0;
        long linear = guest.bits() == 16 && !low ? 0 : at;
        Bytes code = guest.assembledAt(linear);
        Outcome written = GuestMemory.write(vcpu.vm(), at, code);
        if (!(written instanceof Outcome.Ok) || a.flag("bare")) {
            return written;
        }
        long tables = a.u64("tables", (at + code.length() + PAGE - 1) & -PAGE);
        if (guest.bits() != 16) {
            byte[] pages = systemPages(tables, a.optional("also", Range.class));
            Outcome tabled = GuestMemory.write(vcpu.vm(), tables, Bytes.of(pages));
            if (!(tabled instanceof Outcome.Ok)) {
                return new Outcome.Failed(
                        "EFAULT",
                        "load: page tables, GDT and stack need four pages of shared memory at gpa 0x%x; `tables` moves them"
                                .formatted(tables),
                        Map.of("gpa", tables));
            }
        }
        Cpu cpu = vcpu.cpu();
        cpu.setRflags(2);
        for (int register = 0; register < 16; register++) {
            cpu.setGpr(register, 0);
        }
        switch (guest.bits()) {
            case 16 -> realMode(cpu, at, low);
            case 32 -> protectedMode(cpu, tables, at);
            default -> longMode(cpu, tables, at);
        }
        return Outcome.ok();
    }

    /** PML4, PDPT, GDT and stack; behind them a PDPT for each further 512 GiB. */
    private static byte[] systemPages(long tables, Optional<Range> also) {
        var further = new TreeSet<Long>();
        also.ifPresent(range -> {
            for (long part = range.start() >>> 39; part <= (range.end() - 1) >>> 39 && further.size() < 8; part++) {
                further.add(part);
            }
        });
        further.remove(0L);
        var pages = new byte[(STACK_END + further.size()) * PAGE];
        int at = STACK_END * PAGE;
        for (long part : further) {
            put64(pages, 8 * (int) (part & 511), tables + at | TABLE);
            for (int i = 0; i < 512; i++) {
                put64(pages, at + 8 * i, part << 39 | (long) i << 30 | HUGE_PAGE);
            }
            at += PAGE;
        }
        put64(pages, 0, tables + PAGE | TABLE);
        for (int i = 0; i < 512; i++) {
            put64(pages, PAGE + 8 * i, (long) i << 30 | HUGE_PAGE);
        }
        put64(pages, 2 * PAGE + 0x08, 0x00af_9b00_0000_ffffL);
        put64(pages, 2 * PAGE + 0x10, 0x00cf_9300_0000_ffffL);
        put64(pages, 2 * PAGE + 0x18, 0x00cf_9b00_0000_ffffL);
        return pages;
    }

    private static void put64(byte[] bytes, int at, long value) {
        for (int i = 0; i < 8; i++) {
            bytes[at + i] = (byte) (value >>> (8 * i));
        }
    }

    private static void realMode(Cpu cpu, long at, boolean low) {
        cpu.setMsr(MSR_EFER, 0);
        cpu.setCr(0, CR0_NE_ET);
        cpu.setCr(4, 0);
        long base = low ? 0 : at;
        cpu.setSegment(Segment.CS, new Segment((int) (base >>> 4) & 0xffff, base, 0xffff, CODE16));
        dataSegments(cpu, new Segment(0, 0, 0xffff, DATA16));
        cpu.setGdtr(new DescriptorTable(0, 0));
        cpu.setIdtr(new DescriptorTable(0, 0x3ff));
        cpu.setRip(low ? at : 0);
        cpu.setGpr(Gpr.RSP, 0x7000);
    }

    private static void protectedMode(Cpu cpu, long tables, long at) {
        cpu.setMsr(MSR_EFER, 0);
        cpu.setCr(4, CR4_PAE_OSFXSR & ~0x20L);
        cpu.setCr(0, CR0_PE | CR0_NE_ET);
        cpu.setSegment(Segment.CS, new Segment(0x18, 0, -1, CODE32));
        system(cpu, tables, at);
    }

    /** 64-bit mode with everything but the memory: PML4 at {@code tables}, GDT and stack two and three pages behind. */
    static void startLongMode(Cpu cpu, long tables, long at) {
        cpu.setRflags(2);
        for (int register = 0; register < 16; register++) {
            cpu.setGpr(register, 0);
        }
        longMode(cpu, tables, at);
    }

    private static void longMode(Cpu cpu, long tables, long at) {
        cpu.setCr(3, tables);
        cpu.setCr(4, CR4_PAE_OSFXSR);
        cpu.setMsr(MSR_EFER, EFER_LME_LMA);
        cpu.setCr(0, CR0_PE | CR0_NE_ET | CR0_PG);
        cpu.setSegment(Segment.CS, new Segment(0x08, 0, -1, CODE64));
        system(cpu, tables, at);
    }

    private static void system(Cpu cpu, long tables, long at) {
        dataSegments(cpu, new Segment(0x10, 0, -1, DATA));
        cpu.setSegment(Segment.TR, new Segment(0, 0, 0xffff, TSS));
        cpu.setSegment(Segment.LDTR, new Segment(0, 0, 0, Segment.UNUSABLE));
        cpu.setGdtr(new DescriptorTable(tables + 2 * PAGE, 0x1f));
        cpu.setIdtr(new DescriptorTable(0, 0));
        cpu.setRip(at);
        cpu.setGpr(Gpr.RSP, tables + STACK_END * PAGE);
    }

    private static void dataSegments(Cpu cpu, Segment segment) {
        for (int number : new int[] {Segment.DS, Segment.ES, Segment.SS, Segment.FS, Segment.GS}) {
            cpu.setSegment(number, segment);
        }
    }
}
