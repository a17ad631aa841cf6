package kvasir.metal.snp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.ExtendedRegisters;
import kvasir.metal.cpu.Gpr;
import kvasir.metal.cpu.Segment;
import kvasir.metal.memory.PhysicalMemory;

/**
 * Registers of a processor to and from the bytes of a VMSA, as VMRUN loads and #VMEXIT saves them (APM 2, table B-4). What
 * the processor of this emulation does not have (CET, debug-control and branch records, TSC scaling) stays in the page as
 * it was.
 */
public final class VmsaState {
    private static final int MSR_EFER = 0xc000_0080;
    private static final int[] SEGMENTS = {
        Segment.ES, Segment.CS, Segment.SS, Segment.DS, Segment.FS, Segment.GS, Segment.LDTR, Segment.TR
    };
    private static final int[] SEGMENT_OFFSETS = {
        Vmsa.ES, Vmsa.CS, Vmsa.SS, Vmsa.DS, Vmsa.FS, Vmsa.GS, Vmsa.LDTR, Vmsa.TR
    };
    private static final int[] MSRS = {
        0xc000_0081, 0xc000_0082, 0xc000_0083, 0xc000_0084, 0xc000_0102, 0x174, 0x175, 0x176, 0x277, 0xc000_0103
    };
    private static final int[] MSR_OFFSETS = {
        Vmsa.STAR,
        Vmsa.LSTAR,
        Vmsa.CSTAR,
        Vmsa.SFMASK,
        Vmsa.KERNEL_GS_BASE,
        Vmsa.SYSENTER_CS,
        Vmsa.SYSENTER_ESP,
        Vmsa.SYSENTER_EIP,
        Vmsa.G_PAT,
        Vmsa.TSC_AUX
    };
    private static final int[] GPRS = {
        Gpr.RAX, Gpr.RCX, Gpr.RDX, Gpr.RBX, Gpr.RSP, Gpr.RBP, Gpr.RSI, Gpr.RDI, 8, 9, 10, 11, 12, 13, 14, 15
    };
    private static final int[] GPR_OFFSETS = {
        Vmsa.RAX,
        Vmsa.RCX,
        Vmsa.RDX,
        Vmsa.RBX,
        Vmsa.RSP,
        Vmsa.RBP,
        Vmsa.RSI,
        Vmsa.RDI,
        Vmsa.R8,
        Vmsa.R8 + 8,
        Vmsa.R8 + 16,
        Vmsa.R8 + 24,
        Vmsa.R8 + 32,
        Vmsa.R8 + 40,
        Vmsa.R8 + 48,
        Vmsa.R8 + 56
    };

    private final PhysicalMemory memory;
    private final boolean abridged;
    private byte[] last = new byte[0];
    private long lastSpa = -1;

    /** State that is in no VMSA yet. */
    public VmsaState(PhysicalMemory memory, Rules rules) {
        this.memory = memory;
        abridged = rules.holds(Rule.X87_FTW_IS_ABRIDGED);
    }

