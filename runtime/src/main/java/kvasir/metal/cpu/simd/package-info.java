/**
 * What MMX, SSE, AVX and AVX2 instructions compute, on plain 64-bit words: no registers, no memory, no decoding.
 *
 * <p>A vector is an array of 64-bit words, lowest first: one for MMX, two for XMM, four for YMM. AVX treats a YMM as two
 * 128-bit lanes; an operation that moves data stays inside its lane unless its description says otherwise.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>element</b>: byte, word, doubleword or quadword of a vector.
 *   <li><b>lane</b>: 128 bits.
 *   <li><b>saturation</b>: a result out of range becomes the nearest that is in range.
 * </ul>
 */
@NullMarked
package kvasir.metal.cpu.simd;

import org.jspecify.annotations.NullMarked;
