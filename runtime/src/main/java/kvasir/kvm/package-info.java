/**
 * The middle storey: what the Linux kernel does. It knows {@code metal}, and nothing of user space: an exit is a value
 * it returns.
 *
 * <p>Rooms: {@code mm} (the VMM process), {@code gmem} (guest_memfd), {@code mmu} (page tables), {@code semantics}.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>gpa, gfn</b>: guest physical address, and its frame number ({@code gpa >> 12}).
 *   <li><b>hva</b>: an address in the VMM process.
 *   <li><b>pfn</b>: host physical frame number.
 *   <li><b>memslot</b>: a range of gfns backed by a range of hvas or by a guest_memfd.
 *   <li><b>attribute</b>: per gfn, private or shared.
 *   <li><b>seam</b>: a place where another task may run.
 * </ul>
 */
@NullMarked
package kvasir.kvm;

import org.jspecify.annotations.NullMarked;
