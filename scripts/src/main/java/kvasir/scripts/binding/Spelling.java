package kvasir.scripts.binding;

import java.util.Collection;
import java.util.Optional;

/** The way out for a name that is not legal. */
public final class Spelling {
    private static final int FEW = 24;

    private Spelling() {}

    /** The legal name that {@code written} was most likely meant to be. */
    public static Optional<String> nearest(String written, Collection<String> candidates) {
        return kvasir.grammar.Spelling.nearest(written, candidates);
    }

    /** {@code did you mean `x`?}, or all candidates when none is near and they are few. */
    public static Optional<String> help(String written, Collection<String> candidates) {
        Optional<String> near = nearest(written, candidates);
        if (near.isPresent()) {
            return near.map(name -> "did you mean `" + name + "`?");
        }
        return candidates.isEmpty() || candidates.size() > FEW
                ? Optional.empty()
                : Optional.of("there is " + String.join(", ", candidates));
    }
}
