/**
 * The lowest storey: what silicon and its firmware do. It knows only itself.
 *
 * <p>Rooms: {@code memory} (host physical memory), {@code paging} (entry formats and walkers), {@code cpu} (the
 * processor), {@code tdx} (the TDX module), {@code snp} (the reverse map and the security processor).
 *
 * <p>Glossary
 * <ul>
 *   <li><b>frame</b>: 4 KiB of host physical memory.
 *   <li><b>stage 2</b>: the table that takes a guest physical address to a host physical one: EPT or NPT.
 * </ul>
 */
@NullMarked
package kvasir.metal;

import org.jspecify.annotations.NullMarked;
