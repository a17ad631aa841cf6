package kvasir.kvm;

import java.util.ArrayList;
import java.util.List;
import kvasir.kvm.AbiStruct.Layout;
import kvasir.kvm.irqchip.LocalApic;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.ExtendedRegisters;
import kvasir.registry.Bytes;

/**
 * The structs of KVM_*_FPU, KVM_*_XSAVE, KVM_*_XCRS, KVM_*_DEBUGREGS and KVM_*_LAPIC of one vCPU (x86.c, fpu/core.c,
 * lapic.c).
 */
public final class VcpuImages {
    /** Bytes of struct kvm_xsave, and of what KVM_GET_XSAVE2 gives: no component here needs more. */
    public static final int XSAVE_BYTES = 4096;

    /** struct kvm_fpu: registers of 16 bytes are two words. */
    static final Layout FPU = fpu();

    /** struct kvm_xcrs. */
    static final Layout XCRS = xcrs();

    /** struct kvm_debugregs. */
    static final Layout DEBUGREGS = Layout.of(128).fields(8, "db0", "db1", "db2", "db3", "dr6", "dr7", "flags");

    /** struct kvm_lapic_state: a register each 16 bytes. */
    static final Layout LAPIC = lapic();

    private static final int MOST_XCRS = 16;
    private static final int XMM_WORDS = 2;
    private static final int REGISTERS = 16;
    private static final int X87_REGISTERS = 8;
    private static final int MXCSR_AT = 24;
    private static final int MXCSR_MASK_AT = 28;
    private static final int ST_AT = 32;
    private static final int XMM_AT = 160;
    private static final int HEADER_AT = 512;
    private static final int YMM_AT = 576;
    private static final int MXCSR_BITS = 0xffff;
    private static final long AVX = 1 << 2;
    private static final long PKRU = 1 << 9;

    private final Vcpu vcpu;

