package kvasir.vmm.device;

/** An interrupt output of a device. */
@FunctionalInterface
public interface Line {
    /** Drives the line. */
    void set(boolean high);
}
