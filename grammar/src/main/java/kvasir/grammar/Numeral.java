package kvasir.grammar;

import java.util.Locale;
import java.util.Optional;

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

    private static final Fault TOO_LARGE = new Fault(
            "E0105", "integer is too large", "does not fit in 64 bits", "the largest integer is 0xffff_ffff_ffff_ffff");

    private static final String SUFFIXES = "KMGT";

    static Numeral read(String text) {
        boolean hex = text.startsWith("0x") || text.startsWith("0X");
        boolean binary = text.startsWith("0b") || text.startsWith("0B");
        int suffix = SUFFIXES.indexOf(text.charAt(text.length() - 1)) + 1;
        String digits = text.substring(hex || binary ? 2 : 0, text.length() - (suffix > 0 ? 1 : 0));
        return of(text, digits, hex ? 16 : binary ? 2 : 10, 10 * suffix);
    }

    /** A number of an assembly block, where {@code 0FFh} is legal too. */
    static Numeral readInAssembly(String text) {
        boolean hex = (text.endsWith("h") || text.endsWith("H")) && !text.startsWith("0x");
        return hex ? of(text, text.substring(0, text.length() - 1), 16, 0) : read(text);
    }

    private static Numeral of(String text, String digits, int radix, int shift) {
        long value = 0;
        boolean empty = true;
        for (int i = 0; i < digits.length(); i++) {
            char c = digits.charAt(i);
            if (c == '_') {
                continue;
            }
            int digit = Character.digit(c, radix);
            if (digit < 0) {
                return new Numeral(0, Optional.of(malformed(text)));
            }
            empty = false;
            if (Long.compareUnsigned(value, Long.divideUnsigned(-1 - digit, radix)) > 0) {
                return new Numeral(0, Optional.of(TOO_LARGE));
            }
            value = value * radix + digit;
        }
        if (empty) {
            return new Numeral(0, Optional.of(malformed(text)));
        }
        return value << shift >>> shift == value
                ? new Numeral(value << shift, Optional.empty())
                : new Numeral(0, Optional.of(TOO_LARGE));
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
