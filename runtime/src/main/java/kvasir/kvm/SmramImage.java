package kvasir.kvm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;
import java.util.function.LongFunction;
import kvasir.metal.cpu.ControlRegisters;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.Segment;

/**
 * The 512 bytes at SMBASE + 0xfe00 that hold a vCPU's state while it is in SMM: KVM's struct kvm_smram_state_64, which
 * follows AMD's layout whatever the vendor of the guest's processor is (smm.h, 6.16). Offsets here are those from SMBASE.
 */
final class SmramImage {
    static final int BYTES = 512;

    /** The bit of DR7 that is always set. */
    static final long DR7_FIXED = 0x400;

    private static final int FIRST = 0xfe00;
    private static final int SEGMENTS = 0xfe00;
    private static final int GDTR = 0xfe60;
    private static final int LDTR = 0xfe70;
    private static final int IDTR = 0xfe80;
    private static final int TR = 0xfe90;
    private static final int INT_SHADOW = 0xfecb;
    private static final int EFER = 0xfed0;
    private static final int REVISION = 0xfefc;
    private static final int SMBASE = 0xff00;
    private static final int CR4 = 0xff48;
    private static final int CR3 = 0xff50;
    private static final int CR0 = 0xff58;
    private static final int DR7 = 0xff60;
    private static final int DR6 = 0xff68;
    private static final int RFLAGS = 0xff70;
    private static final int RIP = 0xff78;

    /** R15 first, RAX last. */
    private static final int LAST_GPR = 0xfff8;

    private static final int REVISION_64 = 0x0002_0064;
    private static final long DR6_FIXED = 0xffff_0ff0L;
    private static final long DR6_VOLATILE = 0xe00f;
    private static final long DR7_VOLATILE = 0xffff_2bffL;
    private static final int MSR_EFER = 0xc000_0080;
    private static final long EFER_LME = 1 << 8;
    private static final long EFER_LMA = 1 << 10;
    private static final long CR0_PG = 1L << 31;

    private final ByteBuffer image;

    /** @param bytes as {@link #save} made them */
    SmramImage(byte[] bytes) {
        image = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The state of {@code cpu} (enter_smm_save_state_64). */
    static byte[] save(Cpu cpu, long smbase) {
        var bytes = new byte[BYTES];
        var to = new SmramImage(bytes);
        for (int i = 0; i < 6; i++) {
            to.putSegment(SEGMENTS + 16 * i, cpu.segment(i));
        }
        to.putTable(GDTR, cpu.gdtr());
        to.putSegment(LDTR, cpu.segment(Segment.LDTR));
        to.putTable(IDTR, cpu.idtr());
        to.putSegment(TR, cpu.segment(Segment.TR));
        to.image.put(INT_SHADOW - FIRST, (byte) cpu.interruptShadow());
        to.put(EFER, cpu.controlRegisters().efer());
        to.image.putInt(REVISION - FIRST, REVISION_64);
        to.image.putInt(SMBASE - FIRST, (int) smbase);
        to.put(CR4, cpu.cr(4));
        to.put(CR3, cpu.cr(3));
        to.put(CR0, cpu.cr(0));
        to.put(DR7, cpu.dr(7));
        to.put(DR6, cpu.dr(6));
        to.put(RFLAGS, cpu.rflags());
        to.put(RIP, cpu.rip());
        for (int i = 0; i < 16; i++) {
            to.put(LAST_GPR - 8 * i, cpu.gpr(i));
        }
        return bytes;
    }

    static long word(byte[] bytes, int at) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(at);
    }

    long smbase() {
        return image.getInt(SMBASE - FIRST) & 0xffff_ffffL;
    }

    /**
     * Puts the state into {@code cpu} (rsm_load_state_64).
     *
     * @param memory eight bytes at a gpa, empty where there are none: the PDPTE registers come from there
     * @return false if a processor cannot be in that state; what was loaded before stays
     */
    boolean load(Cpu cpu, LongFunction<OptionalLong> memory) {
        for (int i = 0; i < 16; i++) {
            cpu.setGpr(i, get(LAST_GPR - 8 * i));
        }
        cpu.setRip(get(RIP));
        if (get(DR6) >>> 32 != 0 || get(DR7) >>> 32 != 0) {
            return false;
        }
        cpu.setDr(6, get(DR6) & DR6_VOLATILE | DR6_FIXED);
        cpu.setDr(7, get(DR7) & DR7_VOLATILE | DR7_FIXED);
        long efer = get(EFER) & ~EFER_LMA;
        boolean longMode = (efer & EFER_LME) != 0 && (get(CR0) & CR0_PG) != 0;
        var control =
                new ControlRegisters(get(CR0), get(CR3) & Long.MAX_VALUE, get(CR4), longMode ? efer | EFER_LMA : efer);
        if (!cpu.accepts(control) || control.pae() && !loadPdptes(cpu, control.cr3(), memory)) {
            cpu.setMsr(MSR_EFER, 0);
            return false;
        }
        cpu.setControlRegisters(control);
        cpu.setSegment(Segment.TR, segment(TR));
        cpu.setIdtr(table(IDTR));
        cpu.setSegment(Segment.LDTR, segment(LDTR));
        cpu.setGdtr(table(GDTR));
        for (int i = 0; i < 6; i++) {
            cpu.setSegment(i, segment(SEGMENTS + 16 * i));
        }
        cpu.setRflags(get(RFLAGS) & 0xffff_ffffL);
        cpu.setInterruptShadow(image.get(INT_SHADOW - FIRST));
        return true;
    }

    /** load_pdptrs. */
    private static boolean loadPdptes(Cpu cpu, long cr3, LongFunction<OptionalLong> memory) {
        for (int i = 0; i < 4; i++) {
            OptionalLong value = memory.apply((cr3 & 0xffff_ffe0L) + 8L * i);
            if (value.isEmpty() || !cpu.setPdpte(i, value.getAsLong())) {
                return false;
            }
        }
        return true;
    }

    private void putSegment(int at, Segment segment) {
        image.putShort(at - FIRST, (short) segment.selector());
        image.putShort(at + 2 - FIRST, (short) (segment.access() & 0xf0ff));
        image.putInt(at + 4 - FIRST, segment.limit());
        put(at + 8, segment.base());
    }

    private Segment segment(int at) {
        int access = image.getShort(at + 2 - FIRST) & 0xf0ff;
        boolean present = (access & 0x80) != 0;
        return new Segment(
                image.getShort(at - FIRST) & 0xffff,
                get(at + 8),
                image.getInt(at + 4 - FIRST),
                present ? access : access | Segment.UNUSABLE);
    }

    private void putTable(int at, DescriptorTable table) {
        image.putInt(at + 4 - FIRST, table.limit());
        put(at + 8, table.base());
    }

    private DescriptorTable table(int at) {
        return new DescriptorTable(get(at + 8), image.getInt(at + 4 - FIRST));
    }

    private long get(int at) {
        return image.getLong(at - FIRST);
    }

    private void put(int at, long value) {
        image.putLong(at - FIRST, value);
    }
}
