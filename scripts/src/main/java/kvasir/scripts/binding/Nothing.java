package kvasir.scripts.binding;

/** What a function without {@code return} gives back. */
public enum Nothing {
    /** The only one. */
    NOTHING;

    @Override
    public String toString() {
        return "nothing";
    }
}
