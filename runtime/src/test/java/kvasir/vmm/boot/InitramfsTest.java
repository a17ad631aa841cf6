package kvasir.vmm.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The archive byte by byte, as buffer-format.rst lays it out. */
final class InitramfsTest {
    @Test
    void foldersComeBeforeWhatIsInThem() {
        byte[] archive =
                new Initramfs().program("bin/sh", new byte[] {'a', 'b', 'c'}).toBytes();
        String text = new String(archive, StandardCharsets.ISO_8859_1);
        String folder = "070701" + "00000001" + "000041ed" + "00000000".repeat(2) + "00000002" + "00000000".repeat(6)
                + "00000004" + "00000000" + "bin\0";
        assertEquals(folder, text.substring(0, 114));
        // padded to a multiple of 4 bytes
        assertEquals("\0\0", text.substring(114, 116));
        String file = "070701" + "00000002" + "000081ed" + "00000000".repeat(2) + "00000001" + "00000000" + "00000003"
                + "00000000".repeat(4) + "00000007" + "00000000" + "bin/sh\0";
        assertEquals(file, text.substring(116, 116 + file.length()));
        int content = 116 + file.length() + 3 & -4;
        assertEquals("abc\0" + "070701", text.substring(content, content + 10));
        assertEquals(true, text.contains("TRAILER!!!\0"));
        assertEquals(0, archive.length % 4);
    }

    @Test
    void devicesHaveNumbers() {
        String text = new String(new Initramfs().device("/dev/console", 5, 1).toBytes(), StandardCharsets.ISO_8859_1);
        int header = text.indexOf("070701", 6);
        assertEquals("00002180", text.substring(header + 14, header + 22));
        assertEquals("00000005" + "00000001", text.substring(header + 78, header + 94));
    }
}
