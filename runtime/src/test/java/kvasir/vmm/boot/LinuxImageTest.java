package kvasir.vmm.boot;

import static kvasir.vmm.boot.LoadedKernel.at;
import static kvasir.vmm.boot.LoadedKernel.load;
import static kvasir.vmm.boot.LoadedKernel.refusal;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The 64-bit and the 32-bit boot protocol, offsets as in boot.rst and zero-page.rst. */
final class LinuxImageTest {
    private static final int SETUP_SECTORS = 3;

    /** A bzImage of protocol 2.15 whose kernel is 0x400 bytes of 0x90. */
    private static byte[] kernel() {
        ByteBuffer file = ByteBuffer.allocate((SETUP_SECTORS + 1) * 512 + 0x400).order(ByteOrder.LITTLE_ENDIAN);
        java.util.Arrays.fill(file.array(), (SETUP_SECTORS + 1) * 512, file.capacity(), (byte) 0x90);
        file.put(0x1f1, (byte) SETUP_SECTORS);
        file.putShort(0x1fe, (short) 0xaa55);
        file.put(0x201, (byte) 0x6a);
        file.put(0x202, "HdrS".getBytes(StandardCharsets.US_ASCII));
        file.putShort(0x206, (short) 0x20f);
        file.put(0x211, (byte) 1);
        file.putInt(0x22c, 0x7fff_ffff);
        file.putShort(0x236, (short) 1);
        file.putInt(0x238, 2047);
        file.putLong(0x258, 0x100_0000);
        file.putInt(0x260, 0x80_0000);
        return file.array();
    }

    @Test
    void kernelCommandLineAndRamDiskAreWhereBootParamsSay() throws BootException {
        BootImage image = load(kernel(), 5000, "quiet");
        var start = assertInstanceOf(BootImage.LongMode.class, image.start());
        assertEquals(0x10_0200, start.entry());
        ByteBuffer params = at(image, start.rsi());
        assertEquals(0xff, params.get(0x210) & 0xff);
        assertEquals(0x5372_6448, params.getInt(0x202), "HdrS");
        assertEquals(
                "quiet\0",
                StandardCharsets.US_ASCII
                        .decode(at(image, params.getInt(0x228)))
                        .toString());
        assertEquals(0x3ff_e000, params.getInt(0x218));
        assertEquals(5000, params.getInt(0x21c));
        assertEquals(5000, at(image, 0x3ff_e000).capacity());
        assertEquals(0xf_0000, params.getLong(0x70));
        assertEquals(0x400, at(image, 0x10_0000).capacity());
        assertEquals(0x90, at(image, 0x10_0000).get(0) & 0xff);
    }

    @Test
    void theMapLeavesOutTheHoleBelowOneMebibyte() throws BootException {
        ByteBuffer params = at(load(kernel(), 0, ""), 0x7000);
        assertEquals(4, params.get(0x1e8));
        assertEquals(0, params.getLong(0x2d0));
        assertEquals(0x9_fc00, params.getLong(0x2d8));
        assertEquals(1, params.getInt(0x2e0));
        int last = 0x2d0 + 3 * 20;
        assertEquals(0x10_0000, params.getLong(last));
        assertEquals(63 << 20, params.getLong(last + 8));
        assertEquals(0, params.getInt(0x218));
    }

    @Test
    void theIdentityMappingReachesFourGibibytes() throws BootException {
        BootImage image = load(kernel(), 0, "");
        var start = assertInstanceOf(BootImage.LongMode.class, image.start());
        ByteBuffer tables = at(image, start.tables());
        long last = 0xffff_f000L;
        long pdpt = tables.getLong(0) & -4096;
        long directory = tables.getLong((int) (pdpt - start.tables()) + 8 * 3) & -4096;
        assertEquals(last & -(2 << 20) | 0x83, tables.getLong((int) (directory - start.tables()) + 8 * 511));
    }

    /** boot.rst, "32-bit boot protocol": code 10h, data 18h, ESI at boot_params, the entry at the first byte. */
    @Test
    void aKernelWithout64BitEntryBeginsInFlatProtectedMode() throws BootException {
        byte[] kernel = kernel();
        kernel[0x236] = 0;
        BootImage image = load(kernel, 0, "");
        var start = assertInstanceOf(BootImage.Flat32.class, image.start());
        assertEquals(0x10_0000, start.entry());
        assertEquals(0x5372_6448, at(image, start.esi()).getInt(0x202), "HdrS");
        assertEquals(0x00cf_9b00_0000_ffffL, at(image, start.gdt()).getLong(0x10));
        assertEquals(0x00cf_9300_0000_ffffL, at(image, start.gdt()).getLong(0x18));
    }

    @Test
    void whatCannotBeBootedIsSaidInWords() {
        byte[] old = kernel();
        old[0x206] = 0xb;
        assertTrue(refusal(old, 0, "").contains("no bzImage of boot protocol 2.12"));
        assertTrue(refusal(new byte[4096], 0, "").contains("neither a bzImage nor an ELF file"));
        byte[] cut = kernel();
        cut[0x1f4] = 0x42;
        assertTrue(refusal(cut, 0, "").contains("has 3,072 bytes, and by its header 3,104 are expected"));
        assertTrue(refusal(kernel(), 41 << 20, "").contains("memory are too few"));
        assertTrue(refusal(kernel(), 0, "x".repeat(2048)).contains("the kernel takes 2047"));
    }
}
