package kvasir.vmm.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import kvasir.metal.snp.psp.Ledger;
import kvasir.metal.snp.psp.LedgerRecord;
import kvasir.metal.snp.psp.PageType;
import kvasir.registry.Bytes;
import org.junit.jupiter.api.Test;

/**
 * Launch digests as virtee/sev-snp-measure computes them (its own tests, and runs of the tool for D14 to D16), reached by
 * launching a guest page by page on an emulated platform.
 */
final class SnpLaunchVectorsTest {
    private static final String D01 =
            "086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3aa16aff8c374c2a55c467a50da6d466b74";
    private static final String D02 =
            "329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae15d22efc78fb9683632b9b50e4e1d7fa41179ef98a7ef198";
    private static final String D07 =
            "4953b1fb416fa874980e8442b3706d345926d5f38879134e00813c5d7abcbe78eafe7b422907be0b4698e2414a631942";
    private static final String D10 =
            "27d154c27b7b359c935e250ec6fee72aa0ae8c1225e3b0e1cf46a9567e938066d7d6f94bbdc4a857818bdb79277a44b2";
    private static final String SVSM_IMAGES =
            "ebf48785b708f9397dd8098fd64ba2d961aa6fcb15ee55616d19208f236a2828c50ebee83800be4d54bb3ac0ae1fcc7e";
    private static final int EPYC_V4 = 0x00800f12;
    private static final Optional<DirectBoot> EMPTY_BOOT = Optional.of(boot("", "", ""));

    private final OvmfImage amdSev = image("ovmf_AmdSev_suffix.bin");
    private final OvmfImage ovmfX64 = image("ovmf_OvmfX64_suffix.bin");

    private static OvmfImage image(String name) {
        try {
            return OvmfImage.parse(resource(name));
        } catch (LaunchRefused e) {
            throw new IllegalStateException(e);
        }
    }

