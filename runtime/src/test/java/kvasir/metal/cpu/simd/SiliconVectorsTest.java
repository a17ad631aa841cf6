package kvasir.metal.cpu.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import kvasir.metal.cpu.fp.FloatMath;
import org.junit.jupiter.api.Test;

/**
 * Compares every operation with what an x86 processor computed. Each line of {@code silicon.txt.gz} was recorded on an
 * AMD EPYC (family 25): mnemonic, words, immediate, MXCSR before, both sources, result, MXCSR after.
 */
final class SiliconVectorsTest {
    @Test
    void everyOperationAgreesWithTheProcessor() throws IOException {
        Map<String, Integer> differences = new TreeMap<>();
        Map<String, String> first = new TreeMap<>();
        int cases = 0;
        try (InputStream file = Objects.requireNonNull(getClass().getResourceAsStream("silicon.txt.gz"));
                var reader = new BufferedReader(
                        new InputStreamReader(new GZIPInputStream(file), StandardCharsets.US_ASCII))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                cases++;
                String actual = run(line);
                if (!actual.isEmpty()) {
                    String name = line.substring(0, line.indexOf(' '));
                    differences.merge(name, 1, Integer::sum);
                    first.putIfAbsent(name, line + "\n    gave " + actual);
                }
            }
        }
        assertTrue(cases > 9000, () -> "the vectors are there");
        assertEquals(Map.of(), differences, () -> String.join("\n", first.values()));
    }

    /** Empty if the operation gives what the line says. */
    private static String run(String line) {
        String[] fields = line.split(" ", -1);
        VectorOp op = VectorOps.find(fields[0]).orElseThrow(() -> new AssertionError("no operation " + fields[0]));
        int words = Integer.parseInt(fields[1]);
        int mxcsr = Integer.parseInt(fields[3], 16);
        var fp = new FloatMath(false);
        fp.control(mxcsr);
        long[] d = new long[4];
        op.apply(d, vector(fields[4]), vector(fields[5]), Integer.parseInt(fields[2]), words, fp);
        String actual = hex(d, words);
        int after = mxcsr | fp.flags | fp.settled;
        return actual.equals(fields[6]) && after == Integer.parseInt(fields[7], 16)
                ? ""
                : actual + " " + Integer.toHexString(after);
    }

    private static long[] vector(String hex) {
        long[] vector = new long[4];
        for (int i = 0; i < hex.length() / 16; i++) {
            vector[i] = Long.parseUnsignedLong(hex.substring(i * 16, i * 16 + 16), 16);
        }
        return vector;
    }

    private static String hex(long[] vector, int words) {
        var text = new StringBuilder();
        for (int i = 0; i < words; i++) {
            text.append("%016x".formatted(vector[i]));
        }
        return text.toString();
    }
}
