/**
 * The order in which a VMM launches a confidential guest: reading the firmware image, what is given to the guest and in
 * which order, the initial vCPU state of each VMM.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>metadata</b>: the table inside an OVMF image that lists ranges a VMM must prepare.
 *   <li><b>direct boot</b>: kernel, initrd and command line given to the VMM instead of a boot disk.
 *   <li><b>plan</b>: the list of launch commands that follows from image, options and VMM.
 * </ul>
 */
@NullMarked
package kvasir.vmm.launch;

import org.jspecify.annotations.NullMarked;
