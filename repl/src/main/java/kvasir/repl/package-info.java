/**
 * The top of the house: the {@code kvs} command, the interactive prompt, and the reports people look at.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>command</b>: the first word after {@code kvs}: {@code run}, {@code repl}, {@code matrix} ...
 *   <li><b>exit code</b>: 0 all passed, 1 usage, 2 syntax or static error, 3 the machine or engine failed, 4 an
 *       assertion failed.
 *   <li><b>training</b>: a run whose only purpose is to make the AOT cache from which later runs of its kind start
 *       fast; the {@code kvs} launcher starts it.
 * </ul>
 */
@NullMarked
package kvasir.repl;

import org.jspecify.annotations.NullMarked;
