package kvasir.metal.cpu;

/** Where {@link Cpu#emulate} sends data accesses that the second stage does not map. */
public interface MmioBus {
    /** Whether an access of {@code bytes} bytes at {@code gpa} belongs to the bus; if not, it is a second-stage fault. */
    boolean claims(long gpa, int bytes, boolean write);

    /**
     * Reads into {@code data[0 .. bytes)}.
     *
     * @return false if the data is not there yet: the instruction is abandoned and executed again later
     */
    boolean read(long gpa, byte[] data, int bytes);

    /** Writes {@code data[0 .. bytes)}; it must not fail. */
    void write(long gpa, byte[] data, int bytes);
}
