package kvasir.metal.cpu.isa;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Other names of instructions, and the nearest name to a misspelt one. */
final class Aliases {
    private static final Map<String, String> CONDITIONS = Map.ofEntries(
            Map.entry("Z", "E"),
            Map.entry("NZ", "NE"),
            Map.entry("C", "B"),
            Map.entry("NC", "AE"),
            Map.entry("NAE", "B"),
            Map.entry("NB", "AE"),
            Map.entry("NA", "BE"),
            Map.entry("NBE", "A"),
            Map.entry("PE", "P"),
            Map.entry("PO", "NP"),
            Map.entry("NGE", "L"),
            Map.entry("NL", "GE"),
            Map.entry("NG", "LE"),
            Map.entry("NLE", "G"));
    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("SAL", "SHL"),
            Map.entry("XLAT", "XLATB"),
            Map.entry("LOOPZ", "LOOPE"),
            Map.entry("LOOPNZ", "LOOPNE"),
            Map.entry("RETN", "RET"),
            Map.entry("LRET", "RETF"),
            Map.entry("MOVABS", "MOV"),
            Map.entry("ICEBP", "INT1"));

    private Aliases() {}

    /** The name that the table has for {@code mnemonic}; the same if it is no alias. */
    static String canonical(String mnemonic, CodeSize codeSize) {
        String name = NAMES.getOrDefault(mnemonic, mnemonic);
        for (String family : new String[] {"CMOV", "SET", "J"}) {
            if (name.startsWith(family)) {
                String condition = CONDITIONS.get(name.substring(family.length()));
                if (condition != null) {
                    return family + condition;
                }
            }
        }
        String letter = switch (codeSize) {
            case BITS16 -> "W";
            case BITS32 -> "D";
            case BITS64 -> "Q";
        };
        return switch (name) {
            case "PUSHF", "POPF" -> name + letter;
            case "PUSHA", "POPA" -> name + (codeSize == CodeSize.BITS16 ? "W" : "D");
            case "IRET" -> codeSize == CodeSize.BITS16 ? "IRETW" : "IRETD";
            default -> name;
        };
    }

    /** The known mnemonic that differs least, if at most two letters differ. */
    static Optional<String> nearest(String mnemonic) {
        int best = 3;
        Optional<String> found = Optional.empty();
        for (String known : InstructionTable.mnemonics()) {
            int distance = distance(known, mnemonic);
            if (distance < best) {
                best = distance;
                found = Optional.of(known.toLowerCase(Locale.ROOT));
            }
        }
        return found;
    }

    /** Letters to insert, delete, change, or swap with their neighbour to get from one word to the other. */
    private static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int change = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(change, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                if (swapped) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
