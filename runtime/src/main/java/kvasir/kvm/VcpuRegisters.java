package kvasir.kvm;

import java.util.List;
import kvasir.kvm.AbiStruct.Layout;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.Gpr;
import kvasir.metal.cpu.Injection;
import kvasir.metal.cpu.Segment;

/**
 * KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS and their second versions: struct kvm_regs (144 bytes), struct
 * kvm_sregs (312) and struct kvm_sregs2 (320) of one vCPU (x86.c, __set_regs, __set_sregs, __set_sregs2).
 */
public final class VcpuRegisters {
    private static final List<String> SEGMENTS = List.of("cs", "ds", "es", "fs", "gs", "ss", "tr", "ldt");
    private static final int[] SEGMENT_NUMBERS = {
        Segment.CS, Segment.DS, Segment.ES, Segment.FS, Segment.GS, Segment.SS, Segment.TR, Segment.LDTR
    };
    private static final String[] GPRS = {
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
    };
    private static final int[] GPR_NUMBERS = {
        Gpr.RAX, Gpr.RBX, Gpr.RCX, Gpr.RDX, Gpr.RSI, Gpr.RDI, Gpr.RSP, Gpr.RBP, 8, 9, 10, 11, 12, 13, 14, 15
    };
    private static final int VECTORS = 256;

    /** struct kvm_regs. */
    static final Layout REGS = Layout.of(144).fields(8, GPRS).fields(8, "rip", "rflags");

    /** struct kvm_sregs. */
    static final Layout SREGS = sregs(312).at(280).fields(8, "interrupt0", "interrupt1", "interrupt2", "interrupt3");

    /** struct kvm_sregs2. */
    static final Layout SREGS2 = sregs(320).at(280).fields(8, "flags", "pdptr0", "pdptr1", "pdptr2", "pdptr3");

    private static final long PDPTRS_VALID = 1;
    private static final long EFER_LME = 1 << 8;
    private static final long EFER_LMA = 1 << 10;
    private static final long CR0_PE = 1;
    private static final long CR0_NW = 1 << 29;
    private static final long CR0_CD = 1 << 30;
    private static final long CR0_PG = 1L << 31;
    private static final long CR4_PAE = 1 << 5;
    private static final long CR3_PAE = 0xffff_ffe0L;
    private static final int EFER = 0xc000_0080;

    private final Vcpu vcpu;

