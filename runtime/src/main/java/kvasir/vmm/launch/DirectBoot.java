package kvasir.vmm.launch;

import kvasir.registry.Bytes;

/**
 * What a VMM loads beside the firmware.
 *
 * @param kernel the kernel file
 * @param initrd empty if there is none
 * @param commandLine without the final NUL
 */
public record DirectBoot(Bytes kernel, Bytes initrd, String commandLine) {}
