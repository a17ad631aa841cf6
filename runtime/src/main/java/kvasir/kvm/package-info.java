/**
 * The middle storey: what the Linux kernel does. It knows {@code metal}, and nothing of user space: an exit is a value
 * it returns.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>gpa, gfn</b>: guest physical address, and its frame number ({@code gpa >> 12}).
 *   <li><b>hva</b>: an address in the VMM process.
 *   <li><b>pfn</b>: host physical frame number.
 *   <li><b>memslot</b>: a range of gfns backed by a range of hvas or by a guest_memfd.
 * </ul>
 */
@NullMarked
package kvasir.kvm;

import org.jspecify.annotations.NullMarked;
