package kvasir.event;

/**
 * A half-open range {@code [start, end)} of addresses in a named space.
 *
 * @param space for example {@code td.ept}, {@code td.sept}, {@code host}; empty for {@link #none()}
 * @param start first address, unsigned
 * @param end one past the last address, unsigned; 0 stands for 2^64
 */
public record Topic(String space, long start, long end) {
    private static final Topic NONE = new Topic("", 0, 0);

    /** The topic of an event that is about no address. */
    public static Topic none() {
        return NONE;
    }

    /** The topic of {@code bytes} bytes at {@code address}. */
    public static Topic of(String space, long address, long bytes) {
        return new Topic(space, address, address + bytes);
    }

    /** Whether both topics lie in one space and share an address. */
    public boolean overlaps(Topic other) {
        return !space.isEmpty()
                && space.equals(other.space)
                && Long.compareUnsigned(start, other.end - 1) <= 0
                && Long.compareUnsigned(other.start, end - 1) <= 0;
    }
}
