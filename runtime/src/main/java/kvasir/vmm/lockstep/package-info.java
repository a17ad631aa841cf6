/**
 * The processor beside QEMU's: both execute the same bytes from RESET, one instruction at a time, and the first difference
 * ends the run. QEMU is not silicon; the manuals decide who is right.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>stub</b>: QEMU's gdb server, through which it is stepped and read.
 *   <li><b>adopted</b>: taken over from QEMU because it cannot be equal: time, random numbers, CPUID, ports.
 * </ul>
 */
@NullMarked
package kvasir.vmm.lockstep;

import org.jspecify.annotations.NullMarked;