    private static Bytes resource(String name) {
        try (var in = SnpLaunchVectorsTest.class.getResourceAsStream("/snp/" + name)) {
            if (in == null) {
                throw new IllegalStateException("no test resource " + name);
            }
            return Bytes.of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static DirectBoot boot(String kernel, String initrd, String line) {
        return new DirectBoot(
                Bytes.of(kernel.getBytes(java.nio.charset.StandardCharsets.US_ASCII)),
                Bytes.of(initrd.getBytes(java.nio.charset.StandardCharsets.US_ASCII)),
                line);
    }

    private static Ledger launch(
            OvmfImage firmware, int vcpus, VmmType vmm, Optional<DirectBoot> boot, int signature, long features)
            throws LaunchRefused {
        SnpLaunchPlan plan =
                SnpLaunchPlan.of(new SnpLaunchPlan.Request(firmware, boot, vcpus, signature, features, vmm));
        return SnpLaunch.onFreshHost().run(plan, SnpLaunch.USUAL_POLICY);
    }

    private static void assertDigest(String expected, Ledger ledger) {
        assertEquals(expected, ledger.digest().hex());
    }

    @Test
    void d01FirmwareOnly() throws LaunchRefused {
        var firmware = new SnpLaunchPlan.Update(
                PageType.NORMAL, 0xffff_f000L, 4096, Optional.of(amdSev.content()), "firmware");
        assertDigest(
                D01,
                SnpLaunch.onFreshHost().run(new SnpLaunchPlan(List.of(firmware), List.of()), SnpLaunch.USUAL_POLICY));
    }

    @Test
    void d02OneVcpuWithDebugSwap() throws LaunchRefused {
        assertDigest(D02, launch(amdSev, 1, VmmType.QEMU, EMPTY_BOOT, EPYC_V4, 0x21));
    }

    @Test
    void d02ContinuesFromTheDigestOfTheFirmware() throws LaunchRefused {
        SnpLaunchPlan plan =
                SnpLaunchPlan.of(new SnpLaunchPlan.Request(amdSev, EMPTY_BOOT, 1, EPYC_V4, 0x21, VmmType.QEMU));
        SnpLaunch launch = SnpLaunch.onFreshHost();
        launch.start(SnpLaunch.USUAL_POLICY);
        assertTrue(launch.host().firmware().seedLaunchDigest(launch.guest().context(), Bytes.fromHex(D01)));
        for (SnpLaunchPlan.Update update :
                plan.updates().subList(1, plan.updates().size())) {
            launch.update(update);
        }
        launch.vmsa(plan.vmsas().getFirst());
        assertEquals(D02, launch.guest().launchDigest().hex());
    }

    @Test
    void d03CommandLine() throws LaunchRefused {
        assertDigest(
                "6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042e706363b4b08fa",
                launch(amdSev, 1, VmmType.QEMU, Optional.of(boot("", "", "console=ttyS0 loglevel=7")), EPYC_V4, 1));
    }

    @Test
    void d04Ec2() throws LaunchRefused {
        assertDigest(
                "0883bd0eeb716e65b7b977a321c278d1e51b33b5c655fab985443bbcc65c086b9c15e8a0bd8811050dec7e24964e5056",
                launch(amdSev, 1, VmmType.EC2, EMPTY_BOOT, EPYC_V4, 1));
    }

    @Test
    void d05Gce() throws LaunchRefused {
        assertDigest(
                "5da7106cf14cf46b1725ebab123eb9e53bd46a1e9f400cd0c08e7827b04b688ea8b4e403c8404efed4397ea5d5d0722e",
                launch(amdSev, 1, VmmType.GCE, EMPTY_BOOT, EPYC_V4, 1));
    }

    @Test
    void d06NoKernel() throws LaunchRefused {
        assertDigest(
                "19358ba9a7615534a9a1e2f0dfc29384dcd4dcb7062ff9c6013b26869a5fc6ecabe033c48dd6f6db5d6d76e7c5df632d",
                launch(amdSev, 1, VmmType.QEMU, Optional.empty(), EPYC_V4, 1));
    }

    @Test
    void d07FourVcpusStepByStep() throws LaunchRefused {
        Ledger ledger = launch(amdSev, 4, VmmType.QEMU, EMPTY_BOOT, EPYC_V4, 0x21);
        assertDigest(D07, ledger);
        List<String> trace = List.of(
                D01,
                "411a1360ae4001ab44e1c8a5f14115068566f56b565be90042aa16cc26de1492ef3025f10b7cdd14911ae69aaea7881a",
                "e0b2ff7ad80630d6c56ba3d43c7dd1cccca220d9cc60092fe69e5f31a6ab4e9537aa477497f03636ae29b18630df8477",
                "230c05427474c0649ea31849fe3144dbbef0921570105732b69ff5463dee1fe8612dee2db0866719377099718ecb46d8",
                "17af371be37e5a8f0f3d83cd4195cfb47b60caabf8c209e6c68ab44d6484381a057812c0760811d53f47b522a16e5574",
                "1de7f0d81360fb802b5e2a7327f58ed1a2c9d1947a2e3cf0ae34184e6e1b4cb102da9ac69f421cded3105d12d523e4e9",
                "af02d935c664de41ded8e486c6b06c3b701b33685dfc651de17397f3a6425a48a188482d8d56729663212c1efc17aa87",
                "09048f370bff1a29414c64f73db9cacdd1bc0dd523da79b048c495e713448bc72cf1c17ba0ed88c96c84237d6572c158",
                D02,
                "6b4e9770d481721b9cfeef5361295bde995f2ab28aaf960aa632b1245c7ab69a88f5cb48b013c78018c57fd912dda5f8",
                "d8b7515f544d1841ed95d106dae25f9d6917c16689797908177109a7ae1aa2293ff4439c46c017bda2f7da0ab77b0cd9",
                D07);
        int[] pages = {1, 9, 3, 1, 1, 1, 1, 15, 1, 1, 1, 1};
        int record = 0;
        for (int step = 0; step < pages.length; step++) {
            record += pages[step];
            assertEquals(
                    trace.get(step), ledger.records().get(record - 1).digest().hex(), "step " + step);
        }
        assertEquals(record, ledger.records().size());
    }

    @Test
    void d08OvmfX64WithoutKernel() throws LaunchRefused {
        assertDigest(
                "28797ae0afaba4005a81e629acebfb59e6687949d6be44007cd5506823b0dd66f146aaae26ff291eed7b493d8a64c385",
                launch(ovmfX64, 1, VmmType.QEMU, Optional.empty(), EPYC_V4, 0x21));
    }

    @Test
    void d09AKernelWithoutAPlaceForItsHashesIsRefused() {
        var refused = assertThrows(LaunchRefused.class, () -> launch(ovmfX64, 1, VmmType.QEMU, EMPTY_BOOT, EPYC_V4, 1));
        assertTrue(refused.reason().contains("KERNEL_HASHES"), refused.reason());
    }

    @Test
    void d10AnSvsmWhoseImagesAreKnownByTheirDigest() throws LaunchRefused {
        SnpLaunch launch = SnpLaunch.onFreshHost();
        launch.start(SnpLaunch.USUAL_POLICY);
        assertTrue(launch.host().firmware().seedLaunchDigest(launch.guest().context(), Bytes.fromHex(SVSM_IMAGES)));
        assertEquals(D10, finishedSvsm(launch));
    }

    private static String finishedSvsm(SnpLaunch launch) throws LaunchRefused {
        launch.update(new SnpLaunchPlan.Update(PageType.ZERO, 0, 0x9e000, Optional.empty(), "memory"));
        launch.update(new SnpLaunchPlan.Update(PageType.SECRETS, 0x9e000, 4096, Optional.empty(), "secrets"));
        launch.update(new SnpLaunchPlan.Update(
                PageType.CPUID, 0x9f000, 4096, Optional.of(Bytes.of(new byte[4096])), "cpuid"));
        for (int vcpu = 0; vcpu < 4; vcpu++) {
            launch.vmsa(VmsaImage.svsm(0xffae_a000, EPYC_V4));
        }
        return launch.guest().launchDigest().hex();
    }

    /** The same without a seed: SVSM and its OVMF, whose variable store (0x84000 bytes) is a file of its own. */
    @Test
    void d10FromTheImagesThemselves() throws LaunchRefused, IOException {
        Optional<Path> directory =
                Optional.ofNullable(System.getenv("KVASIR_SNP_FIXTURES")).map(Path::of);
        assumeTrue(
                directory.filter(d -> Files.exists(d.resolve("svsm.bin"))).isPresent(),
                "KVASIR_SNP_FIXTURES names no directory with svsm.bin and svsm_ovmf.fd");
        Bytes ovmf = Bytes.of(Files.readAllBytes(directory.orElseThrow().resolve("svsm_ovmf.fd")));
        Bytes svsm = Bytes.of(Files.readAllBytes(directory.orElseThrow().resolve("svsm.bin")));
        SnpLaunch launch = SnpLaunch.onFreshHost();
        launch.start(SnpLaunch.USUAL_POLICY);
        launch.update(new SnpLaunchPlan.Update(
                PageType.NORMAL, (1L << 32) - ovmf.length(), ovmf.length(), Optional.of(ovmf), "firmware"));
        assertEquals(0xffae_a000L, (1L << 32) - ovmf.length() - 0x84000 - svsm.length());
        launch.update(
                new SnpLaunchPlan.Update(PageType.NORMAL, 0xffae_a000L, svsm.length(), Optional.of(svsm), "svsm"));
        assertEquals(SVSM_IMAGES, launch.guest().launchDigest().hex());
        assertEquals(D10, finishedSvsm(launch));
    }

    @Test
    void d11SevEs() throws LaunchRefused {
        assertEquals(
                "13810ae661ea11e2bb205621f582fee268f0367c8f97bc297b7fadef3e12002c",
                SevLaunchPlan.sevEs(amdSev, EMPTY_BOOT, 1, EPYC_V4).run().hex());
    }

    @Test
    void d12AndD13PlainSev() throws LaunchRefused {
        assertEquals(
                "b4c021e085fb83ceffe6571a3d357b4a98773c83c474e47f76c876708fe316da",
                SevLaunchPlan.sev(ovmfX64, Optional.empty()).run().hex());
        assertEquals(
                "77f613d7bbcdf12a73782ea9e88b0172aeda50d1a54201cb903594ff52846898",
                SevLaunchPlan.sev(amdSev, EMPTY_BOOT).run().hex());
    }

    @Test
    void d14AndD15KernelAndProcessorModels() throws LaunchRefused {
        Optional<DirectBoot> boot = Optional.of(boot("kernel", "initrd", "root=/dev/vda1"));
        assertDigest(
                "a43614be69d0be8f154f88501519f9a25944b8d80a1adbb9c6944f78bfb0aaf4302226deb55b19c225ff541733ff6615",
                launch(
                        amdSev,
                        2,
                        VmmType.QEMU,
                        boot,
                        VcpuModel.named("EPYC-Milan").orElseThrow().signature(),
                        1));
        assertDigest(
                "5578edf900be9e40e44065b9c35e7870a4b6735ea497456f98130049f74a5bc7b10361e08f2b1e4ac58ba9407fbaceef",
                launch(
                        amdSev,
                        2,
                        VmmType.QEMU,
                        boot,
                        VcpuModel.named("EPYC-Genoa").orElseThrow().signature(),
                        1));
    }

    @Test
    void d16FourVcpusOnEc2() throws LaunchRefused {
        assertDigest(
                "c1cdb69c9791afdefe6547b39179f47150788b8363b1a7b84d3ea5fbf649c0d776c8daf76a9be803f4eef483d3e06846",
                launch(amdSev, 4, VmmType.EC2, Optional.empty(), EPYC_V4, 1));
    }

    private static String afterOne(SnpLaunchPlan.Update update) throws LaunchRefused {
        SnpLaunch launch = SnpLaunch.onFreshHost();
        launch.start(SnpLaunch.USUAL_POLICY);
        launch.update(update);
        return launch.guest().launchDigest().hex();
    }

    @Test
    void u1ToU4SingleSteps() throws LaunchRefused {
        assertEquals(
                "e6e4d78904d9d6b33c0cbfd121998fd2d11744dae606b3aee35e2a45d6869b60b35c63928a9232bef72d6be386f48ec6",
                afterOne(new SnpLaunchPlan.Update(
                        PageType.NORMAL, 0x1000, 4096, Optional.of(Bytes.of(new byte[4096])), "zeros")));
        assertEquals(
                "4bd4147976a1e7554c1c778a781affc1c672f1965a727ba16084989b7e356044a28bbe585a2f75dac9356fa5ab78f061",
                afterOne(new SnpLaunchPlan.Update(PageType.ZERO, 0x1000, 4096, Optional.empty(), "zero")));
        assertEquals(
                "ede71fa5ddc72c3de70c6ff1149b8ecb6ef08b74b1d3a72c2cece10bd140c06a6181343d33def7db6cc0da1ff9ba4805",
                afterOne(new SnpLaunchPlan.Update(PageType.SECRETS, 0x1000, 4096, Optional.empty(), "secrets")));
        SnpLaunch launch = SnpLaunch.onFreshHost();
        launch.start(SnpLaunch.USUAL_POLICY);
        launch.vmsa(VmsaImage.of(VmmType.QEMU, VmsaImage.RESET_VECTOR, EPYC_V4, 1));
        assertEquals(
                "108432463da76821f35c5daf2f7aecc0ce9ce88652de5f70f638c7a0345c11f2f80025654b80e7be10a9fe0ee1b75f33",
                launch.guest().launchDigest().hex());
    }

    @Test
    void vmsaPagesHashAsPublished() throws Exception {
        var pages = new ArrayList<Bytes>(List.of(
                VmsaImage.of(VmmType.QEMU, VmsaImage.RESET_VECTOR, EPYC_V4, 1),
                VmsaImage.of(VmmType.QEMU, 0x80b004, EPYC_V4, 1),
                VmsaImage.of(VmmType.QEMU, VmsaImage.RESET_VECTOR, EPYC_V4, 0x21),
                VmsaImage.of(VmmType.EC2, VmsaImage.RESET_VECTOR, EPYC_V4, 1),
                VmsaImage.of(VmmType.GCE, VmsaImage.RESET_VECTOR, EPYC_V4, 1),
                VmsaImage.svsm(0xffae_a000, EPYC_V4)));
        List<String> expected = List.of(
                "77920c4c629ff47e90c0e174fc1ad0eb6fa664f88cd4739488058a8c6cb1a77b3856f55378e9518d0da99452d51c553a",
                "8413b852790765a310d95867a8b00bfca3a802b5a80830044b45e253fe96222657e11e53fcf63eb0e0afd722385bf7b4",
                "ae79efa6efbe1594a2717dfd42af495a0e4ed37b00e529a5fdf349bea04c3513962ffb0c74cf65b0d9a1857271833d6e",
                "d08442e8bcdb6a5dcd7f22e4f7fd6979beffb9f0bb54a9d1977407fe84f482abf23c1baae6ce95a6a9e7a94c3c51f412",
                "f9e03177dad7f4819ee193af7cfb70507d8a923ab513412e908bc73460a9dfdaa54215d58952816118ffb2ec281e7fd2",
                "9bcd6592450e93e379ffe14e5e9d4102377d162fddcfaa991c06b2c278e0057836e2c8b6b8617641587b3acfd378eb7d");
        SnpLaunch launch = SnpLaunch.onFreshHost();
        launch.start(SnpLaunch.USUAL_POLICY);
        for (int i = 0; i < pages.size(); i++) {
            launch.vmsa(pages.get(i));
            assertEquals(
                    expected.get(i),
                    HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-384")
                                    .digest(pages.get(i).toArray())),
                    "page " + i);
            LedgerRecord record = launch.guest().ledger().records().get(i);
            assertEquals(expected.get(i), record.contents().hex(), "as the firmware measured it");
            assertEquals(0xffff_ffff_f000L, record.gpa());
        }
    }

    @Test
    void theHashTableOfEmptyFilesIsWhatALaunchMeasures() throws Exception {
        Bytes table = Bytes.fromHex(
                "06d63894224fc94cb479a793d411fd21a800d82dd09720bd944caa78e7714d36ab2a32006e340b9cffb37a989ca544e6bb780a2c"
                        + "78901d3fb33738768511a30617afa01d31f7ba442f3ad74b9af141e29169781d3200e3b0c44298fc1c149afbf4c8996fb924"
                        + "27ae41e4649b934ca495991b7852b8553794e74dd2ab7f42b835d5b172d2045b3200e3b0c44298fc1c149afbf4c8996fb924"
                        + "27ae41e4649b934ca495991b7852b8550000000000000000");
        var page = new byte[4096];
        System.arraycopy(table.toArray(), 0, page, 0xc00, table.length());
        LedgerRecord measured = launch(amdSev, 1, VmmType.QEMU, EMPTY_BOOT, EPYC_V4, 1).records().stream()
                .filter(record -> record.gpa() == 0x810000)
                .findFirst()
                .orElseThrow();
        assertEquals(PageType.NORMAL, measured.type());
        assertEquals(
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-384").digest(page)),
                measured.contents().hex());
    }

    @Test
    void signatures() {
        assertEquals(0x0e12, new VcpuModel("", 14, 1, 2).signature());
        assertEquals(0x800f12, new VcpuModel("", 23, 1, 2).signature());
        assertEquals(0x800f12, VcpuModel.named("EPYC-v4").orElseThrow().signature());
        assertEquals(0x830f10, VcpuModel.named("EPYC-Rome").orElseThrow().signature());
        assertEquals(0xa00f11, VcpuModel.named("EPYC-Milan").orElseThrow().signature());
        assertEquals(0xa10f10, VcpuModel.named("EPYC-Genoa").orElseThrow().signature());
        assertEquals(0xb00f00, VcpuModel.named("EPYC-Turin").orElseThrow().signature());
        assertTrue(VcpuModel.named("Opteron").isEmpty());
    }

    @Test
    void theFootersOfTheTwoImages() {
        assertEquals(0x80b004, amdSev.resetEip().orElseThrow());
        assertEquals(0x810c00L, amdSev.hashTableGpa().orElseThrow());
        assertEquals(7, amdSev.sections().size());
        assertEquals(
                new SevSection(SevSection.Type.KERNEL_HASHES, 0x810000, 0x1000),
                amdSev.sections().get(5));
        assertEquals(0x80b004, ovmfX64.resetEip().orElseThrow());
        assertTrue(ovmfX64.hashTableGpa().isEmpty());
        assertEquals(
                new SevSection(SevSection.Type.SNP_SEC_MEM, 0x810000, 0x10000),
                ovmfX64.sections().getLast());
    }

    @Test
    void anImageWithoutATableIsRefusedInWords() {
        var refused = assertThrows(LaunchRefused.class, () -> OvmfImage.parse(Bytes.of(new byte[8192])));
        assertTrue(refused.reason().contains("footer table"), refused.reason());
        assertThrows(LaunchRefused.class, () -> OvmfImage.parse(Bytes.of(new byte[100])));
    }

    /** The metadata of the image: descriptor at 0xaac, header of 16 bytes, then gpa, size and type of each section. */
    private static String refusal(int at, int value) {
        byte[] image = resource("ovmf_AmdSev_suffix.bin").toArray();
        ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).putInt(0xaac + at, value);
        return assertThrows(
                        LaunchRefused.class,
                        () -> launch(OvmfImage.parse(Bytes.of(image)), 1, VmmType.GCE, EMPTY_BOOT, EPYC_V4, 1))
                .reason();
    }

