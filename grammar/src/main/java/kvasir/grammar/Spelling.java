package kvasir.grammar;

import java.util.Collection;
import java.util.Optional;

/** Finds what a misspelt word was meant to be. */
public final class Spelling {
    private Spelling() {}

    /**
     * The candidate nearest to {@code word}, if one is near enough to be meant: one slip in a word of up to four
     * letters, two up to eight, three in longer ones. Of equally near ones the first wins.
     */
    public static Optional<String> nearest(String word, Collection<String> candidates) {
        int allowed = word.length() <= 4 ? 1 : word.length() <= 8 ? 2 : 3;
        String best = "";
        int least = allowed + 1;
        for (String candidate : candidates) {
            if (Math.abs(candidate.length() - word.length()) < least) {
                int distance = distance(word, candidate);
                if (distance < least) {
                    least = distance;
                    best = candidate;
                }
            }
        }
        return least <= allowed && least < word.length() ? Optional.of(best) : Optional.empty();
    }

    /** Slips between two words: letters inserted, left out, replaced, or two neighbours swapped. */
    static int distance(String left, String right) {
        int[][] table = new int[left.length() + 1][right.length() + 1];
        for (int i = 0; i <= left.length(); i++) {
            for (int j = 0; j <= right.length(); j++) {
                if (i == 0 || j == 0) {
                    table[i][j] = i + j;
                    continue;
                }
                int replaced = table[i - 1][j - 1] + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
                int least = Math.min(replaced, Math.min(table[i - 1][j], table[i][j - 1]) + 1);
                if (i > 1
                        && j > 1
                        && left.charAt(i - 1) == right.charAt(j - 2)
                        && left.charAt(i - 2) == right.charAt(j - 1)) {
                    least = Math.min(least, table[i - 2][j - 2] + 1);
                }
                table[i][j] = least;
            }
        }
        return table[left.length()][right.length()];
    }
}
