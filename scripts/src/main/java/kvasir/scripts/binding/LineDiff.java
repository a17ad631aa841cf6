package kvasir.scripts.binding;

import java.util.ArrayList;
import java.util.List;

/** The difference of two texts, line by line: {@code -} only expected, {@code +} only shown. */
public final class LineDiff {
    private LineDiff() {}

    /** The shortest way from {@code expected} to {@code shown}. */
    public static String of(String expected, String shown) {
        List<String> a = expected.lines().toList();
        List<String> b = shown.lines().toList();
        int[][] common = new int[a.size() + 1][b.size() + 1];
        for (int i = a.size() - 1; i >= 0; i--) {
            for (int j = b.size() - 1; j >= 0; j--) {
                common[i][j] = a.get(i).equals(b.get(j))
                        ? common[i + 1][j + 1] + 1
                        : Math.max(common[i + 1][j], common[i][j + 1]);
            }
        }
        var lines = new ArrayList<String>();
        int i = 0;
        int j = 0;
        while (i < a.size() || j < b.size()) {
            if (i < a.size() && j < b.size() && a.get(i).equals(b.get(j))) {
                lines.add("  " + a.get(i++));
                j++;
            } else if (j >= b.size() || (i < a.size() && common[i + 1][j] >= common[i][j + 1])) {
                lines.add("- " + a.get(i++));
            } else {
                lines.add("+ " + b.get(j++));
            }
        }
        return String.join("\n", lines);
    }
}
