package kvasir.registry;

/**
 * A half-open range {@code [start, end)} of unsigned 64-bit addresses.
 *
 * @param start first address
 * @param end one past the last; {@code end - start} is the size modulo 2^64. Whether an empty, reversed or wrapping
 *     range is legal is for the operation that takes it to say, as the ioctl would.
 */
public record Range(long start, long end) {
    /** Size in bytes, modulo 2^64. */
    public long size() {
        return end - start;
    }

    /** Whether {@code address} lies in the range. */
    public boolean contains(long address) {
        return Long.compareUnsigned(start, address) <= 0 && Long.compareUnsigned(address, end) < 0;
    }
}
