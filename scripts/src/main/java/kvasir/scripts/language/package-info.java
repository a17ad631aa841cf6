/**
 * KVS under the polyglot engine: the same nodes as without one, so that debuggers, profilers and coverage tools can
 * work on scripts (design decision D10).
 *
 * <p>Glossary
 * <ul>
 *   <li><b>engine</b>: the polyglot engine of GraalVM, which hosts languages and tools.
 *   <li><b>cases</b>: all tests of a script under all its semantics, as the engine runs them.
 * </ul>
 */
@NullMarked
package kvasir.scripts.language;

import org.jspecify.annotations.NullMarked;
