/**
 * Host physical memory: real bytes in 4 KiB frames that exist once they are written (design decision D1).
 *
 * <p>Glossary
 * <ul>
 *   <li><b>HPA</b>: host physical address, in bytes. <b>PFN</b>: HPA &gt;&gt; 12.
 *   <li><b>frame</b>: the 4 KiB of one PFN. A frame never written reads as zeros and takes no memory.
 *   <li><b>snapshot</b>: all bytes at one moment; frames are shared until someone writes (copy on write).
 * </ul>
 */
@NullMarked
package kvasir.metal.memory;

import org.jspecify.annotations.NullMarked;
