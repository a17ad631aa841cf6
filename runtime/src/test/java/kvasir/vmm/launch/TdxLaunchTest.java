package kvasir.vmm.launch;

import static kvasir.kvm.tdx.KvmTd.ok;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import kvasir.kvm.tdx.InitMemRegionMode;
import kvasir.kvm.tdx.InitVm;
import kvasir.kvm.tdx.KvmTd;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.tdx.SeptState;
import kvasir.registry.Bytes;
import kvasir.registry.Range;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** TDVF images through the ioctls of a VMM, to MRTD. */
final class TdxLaunchTest {
    private static final String TAIL =
            "f0fe1f00160035657ae44a989847865e4685a7bf8ec2" + "000020001600666588dc4a989847a75e5585a7bf67cc"
                    + "ff0000ff1600de71f7007e1acb4f890e68c77e2fb44e" + "5400de82b596b21ff745baeaa366c55a082d"
                    + "00".repeat(32);
    private static final int IMAGE_BYTES = 0x200000;

    /** The CleanExample image of google/gce-tcb-verifier, from its description. */
    private static byte[] cleanExample() {
        ByteBuffer image = ByteBuffer.allocate(IMAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        byte[] tail = HexFormat.of().parseHex(TAIL);
        image.put(IMAGE_BYTES - tail.length, tail);
        int descriptor = IMAGE_BYTES - 0x1ffef0;
        image.put(descriptor - 16, HexFormat.of().parseHex("f3f9eae98e16d544a8eb7f4d8738f6ae"));
        image.position(descriptor);
        image.putInt(0x46564454).putInt(208).putInt(1).putInt(6);
        section(image, 0x20000, 0x1e0000, 0xffe20000L, 0x1e0000, 0, 1);
        section(image, 0, 0x20000, 0xffe00000L, 0x20000, 1, 0);
        section(image, 0, 0, 0x810000, 0x10000, 3, 0);
        section(image, 0, 0, 0x80b000, 0x2000, 3, 0);
        section(image, 0, 0, 0x809000, 0x2000, 2, 0);
        section(image, 0, 0, 0x800000, 0x6000, 3, 0);
        return image.array();
    }

    private static void section(ByteBuffer image, int offset, int raw, long gpa, long bytes, int type, int attributes) {
        image.putInt(offset)
                .putInt(raw)
                .putLong(gpa)
                .putLong(bytes)
                .putInt(type)
                .putInt(attributes);
    }

    private static KvmTd launch(byte[] image, InitMemRegionMode mode, TdxLaunch.Pass pass) throws LaunchRefused {
        var kvmTd = new KvmTd(mode);
        kvmTd.memory(0, 16 << 20);
        kvmTd.memory((1L << 32) - image.length, image.length);
        var launch = new TdxLaunch(kvmTd.td, TdvfImage.parse(Bytes.of(image)));
        ok(launch.run(InitVm.usual(), List.of(new Range(0, 16 << 20)), pass, () -> {
            KvmTd.ok(kvmTd.vm.createVcpu(0, CpuidModel.standard()));
            return kvmTd.vcpu().setCpuid2(CpuidModel.standard());
        }));
        return kvmTd;
    }

    @ParameterizedTest
    @CsvSource({
        "MERGED_6_16, SINGLE, 6e540be4917f24f74cc3292b59803d06dc7c38eb4a3c1fd6be9c735ba74bb7a23e25f98da94779d17508b243e4fb582b",
        "MERGED_6_19, SINGLE, 6e540be4917f24f74cc3292b59803d06dc7c38eb4a3c1fd6be9c735ba74bb7a23e25f98da94779d17508b243e4fb582b",
        "MERGED_6_19, TWO,    e9f135ce5bcbb476142fc01fe5f4e6e674562a1593d8780f1109526a69c38affce8f941187a21133ed62f65e7017783c"
    })
    void cleanExample(InitMemRegionMode mode, TdxLaunch.Pass pass, String mrtd) throws LaunchRefused {
        var td = launch(cleanExample(), mode, pass);
        assertEquals(mrtd, td.mrtd());
        assertEquals(SeptState.MAPPED, td.sept(0xfffff000L));
        assertEquals(0x809000, td.td.vcpuState(0).orElseThrow().gpr(1));
        assertEquals(0x809000, td.td.vcpuState(0).orElseThrow().gpr(8));
    }

    @ParameterizedTest
    @CsvSource({
        "SINGLE, 4c7206f0f483c524f12c366c711e9049030a8d47c471ee5aa9c4999a08de4057fb887fed0744d5631a212967fb231c47",
        "TWO,    acccbcc870a381adab0d3919d90a7f268ac3b0364771f202ed4bb4e892d045b33db3b32e6924cba830a724eed443f7e1"
    })
    void debianOvmf(TdxLaunch.Pass pass, String mrtd) throws Exception {
        byte[] image = firmware();
        assertEquals(mrtd, launch(image, InitMemRegionMode.MERGED_6_19, pass).mrtd());
    }

    private static byte[] firmware() throws IOException, java.security.NoSuchAlgorithmException {
        Path path = Path.of("/usr/share/ovmf/OVMF.fd");
        assumeTrue(Files.exists(path), "skipped: package ovmf is not installed");
        byte[] image = Files.readAllBytes(path);
        String digest = HexFormat.of()
                .formatHex(java.security.MessageDigest.getInstance("SHA-256").digest(image));
        assumeTrue(
                digest.equals("7b456907dd0786d415999e801a1ac4637b8ed4d7cf5378cfc6edbe5e574dd773"),
                "skipped: OVMF.fd is not the one of Debian 12, ovmf 2022.11-6+deb12u2");
        return image;
    }

    @Test
    void theHobListSaysWhatIsAdded() {
        Bytes list =
                TdHob.of(0x809000, 0x2000, List.of(new Range(0, 0x1000000)), List.of(new Range(0x800000, 0x806000)));
        ByteBuffer in = ByteBuffer.wrap(list.toArray()).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(1, in.getShort(0));
        assertEquals(0x38, in.getShort(2));
        assertEquals(9, in.getInt(8));
        assertEquals(0x809000 + 56 + 3 * 48 + 8, in.getLong(48));
        assertEquals(7, in.getInt(56 + 24));
        assertEquals(0, in.getLong(56 + 32));
        assertEquals(0x800000, in.getLong(56 + 40));
        assertEquals(0, in.getInt(104 + 24));
        assertEquals(0x800000, in.getLong(104 + 32));
        assertEquals(0x6000, in.getLong(104 + 40));
        assertEquals((short) 0xffff, in.getShort(200));
    }

    @Test
    void brokenImagesAreRefused() {
        byte[] noMetadata = new byte[8192];
        assertThrows(LaunchRefused.class, () -> TdvfImage.parse(Bytes.of(noMetadata)));
        byte[] overlap = cleanExample();
        ByteBuffer.wrap(overlap)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(IMAGE_BYTES - 0x1ffef0 + 16 + 32 * 5 + 8, 0x809000);
        assertThrows(LaunchRefused.class, () -> TdvfImage.parse(Bytes.of(overlap)));
    }
}
