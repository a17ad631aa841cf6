package kvasir.metal.cpu.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import kvasir.metal.cpu.CpuidModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random bytes, decoded by GNU objdump and by us: lengths and mnemonics must agree. What may differ, and why, are the
 * tables at the top. {@code -Dkvasir.objdump.bytes=N} sets how many bytes a mode.
 */
final class ObjdumpTest {
    private static final int BYTES = Integer.getInteger("kvasir.objdump.bytes", 60_000);
    private static final int MOST_SHOWN = Integer.getInteger("kvasir.objdump.shown", 25);

    /** Bytes that are #UD here and an instruction to objdump, by a pattern of its text, and why. */
    private static final Map<String, String> UNDEFINED = Map.ofEntries(
            Map.entry(".*\\(bad\\).*", "objdump prints the mnemonic of what it then calls bad"),
            Map.entry(".*\\block\\b.*", "LOCK is #UD where it is not legal"),
            Map.entry(".*\\?.*", "there are six segment registers"),
            Map.entry("mov .*\\btr[0-7]\\b.*", "the test registers went with the 486"),
            Map.entry("mov .*\\bdr(8|9|1[0-5])\\b.*", "there are eight debug registers"),
            Map.entry(".*\\b(zmm|[xy]mm(1[6-9]|2[0-9]|3[01])|k[0-7])\\b.*", "AVX-512 is absent"),
            Map.entry("(swapgs|(rd|wr)[fg]sbase|cmpxchg16b).*", "in 64-bit code only"),
            Map.entry("v?(pextr|pinsr)[dq].*", "VEX.W outside 64-bit code, which the host refuses too"),
            Map.entry(
                    "(vp(rot|com|mac|mad|h(add|sub)|sh[al]|perm|cmov)|vfrcz|bextr|bl[cs]|t1mskc|tzmsk|lwp).*",
                    "XOP and TBM are absent"),
            Map.entry("extrq.*", "objdump does not look at ModRM.reg, which must be 0"),
            Map.entry("frstpm.*", "on the 287 only"),
            Map.entry("(femms|pf\\w+|pi2f[dw]|pmulhrw|pswapd|pavgusb)\\b.*", "3DNow! is absent"),
            Map.entry(
                    "(vm(xon|xoff|ptrst|ptrld|clear|read|write|launch|resume|func|run|load|save)|stgi|clgi|skinit"
                            + "|invlpga|invept|invvpid|getsec|encl[suv]|pconfig|mcommit|seamcall"
                            + "|seamret|seamops|invlpgb|tlbsync)\\b.*",
                    "VMX, SVM, SGX, SMX, SMM and SEAM"),
            Map.entry(
                    "(testui|clui|stui|uiret|senduipi|x?suspldtrk|xresldtrk|ptwrite|umonitor|umwait|tpause"
                            + "|cldemote|incssp[dq]|rdssp[dq]|saveprevssp|rstorssp|wru?ss[dq]|setssbsy|clrssbsy"
                            + "|enqcmds?|hreset|xbegin|xend|xabort|xtest|movdir64b|llwpcb|slwpcb"
                            + "|montmul|xstore.*|xcrypt.*|xsha.*|bnd.*|wrmsrns)\\b.*",
                    "features that no model has, or that are not modelled"),
            Map.entry(
                    "v?(aes(enc|dec)(wide)?(128|256)kl|pmadd52.*|tile.*|tdp.*|sm[34].*|bcst.*|cvtneps2.*"
                            + "|perm.*2p[sd].*|fn?m(add|sub).*[ps][sd] .*,.*,.*,.*|encodekey.*|loadiwkey.*)",
                    "vector features that no model has"));

    private static final Map<String, String> RENAMED = Map.ofEntries(
            Map.entry("movabs", "mov"),
            Map.entry("jmpf", "jmp"),
            Map.entry("callf", "call"),
            Map.entry("xlatb", "xlat"),
            Map.entry("iretd", "iret"),
            Map.entry("iretw", "iret"),
            Map.entry("pushaw", "pusha"),
            Map.entry("pushad", "pusha"),
            Map.entry("popaw", "popa"),
            Map.entry("popad", "popa"),
            Map.entry("pushfw", "pushf"),
            Map.entry("pushfd", "pushf"),
            Map.entry("pushfq", "pushf"),
            Map.entry("popfw", "popf"),
            Map.entry("popfd", "popf"),
            Map.entry("popfq", "popf"),
            Map.entry("sysretd", "sysret"),
            Map.entry("sysretl", "sysret"),
            Map.entry("sysexitd", "sysexit"),
            Map.entry("prefetchwt1", "nop"),
            Map.entry("pcmpestriq", "pcmpestri"),
            Map.entry("pcmpestrmq", "pcmpestrm"),
            Map.entry("vpcmpestriq", "vpcmpestri"),
            Map.entry("vpcmpestrmq", "vpcmpestrm"),
            Map.entry("sgdtd", "sgdt"),
            Map.entry("sgdtw", "sgdt"),
            Map.entry("sidtd", "sidt"),
            Map.entry("sidtw", "sidt"),
            Map.entry("lgdtd", "lgdt"),
            Map.entry("lgdtw", "lgdt"),
            Map.entry("lidtd", "lidt"),
            Map.entry("lidtw", "lidt"));

