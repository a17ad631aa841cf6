/**
 * The processor: decode, translate, execute.
 *
 * <p>One {@link kvasir.metal.cpu.Cpu} is one logical processor. It runs until something happens that the hypervisor
 * must see, and returns that as a {@link kvasir.metal.cpu.VmExit}. Code is decoded once into blocks of instruction
 * objects, keyed by physical page and mode; data accesses go through a software TLB from guest-linear straight to host
 * frames. An instruction that faults has not happened.
 *
 * <p>Virtual time: the time-stamp counter counts retired instructions, so a run is the same on every machine.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>linear</b>: the address after segmentation. <b>gpa</b>: after the guest's own page tables. <b>hpa</b>: after
 *       the second stage.
 *   <li><b>second stage</b>: EPT or NPT, or none.
 *   <li><b>block</b>: a run of decoded instructions in one page, up to the next branch.
 *   <li><b>retired</b>: executed to the end, all effects visible.
 *   <li><b>fault</b>: the event that ends an instruction which then has not happened: an exception, or a VM exit.
 * </ul>
 */
@NullMarked
package kvasir.metal.cpu;

import org.jspecify.annotations.NullMarked;
