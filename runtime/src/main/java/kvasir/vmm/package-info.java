/**
 * The top storey: what user space does: the machine a script holds, boot loaders, devices, the order of ioctls that
 * a VMM uses.
 */
@NullMarked
package kvasir.vmm;

import org.jspecify.annotations.NullMarked;
