/**
 * The VMM process's address space and the host's page allocator behind it: what {@code mmap}, {@code munmap},
 * {@code mprotect} and {@code madvise} do, which host page-table entries exist, and what KVM learns of it through its
 * notifier.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>hva</b>: an address in the VMM process. <b>pfn</b>: host page frame number.
 *   <li><b>VMA</b>: a range of hvas with one kind of backing and one protection.
 *   <li><b>gup</b>: get_user_pages, faulting a page of the process in and taking its pfn.
 *   <li><b>zero page</b>: the shared read-only page that a read of untouched anonymous memory maps.
 *   <li><b>CoW</b>: copy on write, of the zero page or of a private file mapping.
 *   <li><b>THP</b>: transparent huge page, 2 MiB.
 * </ul>
 */
@NullMarked
package kvasir.kvm.mm;

import org.jspecify.annotations.NullMarked;
