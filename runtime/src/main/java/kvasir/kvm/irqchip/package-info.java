/**
 * KVM's in-kernel interrupt controllers and timer: local APICs, I/O APIC, the 8259 pair, the 8254.
 *
 * <p>Time is virtual: every method that depends on it takes {@code now} in TSC ticks, and one tick is one nanosecond
 * ({@link kvasir.kvm.irqchip.IrqChip#TSC_HERTZ}). Nothing here runs by itself: the run loop asks for the next deadline
 * and advances the chip to it.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>GSI</b>: global system interrupt, the number of an input line (0 to 23).
 *   <li><b>IRR, ISR, TMR</b>: interrupt request, in-service and trigger-mode registers, 256 bits each.
 *   <li><b>PPR</b>: processor priority, the larger class of TPR and of the highest in-service vector.
 *   <li><b>LVT</b>: local vector table, the APIC's own sources: timer, thermal, performance, LINT0, LINT1, error.
 *   <li><b>IPI</b>: inter-processor interrupt, sent by a write to ICR. <b>SIPI</b>: the start-up IPI.
 *   <li><b>ExtINT</b>: an interrupt whose vector the 8259 pair supplies.
 * </ul>
 */
@NullMarked
package kvasir.kvm.irqchip;

import org.jspecify.annotations.NullMarked;
