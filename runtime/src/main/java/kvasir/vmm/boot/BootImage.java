package kvasir.vmm.boot;

import java.util.List;
import kvasir.registry.Bytes;

/**
 * A loaded guest.
 *
 * @param pieces what to write into guest memory, in order
 * @param entry physical address of the first instruction, in flat 32-bit protected mode with paging off
 * @param eax what EAX holds there
 * @param ebx what EBX holds there
 */
public record BootImage(List<Piece> pieces, long entry, int eax, int ebx) {
    /**
     * @param gpa guest physical address of the first byte
     * @param content the bytes
     */
    public record Piece(long gpa, Bytes content) {
        static Piece of(long gpa, byte[] content) {
            return new Piece(gpa, Bytes.of(content));
        }
    }
}
