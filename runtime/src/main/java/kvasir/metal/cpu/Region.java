package kvasir.metal.cpu;

import java.util.List;
import kvasir.metal.cpu.isa.Instruction;
import org.jspecify.annotations.Nullable;

/** Blocks that branch to each other, translated together. The first is the entry. */
final class Region {
    final List<Part> parts;

    /** What a translation has beside its code; absent until there is one. Written by the translating thread. */
    volatile @Nullable Translation translation;

    /** Whether there will be no translation. Written by the translating thread. */
    volatile boolean untranslatable;

    /** The processor's {@code hostStamp} at which the bytes were last compared with memory. */
    long compared;

    /** How often it was entered. */
    int entered;

    /** Whether a block of it is no longer what memory holds. */
    boolean dead;

    /**
     * A block with what its operations were made from.
     *
     * @param at linear address of the block less that of the page in which the entry lies
     */
    record Part(Block block, List<Instruction> instructions, int at) {
        /** {@link #at} of instruction {@code index}, or of what follows the last. */
        int start(int index) {
            return at + block.starts[index];
        }

        /** Number of the page, from that of the entry. */
        int page() {
            return at >> 12;
        }
    }

    /** An instruction that the translation has the interpreter's operation execute. */
    record Place(Block block, int index) {}

    /** @param places by the numbers that the code leaves in {@code Cpu.regionPlace} */
    record Translation(RegionCode code, List<Place> places) {}

    /** Instructions that retired in it, up to the review. */
    long retired;

    /** How often there was a region with this entry before. */
    final int remade;

    /** Whether other threads see its memory accesses, so that they must keep the order of x86. */
    final boolean ordered;

    Region(List<Part> parts, boolean ordered, int remade) {
        this.parts = parts;
        this.ordered = ordered;
        this.remade = remade;
    }

    /** Linear place of the entry in its page. */
    Block entry() {
        return parts.getFirst().block();
    }
}
