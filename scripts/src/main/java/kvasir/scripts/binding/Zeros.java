package kvasir.scripts.binding;

/** The word {@code zeros} as a value: as many zero bytes as the operation that takes it needs. */
public enum Zeros {
    /** The only one. */
    ZEROS;

    @Override
    public String toString() {
        return "zeros";
    }
}