    /** VMRUN: the registers become what the page says, unless they are that already. */
    public void load(long spa, Cpu cpu) {
        var page = new byte[PhysicalMemory.FRAME_BYTES];
        memory.read(spa, page, 0, page.length);
        if (spa != lastSpa || !Arrays.equals(page, last)) {
            registers(ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN), cpu);
            last = page;
            lastSpa = spa;
        }
    }

    /** #VMEXIT: the page becomes what the registers say. */
    public void store(long spa, Cpu cpu) {
        var page = new byte[PhysicalMemory.FRAME_BYTES];
        memory.read(spa, page, 0, page.length);
        save(ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN), cpu);
        memory.write(spa, page, 0, page.length);
        last = page;
        lastSpa = spa;
    }

    /** The next {@link #load} loads whatever the page holds. */
    public void forget() {
        lastSpa = -1;
    }

    private void registers(ByteBuffer in, Cpu cpu) {
        cpu.setMsr(MSR_EFER, in.getLong(Vmsa.EFER));
        cpu.setCr(4, in.getLong(Vmsa.CR4));
        cpu.setCr(3, in.getLong(Vmsa.CR3));
        cpu.setCr(0, in.getLong(Vmsa.CR0));
        cpu.setCr(2, in.getLong(Vmsa.CR2));
        for (int i = 0; i < MSRS.length; i++) {
            long value = MSR_OFFSETS[i] == Vmsa.TSC_AUX ? in.getInt(Vmsa.TSC_AUX) : in.getLong(MSR_OFFSETS[i]);
            cpu.setMsr(MSRS[i], value);
        }
        for (int i = 0; i < SEGMENTS.length; i++) {
            cpu.setSegment(SEGMENTS[i], segment(in, SEGMENT_OFFSETS[i], SEGMENTS[i]));
        }
        cpu.setGdtr(new DescriptorTable(in.getLong(Vmsa.GDTR + 8), in.getInt(Vmsa.GDTR + 4)));
        cpu.setIdtr(new DescriptorTable(in.getLong(Vmsa.IDTR + 8), in.getInt(Vmsa.IDTR + 4)));
        for (int number = 0; number < 4; number++) {
            cpu.setDr(number, in.getLong(Vmsa.DR0 + 8 * number));
        }
        cpu.setDr(6, in.getLong(Vmsa.DR6));
        cpu.setDr(7, in.getLong(Vmsa.DR7));
        for (int i = 0; i < GPRS.length; i++) {
            cpu.setGpr(GPRS[i], in.getLong(GPR_OFFSETS[i]));
        }
        cpu.setRflags(in.getLong(Vmsa.RFLAGS));
        cpu.setRip(in.getLong(Vmsa.RIP));
        cpu.setXcr0(in.getLong(Vmsa.XCR0));
        extended(in, cpu.extended());
    }

    private static Segment segment(ByteBuffer in, int at, int number) {
        int attributes = in.getShort(at + 2) & 0xfff;
        int access = attributes & 0xff | (attributes & 0xf00) << 4;
        if (number == Segment.SS) {
            access = access & ~0x60 | in.get(Vmsa.CPL) << 5;
        }
        if ((access & 0x80) == 0) {
            access |= Segment.UNUSABLE;
        }
        return new Segment(in.getShort(at) & 0xffff, in.getLong(at + 8), in.getInt(at + 4), access);
    }

    private void extended(ByteBuffer in, ExtendedRegisters registers) {
        registers.setPkru(in.getInt(Vmsa.PKRU));
        registers.setMxcsr(in.getInt(Vmsa.MXCSR));
        registers.setX87Environment(
                in.getShort(Vmsa.X87_FCW) & 0xffff,
                in.getShort(Vmsa.X87_FSW) & 0xffff,
                abridged ? in.getShort(Vmsa.X87_FTW) & 0xff : abridge(in.getShort(Vmsa.X87_FTW)),
                in.getShort(Vmsa.X87_FOP) & 0xffff,
                in.getLong(Vmsa.X87_RIP),
                in.getLong(Vmsa.X87_DP));
        for (int i = 0; i < 8; i++) {
            registers.setX87(i, in.getLong(Vmsa.X87_REGISTERS + 8 * i), in.getShort(Vmsa.X87_REGISTERS + 64 + 2 * i));
        }
        for (int i = 0; i < 16; i++) {
            for (int word = 0; word < 2; word++) {
                registers.setYmm(i, word, in.getLong(Vmsa.XMM + 16 * i + 8 * word));
                registers.setYmm(i, word + 2, in.getLong(Vmsa.YMM_HIGH + 16 * i + 8 * word));
            }
        }
    }

    /** One bit for each register that is not empty, of two bits that say what it holds. */
    private static int abridge(int tags) {
        int valid = 0;
        for (int i = 0; i < 8; i++) {
            valid |= (tags >>> 2 * i & 3) == 3 ? 0 : 1 << i;
        }
        return valid;
    }

    /** What of a VMSA follows from the registers. */
    private void save(ByteBuffer out, Cpu cpu) {
        out.putLong(Vmsa.EFER, cpu.msr(MSR_EFER).orElseThrow());
        out.putLong(Vmsa.CR4, cpu.cr(4));
        out.putLong(Vmsa.CR3, cpu.cr(3));
        out.putLong(Vmsa.CR0, cpu.cr(0));
        out.putLong(Vmsa.CR2, cpu.cr(2));
        for (int i = 0; i < MSRS.length; i++) {
            long value = cpu.msr(MSRS[i]).orElseThrow();
            if (MSR_OFFSETS[i] == Vmsa.TSC_AUX) {
                out.putInt(Vmsa.TSC_AUX, (int) value);
            } else {
                out.putLong(MSR_OFFSETS[i], value);
            }
        }
        for (int i = 0; i < SEGMENTS.length; i++) {
            segment(out, SEGMENT_OFFSETS[i], cpu.segment(SEGMENTS[i]));
        }
        table(out, Vmsa.GDTR, cpu.gdtr());
        table(out, Vmsa.IDTR, cpu.idtr());
        out.put(Vmsa.CPL, (byte) cpu.cpl());
        for (int number = 0; number < 4; number++) {
            out.putLong(Vmsa.DR0 + 8 * number, cpu.dr(number));
        }
        out.putLong(Vmsa.DR6, cpu.dr(6));
        out.putLong(Vmsa.DR7, cpu.dr(7));
        for (int i = 0; i < GPRS.length; i++) {
            out.putLong(GPR_OFFSETS[i], cpu.gpr(GPRS[i]));
        }
        out.putLong(Vmsa.RFLAGS, cpu.rflags());
        out.putLong(Vmsa.RIP, cpu.rip());
        out.putLong(Vmsa.XCR0, cpu.xcr0());
        saveExtended(out, cpu.extended());
    }

    private void saveExtended(ByteBuffer out, ExtendedRegisters registers) {
        out.putInt(Vmsa.PKRU, registers.pkru());
        out.putInt(Vmsa.MXCSR, registers.mxcsr());
        out.putShort(Vmsa.X87_FCW, (short) registers.x87Control());
        out.putShort(Vmsa.X87_FSW, (short) registers.x87Status());
        out.putShort(Vmsa.X87_FTW, (short) (abridged ? registers.x87Tag() : registers.x87FullTag()));
        out.putShort(Vmsa.X87_FOP, (short) registers.x87Opcode());
        out.putLong(Vmsa.X87_RIP, registers.x87InstructionPointer());
        out.putLong(Vmsa.X87_DP, registers.x87DataPointer());
        for (int i = 0; i < 8; i++) {
            out.putLong(Vmsa.X87_REGISTERS + 8 * i, registers.significand(i));
            out.putShort(Vmsa.X87_REGISTERS + 64 + 2 * i, (short) registers.signExponent(i));
        }
        for (int i = 0; i < 16; i++) {
            for (int word = 0; word < 2; word++) {
                out.putLong(Vmsa.XMM + 16 * i + 8 * word, registers.ymm(i, word));
                out.putLong(Vmsa.YMM_HIGH + 16 * i + 8 * word, registers.ymm(i, word + 2));
            }
        }
    }

    private static void segment(ByteBuffer out, int at, Segment segment) {
        int attributes = segment.access() & 0xff | segment.access() >>> 4 & 0xf00;
        out.putShort(at, (short) segment.selector());
        out.putShort(at + 2, (short) attributes);
        out.putInt(at + 4, segment.limit());
        out.putLong(at + 8, segment.base());
    }

    private static void table(ByteBuffer out, int at, DescriptorTable table) {
        out.putInt(at + 4, table.limit());
        out.putLong(at + 8, table.base());
    }

    /** The fields as they are, as an action that puts them back. */
    public Runnable checkpoint() {
        byte[] savedLast = last;
        long savedSpa = lastSpa;
        return () -> {
            last = savedLast;
            lastSpa = savedSpa;
        };
    }
}
