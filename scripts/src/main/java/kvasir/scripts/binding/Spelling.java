package kvasir.scripts.binding;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** The nearest legal spelling of a name that is not legal. */
public final class Spelling {
    private Spelling() {}

    /** The candidate fewest edits away from {@code written}, if one is near enough; the first of equals. */
    public static Optional<String> nearest(String written, Collection<String> candidates) {
        String best = null;
        int bestDistance = Math.max(1, written.length() / 3) + 1;
        for (String candidate : candidates) {
            int distance = candidate.equalsIgnoreCase(written)
                    ? 0
                    : distance(written.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
            if (distance < bestDistance) {
                best = candidate;
                bestDistance = distance;
            }
        }
        return Optional.ofNullable(best);
    }

    /** {@code did you mean `x`?}, or all candidates when none is near and they are few. */
    public static Optional<String> help(String written, Collection<String> candidates) {
        Optional<String> near = nearest(written, candidates);
        if (near.isPresent()) {
            return near.map(name -> "did you mean `" + name + "`?");
        }
        return candidates.isEmpty() || candidates.size() > 24
                ? Optional.empty()
                : Optional.of("there is " + String.join(", ", candidates));
    }

    /** Edits between two texts: insertions, deletions, replacements, swaps of neighbours. */
    private static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            d[i][0] = i;
        }
        for (int j = 0; j <= b.length(); j++) {
            d[0][j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            for (int j = 1; j <= b.length(); j++) {
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                d[i][j] = Math.min(Math.min(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + change);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
