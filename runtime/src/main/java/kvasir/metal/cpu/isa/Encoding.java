package kvasir.metal.cpu.isa;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kvasir.metal.cpu.CpuidModel.Feature;

/**
 * One row of the instruction table. Its text has four columns: mnemonic and operands, encoding, attributes, effect on
 * the status flags.
 *
 * <pre>
 * ADD Ev,Gv        | 01 /r              | lock         | OSZAPC
 * POPCNT Gv,Ev     | F3 0F B8 /r        | cpuid=POPCNT | 00Z000
 * </pre>
 *
 * <p>Encoding: {@code NP}, {@code 66}, {@code F2}, {@code F3} ask for that mandatory prefix (no word: prefixes do not
 * matter); {@code /r} a ModRM byte, {@code /0} to {@code /7} with that reg field, {@code =C1} with that very value;
 * {@code +r} a register in the low opcode bits; {@code +c} sixteen rows, one a condition; {@code VEX.L0.66.0F38.W1} a
 * VEX prefix with what it must hold.
 *
 * <p>Attributes: {@code lock} LOCK is legal with a memory destination; {@code o16 o32 o64}, {@code a16 a32 a64} only
 * with that operand or address size; {@code i64} not in 64-bit mode, {@code x64} only there; {@code d64} operand size 8
 * by default there, {@code f64} always; {@code o66} the mandatory 66 prefix also makes the operand size 2;
 * {@code nob} only without REX.B; {@code pm} not in real and virtual-8086 mode; {@code cpl0} #GP outside ring 0;
 * {@code rep} REP repeats it; {@code undoc} the assembler does not choose it; {@code cpuid=} the feature it needs, which also tells whether control
 * registers can refuse it; {@code sse} those of vector state do although no operand is a vector register, {@code xcr} those
 * of XCR0, {@code x87} those of x87 although the feature is another; {@code aligned} a memory operand must be aligned to its size, {@code alignedintel} only on Intel's
 * processors.
 *
 * <p>Flags: one column for each of O, S, Z, A, P, C: the letter if the result decides, {@code 0} or {@code 1}, {@code ?}
 * undefined, {@code -} unchanged.
 *
 * @param mnemonic upper case
 * @param operands specs in Intel order
 * @param map opcode map
 * @param opcode the opcode byte (register bits clear)
 * @param registerInOpcode the low three opcode bits are a register
 * @param prefix mandatory prefix
 * @param modrm whether there is a ModRM byte
 * @param reg reg field it must have, or -1
 * @param fixedModrm whole ModRM byte it must have, or -1
 * @param vex what the VEX prefix must hold; empty for a legacy encoding
 * @param attributes as above
 * @param feature CPUID feature
 * @param flags six characters as above
 */
