package kvasir.vmm.device;

/** A device behind guest-physical addresses that no memory slot backs. */
public interface MmioDevice {
    /** Whether {@code gpa} is one of its addresses. */
    boolean ownsAddress(long gpa);

    /** A read of 1, 2, 4 or 8 bytes. */
    long readMemory(long gpa, int bytes);

    /** A write of 1, 2, 4 or 8 bytes. */
    void writeMemory(long gpa, int bytes, long value);
}
