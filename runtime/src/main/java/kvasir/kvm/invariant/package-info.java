/**
 * What must hold in KVM's memory machinery at every moment (design decision D8): one class per sentence.
 *
 * <p>An invariant is checked when nobody holds {@code mmu_lock}; what is being invalidated is left out, as the kernel
 * leaves it out.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>window</b>: the gfns between the begin and the end of an invalidation.
 * </ul>
 */
@NullMarked
package kvasir.kvm.invariant;

import org.jspecify.annotations.NullMarked;
