package kvasir.vmm.launch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import kvasir.metal.snp.Vmsa;
import kvasir.registry.Bytes;

/** The VMSA page of a vCPU at launch, by VMM (values: virtee/sev-snp-measure). */
public final class VmsaImage {
    /** Where the boot processor starts. */
    public static final int RESET_VECTOR = 0xffff_fff0;

    private final ByteBuffer page = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);

    private VmsaImage() {}

    /**
     * A vCPU that starts in real mode.
     *
     * @param eip start address; its upper half becomes the CS base
     * @param signature of the presented processor
     * @param features SEV_FEATURES
     */
    public static Bytes of(VmmType vmm, int eip, int signature, long features) {
        var image = realMode(vmm, eip, signature, features);
        if (vmm == VmmType.QEMU) {
            image.page.putInt(Vmsa.MXCSR, 0x1f80);
            image.page.putShort(Vmsa.X87_FCW, (short) 0x37f);
        }
        return image.bytes();
    }

    private static VmsaImage realMode(VmmType vmm, int eip, int signature, long features) {
        boolean ec2 = vmm == VmmType.EC2;
        var image = new VmsaImage();
        for (int segment : new int[] {Vmsa.ES, Vmsa.DS, Vmsa.FS, Vmsa.GS}) {
            image.segment(segment, 0, 0x93, 0xffff, 0);
        }
        int code = ec2 && eip == RESET_VECTOR ? 0x9a : 0x9b;
        image.segment(Vmsa.CS, 0xf000, code, 0xffff, Integer.toUnsignedLong(eip & 0xffff_0000));
        image.segment(Vmsa.SS, 0, ec2 ? 0x92 : 0x93, 0xffff, 0);
        image.segment(Vmsa.TR, 0, ec2 ? 0x83 : 0x8b, 0xffff, 0);
        image.common(features);
        image.page.putLong(Vmsa.CR0, 0x10);
        image.page.putLong(Vmsa.RIP, eip & 0xffff);
        image.page.putLong(Vmsa.G_PAT, vmm == VmmType.GCE ? 0x0007_0106L : 0x0007_0406_0007_0406L);
        image.page.putLong(Vmsa.RDX, vmm == VmmType.QEMU ? signature : 0x600);
        return image;
    }

    /**
     * A vCPU that QEMU starts directly in an SVSM; SEV_FEATURES is 1.
     *
     * @param entry guest physical address
     */
    public static Bytes svsm(int entry, int signature) {
        var image = new VmsaImage();
        for (int segment : new int[] {Vmsa.ES, Vmsa.SS, Vmsa.DS, Vmsa.FS}) {
            image.segment(segment, 0x10, 0xc93, -1, 0);
        }
        image.segment(Vmsa.CS, 8, 0xc9b, -1, 0);
        image.segment(Vmsa.GS, 0, 0x93, 0xffff, 0);
        image.segment(Vmsa.TR, 0, 0x8b, 0xffff, 0);
        image.common(Vmsa.SNP_ACTIVE);
        image.page.putLong(Vmsa.CR0, 0x11);
        image.page.putLong(Vmsa.RIP, Integer.toUnsignedLong(entry));
        image.page.putLong(Vmsa.G_PAT, 0x0007_0406_0007_0406L);
        image.page.putLong(Vmsa.RDX, signature);
        image.page.putInt(Vmsa.MXCSR, 0x1f80);
        return image.bytes();
    }

    private void common(long features) {
        segment(Vmsa.GDTR, 0, 0, 0xffff, 0);
        segment(Vmsa.IDTR, 0, 0, 0xffff, 0);
        segment(Vmsa.LDTR, 0, 0x82, 0xffff, 0);
        page.putLong(Vmsa.EFER, Vmsa.EFER_SVME);
        page.putLong(Vmsa.CR4, 0x40);
        page.putLong(Vmsa.DR7, 0x400);
        page.putLong(Vmsa.DR6, 0xffff_0ff0L);
        page.putLong(Vmsa.RFLAGS, 2);
        page.putLong(Vmsa.SEV_FEATURES, features);
        page.putLong(Vmsa.XCR0, 1);
    }

    private void segment(int at, int selector, int attributes, int limit, long base) {
        page.putShort(at, (short) selector);
        page.putShort(at + 2, (short) attributes);
        page.putInt(at + 4, limit);
        page.putLong(at + 8, base);
    }

    private Bytes bytes() {
        var content = new byte[4096];
        page.get(0, content);
        return Bytes.of(content);
    }
}
