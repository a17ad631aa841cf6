/**
 * Binary floating point as x86 does it: IEEE 754 arithmetic on bit patterns with the rounding modes, denormal
 * handling, NaN rules and exception flags of MXCSR and of the x87 control word. Nothing here knows of instructions.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>format</b>: half, single, double or the 80-bit extended format, given by its precision and exponent range.
 *   <li><b>unpacked</b>: sign, unbiased exponent and a 64-bit significand whose top bit is set.
 *   <li><b>flags</b>: the six sticky bits IE DE ZE OE UE PE, at the positions MXCSR and the x87 status word share.
 *   <li><b>DAZ, FTZ</b>: denormal operands are zeros; tiny results become zeros (SSE only).
 *   <li><b>indefinite</b>: the quiet NaN with a set sign and no payload that x86 gives for an invalid operation.
 * </ul>
 */
@NullMarked
package kvasir.metal.cpu.fp;

import org.jspecify.annotations.NullMarked;
