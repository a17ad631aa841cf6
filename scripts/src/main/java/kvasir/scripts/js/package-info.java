/**
 * JavaScript as a second language for the same machine: scripts import {@code vm}, {@code assert}, {@code test} and
 * the rest from {@code "kvs"} and hold the same objects, under the same names, with the same outcomes. All of it is
 * derived from the registry; nothing is declared for JavaScript alone.
 *
 * <p>Start at {@link kvasir.scripts.js.JavaScriptRunner}; {@code kvs.mjs} beside it is the module that scripts
 * import.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>realm</b>: one JavaScript context with one machine, for one case.
 *   <li><b>handle</b>: a machine object as JavaScript sees it.
 *   <li><b>quantity</b>: a 64-bit value; it leaves as a BigInt, and comes in as BigInt, number or text ({@code "64M"}).
 *   <li><b>unread outcome</b>: a failed outcome that the script neither asserted nor looked at; it fails the case.
 * </ul>
 */
@NullMarked
package kvasir.scripts.js;

import org.jspecify.annotations.NullMarked;
