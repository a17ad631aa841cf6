package kvasir.grammar;

import java.math.BigInteger;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An integer as written: decimal, {@code 0x}, {@code 0b}, {@code _} between digits, {@code K M G T} for powers of
 * 1024.
 *
 * @param value the 64 bits, 0 if at fault
 * @param fault what is wrong with it
 */
record Numeral(long value, Optional<Fault> fault) {
    /** Why a numeral is not one; the parts of a {@link Diagnostic}. */
    record Fault(String code, String message, String reason, String help) {}

    private static final Pattern FORM = Pattern.compile(
            "(?:0[xX](?<hex>[0-9a-fA-F_]+)|0[bB](?<bin>[01_]+)|(?<dec>[0-9][0-9_]*))(?<suffix>[KMGT]?)");

    /** As assemblers also write hexadecimal numbers. */
    private static final Pattern TRAILING_H = Pattern.compile("(?<hex>[0-9][0-9a-fA-F_]*)[hH]");

    static Numeral read(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            return new Numeral(0, Optional.of(malformed(text)));
        }
        String hex = matcher.group("hex");
        String bin = matcher.group("bin");
        String digits = hex != null ? hex : bin != null ? bin : matcher.group("dec");
        return inRange(text, digits, hex != null ? 16 : bin != null ? 2 : 10, matcher.group("suffix"));
    }

    /** A number of an assembly block, where {@code 0FFh} is legal too. */
    static Numeral readInAssembly(String text) {
        Matcher matcher = TRAILING_H.matcher(text);
        return matcher.matches() ? inRange(text, matcher.group("hex"), 16, "") : read(text);
    }

    private static Numeral inRange(String text, String digits, int radix, String suffix) {
        String plain = digits.replace("_", "");
        if (plain.isEmpty()) {
            return new Numeral(0, Optional.of(malformed(text)));
        }
        int shift = suffix.isEmpty() ? 0 : 10 * ("KMGT".indexOf(suffix) + 1);
        // 64 binary digits are the longest that can fit; leading zeros aside.
        String significant = plain.replaceFirst("^0+(?=.)", "");
        if (significant.length() > 64
                || new BigInteger(significant, radix).shiftLeft(shift).bitLength() > 64) {
            return new Numeral(
                    0,
                    Optional.of(new Fault(
                            "E0105",
                            "integer is too large",
                            "does not fit in 64 bits",
                            "the largest integer is 0xffff_ffff_ffff_ffff")));
        }
        return new Numeral(new BigInteger(significant, radix).shiftLeft(shift).longValue(), Optional.empty());
    }

    private static Fault malformed(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        if (lower.startsWith("0x") || lower.startsWith("0b")) {
            boolean hex = lower.charAt(1) == 'x';
            String legal = hex ? "0123456789abcdef_" : "01_";
            for (int i = 2; i < lower.length(); i++) {
                if (legal.indexOf(lower.charAt(i)) < 0) {
                    return new Fault(
                            "E0104",
                            "malformed number",
                            "`" + text.charAt(i) + "` is not a " + (hex ? "hexadecimal" : "binary") + " digit",
                            "a number may end in K, M, G or T (powers of 1024)");
                }
            }
            return new Fault(
                    "E0104",
                    "malformed number",
                    "no digit follows `" + text.substring(0, 2) + "`",
                    hex ? "write for example 0x1000" : "write for example 0b101");
        }
        int end = 0;
        while (end < text.length() && (Character.isDigit(text.charAt(end)) || text.charAt(end) == '_')) {
            end++;
        }
        String suffix = text.substring(end);
        String help = switch (suffix) {
            case "k", "KB", "kB", "KiB", "kb" -> "did you mean `" + text.substring(0, end) + "K`?";
            case "m", "MB", "MiB", "mb" -> "did you mean `" + text.substring(0, end) + "M`?";
            case "g", "GB", "GiB", "gb" -> "did you mean `" + text.substring(0, end) + "G`?";
            case "t", "TB", "TiB", "tb" -> "did you mean `" + text.substring(0, end) + "T`?";
            default ->
                suffix.matches("[0-9a-fA-F_]+[hH]?")
                        ? "hexadecimal numbers begin with 0x: `0x" + text.replaceAll("[hH]$", "") + "`"
                        : "a number may end in K, M, G or T (powers of 1024)";
        };
        return new Fault("E0104", "malformed number", "`" + suffix + "` is not a suffix of numbers", help);
    }
}
