package kvasir.vmm.device;

/** A device behind I/O ports. */
public interface PortDevice {
    /** Whether {@code port}, 0 to 0xffff, is one of its ports. */
    boolean owns(int port);

    /**
     * IN.
     *
     * @param bytes 1, 2 or 4
     * @param now TSC ticks
     */
    int read(int port, int bytes, long now);

    /**
     * OUT.
     *
     * @param bytes 1, 2 or 4
     * @param now TSC ticks
     */
    void write(int port, int bytes, int value, long now);

    /** The registers as they are, as an action that puts them back. */
    default Runnable checkpoint() {
        return () -> {};
    }
}
