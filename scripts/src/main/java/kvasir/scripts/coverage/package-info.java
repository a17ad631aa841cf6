/**
 * How much of what is known the scripts provoke: {@code kvs coverage WHAT}.
 *
 * <p>A coverage has a table of known rows, written down from the reference, and knows from an event which rows it
 * provokes. It is measured by running script suites and listening; nothing is counted that did not happen.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>row</b>: one thing that the reference says can happen: a refusal of an ioctl, a completion status of a
 *       SEAMCALL.
 *   <li><b>suite</b>: a folder of scripts.
 * </ul>
 */
@NullMarked
package kvasir.scripts.coverage;

import org.jspecify.annotations.NullMarked;