public record Encoding(
        String mnemonic,
        List<Spec> operands,
        OpcodeMap map,
        int opcode,
        boolean registerInOpcode,
        Prefix prefix,
        boolean modrm,
        int reg,
        int fixedModrm,
        Optional<Vex> vex,
        Set<String> attributes,
        Optional<Feature> feature,
        String flags) {

    /** Opcode maps. */
    public enum OpcodeMap {
        ONE,
        TWO_0F,
        THREE_0F38,
        THREE_0F3A
    }

    /** Mandatory prefixes. */
    public enum Prefix {
        ANY,
        NP,
        P66,
        PF2,
        PF3
    }

    /**
     * Demands on a VEX prefix.
     *
     * @param l 0, 1, or -1 for either
     * @param w 0, 1, or -1 for either
     */
    public record Vex(int l, int w) {}

    private static final String[] CONDITIONS = {
        "O", "NO", "B", "AE", "E", "NE", "BE", "A", "S", "NS", "P", "NP", "L", "GE", "LE", "G"
    };

    /** Whether the row has the attribute. */
    public boolean is(String attribute) {
        return attributes.contains(attribute);
    }

    /** Whether an operand is an XMM or YMM register, or may be one. */
    public boolean usesVectorRegisters() {
        return operands.stream().anyMatch(spec -> "VWUHL".indexOf(spec.kind()) >= 0);
    }

    /** Whether an operand is an MMX register, or may be one. */
    public boolean usesMmxRegisters() {
        return operands.stream().anyMatch(spec -> "PQN".indexOf(spec.kind()) >= 0);
    }

    /** Whether an operand is memory indexed by a vector register. */
    public boolean gathers() {
        return operands.size() == 3 && operands.get(1).kind() == 'X';
    }

    /** Condition number 0 to 15 of a Jcc, SETcc or CMOVcc row. */
    public int condition() {
        return opcode & 15;
    }

    /** The forms of the operands, for messages: {@code r/m32, imm8}. */
    public String forms() {
        var text = new StringBuilder();
        for (Spec spec : operands) {
            text.append(text.isEmpty() ? "" : ", ").append(spec);
        }
        return text.toString();
    }

    /** Rows of one line of the table; a line with {@code +c} gives sixteen. */
    static List<Encoding> parse(String line) {
        String[] columns = line.split("\\|", -1);
        if (columns.length < 2) {
            throw new IllegalStateException("instruction table: " + line);
        }
        var rows = new ArrayList<Encoding>();
        if (columns[1].contains("+c")) {
            for (int i = 0; i < 16; i++) {
                rows.add(parse(columns, line.replace("cc ", CONDITIONS[i] + " "), i));
            }
        } else {
            rows.add(parse(columns, line, 0));
        }
        return rows;
    }

    private static Encoding parse(String[] columns, String line, int condition) {
        String head = line.substring(0, line.indexOf('|')).trim();
        int space = head.indexOf(' ');
        String mnemonic = space < 0 ? head : head.substring(0, space);
        var operands = new ArrayList<Spec>();
        if (space >= 0) {
            for (String operand : head.substring(space + 1).trim().split(",", -1)) {
                operands.add(Spec.parse(operand.trim()));
            }
        }
        var builder = new Parts();
        for (String word : words(columns[1])) {
            builder.word(word, condition);
        }
        boolean modrm = builder.modrm;
        for (Spec spec : operands) {
            modrm |= spec.usesModrm();
        }
        Set<String> attributes = columns.length > 2 ? Set.copyOf(words(columns[2])) : Set.of();
        Optional<Feature> feature = Optional.empty();
        for (String attribute : attributes) {
            if (attribute.startsWith("cpuid=")) {
                feature = Optional.of(Feature.valueOf(attribute.substring(6)));
            }
        }
        String flags = columns.length > 3 && !columns[3].isBlank() ? columns[3].trim() : "------";
        return new Encoding(
                mnemonic,
                List.copyOf(operands),
                builder.map,
                builder.opcode,
                builder.registerInOpcode,
                builder.prefix,
                modrm,
                builder.reg,
                builder.fixedModrm,
                builder.vex,
                attributes,
                feature,
                flags);
    }

    /** The words of a column; by hand, because the whole table is read at every start. */
    private static List<String> words(String column) {
        var words = new ArrayList<String>(4);
        int start = 0;
        for (int i = 0; i <= column.length(); i++) {
            if (i == column.length() || column.charAt(i) == ' ') {
                if (i > start) {
                    words.add(column.substring(start, i));
                }
                start = i + 1;
            }
        }
        return words;
    }

    /** The encoding column, word by word. */
    private static final class Parts {
        OpcodeMap map = OpcodeMap.ONE;
        int opcode = -1;
        boolean registerInOpcode;
        Prefix prefix = Prefix.ANY;
        boolean modrm;
        int reg = -1;
        int fixedModrm = -1;
        Optional<Vex> vex = Optional.empty();

        void word(String word, int condition) {
            if (word.startsWith("VEX")) {
                vex(word);
            } else if (word.startsWith("/")) {
                modrm = true;
                reg = word.equals("/r") ? -1 : word.charAt(1) - '0';
            } else if (word.startsWith("=")) {
                modrm = true;
                fixedModrm = Integer.parseInt(word.substring(1), 16);
            } else if (word.equals("NP")) {
                prefix = Prefix.NP;
            } else if (opcode < 0 && map == OpcodeMap.ONE && mandatory(word)) {
                prefix = Prefix.valueOf("P" + word);
            } else if (word.equals("0F") && map == OpcodeMap.ONE && vex.isEmpty()) {
                map = OpcodeMap.TWO_0F;
            } else if (word.equals("38") && map == OpcodeMap.TWO_0F && vex.isEmpty()) {
                map = OpcodeMap.THREE_0F38;
            } else if (word.equals("3A") && map == OpcodeMap.TWO_0F && vex.isEmpty()) {
                map = OpcodeMap.THREE_0F3A;
            } else {
                registerInOpcode = word.endsWith("+r");
                opcode = Integer.parseInt(word.substring(0, 2), 16) + (word.endsWith("+c") ? condition : 0);
            }
        }

        private static boolean mandatory(String word) {
            return word.equals("66") || word.equals("F2") || word.equals("F3");
        }

        private void vex(String word) {
            int l = -1;
            int w = -1;
            prefix = Prefix.NP;
            for (String part : word.split("\\.", -1)) {
                switch (part) {
                    case "L0" -> l = 0;
                    case "L1" -> l = 1;
                    case "W0" -> w = 0;
                    case "W1" -> w = 1;
                    case "66", "F2", "F3" -> prefix = Prefix.valueOf("P" + part);
                    case "0F" -> map = OpcodeMap.TWO_0F;
                    case "0F38" -> map = OpcodeMap.THREE_0F38;
                    case "0F3A" -> map = OpcodeMap.THREE_0F3A;
                    default -> {}
                }
            }
            vex = Optional.of(new Vex(l, w));
        }
    }
}
