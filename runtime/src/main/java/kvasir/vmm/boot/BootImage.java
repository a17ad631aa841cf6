package kvasir.vmm.boot;

import java.util.List;
import kvasir.registry.Bytes;

/**
 * A loaded guest.
 *
 * @param pieces what to write into guest memory, in order
 * @param start how the boot processor begins
 */
public record BootImage(List<Piece> pieces, Start start) {
    public BootImage {
        pieces = List.copyOf(pieces);
    }

    /**
     * @param gpa guest physical address of the first byte
     * @param content the bytes
     */
    public record Piece(long gpa, Bytes content) {
        static Piece of(long gpa, byte[] content) {
            return new Piece(gpa, Bytes.of(content));
        }
    }

    /** The state of the boot processor at the first instruction; interrupts are off. */
    public sealed interface Start {
        /** Physical address of the first instruction. */
        long entry();
    }

    /** As the processor is after reset: real mode at FFFF_FFF0h. */
    public record Reset() implements Start {
        @Override
        public long entry() {
            return 0xffff_fff0L;
        }
    }

    /**
     * Flat 32-bit protected mode with paging off.
     *
     * @param eax what EAX holds
     * @param ebx what EBX holds
     */
    public record Flat(long entry, int eax, int ebx) implements Start {}

    /**
     * Flat 32-bit protected mode with paging off, for a kernel of the 32-bit boot protocol.
     *
     * @param esi what ESI holds; EBP, EDI and EBX hold 0
     * @param gdt physical address of the descriptor table; code is 10h, data 18h
     */
    public record Flat32(long entry, int esi, long gdt) implements Start {}

    /**
     * 64-bit mode under an identity mapping.
     *
     * @param rsi what RSI holds
     * @param tables physical address of the PML4
     * @param gdt physical address of the descriptor table; code is 10h, data 18h
     */
    public record LongMode(long entry, long rsi, long tables, long gdt) implements Start {}
}
