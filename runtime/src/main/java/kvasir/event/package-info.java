/**
 * The one ordered stream of events (design decision D5), beneath every storey: whatever the machine does that a
 * person may ask about later is one record in it.
 *
 * <p>Trace output, {@code why(x)}, counters, invariants, the scheduler and reports are listeners. Nothing is built
 * for nobody: a producer asks {@link kvasir.event.Events#listening()} before it makes a record.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>event</b>: something that happened, as an immutable record of the room that did it.
 *   <li><b>topic</b>: what the event is about, a half-open address range in a named space such as {@code td.ept}.
 *   <li><b>history</b>: the bounded memory of recent events from which {@code why} is answered.
 * </ul>
 */
@NullMarked
package kvasir.event;

import org.jspecify.annotations.NullMarked;
