package kvasir.metal.cpu.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import kvasir.metal.cpu.CpuidModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AssemblerTest {
    private static String hex(CodeSize codeSize, String text) {
        Assembled assembled = AssemblyText.assemble(codeSize, 0, text);
        assertEquals(List.of(), assembled.errors());
        return assembled.code().hex();
    }

    @Test
    void shortestEncodings() {
        assertEquals("83c005", hex(CodeSize.BITS64, "add eax, 5"));
        assertEquals("0500010000", hex(CodeSize.BITS64, "add eax, 0x100"));
        assertEquals("b8ffffffff", hex(CodeSize.BITS64, "mov eax, -1"));
        assertEquals("8ed8", hex(CodeSize.BITS32, "mov ds, ax"));
        assertEquals("8ed8", hex(CodeSize.BITS32, "mov ds, eax"));
        assertEquals("8ed8", hex(CodeSize.BITS64, "mov ds, rax"));
        assertEquals("48c7c0ffffffff", hex(CodeSize.BITS64, "mov rax, -1"));
        assertEquals("48b88877665544332211", hex(CodeSize.BITS64, "mov rax, 0x1122334455667788"));
        assertEquals("488b042500100000", hex(CodeSize.BITS64, "mov rax, [0x1000]"));
        assertEquals("c60425002000005a", hex(CodeSize.BITS64, "mov byte [0x2000], 0x5a"));
        assertEquals("4990", hex(CodeSize.BITS64, "xchg rax, r8"));
        assertEquals("6a05", hex(CodeSize.BITS64, "push 5"));
        assertEquals("6834120000", hex(CodeSize.BITS64, "push 0x1234"));
        assertEquals("a10010", hex(CodeSize.BITS16, "mov ax, [0x1000]"));
        assertEquals("66b878563412", hex(CodeSize.BITS16, "mov eax, 0x12345678"));
        assertEquals("8b4704", hex(CodeSize.BITS16, "mov ax, [bx+4]"));
        assertEquals("66b83412", hex(CodeSize.BITS32, "mov ax, 0x1234"));
        assertEquals("ea00000000" + "0800", hex(CodeSize.BITS32, "jmpf 8:0"));
    }

    @Test
    void labelsAndBranchLengths() {
        assertEquals("ebfe", hex(CodeSize.BITS64, "here: jmp here"));
        assertEquals("7400", hex(CodeSize.BITS64, "je next\nnext:"));
        String far = hex(CodeSize.BITS64, "je end\nresb 200\nend:");
        assertTrue(far.startsWith("0f84c8000000"), far);
        assertEquals("488b0501000000f407", hex(CodeSize.BITS64, "mov rax, [data]\nhlt\ndata: db 7"));
        assertEquals(
                0x1006L,
                AssemblyText.assemble(CodeSize.BITS64, 0x1000, "mov eax, end\nhlt\nend:")
                        .labels()
                        .get("end"));
    }

    private static AssemblyError error(CodeSize codeSize, String text) {
        return AssemblyText.assemble(codeSize, 0, text).errors().getFirst();
    }

    @Test
    void errorsSayWhatWouldBeRight() {
        assertEquals(
                new AssemblyError(2, "unknown instruction 'mvo'", "did you mean 'mov'?"),
                error(CodeSize.BITS64, "nop\nmvo eax, 1"));
        assertEquals("unknown label 'r'", error(CodeSize.BITS64, "mov eax, [r]").message());
        assertEquals(
                new AssemblyError(
                        1, "the size of the memory operand is not known", "write byte, word, dword or qword before it"),
                error(CodeSize.BITS64, "inc [rax]"));
        AssemblyError mismatch = error(CodeSize.BITS64, "mov eax, rbx");
        assertEquals("no form of 'mov' takes these operands in 64-bit code", mismatch.message());
        assertTrue(mismatch.help().contains("mov r/m16/32/64, r16/32/64"), mismatch.help());
        assertEquals(
                "unknown label 'nowhere'", error(CodeSize.BITS64, "jmp nowhere").message());
        assertEquals(
                "label 'a' is defined twice", error(CodeSize.BITS64, "a:\na:").message());
        assertEquals("']' is missing", error(CodeSize.BITS64, "mov eax, [rbx").message());
    }

    @Test
    void whatIsDisassembledAssemblesToTheSameMeaning() {
        var differences = new ArrayList<String>();
        for (CodeSize codeSize : CodeSize.values()) {
            var decoder = new Decoder(codeSize, CpuidModel.standard(), true);
            for (Sample sample : samples(codeSize, 30)) {
                Assembled again = AssemblyText.assemble(codeSize, 0, sample.text());
                byte[] code = again.code().toArray();
                Decoded decoded = decoder.decode(code, 0, code.length);
                String text = decoded instanceof Instruction i ? Disassembler.text(i, 0) : again.errors() + "";
                boolean commutes = sample.text().matches("(lock )?(xchg|test).*");
                boolean same = commutes ? again.ok() : text.equals(sample.text());
                if (!same || code.length > sample.hex().length() / 2) {
                    differences.add(codeSize + " " + sample.hex() + " " + sample.text() + " -> " + text);
                }
            }
        }
        assertEquals(List.of(), differences.subList(0, Math.min(20, differences.size())));
    }

    /** A random instance of a row: its bytes and their disassembly. */
    private record Sample(String hex, String text) {}

    private static List<Sample> samples(CodeSize codeSize, int each) {
        var random = new SplittableRandom(codeSize.ordinal());
        var decoder = new Decoder(codeSize, CpuidModel.standard(), true);
        var samples = new ArrayList<Sample>();
        for (Encoding row : InstructionTable.rows()) {
            if (row.is("undoc")) {
                continue;
            }
            for (int i = 0; i < each; i++) {
                byte[] bytes = new byte[24];
                random.nextBytes(bytes);
                int at = start(row, bytes, random, codeSize);
                bytes[at++] = (byte) (row.opcode() + (row.registerInOpcode() ? random.nextInt(8) : 0));
                if (row.fixedModrm() >= 0) {
                    bytes[at] = (byte) row.fixedModrm();
                } else if (row.reg() >= 0) {
                    bytes[at] = (byte) (bytes[at] & 0xc7 | row.reg() << 3);
                }
                if (decoder.decode(bytes, 0, bytes.length) instanceof Instruction instruction
                        && instruction.encoding() == row
                        && sizeIsVisible(instruction, bytes[0] == 0x66)) {
                    samples.add(new Sample(
                            HexFormat.of().formatHex(bytes, 0, instruction.length()),
                            Disassembler.text(instruction, 0)));
                }
            }
        }
        return samples;
    }

    /** Texts do not show the operand size of branches, and of far or immediate operands alone. */
    private static boolean sizeIsVisible(Instruction instruction, boolean prefixed) {
        boolean branch = instruction.operands().stream().anyMatch(o -> o instanceof Operand.Rel);
        boolean shown = instruction.operands().stream()
                .anyMatch(o -> o instanceof Operand.Reg || (o instanceof Operand.Mem m && m.bytes() != 0));
        return !branch && (shown || !prefixed || instruction.encoding().is("o16"));
    }

    private static int start(Encoding row, byte[] bytes, SplittableRandom random, CodeSize codeSize) {
        int at = 0;
        if (row.vex().isPresent()) {
            int[] pp = {0, 0, 1, 3, 2};
            bytes[at++] = (byte) 0xc4;
            bytes[at] = (byte) (bytes[at] & 0xe0 | row.map().ordinal() | (codeSize == CodeSize.BITS64 ? 0 : 0xc0));
            at++;
            bytes[at] =
                    (byte) (bytes[at] & 0xf8 | pp[row.prefix().ordinal()] | (codeSize == CodeSize.BITS64 ? 0 : 0x40));
            at++;
            return at;
        }
        switch (row.prefix()) {
            case P66 -> bytes[at++] = 0x66;
            case PF2 -> bytes[at++] = (byte) 0xf2;
            case PF3 -> bytes[at++] = (byte) 0xf3;
            default -> {
                if (row.prefix() == Encoding.Prefix.ANY && random.nextInt(3) == 0) {
                    bytes[at++] = 0x66;
                }
            }
        }
        if (codeSize == CodeSize.BITS64 && random.nextBoolean()) {
            bytes[at++] = (byte) (0x40 | random.nextInt(16));
        }
        switch (row.map()) {
            case ONE -> {}
            case TWO_0F -> bytes[at++] = 0x0f;
            case THREE_0F38 -> {
                bytes[at++] = 0x0f;
                bytes[at++] = 0x38;
            }
            case THREE_0F3A -> {
                bytes[at++] = 0x0f;
                bytes[at++] = 0x3a;
            }
        }
        return at;
    }

    /** What GNU as makes of our disassembly must decode to the same text, and be no shorter than what we assemble. */
    @Test
    void gnuAssemblerAgrees(@TempDir Path folder) throws IOException, InterruptedException {
        boolean installed =
                Files.isExecutable(Path.of("/usr/bin/as")) && Files.isExecutable(Path.of("/usr/bin/objcopy"));
        assumeTrue(installed, "GNU as and objcopy are not installed");
        for (CodeSize codeSize : CodeSize.values()) {
            List<Sample> samples = samples(codeSize, 8).stream()
                    .filter(s -> gnuTakes(s.text()))
                    .toList();
            byte[] theirs = gnu(folder, codeSize, samples);
            var differences = new ArrayList<String>();
            var decoder = new Decoder(codeSize, CpuidModel.standard(), true);
            int at = 0;
            for (Sample sample : samples) {
                if (!(decoder.decode(theirs, at, theirs.length) instanceof Instruction d)) {
                    differences.add(sample.text() + ": as gives something we cannot decode");
                    break;
                }
                String ours = hex(codeSize, sample.text());
                if (!Disassembler.text(d, 0).equals(sample.text()) || ours.length() / 2 > d.length()) {
                    differences.add(sample.text() + ": as " + HexFormat.of().formatHex(theirs, at, at + d.length())
                            + " " + Disassembler.text(d, 0) + ", ours " + ours);
                }
                at += d.length();
            }
            assertEquals(List.of(), differences.subList(0, Math.min(12, differences.size())), codeSize.toString());
            assertTrue(samples.size() > 1000, samples.size() + " samples");
        }
    }

    /** Texts whose syntax the two assemblers do not share. */
    private static boolean gnuTakes(String text) {
        return !text.matches(
                        "(j|call|loop|ret|int |iret|sys|push|pop|movs|cmps|stos|lods|scas|ins|outs|in |out |"
                                + "tdcall|vmgexit|rmpread|lgdt|lidt|sgdt|sidt|ud|enter|bound|salc|lar|lsl|invpcid|xlat|rdpid|crc32|nop|mov cr|mov dr|"
                                + "mov .*, (cr|dr)|l[defgs]s|leave|s[lt]|smsw|mov [c-g]s|prefetch|aa[md]|xchg|test|mov .*, [c-gs]s|aad|arpl|cmov|str|bswap (.[xpi]|r\\d+w)$).*")
                && !text.matches(".*[^0-9a-z](0x)?[0-9a-f]*\\[0x.*");
    }

    private static byte[] gnu(Path folder, CodeSize codeSize, List<Sample> samples)
            throws IOException, InterruptedException {
        var source = new StringBuilder(".intel_syntax noprefix\n");
        source.append(codeSize == CodeSize.BITS16 ? ".code16\n" : codeSize == CodeSize.BITS32 ? ".code32\n" : "");
        for (Sample sample : samples) {
            // without the word, as takes the EVEX form
            source.append(sample.text().startsWith("vpdp") ? "{vex} " : "")
                    .append(sample.text()
                            .replaceAll("\\b(byte|word|dword|qword|xmmword) ", "$1 ptr ")
                            .replaceAll("\\btword ", "tbyte ptr ")
                            .replaceAll("\\bst([0-7])", "st($1)"))
                    .append('\n');
        }
        Path file = folder.resolve(codeSize + ".s");
        Path object = folder.resolve(codeSize + ".o");
        Path binary = folder.resolve(codeSize + ".bin");
        Files.writeString(file, source.toString());
        String flavour = codeSize == CodeSize.BITS64 ? "--64" : "--32";
        run(file, "/usr/bin/as", flavour, "-o", object.toString(), file.toString());
        run(file, "/usr/bin/objcopy", "-O", "binary", "-j", ".text", object.toString(), binary.toString());
        return Files.readAllBytes(binary);
    }

    private static void run(Path source, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> errorsWithLines(output, source));
    }

    private static String errorsWithLines(String output, Path file) {
        try {
            List<String> lines = Files.readAllLines(file);
            var text = new StringBuilder();
            output.lines().limit(20).forEach(line -> {
                var matcher = Pattern.compile(":(\\d+): ").matcher(line);
                text.append(line);
                if (matcher.find()) {
                    text.append(" | ").append(lines.get(Integer.parseInt(matcher.group(1)) - 1));
                }
                text.append('\n');
            });
            return text.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
