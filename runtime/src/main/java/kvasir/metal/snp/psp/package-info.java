/**
 * The firmware of the AMD security processor (PSP): the SNP commands with their checks, their effects on the RMP and
 * their status codes; the launch digest; guest messages; attestation.
 *
 * <p>Sources: SEV-SNP firmware ABI (AMD 56860) for layouts and states, Linux {@code psp-sev.h} for ids and status
 * numbers, virtee/sev-snp-measure and virtee/sev for the digest and the ID block. Layouts are exact; where the order of
 * checks is not public it is the one of {@code docs/fidelity-snp.md}.
 *
 * <p>All state is bytes in host memory: the platform's in {@link kvasir.metal.snp.psp.Platform}'s firmware memory, a
 * guest's in its context page. (Real firmware encrypts its context pages; this one does not.)
 *
 * <p>Glossary
 * <ul>
 *   <li><b>GCTX</b>: the guest context page, named by its address.
 *   <li><b>LD</b>: launch digest, the running SHA-384 chain over all pages given to the guest.
 *   <li><b>ledger</b>: the chain's steps as numbered records, so that two launches can be compared.
 *   <li><b>VMPCK</b>: the key of one VMPL for messages between guest and firmware.
 *   <li><b>TCB</b>: security version numbers of the firmware's parts, packed into 8 bytes.
 *   <li><b>ARK, ASK, VCEK</b>: AMD root key, AMD SEV key, the chip's key that signs reports.
 * </ul>
 */
@NullMarked
package kvasir.metal.snp.psp;

import org.jspecify.annotations.NullMarked;
