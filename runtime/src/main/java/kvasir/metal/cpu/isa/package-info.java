/**
 * The instruction set as data: one row an encoding, and from the rows the decoder, the disassembler, the assembler and
 * the per-encoding tests. Nothing here executes.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>row</b>, <b>encoding</b>: one way to write one instruction in bytes, {@code ADD Ev,Gv | 01 /r}.
 *   <li><b>spec</b>: what an operand of a row may be and where its bits are, in the notation of the SDM's opcode maps:
 *       {@code Ev} is a register or memory operand of the operand size, from ModRM.rm.
 *   <li><b>operand size</b>, <b>address size</b>: 2, 4 or 8 bytes, from mode, prefixes and the row.
 *   <li><b>statement</b>: one line for the assembler: a label, an instruction, data.
 * </ul>
 */
@NullMarked
package kvasir.metal.cpu.isa;

import org.jspecify.annotations.NullMarked;
