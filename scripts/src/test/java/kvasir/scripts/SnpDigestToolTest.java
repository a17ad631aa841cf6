package kvasir.scripts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Digests as virtee/sev-snp-measure prints them for the same inputs. */
final class SnpDigestToolTest {
    private static final String AMD_SEV = image("ovmf_AmdSev_suffix.bin");
    private static final String OVMF_X64 = image("ovmf_OvmfX64_suffix.bin");

    private static String image(String name) {
        return Path.of("..", "runtime", "src", "test", "resources", "snp", name).toString();
    }

    private static String answer(String ovmf, Map<String, String> options) {
        return new SnpDigestTool(options).run(ovmf).text();
    }

    @Test
    void directBootOnMilan(@TempDir Path folder) throws IOException {
        Path kernel = Files.writeString(folder.resolve("kernel"), "kernel");
        Path initrd = Files.writeString(folder.resolve("initrd"), "initrd");
        assertEquals(
                "a43614be69d0be8f154f88501519f9a25944b8d80a1adbb9c6944f78bfb0aaf4302226deb55b19c225ff541733ff6615",
                answer(
                        AMD_SEV,
                        Map.of(
                                "--vcpus", "2",
                                "--vcpu-type", "EPYC-Milan",
                                "--kernel", kernel.toString(),
                                "--initrd", initrd.toString(),
                                "--append", "root=/dev/vda1")));
    }

    @Test
    void ec2AndPlainSev() {
        assertEquals(
                "c1cdb69c9791afdefe6547b39179f47150788b8363b1a7b84d3ea5fbf649c0d776c8daf76a9be803f4eef483d3e06846",
                answer(AMD_SEV, Map.of("--vcpus", "4", "--vmm", "ec2")));
        assertEquals(
                "b4c021e085fb83ceffe6571a3d357b4a98773c83c474e47f76c876708fe316da",
                answer(OVMF_X64, Map.of("--mode", "sev")));
    }

    @Test
    void theLedgerHasALineAPageAndTheDigestLast() {
        String[] lines = answer(AMD_SEV, Map.of("--ledger", "")).split("\n", -1);
        assertEquals(34, lines.length);
        assertTrue(lines[0].contains("NORMAL") && lines[0].contains("0x0000fffff000"), lines[0]);
    }

    @Test
    void refusalsSayWhatToDo() {
        SnpDigestTool.Answer answer = new SnpDigestTool(Map.of("--vcpu-type", "Opteron")).run(AMD_SEV);
        assertTrue(answer.refused());
        assertTrue(answer.text().contains("EPYC-Milan"), answer.text());
        assertTrue(
                new SnpDigestTool(Map.of("--append", "x")).run(AMD_SEV).text().contains("--kernel"));
        assertEquals("--vcpus wants 1 to 4096, not 0", refusal(Map.of("--vcpus", "0")));
        assertEquals("--vcpus wants 1 to 4096, not 4294967297", refusal(Map.of("--vcpus", "4294967297")));
        assertTrue(refusal(Map.of("--features", "0x20")).contains("SNPActive"));
        assertTrue(refusal(Map.of("--mode", "sev", "--ledger", "")).contains("--mode snp"));
        assertTrue(new SnpDigestTool(Map.of()).run("no/such/file").text().startsWith("cannot read"));
    }

    private static String refusal(Map<String, String> options) {
        SnpDigestTool.Answer answer = new SnpDigestTool(options).run(AMD_SEV);
        assertTrue(answer.refused(), answer.text());
        return answer.text();
    }
}
