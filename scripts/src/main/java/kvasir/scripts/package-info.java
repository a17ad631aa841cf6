/**
 * The script engine: what runs {@code .kvs} scripts against a machine and tells how it went. Free of terminal code:
 * the {@code kvs} command, the REPL and the JavaScript binding are its front ends.
 *
 * <p>Start at {@link kvasir.scripts.ScriptRunner} (files and folders), {@link kvasir.scripts.Session} (statement by
 * statement), {@link kvasir.scripts.Checker} (before running) and {@link kvasir.scripts.Matrix} (questions and their
 * answers). Each takes {@link kvasir.scripts.Machines}, the one place that knows which machine scripts hold.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>case</b>: one test under one semantics, run in a machine of its own.
 *   <li><b>failure</b>: why a case, a file or a statement did not go through, with its complete text for a person.
 *   <li><b>picture</b>: lines that {@code show} prints and {@code shows} compares with.
 *   <li><b>question, answer</b>: the title comment of a script and what its {@code answer} statements recorded.
 * </ul>
 */
@NullMarked
package kvasir.scripts;

import org.jspecify.annotations.NullMarked;
