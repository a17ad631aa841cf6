package kvasir.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * What stands between quotes.
 *
 * @param value escapes replaced
 * @param faults offsets into the text, quotes included, of escapes that do not exist
 */
record Quoted(String value, List<Integer> faults) {
    Quoted {
        faults = List.copyOf(faults);
    }

    /** Reads {@code text}, which begins with a quote; the closing one may be missing. */
    static Quoted read(String text) {
        char quote = text.charAt(0);
        int end = text.length();
        if (end > 1 && text.charAt(end - 1) == quote) {
            end--;
        }
        StringBuilder value = new StringBuilder();
        List<Integer> faults = new ArrayList<>();
        int at = 1;
        while (at < end) {
            char c = text.charAt(at);
            if (c != '\\' || at + 1 >= end) {
                value.append(c);
                at++;
                continue;
            }
            int next = escape(text, at, end, value);
            if (next == at) {
                faults.add(at);
                next = at + 2;
            }
            at = next;
        }
        return new Quoted(value.toString(), faults);
    }

    /** Appends what the escape at {@code at} means and gives the offset behind it, or {@code at} if there is none such. */
    private static int escape(String text, int at, int end, StringBuilder value) {
        char letter = text.charAt(at + 1);
        int simple = "ntr0\\\"'".indexOf(letter);
        if (simple >= 0) {
            value.append("\n\t\r\0\\\"'".charAt(simple));
            return at + 2;
        }
        int open = at + 2;
        int close = letter == 'u' ? text.indexOf('}', open) : open + 2;
        boolean shaped = letter == 'x' && close <= end
                || letter == 'u' && open < end && text.charAt(open) == '{' && close > open && close < end;
        if (!shaped) {
            return at;
        }
        String digits = letter == 'u' ? text.substring(open + 1, close) : text.substring(open, close);
        if (!digits.matches("[0-9a-fA-F]{1,6}") || Integer.parseInt(digits, 16) > Character.MAX_CODE_POINT) {
            return at;
        }
        value.appendCodePoint(Integer.parseInt(digits, 16));
        return letter == 'u' ? close + 1 : close;
    }

    /** The inverse of {@link #read}, in double quotes. */
    static String write(String value) {
        StringBuilder text = new StringBuilder("\"");
        value.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> text.append("\\n");
                case '\t' -> text.append("\\t");
                case '\r' -> text.append("\\r");
                case '\0' -> text.append("\\0");
                case '\\' -> text.append("\\\\");
                case '"' -> text.append("\\\"");
                default -> {
                    boolean plain = c >= ' ' && c != 0x7f && (c < 0x80 || Character.isLetterOrDigit(c));
                    if (plain || (c > 0xa0 && !Character.isISOControl(c) && Character.isDefined(c) && !lone(c))) {
                        text.appendCodePoint(c);
                    } else {
                        text.append("\\u{").append(Integer.toHexString(c)).append('}');
                    }
                }
            }
        });
        return text.append('"').toString();
    }

    private static boolean lone(int c) {
        return c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
    }

    /**
     * The lines between triple quotes: without what follows the opening quotes on their line if it is blank, without
     * the indentation that all lines have, without blanks at line ends.
     */
    static String readBlock(String text) {
        boolean closed = text.length() >= 6 && text.endsWith("\"\"\"");
        String body = text.substring(3, closed ? text.length() - 3 : text.length());
        List<String> lines = new ArrayList<>(List.of(body.split("\r?\n", -1)));
        String first = lines.removeFirst();
        boolean endsBlank = !lines.isEmpty() && lines.getLast().isBlank();
        if (endsBlank) {
            lines.removeLast();
        }
        int indent = lines.stream()
                .filter(line -> !line.isBlank())
                .mapToInt(Quoted::leadingBlanks)
                .min()
                .orElse(0);
        List<String> content = new ArrayList<>();
        if (!first.isBlank()) {
            content.add(first.strip());
        }
        for (String line : lines) {
            content.add(line.isBlank() ? "" : line.substring(indent).stripTrailing());
        }
        return String.join("\n", content);
    }

    private static int leadingBlanks(String line) {
        int count = 0;
        while (count < line.length() && (line.charAt(count) == ' ' || line.charAt(count) == '\t')) {
            count++;
        }
        return count;
    }
}
