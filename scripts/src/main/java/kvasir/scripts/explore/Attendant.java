package kvasir.scripts.explore;

/** Who waits for a search. */
@FunctionalInterface
public interface Attendant {
    /** Whether the search is to end, with what it has found. */
    boolean interrupted();

    /**
     * Hears now and then how far the search is.
     *
     * @param how in words: {@code 1,245,184 states}
     */
    default void reached(String how) {}
}
