/**
 * The devices of user space: what a VMM puts behind I/O ports.
 *
 * <p>Time is virtual, in TSC ticks ({@link kvasir.kvm.irqchip.IrqChip#TSC_HERTZ}); a device that needs it is given
 * {@code now} with each access.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>port device</b>: answers IN and OUT on a few ports.
 *   <li><b>line</b>: an interrupt input of the irqchip, named by its GSI.
 *   <li><b>fw_cfg</b>: QEMU's way to hand a guest small named items through two ports.
 *   <li><b>debug exit</b>: a write to its port ends the machine with the value as exit code.
 * </ul>
 */
@NullMarked
package kvasir.vmm.device;

import org.jspecify.annotations.NullMarked;