    VcpuImages(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    private static Layout fpu() {
        Layout layout = Layout.of(416);
        for (int i = 0; i < X87_REGISTERS; i++) {
            layout.at(16 * i).fields(8, "fpr%d.low".formatted(i), "fpr%d.high".formatted(i));
        }
        layout.fields(2, "fcw", "fsw").fields(1, "ftwx").at(134).fields(2, "last_opcode");
        layout.fields(8, "last_ip", "last_dp");
        for (int i = 0; i < REGISTERS; i++) {
            layout.fields(8, "xmm%d.low".formatted(i), "xmm%d.high".formatted(i));
        }
        return layout.fields(4, "mxcsr");
    }

    private static Layout xcrs() {
        Layout layout = Layout.of(392).fields(4, "nr_xcrs", "flags");
        for (int i = 0; i < 16; i++) {
            layout.at(8 + 16 * i).fields(4, "xcrs%d.xcr".formatted(i));
            layout.at(16 + 16 * i).fields(8, "xcrs%d.value".formatted(i));
        }
        return layout;
    }

    private record Named(String name, int offset) {}

    private static List<Named> apicRegisters() {
        var all = new ArrayList<Named>(List.of(
                new Named("id", 0x20),
                new Named("version", 0x30),
                new Named("tpr", 0x80),
                new Named("ppr", 0xa0),
                new Named("ldr", 0xd0),
                new Named("dfr", 0xe0),
                new Named("svr", 0xf0)));
        for (int i = 0; i < 8; i++) {
            all.add(new Named("isr" + i, 0x100 + 16 * i));
        }
        for (int i = 0; i < 8; i++) {
            all.add(new Named("tmr" + i, 0x180 + 16 * i));
        }
        for (int i = 0; i < 8; i++) {
            all.add(new Named("irr" + i, 0x200 + 16 * i));
        }
        all.addAll(List.of(
                new Named("esr", 0x280),
                new Named("icr", 0x300),
                new Named("icr2", 0x310),
                new Named("lvtt", 0x320),
                new Named("lvtthmr", 0x330),
                new Named("lvtpc", 0x340),
                new Named("lvt0", 0x350),
                new Named("lvt1", 0x360),
                new Named("lvterr", 0x370),
                new Named("tmict", 0x380),
                new Named("tmcct", 0x390),
                new Named("tdcr", 0x3e0)));
        return all;
    }

    private static Layout lapic() {
        Layout layout = Layout.of(1024);
        apicRegisters().forEach(each -> layout.at(each.offset).fields(4, each.name));
        return layout;
    }

    private Cpu cpu() {
        return vcpu.cpu();
    }

    /** KVM_GET_FPU. */
    AbiStruct fpu(Layout layout) {
        var struct = new AbiStruct(layout);
        ExtendedRegisters r = cpu().extended();
        for (int i = 0; i < X87_REGISTERS; i++) {
            int physical = physical(r.x87Status(), i);
            struct.set("fpr%d.low".formatted(i), r.significand(physical));
            struct.set("fpr%d.high".formatted(i), r.signExponent(physical));
        }
        struct.set("fcw", r.x87Control());
        struct.set("fsw", r.x87Status());
        struct.set("ftwx", r.x87Tag());
        struct.set("last_opcode", r.x87Opcode());
        struct.set("last_ip", r.x87InstructionPointer());
        struct.set("last_dp", r.x87DataPointer());
        for (int i = 0; i < REGISTERS; i++) {
            struct.set("xmm%d.low".formatted(i), r.ymm(i, 0));
            struct.set("xmm%d.high".formatted(i), r.ymm(i, 1));
        }
        struct.set("mxcsr", r.mxcsr());
        return struct;
    }

    private static int physical(long status, int number) {
        return (int) (status >> 11) + number & 7;
    }

    /** KVM_SET_FPU. */
    IoctlResult setFpu(AbiStruct struct) {
        ExtendedRegisters r = cpu().extended();
        int status = (int) struct.get("fsw");
        for (int i = 0; i < X87_REGISTERS; i++) {
            r.setX87(
                    physical(status, i),
                    struct.get("fpr%d.low".formatted(i)),
                    (int) struct.get("fpr%d.high".formatted(i)) & 0xffff);
        }
        r.setX87Environment(
                (int) struct.get("fcw"),
                status,
                (int) struct.get("ftwx"),
                (int) struct.get("last_opcode"),
                struct.get("last_ip"),
                struct.get("last_dp"));
        for (int i = 0; i < REGISTERS; i++) {
            r.setYmm(i, 0, struct.get("xmm%d.low".formatted(i)));
            r.setYmm(i, 1, struct.get("xmm%d.high".formatted(i)));
        }
        r.setMxcsr((int) struct.get("mxcsr") & MXCSR_BITS);
        return IoctlResult.done();
    }

    private int pkruAt() {
        // CPUID leaf 0xd, sub-leaf 9: where the component lies in the standard format
        return cpu().model().answer(0xd, 9)[1];
    }

    /** KVM_GET_XSAVE: the standard format, with every component that the processor has. */
    Bytes xsave() {
        var image = java.nio.ByteBuffer.allocate(XSAVE_BYTES).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        ExtendedRegisters r = cpu().extended();
        image.putShort(0, (short) r.x87Control()).putShort(2, (short) r.x87Status());
        image.put(4, (byte) r.x87Tag()).putShort(6, (short) r.x87Opcode());
        image.putLong(8, r.x87InstructionPointer()).putLong(16, r.x87DataPointer());
        image.putInt(MXCSR_AT, r.mxcsr()).putInt(MXCSR_MASK_AT, MXCSR_BITS);
        for (int i = 0; i < X87_REGISTERS; i++) {
            int physical = physical(r.x87Status(), i);
            image.putLong(ST_AT + 16 * i, r.significand(physical));
            image.putShort(ST_AT + 16 * i + 8, (short) r.signExponent(physical));
        }
        long components = cpu().model().xcr0Mask();
        for (int i = 0; i < REGISTERS; i++) {
            for (int word = 0; word < XMM_WORDS; word++) {
                image.putLong(XMM_AT + 16 * i + 8 * word, r.ymm(i, word));
                if ((components & AVX) != 0) {
                    image.putLong(YMM_AT + 16 * i + 8 * word, r.ymm(i, XMM_WORDS + word));
                }
            }
        }
        if ((components & PKRU) != 0) {
            image.putInt(pkruAt(), r.pkru());
        }
        image.putLong(HEADER_AT, components);
        return Bytes.of(image.array());
    }

    /** KVM_SET_XSAVE: what xstate_bv leaves out gets its initial value. */
    IoctlResult setXsave(Bytes given) {
        if (given.length() != XSAVE_BYTES) {
            return IoctlResult.err(Errno.EFAULT, "struct kvm_xsave has 4096 bytes");
        }
        var image = java.nio.ByteBuffer.wrap(given.toArray()).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        long components = image.getLong(HEADER_AT);
        long known = cpu().model().xcr0Mask();
        if ((components & ~known) != 0 || image.getLong(HEADER_AT + 8) != 0) {
            return Check.XSAVE_FEATURES.refuse("fpu_copy_uabi_to_guest_fpstate: xstate_bv or xcomp_bv");
        }
        if ((image.getInt(MXCSR_AT) & ~MXCSR_BITS) != 0) {
            return Check.XSAVE_MXCSR.refuse("fpu_copy_uabi_to_guest_fpstate: reserved bits in mxcsr");
        }
        ExtendedRegisters r = cpu().extended();
        boolean x87 = (components & 1) != 0;
        int status = x87 ? image.getShort(2) & 0xffff : 0;
        for (int i = 0; i < X87_REGISTERS; i++) {
            int at = ST_AT + 16 * i;
            r.setX87(physical(status, i), x87 ? image.getLong(at) : 0, x87 ? image.getShort(at + 8) & 0xffff : 0);
        }
        if (x87) {
            r.setX87Environment(
                    image.getShort(0) & 0xffff,
                    status,
                    image.get(4) & 0xff,
                    image.getShort(6) & 0xffff,
                    image.getLong(8),
                    image.getLong(16));
        } else {
            r.setX87Environment(0x37f, 0, 0, 0, 0, 0);
        }
        boolean sse = (components & 2) != 0;
        boolean avx = (components & AVX) != 0;
        for (int i = 0; i < REGISTERS; i++) {
            for (int word = 0; word < XMM_WORDS; word++) {
                int at = 16 * i + 8 * word;
                r.setYmm(i, word, sse ? image.getLong(XMM_AT + at) : 0);
                r.setYmm(i, XMM_WORDS + word, avx ? image.getLong(YMM_AT + at) : 0);
            }
        }
        r.setMxcsr(image.getInt(MXCSR_AT));
        if ((known & PKRU) != 0) {
            r.setPkru((components & PKRU) != 0 ? image.getInt(pkruAt()) : 0);
        }
        return IoctlResult.done();
    }

    /** KVM_GET_XCRS. */
    AbiStruct xcrs(Layout layout) {
        var struct = new AbiStruct(layout);
        struct.set("nr_xcrs", 1);
        struct.set("xcrs0.value", cpu().xcr0());
        return struct;
    }

    /** KVM_SET_XCRS. */
    IoctlResult setXcrs(AbiStruct struct) {
        if (struct.get("nr_xcrs") > MOST_XCRS || struct.is("flags")) {
            return Check.XCRS_COUNT.refuse("kvm_vcpu_ioctl_x86_set_xcrs: more than 16 entries, or flags");
        }
        for (int i = 0; i < struct.get("nr_xcrs"); i++) {
            if (struct.get("xcrs%d.xcr".formatted(i)) == 0) {
                long value = struct.get("xcrs%d.value".formatted(i));
                if (!cpu().model().acceptsXcr0(value)) {
                    return Check.XCRS_VALUE.refuse("__kvm_set_xcr: XSETBV refuses 0x" + Long.toHexString(value));
                }
                cpu().setXcr0(value);
                break;
            }
        }
        return IoctlResult.done();
    }

    /** KVM_GET_DEBUGREGS. */
    AbiStruct debugregs(Layout layout) {
        var struct = new AbiStruct(layout);
        for (int i = 0; i < 4; i++) {
            struct.set("db" + i, cpu().dr(i));
        }
        struct.set("dr6", cpu().dr(6));
        struct.set("dr7", cpu().dr(7));
        return struct;
    }

    /** KVM_SET_DEBUGREGS. */
    IoctlResult setDebugregs(AbiStruct struct) {
        if (struct.is("flags")) {
            return Check.DEBUGREGS_FLAGS.refuse("kvm_vcpu_ioctl_x86_set_debugregs: flags must be 0");
        }
        if (struct.get("dr6") >>> 32 != 0 || struct.get("dr7") >>> 32 != 0) {
            return Check.DEBUGREGS_VALUE.refuse("kvm_vcpu_ioctl_x86_set_debugregs: high bits of dr6 or dr7");
        }
        for (int i = 0; i < 4; i++) {
            cpu().setDr(i, struct.get("db" + i));
        }
        cpu().setDr(6, struct.get("dr6"));
        cpu().setDr(7, struct.get("dr7"));
        return IoctlResult.done();
    }

    /** KVM_GET_LAPIC, of a vCPU whose local APIC is in the kernel. */
    AbiStruct lapic(LocalApic apic) {
        var struct = new AbiStruct(LAPIC);
        for (Named register : apicRegisters()) {
            struct.set(
                    register.name, apic.stateRegister(register.offset, vcpu.vm().now()));
        }
        return struct;
    }

    /** KVM_SET_LAPIC. */
    IoctlResult setLapic(LocalApic apic, AbiStruct struct) {
        if (!apic.acceptsId((int) struct.get("id"))) {
            return Check.LAPIC_ID.refuse("kvm_apic_state_fixup: id is not the vCPU's");
        }
        var offsets = new java.util.HashMap<Integer, Integer>();
        apicRegisters().forEach(each -> offsets.put(each.offset, (int) struct.get(each.name)));
        apic.load(offset -> offsets.getOrDefault(offset, 0), vcpu.vm().now());
        return IoctlResult.done();
    }
}
