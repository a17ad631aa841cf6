package kvasir.metal.cpu;

/**
 * GDTR or IDTR.
 *
 * @param base linear address
 * @param limit offset of the last byte, 0 to 0xffff
 */
public record DescriptorTable(long base, int limit) {}
