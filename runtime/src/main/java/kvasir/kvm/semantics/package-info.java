/**
 * What mapping guest memory in advance means: every proposal of the KVM list and every release that a script can
 * select, from RFC v1's KVM_MAP_MEMORY to today's KVM_PRE_FAULT_MEMORY.
 *
 * <p>A semantics is one small class: its name, the kernel it lives in, and its {@link kvasir.kvm.semantics.Policies}.
 * What they share is written once: {@link kvasir.kvm.semantics.MapMemory} is the ioctl. Where a version is known to
 * have a bug, the semantics has it too.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>partial progress</b>: part of the range was mapped before something stopped the call.
 *   <li><b>left</b>: bytes of the range not processed when the call returned.
 *   <li><b>mirror-first</b>: the call fills KVM's mirror of the S-EPT before the TD is finalized; pages are added later.
 * </ul>
 */
@NullMarked
package kvasir.kvm.semantics;

import org.jspecify.annotations.NullMarked;
