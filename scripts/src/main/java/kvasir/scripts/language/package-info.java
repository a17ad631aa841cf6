/**
 * KVS under the polyglot engine: the same nodes as without one, so that debuggers, profilers and coverage tools can
 * work on scripts (design decision D10).
 */
@NullMarked
package kvasir.scripts.language;

import org.jspecify.annotations.NullMarked;
