/**
 * guest_memfd: memory that belongs to a guest and that the VMM cannot map, or only by leave (virt/kvm/guest_memfd.c).
 *
 * <p>Glossary
 * <ul>
 *   <li><b>index</b>: page number in the file.
 *   <li><b>binding</b>: that a range of indices backs a memory slot; at most one slot per index.
 *   <li><b>prepared</b>: the page was zeroed, or filled by the vendor, and may be mapped (folio up to date).
 * </ul>
 */
@NullMarked
package kvasir.kvm.gmem;

import org.jspecify.annotations.NullMarked;
