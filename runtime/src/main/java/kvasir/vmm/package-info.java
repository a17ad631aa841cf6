/**
 * The top storey: what user space does: the machine a script holds, boot loaders, devices, the order of ioctls that
 * a VMM uses.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>machine</b>: everything one script run owns: host memory, events, KVM and the VMs.
 * </ul>
 */
@NullMarked
package kvasir.vmm;

import org.jspecify.annotations.NullMarked;
