/**
 * Page tables as silicon reads them: x86 (32-bit, PSE, PAE, 4 and 5 levels), EPT and NPT. Entries are views over the
 * 8 (or 4) real bytes in host physical memory; walkers read those bytes and answer with a value.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>level</b>: 1 is the level whose entries always map 4 KiB; the root is level 4 or 5 (2 or 3 for 32-bit and
 *       PAE paging).
 *   <li><b>leaf</b>: an entry that maps a page. <b>table</b>: an entry that points to the next level.
 *   <li><b>violation</b>: an access that EPT does not allow. <b>misconfiguration</b>: an EPT entry with an illegal
 *       combination of bits.
 *   <li><b>table walk</b>: the access to a guest paging-structure entry, itself translated by the second stage.
 * </ul>
 */
@NullMarked
package kvasir.metal.paging;

import org.jspecify.annotations.NullMarked;
