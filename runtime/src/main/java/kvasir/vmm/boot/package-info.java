/**
 * Boot loaders as pure functions: a file and a few facts in, bytes for guest memory and an entry state out.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>boot image</b>: what to write where in guest memory, and the state of the boot processor.
 *   <li><b>boot_params</b>: what a Linux kernel is told by its loader ("zero page").
 *   <li><b>multiboot</b>: the 0.6.96 convention that QEMU's {@code -kernel} follows for ELF files with its header.
 *   <li><b>RSDP, FADT, MADT</b>: the ACPI tables that tell a guest its power-management timer and its processors.
 * </ul>
 */
@NullMarked
package kvasir.vmm.boot;

import org.jspecify.annotations.NullMarked;
