/**
 * The Intel TDX module (release 1.5.01, with the two later additions that KVM insists on: TDH.VP.INIT version 1 and
 * TOPOLOGY_ENUM): what answers SEAMCALL and TDCALL, and every table it keeps, as bytes in host physical memory.
 *
 * <p>{@link kvasir.metal.tdx.TdxModule} is the door. Each leaf is a class of its own, named as in the ABI:
 * {@code TdhMemPageAdd} is TDH.MEM.PAGE.ADD. A leaf is a list of checks in the module's order; the first that fails
 * decides the completion status.
 *
 * <p>Not modelled: encryption (the host sees plaintext if it reads a private frame), L2 VMs, service TDs, migration,
 * module update.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>LP</b>: logical processor, a number from 0. Each belongs to a package.
 *   <li><b>HPA</b>, <b>GPA</b>: host and guest physical address, in bytes.
 *   <li><b>level</b>: of an S-EPT entry: 0 = 4K (PT), 1 = 2M (PD), 2 = 1G (PDPT), 3 = PML4, 4 = PML5. KVM's PG_LEVEL is
 *       one more.
 *   <li><b>size</b>: of a page in the PAMT: 0 = 4K, 1 = 2M, 2 = 1G.
 *   <li><b>CMR</b>, <b>TDMR</b>: convertible memory range of the platform; TD memory region with its metadata.
 *   <li><b>PAMT</b>: physical address metadata table, 16 bytes per 4K, 2M and 1G page of a TDMR.
 *   <li><b>HKID</b>, <b>KOT</b>: host key id in the upper address bits; the table of who owns which.
 *   <li><b>TDR</b>, <b>TDCS</b>: root page and control pages of a TD. <b>TDVPR</b>, <b>TDVPS</b>: the same of a vCPU.
 *   <li><b>S-EPT</b>: the secure EPT, rooted in the TDCS. <b>GPAW</b>: 0 = 48-bit, 1 = 52-bit guest addresses.
 *   <li><b>MRTD</b>, <b>RTMR</b>: build-time and run-time measurement registers, SHA-384.
 *   <li><b>ledger</b>: the numbered list of what went into them.
 *   <li><b>EEQ</b>: extended exit qualification, RDX of a TD exit.
 * </ul>
 */
@NullMarked
package kvasir.metal.tdx;

import org.jspecify.annotations.NullMarked;
