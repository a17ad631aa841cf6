/**
 * The lowest storey: what silicon and its firmware do. It knows only itself.
 *
 * <p>Rooms: {@code memory} (host physical memory), {@code paging} (entry formats and walkers), {@code cpu} (the
 * processor), {@code tdx} (the TDX module), {@code snp} (the reverse map and the security processor).
 */
@NullMarked
package kvasir.metal;

import org.jspecify.annotations.NullMarked;
