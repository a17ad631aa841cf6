package kvasir.kvm.snp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.Gpr;
import kvasir.metal.cpu.Segment;
import kvasir.metal.snp.Vmsa;
import kvasir.registry.Bytes;

/**
 * sev_es_sync_vmsa: the VMSA page that follows from a vCPU's registers. KVM's own bits are in it, as SVM runs guests with
 * them: EFER.SVME, CR4.MCE, and CR0 without CD and NW.
 */
final class VmsaSync {
    private static final long CR0_CACHE_DISABLE = 1L << 30 | 1L << 29;
    private static final long CR4_MCE = 1 << 6;
    private static final int MSR_PAT = 0x277;
    private static final int MSR_EFER = 0xc000_0080;
    private static final long RESET_PAT = 0x0007_0406_0007_0406L;
    private static final int RESET_MXCSR = 0x1f80;
    private static final short RESET_FCW = 0x37f;
    private static final int[] SEGMENTS = {Segment.ES, Segment.CS, Segment.SS, Segment.DS, Segment.FS, Segment.GS};

    private VmsaSync() {}

    /** @param features SEV_FEATURES */
    static Bytes build(Cpu cpu, long features) {
        var page = new byte[4096];
        ByteBuffer out = ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < SEGMENTS.length; i++) {
            segment(out, Vmsa.ES + 16 * i, cpu.segment(SEGMENTS[i]));
        }
        segment(out, Vmsa.LDTR, cpu.segment(Segment.LDTR));
        segment(out, Vmsa.TR, cpu.segment(Segment.TR));
        table(out, Vmsa.GDTR, cpu.gdtr());
        table(out, Vmsa.IDTR, cpu.idtr());
        out.put(Vmsa.CPL, (byte) cpu.cpl());
        out.putLong(Vmsa.EFER, cpu.msr(MSR_EFER).orElse(0) | Vmsa.EFER_SVME);
        out.putLong(Vmsa.CR4, cpu.cr(4) | CR4_MCE);
        out.putLong(Vmsa.CR3, cpu.cr(3));
        out.putLong(Vmsa.CR0, cpu.cr(0) & ~CR0_CACHE_DISABLE);
        out.putLong(Vmsa.CR2, cpu.cr(2));
        out.putLong(Vmsa.DR7, cpu.dr(7));
        out.putLong(Vmsa.DR6, cpu.dr(6));
        out.putLong(Vmsa.RFLAGS, cpu.rflags());
        out.putLong(Vmsa.RIP, cpu.rip());
        out.putLong(Vmsa.G_PAT, cpu.msr(MSR_PAT).orElse(RESET_PAT));
        out.putLong(Vmsa.RAX, cpu.gpr(Gpr.RAX));
        out.putLong(Vmsa.RCX, cpu.gpr(Gpr.RCX));
        out.putLong(Vmsa.RDX, cpu.gpr(Gpr.RDX));
        out.putLong(Vmsa.RBX, cpu.gpr(Gpr.RBX));
        out.putLong(Vmsa.RSP, cpu.gpr(Gpr.RSP));
        out.putLong(Vmsa.RBP, cpu.gpr(Gpr.RBP));
        out.putLong(Vmsa.RSI, cpu.gpr(Gpr.RSI));
        out.putLong(Vmsa.RDI, cpu.gpr(Gpr.RDI));
        for (int i = 0; i < 8; i++) {
            out.putLong(Vmsa.R8 + 8 * i, cpu.gpr(8 + i));
        }
        out.putLong(Vmsa.SEV_FEATURES, features);
        out.putLong(Vmsa.XCR0, 1);
        out.putInt(Vmsa.MXCSR, RESET_MXCSR);
        out.putShort(Vmsa.X87_FCW, RESET_FCW);
        return Bytes.of(page);
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
}
