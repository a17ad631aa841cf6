package kvasir.vmm;

import java.util.Map;
import java.util.stream.Collectors;

/** How pictures are written. */
final class Text {
    private Text() {}

    /** {@code 64M}, {@code 4K}, {@code 0x1800}: the largest unit that divides. */
    static String size(long bytes) {
        if (bytes != 0 && bytes % (1L << 40) == 0) {
            return (bytes >>> 40) + "T";
        }
        if (bytes != 0 && bytes % (1 << 30) == 0) {
            return (bytes >>> 30) + "G";
        }
        if (bytes != 0 && bytes % (1 << 20) == 0) {
            return (bytes >>> 20) + "M";
        }
        if (bytes != 0 && bytes % 1024 == 0) {
            return (bytes >>> 10) + "K";
        }
        return "0x" + Long.toHexString(bytes);
    }

    /** {@code 0x00000000..0x00400000}. */
    static String range(long start, long end) {
        return "0x%08x..0x%08x".formatted(start, end);
    }

    /** One line for each entry, values aligned. */
    static String table(Map<String, ?> lines) {
        int width = lines.keySet().stream().mapToInt(String::length).max().orElse(0);
        return lines.entrySet().stream()
                .map(line -> line.getKey() + " ".repeat(width - line.getKey().length() + 2) + line.getValue())
                .collect(Collectors.joining("\n"));
    }
}
