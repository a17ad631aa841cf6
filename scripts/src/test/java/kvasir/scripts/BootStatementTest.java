package kvasir.scripts;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code boot VM from FORMAT("file")}. */
final class BootStatementTest {
    /** Writes 7 to the debug-exit port: an ELF header, a program header, a multiboot header, the code. */
    private static final String KERNEL = "7f454c4601010100000000000000000002000300010000006000100034000000"
            + "0000000000000000340020000100000000000000"
            + "010000000000000000001000000010006d0000006d0000000700000000100000"
            + "02b0ad1b00000000fe4f52e4"
            + "baf4000000b807000000efeb00f4";

    @Test
    void readsTheKernelBesideTheScript(@TempDir Path folder) throws IOException {
        Files.write(folder.resolve("x.flat"), HexFormat.of().parseHex(KERNEL));
        String script = """
                vm pc = default { vcpus 1  memory 0 .. 4M  irqchip  devices }
                test "boots" {
                    boot pc from multiboot("x.flat") args "a b"
                    pc.run -> DEBUG_EXIT code 15
                    assert multiboot("x.flat").format == "multiboot"
                }
                """;
        assertEquals(List.of(), run(Files.writeString(folder.resolve("boot.kvs"), script)));
    }

    @Test
    void saysWhyTheFileIsNoKernel(@TempDir Path folder) throws IOException {
        Files.write(folder.resolve("x.flat"), new byte[100]);
        String script = """
                vm pc = default { vcpus 1  memory 0 .. 4M  irqchip  devices }
                test "boots" { boot pc from multiboot("x.flat") }
                """;
        List<String> problems = run(Files.writeString(folder.resolve("boot.kvs"), script));
        assertEquals(1, problems.size());
        assertEquals(
                true,
                problems.getFirst().contains("x.flat has no multiboot header in its first 8 KiB"),
                problems.getFirst());
    }

    private static List<String> run(Path script) {
        var problems = new ArrayList<String>();
        new ScriptRunner(new KvasirMachines()).run(List.of(script), RunOptions.defaults(), new RunListener() {
            @Override
            public void rejected(Path path, Failure failure) {
                problems.add(failure.text());
            }

            @Override
            public void finished(CaseResult result) {
                result.failure().ifPresent(failure -> problems.add(failure.text()));
            }
        });
        return problems;
    }
}
