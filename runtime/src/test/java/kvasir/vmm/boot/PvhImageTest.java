package kvasir.vmm.boot;

import static kvasir.vmm.boot.LoadedKernel.at;
import static kvasir.vmm.boot.LoadedKernel.load;
import static kvasir.vmm.boot.LoadedKernel.refusal;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The PVH boot ABI; offsets as in Xen's public/arch-x86/hvm/start_info.h. */
final class PvhImageTest {
    /** An ELF64 file: 16 bytes of 0x90 for 16 MiB, and two notes, the second XEN_ELFNOTE_PHYS32_ENTRY with 8 bytes. */
    private static byte[] kernel() {
        ByteBuffer file = ByteBuffer.allocate(0x200).order(ByteOrder.LITTLE_ENDIAN);
        file.putInt(0, 0x464c_457f).put(4, (byte) 2).put(5, (byte) 1).put(6, (byte) 1);
        file.putShort(16, (short) 2).putShort(18, (short) 62).putInt(20, 1);
        file.putLong(24, 0xffff_ffff_8100_0000L).putLong(32, 64);
        file.putShort(52, (short) 64)
                .putShort(54, (short) 56)
                .putShort(56, (short) 2)
                .putShort(58, (short) 64);
        file.putInt(64, 1).putInt(68, 5).putLong(72, 0x180).putLong(80, 0xffff_ffff_8100_0000L);
        file.putLong(88, 0x100_0000).putLong(96, 16).putLong(104, 0x2000).putLong(112, 4096);
        file.putInt(120, 4)
                .putInt(124, 4)
                .putLong(128, 0x100)
                .putLong(152, 0x30)
                .putLong(160, 0x30);
        file.putInt(0x100, 4).putInt(0x104, 1).putInt(0x108, 8).put(0x10c, "Xen".getBytes(StandardCharsets.US_ASCII));
        file.putInt(0x114, 4).putInt(0x118, 8).putInt(0x11c, 18);
        file.put(0x120, "Xen".getBytes(StandardCharsets.US_ASCII)).putLong(0x124, 0x100_0008);
        for (int i = 0; i < 16; i++) {
            file.put(0x180 + i, (byte) 0x90);
        }
        return file.array();
    }

    @Test
    void theKernelIsToldOfCommandLineModuleTablesAndMap() throws BootException {
        assertTrue(LinuxImage.recognises(kernel()));
        BootImage image = load(kernel(), 5000, "quiet");
        var start = assertInstanceOf(BootImage.Flat.class, image.start());
        assertEquals(0x100_0008, start.entry());
        assertEquals(16, at(image, 0x100_0000).capacity());
        ByteBuffer info = at(image, start.ebx());
        assertEquals(0x336e_c578, info.getInt(0), "magic");
        assertEquals(1, info.getInt(4), "version");
        assertEquals(1, info.getInt(12), "nr_modules");
        ByteBuffer module = at(image, info.getLong(16));
        assertEquals(0x3ff_e000, module.getLong(0));
        assertEquals(5000, module.getLong(8));
        assertEquals(5000, at(image, 0x3ff_e000).capacity());
        assertEquals(
                "quiet\0",
                StandardCharsets.US_ASCII.decode(at(image, info.getLong(24))).toString());
        assertEquals(0xf_0000, info.getLong(32), "rsdp_paddr");
        assertEquals(4, info.getInt(48), "memmap_entries");
        ByteBuffer map = at(image, info.getLong(40));
        assertEquals(0x10_0000, map.getLong(3 * 24));
        assertEquals(63 << 20, map.getLong(3 * 24 + 8));
        assertEquals(1, map.getInt(3 * 24 + 16));
    }

    @Test
    void withoutTheNoteItIsNoKernel() {
        byte[] file = kernel();
        file[0x11c] = 17;
        assertFalse(LinuxImage.recognises(file));
        file[0x100] = -1;
        file[0x101] = -1;
        file[0x102] = -1;
        assertFalse(LinuxImage.recognises(file), "a note that leads out of the file");
    }

    @Test
    void whatDoesNotFitIsSaidInWords() {
        assertTrue(refusal(kernel(), 48 << 20, "").contains("memory are too few"));
        assertTrue(refusal(kernel(), 0, "x".repeat(70_000)).contains("the command line has 70000 bytes"));
        byte[] cut = java.util.Arrays.copyOf(kernel(), 0x188);
        assertEquals("k is cut off: a segment ends behind the end of the file", refusal(cut, 0, ""));
    }
}
