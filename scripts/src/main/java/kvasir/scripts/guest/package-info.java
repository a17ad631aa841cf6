/**
 * Guest programs written in scripts: from the syntax tree of an {@code asm} block to what the assembler of the
 * machine takes.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>item</b>: one label, instruction or directive, by its position in the block; errors name it by that.
 *   <li><b>symbol</b>: a label, an {@code equ}, or a {@code let} of the script that holds an integer.
 *   <li><b>settling</b>: assembling again until addresses no longer move, because counts may depend on them.
 * </ul>
 */
@NullMarked
package kvasir.scripts.guest;

import org.jspecify.annotations.NullMarked;
