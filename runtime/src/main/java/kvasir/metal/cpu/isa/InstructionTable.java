package kvasir.metal.cpu.isa;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import kvasir.metal.cpu.isa.Encoding.OpcodeMap;

/** All rows, indexed for decoding (by map and opcode byte) and for assembling (by mnemonic). */
public final class InstructionTable {
    private static final String[] ARITHMETIC = {"ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"};
    private static final String[] SHIFTS = {"ROL", "ROR", "RCL", "RCR", "SHL", "SHR", "SHL", "SAR"};
    private static final Encoding[] NO_ROWS = {};
    private static final InstructionTable TABLE = new InstructionTable();

    private final List<Encoding> rows = new ArrayList<>();
    private final Map<String, List<Encoding>> byMnemonic = new TreeMap<>();
    private final Encoding[][] legacy = new Encoding[4 * 256][];
    private final Encoding[][] vex = new Encoding[4 * 256][];

    private InstructionTable() {
        HexFormat hex = HexFormat.of().withUpperCase();
        for (int i = 0; i < 8; i++) {
            boolean logic = i == 1 || i == 4 || i == 6;
            String text = GeneralRows.ARITHMETIC
                    .replace("@", ARITHMETIC[i])
                    .replace("#lock", i == 7 ? "" : "lock")
                    .replace("#f", logic ? "0SZ?P0" : "OSZAPC")
                    .replace("#n", Integer.toString(i));
            for (int form = 0; form < 6; form++) {
                text = text.replace("#" + form, hex.toHexDigits((byte) (i * 8 + form)));
            }
            addAll(text);
        }
        addAll(GeneralRows.TEXT);
        for (int i = 1; i < 8; i++) {
            addAll(GeneralRows.FENCES.replace("#h", Integer.toString(i)).replace("#l", Integer.toHexString(8 + i)));
        }
        for (int i = 0; i < 8; i++) {
            String text = GeneralRows.SHIFTS
                    .replace("@", SHIFTS[i])
                    .replace("#f", i < 4 ? "?----C" : "?SZ?PC")
                    .replace("#1", i < 4 ? "O----C" : "OSZ?PC")
                    .replace("#n", Integer.toString(i));
            addAll(i == 6 ? text.replace("| |", "| undoc |") : text);
        }
        addAll(SystemRows.TEXT);
        addAll(ExtendedStateRows.TEXT);
        addAll(VectorRows.text());
        addAll(X87Rows.TEXT);
        addAll(MmxRows.text());
    }

    private void addAll(String text) {
        text.lines().forEach(line -> Encoding.parse(line).forEach(this::add));
    }

    private void add(Encoding row) {
        rows.add(row);
        byMnemonic.computeIfAbsent(row.mnemonic(), m -> new ArrayList<>()).add(row);
        Encoding[][] index = row.vex().isPresent() ? vex : legacy;
        for (int low = 0; low < (row.registerInOpcode() ? 8 : 1); low++) {
            int slot = row.map().ordinal() << 8 | row.opcode() + low;
            Encoding[] before = index[slot] == null ? NO_ROWS : index[slot];
            Encoding[] after = Arrays.copyOf(before, before.length + 1);
            after[before.length] = row;
            index[slot] = after;
        }
    }

    /** Rows that may match an opcode byte, most special first. */
    static Encoding[] candidates(OpcodeMap map, int opcode, boolean withVex) {
        Encoding[] found = (withVex ? TABLE.vex : TABLE.legacy)[map.ordinal() << 8 | opcode];
        return found == null ? NO_ROWS : found;
    }

    /** Rows of a mnemonic in upper case, in the order of the table; empty if there is none. */
    static List<Encoding> of(String mnemonic) {
        return TABLE.byMnemonic.getOrDefault(mnemonic, List.of());
    }

    /** All mnemonics in alphabetical order. */
    public static List<String> mnemonics() {
        return List.copyOf(TABLE.byMnemonic.keySet());
    }

    /** All rows in the order of the table. */
    public static List<Encoding> rows() {
        return List.copyOf(TABLE.rows);
    }
}