    VcpuRegisters(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    private static Layout sregs(int bytes) {
        Layout layout = Layout.of(bytes);
        for (int i = 0; i < SEGMENTS.size(); i++) {
            String name = SEGMENTS.get(i) + ".";
            layout.at(24 * i).fields(8, name + "base").fields(4, name + "limit").fields(2, name + "selector");
            for (String field : List.of("type", "present", "dpl", "db", "s", "l", "g", "avl", "unusable")) {
                layout.fields(1, name + field);
            }
        }
        for (String table : List.of("gdt", "idt")) {
            layout.at(table.equals("gdt") ? 192 : 208)
                    .fields(8, table + ".base")
                    .fields(2, table + ".limit");
        }
        return layout.at(224).fields(8, "cr0", "cr2", "cr3", "cr4", "cr8", "efer", "apic_base");
    }

    private Cpu cpu() {
        return vcpu.cpu();
    }

    /** struct kvm_regs as it is now. */
    public AbiStruct regs() {
        var regs = new AbiStruct(REGS);
        for (int i = 0; i < GPRS.length; i++) {
            regs.set(GPRS[i], cpu().gpr(GPR_NUMBERS[i]));
        }
        regs.set("rip", cpu().rip());
        regs.set("rflags", cpu().rflags());
        return regs;
    }

    /** __set_regs: every value is taken, and a pending exception is forgotten. */
    void setRegs(AbiStruct regs) {
        for (int i = 0; i < GPRS.length; i++) {
            cpu().setGpr(GPR_NUMBERS[i], regs.get(GPRS[i]));
        }
        cpu().setRip(regs.get("rip"));
        cpu().setRflags(regs.get("rflags") | 2);
        if (cpu().injection().filter(Injection.GuestException.class::isInstance).isPresent()) {
            cpu().cancelInjection();
        }
    }

    /** struct kvm_sregs as it is now. */
    public AbiStruct sregs() {
        var sregs = new AbiStruct(SREGS);
        readCommon(sregs);
        int vector = vcpu.events().injectedInterrupt();
        if (vector >= 0) {
            sregs.set("interrupt" + vector / 64, 1L << vector % 64);
        }
        return sregs;
    }

    /** struct kvm_sregs2 as it is now. */
    public AbiStruct sregs2() {
        var sregs = new AbiStruct(SREGS2);
        readCommon(sregs);
        if (pae(sregs)) {
            sregs.set("flags", PDPTRS_VALID);
            for (int i = 0; i < 4; i++) {
                sregs.set("pdptr" + i, cpu().pdpte(i));
            }
        }
        return sregs;
    }

    private static boolean pae(AbiStruct sregs) {
        return (sregs.get("cr0") & CR0_PG) != 0
                && (sregs.get("cr4") & CR4_PAE) != 0
                && (sregs.get("efer") & EFER_LMA) == 0;
    }

    private void readCommon(AbiStruct sregs) {
        for (int i = 0; i < SEGMENTS.size(); i++) {
            read(sregs, SEGMENTS.get(i) + ".", cpu().segment(SEGMENT_NUMBERS[i]));
        }
        sregs.set("gdt.base", cpu().gdtr().base());
        sregs.set("gdt.limit", cpu().gdtr().limit());
        sregs.set("idt.base", cpu().idtr().base());
        sregs.set("idt.limit", cpu().idtr().limit());
        for (int cr : new int[] {0, 2, 3, 4, 8}) {
            sregs.set("cr" + cr, cpu().cr(cr));
        }
        sregs.set("efer", cpu().msr(EFER).orElse(0));
        sregs.set("apic_base", vcpu.events().apicBase());
    }

    private static void read(AbiStruct sregs, String name, Segment segment) {
        int access = segment.access();
        sregs.set(name + "base", segment.base());
        sregs.set(name + "limit", segment.limit());
        sregs.set(name + "selector", segment.selector());
        sregs.set(name + "type", access & 15);
        sregs.set(name + "s", access >> 4 & 1);
        sregs.set(name + "dpl", access >> 5 & 3);
        sregs.set(name + "present", !segment.unusable());
        sregs.set(name + "avl", access >> 12 & 1);
        sregs.set(name + "l", access >> 13 & 1);
        sregs.set(name + "db", access >> 14 & 1);
        sregs.set(name + "g", access >> 15 & 1);
        sregs.set(name + "unusable", segment.unusable());
    }

    private static Segment segment(AbiStruct sregs, String name) {
        long access = sregs.get(name + "type") & 15
                | (sregs.get(name + "s") & 1) << 4
                | (sregs.get(name + "dpl") & 3) << 5
                | (sregs.get(name + "present") & 1) << 7
                | (sregs.get(name + "avl") & 1) << 12
                | (sregs.get(name + "l") & 1) << 13
                | (sregs.get(name + "db") & 1) << 14
                | (sregs.get(name + "g") & 1) << 15;
        boolean unusable = sregs.is(name + "unusable") || !sregs.is(name + "present");
        return new Segment(
                (int) sregs.get(name + "selector"),
                sregs.get(name + "base"),
                (int) sregs.get(name + "limit"),
                (int) access | (unusable ? Segment.UNUSABLE : 0));
    }

    /** __set_sregs. */
    IoctlResult setSregs(AbiStruct sregs) {
        IoctlResult common = setCommon(sregs);
        if (!common.succeeded()) {
            return common;
        }
        for (int vector = 0; vector < VECTORS; vector++) {
            if ((sregs.get("interrupt" + vector / 64) >>> vector % 64 & 1) != 0) {
                vcpu.events().queueInterrupt(vector);
                break;
            }
        }
        return IoctlResult.done();
    }

    /** __set_sregs2. */
    IoctlResult setSregs2(AbiStruct sregs) {
        long flags = sregs.get("flags");
        if ((flags & ~PDPTRS_VALID) != 0) {
            return Check.SREGS2_FLAGS.refuse("__set_sregs2: a flag other than KVM_SREGS2_FLAGS_PDPTRS_VALID");
        }
        if (flags != 0 && !pae(sregs)) {
            return Check.SREGS2_PDPTRS.refuse("__set_sregs2: PDPTRs without PAE paging");
        }
        IoctlResult common = setCommon(sregs);
        if (common.succeeded() && flags != 0) {
            for (int i = 0; i < 4; i++) {
                cpu().setPdpte(i, sregs.get("pdptr" + i));
            }
        }
        return common;
    }

    /** __set_sregs_common. */
    private IoctlResult setCommon(AbiStruct sregs) {
        String wrong = invalid(sregs);
        if (!wrong.isEmpty()) {
            return Check.SREGS_INVALID.refuse("kvm_is_valid_sregs: " + wrong);
        }
        if (!vcpu.events().setApicBase(sregs.get("apic_base"))) {
            return Check.SREGS_APIC_BASE.refuse("kvm_set_apic_base: reserved bits, or x2APIC without enable");
        }
        cpu().setIdtr(table(sregs, "idt"));
        cpu().setGdtr(table(sregs, "gdt"));
        cpu().setMsr(EFER, sregs.get("efer"));
        for (int cr : new int[] {2, 3, 8, 0, 4}) {
            cpu().setCr(cr, sregs.get("cr" + cr));
        }
        for (int i = 0; i < SEGMENTS.size(); i++) {
            cpu().setSegment(SEGMENT_NUMBERS[i], segment(sregs, SEGMENTS.get(i) + "."));
        }
        if (pae(sregs)) {
            // load_pdptrs
            var tables = new GuestTables(vcpu);
            for (int i = 0; i < 4; i++) {
                cpu().setPdpte(
                                i,
                                tables.word((sregs.get("cr3") & CR3_PAE) + 8L * i, 8)
                                        .orElse(0));
            }
        }
        return IoctlResult.done();
    }

    private static DescriptorTable table(AbiStruct sregs, String name) {
        return new DescriptorTable(sregs.get(name + ".base"), (int) sregs.get(name + ".limit"));
    }

    /** kvm_is_valid_sregs; empty if they are valid. */
    private String invalid(AbiStruct sregs) {
        long cr0 = sregs.get("cr0");
        long cr4 = sregs.get("cr4");
        long efer = sregs.get("efer");
        if ((efer & EFER_LME) != 0 && (cr0 & CR0_PG) != 0) {
            if ((cr4 & CR4_PAE) == 0 || (efer & EFER_LMA) == 0) {
                return "EFER.LME and CR0.PG, but not CR4.PAE and EFER.LMA";
            }
            if (sregs.get("cr3") >>> cpu().model().physicalBits() != 0) {
                return "CR3 is above MAXPHYADDR";
            }
        } else if ((efer & EFER_LMA) != 0 || sregs.is("cs.l")) {
            return "EFER.LMA or CS.L outside of long mode";
        }
        if ((cr4 & ~cpu().cr4Defined()) != 0) {
            return "CR4 has bits that this processor has not";
        }
        if (cr0 >>> 32 != 0
                || (cr0 & CR0_NW) != 0 && (cr0 & CR0_CD) == 0
                || (cr0 & CR0_PG) != 0 && (cr0 & CR0_PE) == 0) {
            return "CR0 has bits above 31, NW without CD, or PG without PE";
        }
        return "";
    }
}
