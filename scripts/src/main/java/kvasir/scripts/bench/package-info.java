/**
 * How fast the machine is: {@code kvs bench WHAT}.
 *
 * <p>A workload is measured beside a yardstick that does the same work in the plainest way, round by round in one run:
 * the ratio says something on any machine, the rate only on this one.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>workload</b>: something that does a known number of units of work and times itself.
 *   <li><b>yardstick</b>: the workload that the others of its comparison are divided by.
 *   <li><b>round</b>: every workload of a comparison once, one after the other.
 * </ul>
 */
@NullMarked
package kvasir.scripts.bench;

import org.jspecify.annotations.NullMarked;