    private static final Set<String> PREFIXES = Set.of(
            "lock",
            "rep",
            "repz",
            "repnz",
            "repe",
            "repne",
            "bnd",
            "notrack",
            "xacquire",
            "xrelease",
            "data16",
            "data32",
            "addr16",
            "addr32",
            "cs",
            "ds",
            "es",
            "fs",
            "gs",
            "ss");

    /** One line of objdump. */
    private record Line(int at, int length, String text) {}

    @Test
    void codeOf64Bits(@TempDir Path folder) throws IOException, InterruptedException {
        compare(CodeSize.BITS64, folder);
    }

    @Test
    void codeOf32Bits(@TempDir Path folder) throws IOException, InterruptedException {
        compare(CodeSize.BITS32, folder);
    }

    @Test
    void codeOf16Bits(@TempDir Path folder) throws IOException, InterruptedException {
        compare(CodeSize.BITS16, folder);
    }

    private static void compare(CodeSize codeSize, Path folder) throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/objdump")), "GNU objdump is not installed");
        byte[] bytes = bytes(codeSize);
        var model = new CpuidModel(
                "everything", "GenuineIntel", "", 0, Set.copyOf(EnumSet.allOf(CpuidModel.Feature.class)), 52);
        var decoder = new Decoder(codeSize, model, true);
        var differences = new ArrayList<String>();
        int agreed = 0;
        for (Line line : objdump(codeSize, bytes, folder)) {
            Decoded ours = decoder.decode(bytes, line.at(), bytes.length);
            if (ours instanceof Decoded.Incomplete || explained(line, ours, bytes, decoder)) {
                continue;
            }
            String text = ours instanceof Instruction i ? Disassembler.text(i, line.at()) : "(bad)";
            int length = ours instanceof Instruction i ? i.length() : line.length();
            if (canonical(text).equals(canonical(line.text())) && length == line.length()) {
                agreed++;
            } else {
                differences.add(HexFormat.of().formatHex(bytes, line.at(), line.at() + Math.max(length, line.length()))
                        + " ours " + text + " (" + length + ") objdump " + line.text() + " (" + line.length() + ")\n");
            }
        }
        assertEquals(
                List.of(),
                differences.subList(0, Math.min(MOST_SHOWN, differences.size())),
                differences.size() + " of " + agreed);
        assertTrue(agreed > BYTES / 10, agreed + " agreed");
    }

    private static boolean explained(Line line, Decoded ours, byte[] bytes, Decoder decoder) {
        String text = line.text()
                .replaceAll("\\s+", " ")
                .replaceFirst("^((rex[.WRXB]*|[cdefgs]s|rep|repn?z|data(16|32)|addr(16|32)) )+", "");
        if (canonical(text).isEmpty()) {
            return true; // a prefix that objdump prints as an instruction of its own
        }
        if (!(ours instanceof Instruction i)) {
            return UNDEFINED.keySet().stream()
                            .anyMatch(p -> text.matches(p) || line.text().matches(p))
                    || mandatoryPrefixIsAnother(line, bytes, decoder);
        }
        return line.text().matches(".*\\(bad\\).*") && i.mnemonic().startsWith("RMP") // younger than objdump
                || i.encoding().is("undoc") // ours has what the manuals leave out
                || canonical(i.mnemonic()).equals("fwait") // objdump joins it with what follows
                || (canonical(i.mnemonic()).equals("nop") && text.matches("xchg (.*),\\1"))
                || (i.mnemonic().equals("XCHG") && text.matches(".*pause")); // with REX.B it exchanges
    }

    /** Whether the bytes are an instruction without their 66, F2 and F3, and one whose row asks which of them there are. */
    private static boolean mandatoryPrefixIsAnother(Line line, byte[] bytes, Decoder decoder) {
        var rest = new ByteArrayOutputStream();
        boolean prefixes = true;
        for (int at = line.at(); at < line.at() + line.length(); at++) {
            int value = bytes[at] & 0xff;
            boolean mandatory = value == 0x66 || value == 0xf2 || value == 0xf3;
            prefixes &= mandatory
                    || value == 0x67
                    || (value & 0xe7) == 0x26
                    || (value & 0xfe) == 0x64
                    || (value & 0xf0) == 0x40;
            if (!prefixes || !mandatory) {
                rest.write(value);
            }
        }
        byte[] bare = rest.toByteArray();
        return bare.length < line.length()
                && decoder.decode(bare, 0, bare.length) instanceof Instruction i
                && i.encoding().prefix() != Encoding.Prefix.ANY;
    }

    /** Random bytes; half of the time they begin as an encoding of the table does. */
    private static byte[] bytes(CodeSize codeSize) {
        var random = new SplittableRandom(codeSize.ordinal() + 11);
        var out = new ByteArrayOutputStream();
        List<Encoding> rows = InstructionTable.rows();
        while (out.size() < BYTES) {
            byte[] some = new byte[random.nextInt(1, 8)];
            random.nextBytes(some);
            if (random.nextInt(3) != 0) {
                opcode(rows.get(random.nextInt(rows.size())), random, out);
            }
            out.writeBytes(some);
            out.writeBytes(new byte[] {(byte) 0x90, (byte) 0x90, (byte) 0x90, (byte) 0x90});
        }
        return out.toByteArray();
    }

    private static void opcode(Encoding row, SplittableRandom random, ByteArrayOutputStream out) {
        if (row.vex().isPresent()) {
            int[] pp = {0, 0, 1, 3, 2};
            out.write(0xc4);
            out.write(random.nextInt(256) & 0xe0 | row.map().ordinal());
            out.write(random.nextInt(256) & (random.nextBoolean() ? 0xf8 : 0x80)
                    | pp[row.prefix().ordinal()]);
        } else {
            switch (row.prefix()) {
                case P66 -> out.write(0x66);
                case PF2 -> out.write(0xf2);
                case PF3 -> out.write(0xf3);
                default -> {}
            }
            if (random.nextInt(3) == 0) {
                out.write(0x40 | random.nextInt(16));
            }
            if (row.map() != Encoding.OpcodeMap.ONE) {
                out.write(0x0f);
            }
            if (row.map() == Encoding.OpcodeMap.THREE_0F38) {
                out.write(0x38);
            } else if (row.map() == Encoding.OpcodeMap.THREE_0F3A) {
                out.write(0x3a);
            }
        }
        out.write(row.opcode());
    }

    private static List<Line> objdump(CodeSize codeSize, byte[] bytes, Path folder)
            throws IOException, InterruptedException {
        Path file = folder.resolve("bytes");
        Files.write(file, bytes);
        String machine = switch (codeSize) {
            case BITS64 -> "i386:x86-64";
            case BITS32 -> "i386";
            case BITS16 -> "i8086";
        };
        Path output = folder.resolve("text");
        Process process = new ProcessBuilder(
                        "/usr/bin/objdump",
                        "-D",
                        "-b",
                        "binary",
                        "-m" + machine,
                        "-M",
                        "intel,intel64",
                        "--insn-width=16",
                        "-z",
                        file.toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertEquals(0, process.waitFor());
        var pattern = Pattern.compile(" *([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *\t?(.*)");
        var lines = new ArrayList<Line>();
        for (String text : Files.readAllLines(output, StandardCharsets.ISO_8859_1)) {
            var matcher = pattern.matcher(text);
            if (matcher.matches()) {
                lines.add(new Line(
                        Integer.parseInt(matcher.group(1), 16),
                        matcher.group(2).length() / 3,
                        matcher.group(3).strip()));
            }
        }
        return lines;
    }

    /** The mnemonic, prefixes aside, in one spelling. */
    private static String canonical(String text) {
        String[] words = text.toLowerCase(Locale.ROOT).split("[ ,]+", -1);
        for (String word : words) {
            if (word.isEmpty() || PREFIXES.contains(word) || word.startsWith("rex") || word.startsWith("{")) {
                continue;
            }
            boolean string =
                    word.matches("(ins|outs|movs|cmps|stos|lods|scas)[bwdq]") && word.equals(words[words.length - 1]);
            String name = string ? word.substring(0, word.length() - 1) : word;
            name = name.replaceFirst("^(push|pop|call|jmp|ret|retf|enter|leave)[dwq]$", "$1");
            return RENAMED.getOrDefault(name, name)
                    .replaceFirst(
                            "^(v?)cmp(eq|lt|le|unord|neq|nlt|nle|ord|nge|ngt|false|ge|gt|true)(_[a-z]+)?([ps][sd])$",
                            "$1cmp$4")
                    .replaceFirst("^(v?)pclmul[lh]q[lh]qdq$", "$1pclmulqdq");
        }
        return "";
    }
}
