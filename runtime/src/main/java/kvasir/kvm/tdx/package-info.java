/**
 * KVM's use of the TDX module (arch/x86/kvm/vmx/tdx.c): the KVM_TDX_* sub-commands of KVM_MEMORY_ENCRYPT_OP, the hooks by
 * which the TDP MMU keeps the S-EPT equal to its mirror, and the teardown of a TD.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>mirror</b>: KVM's copy of the S-EPT, in its own format and in ordinary memory.
 *   <li><b>external page</b>: the page donated to the module for the S-EPT table that a mirror table stands for.
 *   <li><b>premapped</b>: a mirror leaf is present and its page is not yet added to the TD.
 * </ul>
 */
@NullMarked
package kvasir.kvm.tdx;

import org.jspecify.annotations.NullMarked;
