/**
 * AMD SEV-SNP as the processor has it: the reverse map table (RMP) as bytes in host physical memory, the check it makes
 * on memory accesses, the instructions on it, and the layouts of the VMSA and the GHCB. The firmware of the security
 * processor is in {@code psp}.
 *
 * <p>Sources: AMD64 APM volumes 2 and 3, Linux {@code arch/x86/virt/svm/sev.c} and {@code arch/x86/include/asm/sev.h}.
 * What could not be checked against one of them is a named {@link kvasir.metal.snp.Rule} with a default.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>SPA</b>: system physical address, the AMD word for HPA. <b>GPA</b>: guest physical address.
 *   <li><b>assigned</b>: owned by a guest or by firmware; otherwise the page is hypervisor-owned.
 *   <li><b>immutable</b>: the entry is closed to RMPUPDATE, PVALIDATE and RMPADJUST until firmware opens it.
 *   <li><b>validated</b>: the guest said PVALIDATE, or firmware measured the page.
 *   <li><b>VMPL</b>: virtual machine privilege level, 0 (highest) to 3.
 *   <li><b>C-bit</b>: the page-table bit that makes an access private. <b>ENC</b>: the access was private.
 *   <li><b>VMSA</b>: the page that holds a vCPU's registers. <b>GHCB</b>: the shared page it talks to the host with.
 * </ul>
 */
@NullMarked
package kvasir.metal.snp;

import org.jspecify.annotations.NullMarked;
