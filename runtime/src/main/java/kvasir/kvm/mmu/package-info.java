/**
 * KVM's TDP MMU: the second-stage page tables of a VM, as bytes in host physical memory, and the rules by which KVM
 * builds, changes and tears them down (arch/x86/kvm/mmu: mmu.c, tdp_mmu.c, tdp_iter.c, spte.c).
 *
 * <p>Glossary
 * <ul>
 *   <li><b>gfn</b>: guest frame number, gpa &gt;&gt; 12. <b>pfn</b>: host frame number, hpa &gt;&gt; 12.
 *   <li><b>SPTE</b>: an entry of the tables KVM builds. <b>leaf</b>: it maps guest memory. <b>non-leaf</b>: it points
 *       to a table.
 *   <li><b>level</b>: 1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB, 4 = 512 GiB, 5 = 256 TiB.
 *   <li><b>root</b>: a top table with a role; <b>direct</b> (what the vCPU walks), <b>mirror</b> (KVM's readable copy
 *       of the TDX module's S-EPT), <b>invalid</b> (no longer to be used, waiting to be zapped).
 *   <li><b>FROZEN</b>: the value an SPTE has while one task owns it. Others never touch it.
 *   <li><b>zap</b>: to make a present SPTE non-present.
 *   <li><b>mmu_lock</b>: a read-write lock. Faults and lazy zaps take it for reading and change SPTEs by
 *       compare-exchange; zaps of ranges take it for writing.
 * </ul>
 */
@NullMarked
package kvasir.kvm.mmu;

import org.jspecify.annotations.NullMarked;