    @Test
    void metadataThatNobodyCouldLaunch() {
        assertTrue(refusal(4, -1).contains("claims 7 sections in 4294967295 bytes"));
        assertTrue(refusal(12, -1).contains("claims 4294967295 sections"));
        assertTrue(refusal(12, 8).contains("claims 8 sections"));
        assertTrue(refusal(16, 0x80_0001).contains("whole pages"));
        assertTrue(refusal(20, 0x8001).contains("whole pages"));
        assertTrue(refusal(16, 0xffff_f000).contains("overlaps"), "the firmware");
        assertTrue(refusal(16, 0x80_a000).contains("overlaps"), "another section");
        assertTrue(refusal(20, 0xff00_0000).contains("overlaps"));
        assertTrue(refusal(16 + 5 * 12 + 4, 0).contains("KERNEL_HASHES"));
    }

    @Test
    void aDamagedFooterIsRefusedOrLaunchedButBreaksNothing() throws LaunchRefused {
        var random = new SplittableRandom(6);
        int launched = 0;
        for (int i = 0; i < 400; i++) {
            byte[] image = resource("ovmf_AmdSev_suffix.bin").toArray();
            for (int bytes = 1 + random.nextInt(4); bytes > 0; bytes--) {
                int from = random.nextBoolean() ? 0xaac : 4096 - 0x120;
                image[from + random.nextInt(from == 0xaac ? 100 : 0x120)] = (byte) random.nextInt();
            }
            try {
                VmmType vmm = VmmType.values()[random.nextInt(3)];
                launch(OvmfImage.parse(Bytes.of(image)), 2, vmm, EMPTY_BOOT, EPYC_V4, 1);
                launched++;
            } catch (LaunchRefused refused) {
                assertFalse(refused.reason().isBlank());
            }
        }
        assertTrue(launched > 20, "launched " + launched);
    }

    @Test
    void theLedgersOfTwoLaunchesNameTheFirstDifference() throws LaunchRefused {
        Ledger empty = launch(amdSev, 1, VmmType.QEMU, EMPTY_BOOT, EPYC_V4, 1);
        Ledger line = launch(amdSev, 1, VmmType.QEMU, Optional.of(boot("", "", "x")), EPYC_V4, 1);
        Ledger none = launch(amdSev, 1, VmmType.QEMU, Optional.empty(), EPYC_V4, 1);
        Ledger two = launch(amdSev, 2, VmmType.QEMU, EMPTY_BOOT, EPYC_V4, 1);
        assertEquals(Optional.empty(), empty.diff(empty));
        assertTrue(
                empty.diff(line).orElseThrow().startsWith("record 17: NORMAL page at gpa 0x810000: content "),
                empty.diff(line).orElseThrow());
        assertEquals(
                "record 17: the page at gpa 0x810000 is NORMAL against ZERO",
                empty.diff(none).orElseThrow());
        assertEquals(
                "record 34: only in the second launch: VMSA page at gpa 0xfffffffff000 (1 records more)",
                empty.diff(two).orElseThrow());
    }
}
