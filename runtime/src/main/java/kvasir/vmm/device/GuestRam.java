package kvasir.vmm.device;

/** Guest memory as a device's DMA sees it. */
public interface GuestRam {
    /** Bytes at {@code gpa}; zeros where there is no memory. */
    byte[] read(long gpa, int bytes);

    /** Writes; lost where there is no memory. */
    void write(long gpa, byte[] content);
}
