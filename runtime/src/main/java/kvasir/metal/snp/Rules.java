package kvasir.metal.snp;

import java.util.EnumSet;
import java.util.Set;

/**
 * Which reading of each unsettled {@link Rule} holds on a platform.
 *
 * @param switched the rules whose alternative holds
 */
public record Rules(Set<Rule> switched) {
    private static final Rules STANDARD = new Rules(Set.of());

    public Rules {
        switched = Set.copyOf(switched);
    }

    /** Every rule at its default. */
    public static Rules standard() {
        return STANDARD;
    }

    /** Whether the default of {@code rule} holds. */
    public boolean holds(Rule rule) {
        return !switched.contains(rule);
    }

    /** These rules with the alternative of {@code rule}. */
    public Rules with(Rule rule) {
        EnumSet<Rule> more = EnumSet.of(rule);
        more.addAll(switched);
        return new Rules(more);
    }
}
