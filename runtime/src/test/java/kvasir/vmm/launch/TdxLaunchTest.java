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

    private static final int DESCRIPTOR = IMAGE_BYTES - 0x1ffef0;
    private static final int FOOTER = IMAGE_BYTES - 32 - 18;
    private static final int METADATA_ENTRY = IMAGE_BYTES - TAIL.length() / 2;

    private static int section(int index, int field) {
        return DESCRIPTOR + 16 + 32 * index + field;
    }

    private interface Damage {
        void to(ByteBuffer image);
    }

    private static String reason(Damage damage) {
        ByteBuffer image = ByteBuffer.wrap(cleanExample()).order(ByteOrder.LITTLE_ENDIAN);
        damage.to(image);
        return assertThrows(LaunchRefused.class, () -> TdvfImage.parse(Bytes.of(image.array())))
                .reason();
    }

    @Test
    void imagesWithoutMetadata() {
        for (int bytes : new int[] {0, 1, 4095, 4097}) {
            assertThrows(LaunchRefused.class, () -> TdvfImage.parse(Bytes.of(new byte[bytes])));
        }
        var empty = new byte[8192];
        assertEquals(
                "no TDVF descriptor at offset 0x0 of the image",
                assertThrows(LaunchRefused.class, () -> TdvfImage.parse(Bytes.of(empty)))
                        .reason());
        ByteBuffer shim = ByteBuffer.wrap(empty).order(ByteOrder.LITTLE_ENDIAN);
        for (int offset : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 8192, 8191, 8177, 15, 16}) {
            shim.putInt(8192 - 32, offset);
            assertThrows(LaunchRefused.class, () -> TdvfImage.parse(Bytes.of(empty)), "offset " + offset);
        }
    }

    @Test
    void theFooterTableOfAHostileImage() {
        String noMetadata = "the firmware has no TDX metadata: it was not built for TDX";
        String outside = "the TDVF descriptor is said to be outside the image";
        assertEquals("a footer table entry claims 0 bytes", reason(image -> image.putShort(FOOTER - 18, (short) 0)));
        assertEquals(
                "a footer table entry claims 65535 bytes",
                reason(image -> image.putShort(FOOTER - 18, (short) 0xffff)));
        assertEquals(noMetadata, reason(image -> image.putShort(FOOTER, (short) 0)));
        assertEquals(noMetadata, reason(image -> image.put(METADATA_ENTRY + 6, (byte) 0)));
        assertEquals(
                "the footer table entry of the TDX metadata has no offset",
                reason(image -> image.putShort(FOOTER, (short) 80).putShort(METADATA_ENTRY + 4, (short) 18)));
        assertEquals(outside, reason(image -> image.putInt(METADATA_ENTRY, 0)));
        assertEquals(outside, reason(image -> image.putInt(METADATA_ENTRY, -1)));
        assertEquals(outside, reason(image -> image.putInt(METADATA_ENTRY, Integer.MIN_VALUE)));
        assertEquals(outside, reason(image -> image.putInt(METADATA_ENTRY, IMAGE_BYTES + 1)));
        assertEquals(
                "no TDVF descriptor at offset 0x1ffff8 of the image", reason(image -> image.putInt(METADATA_ENTRY, 8)));
    }

    @Test
    void theDescriptorOfAHostileImage() {
        String none = "no TDVF descriptor at offset 0x110 of the image";
        assertEquals(none, reason(image -> image.put(DESCRIPTOR - 1, (byte) 0)));
        assertEquals(none, reason(image -> image.putInt(DESCRIPTOR, 0x46564455)));
        assertEquals(
                "the TDVF descriptor has version 4294967295; loaders know version 1",
                reason(image -> image.putInt(DESCRIPTOR + 8, -1)));
        assertEquals(
                "the TDVF descriptor names 0 sections, and its length does not fit them",
                reason(image -> image.putInt(DESCRIPTOR + 12, 0)));
        assertEquals(
                "the TDVF descriptor names 4294967295 sections, and its length does not fit them",
                reason(image -> image.putInt(DESCRIPTOR + 12, -1)));
        assertEquals(
                "the TDVF descriptor names 134217728 sections, and its length does not fit them",
                reason(image -> image.putInt(DESCRIPTOR + 12, 1 << 27).putInt(DESCRIPTOR + 4, 16)));
        assertEquals(
                "the TDVF metadata reaches beyond the image",
                reason(image -> image.putInt(DESCRIPTOR + 12, 0x10000).putInt(DESCRIPTOR + 4, 16 + 32 * 0x10000)));
    }

    @Test
    void theSectionsOfAHostileImage() {
        String bfv = "TDVF section BFV at 0xffe20000 ";
        assertEquals("TDVF section of unknown type 4294967295", reason(image -> image.putInt(section(0, 24), -1)));
        assertEquals(
                "TDVF section BFV at 0xffe20800 is not aligned to 4 KiB",
                reason(image -> image.putLong(section(0, 8), 0xffe20800L)));
        assertEquals(
                "TDVF section BFV at 0xfffffffffffff000 lies beyond every guest's addresses",
                reason(image -> image.putLong(section(0, 8), -4096)));
        assertEquals(
                bfv + "lies beyond every guest's addresses", reason(image -> image.putLong(section(0, 16), -4096)));
        assertEquals(bfv + "has no memory", reason(image -> image.putLong(section(0, 16), 0)));
        assertEquals(
                bfv + "has 4,294,967,295 bytes of content for 1,966,080 bytes of memory",
                reason(image -> image.putInt(section(0, 4), -1)));
        assertEquals(
                bfv + "has its content beyond the end of the image",
                reason(image -> image.putInt(section(0, 0), 0x20001)));
        assertEquals(
                bfv + "has its content beyond the end of the image", reason(image -> image.putInt(section(0, 0), -1)));
        assertEquals(
                "TDVF section TEMP_MEM at 0x810000 would add 268,435,456 pages before the guest runs; this loader adds "
                        + "65,536 at most",
                reason(image -> image.putLong(section(2, 16), 1L << 40)));
        assertEquals(
                "TDVF section TEMP_MEM at 0x810000 has content", reason(image -> image.putInt(section(2, 4), 4096)));
        assertEquals(
                "TDVF sections at 0x809000 and 0x80b000 overlap",
                reason(image -> image.putLong(section(4, 16), 0x3000))
                        .replace("0x80b000 and 0x809000", "0x809000 and 0x80b000"));
        assertEquals("the TDVF metadata names more than one TD_HOB", reason(image -> image.putInt(section(5, 24), 2)));
        assertEquals(
                "the TDVF metadata names no boot firmware volume (BFV)",
                reason(image -> image.putInt(section(0, 24), 1)));
    }

    @Test
    void aHobListThatDoesNotFitItsSection() throws LaunchRefused {
        var image = TdvfImage.parse(Bytes.of(cleanExample()));
        var ram = java.util.stream.LongStream.range(0, 200)
                .mapToObj(i -> new Range(i << 20, (i << 20) + 4096))
                .toList();
        String reason =
                assertThrows(LaunchRefused.class, () -> image.hobList(ram)).reason();
        assertEquals("the TD_HOB section has 8,192 bytes; the HOB list of this memory needs 9,664", reason);
    }
}
