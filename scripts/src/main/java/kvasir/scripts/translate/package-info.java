/**
 * From the syntax tree to nodes: names are resolved, what can be known before running is checked, imports are read.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>program</b>: a script with all it imports, ready to run: bodies, tests, and what is wrong with them.
 *   <li><b>file scope</b>: the top-level names of one file. Their values live in the execution, one index each.
 *   <li><b>frame scope</b>: the names inside one body that runs as a whole: a test, a function, the top level's blocks.
 *   <li><b>type</b>: what is known about a value before running; often nothing.
 * </ul>
 */
@NullMarked
package kvasir.scripts.translate;

import org.jspecify.annotations.NullMarked;
