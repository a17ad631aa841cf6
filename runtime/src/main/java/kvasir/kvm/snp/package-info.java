/**
 * KVM's use of SEV-SNP: the security-processor driver ({@code drivers/crypto/ccp/sev-dev.c}), the host's RMP helpers
 * ({@code arch/x86/virt/svm/sev.c}), and KVM's SNP guests ({@code arch/x86/kvm/svm/sev.c}).
 *
 * <p>Glossary
 * <ul>
 *   <li><b>firmware page</b>: a host page lent to the security processor by RMPUPDATE; given back by SNP_PAGE_RECLAIM.
 *   <li><b>leaked page</b>: one that could not be given back; it is never used again.
 *   <li><b>ASID</b>: names the guest in the RMP and in the memory controller; lowest free first.
 * </ul>
 */
@NullMarked
package kvasir.kvm.snp;

import org.jspecify.annotations.NullMarked;
