package kvasir.vmm.boot;

import kvasir.registry.Bytes;

/**
 * A kernel in a format that a VMM boots without firmware.
 *
 * @param format the format's name, as scripts write it
 * @param name the file's name
 * @param loader how the format is loaded
 */
public record KernelFile(String format, String name, Loader loader) {
    /** One format's way into guest memory. */
    @FunctionalInterface
    public interface Loader {
        /** @throws BootException if it does not fit */
        BootImage load(Request request) throws BootException;
    }

    /**
     * What is loaded with the kernel, and into what.
     *
     * @param commandLine the kernel's arguments, without the final NUL
     * @param initrd a second file; empty if there is none
     * @param memory bytes of guest memory, counted from gpa 0
     */
    public record Request(String commandLine, Bytes initrd, long memory) {}

    /** Lays the kernel out for guest memory. */
    public BootImage load(Request request) throws BootException {
        return loader.load(request);
    }
}
