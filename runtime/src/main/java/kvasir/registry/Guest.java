package kvasir.registry;

/** A guest program that a script wrote in place, not yet at any address. */
public interface Guest {
    /** The name it was declared under. */
    String name();

    /** The mode it is written for: 16, 32 or 64. */
    int bits();

    /**
     * Its machine code when its first byte is at {@code address} (guest-linear). Whether it can be assembled at all
     * was checked before the script ran.
     */
    Bytes assembledAt(long address);
}
