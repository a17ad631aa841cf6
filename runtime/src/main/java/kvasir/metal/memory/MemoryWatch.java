package kvasir.metal.memory;

/**
 * Hears every access to a {@link PhysicalMemory} through its accessors. What is done through native addresses is not
 * heard. Used by the explorer of interleavings; with nobody listening it costs a comparison.
 */
public interface MemoryWatch {
    /** Nobody listens. */
    MemoryWatch NONE = new MemoryWatch() {};

    /** {@code bytes} bytes at {@code hpa} are about to be read. */
    default void reading(long hpa, int bytes) {}

    /** {@code bytes} bytes at {@code hpa} are about to be written. */
    default void writing(long hpa, int bytes) {}

    /** They were written. */
    default void written(long hpa, int bytes) {}

    /** Every 8-byte word of a frame was made {@code word}. */
    default void filled(long pfn, long word) {}
}
