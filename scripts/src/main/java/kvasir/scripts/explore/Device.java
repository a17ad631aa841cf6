package kvasir.scripts.explore;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import kvasir.metal.memory.PhysicalMemory;

/**
 * What a device of one run keeps, as one number: what it changed in memory since the run began, and what it keeps beside.
 * The number follows each write, so that it costs nothing to look at.
 */
final class Device {
    final String name;

    /** What was told last. */
    long told;

    private final LongSupplier beside;
    private final Map<Long, Frame> frames = new HashMap<>();
    private long memory;

    /** A frame that the device wrote to. */
    private static final class Frame {
        /** What it was filled with; 0 for what it held when the run began. */
        long base;

        long changes;

        long hash(long pfn) {
            return base == 0 && changes == 0 ? 0 : Cells.mix(pfn + Cells.mix(base + Cells.mix(changes)));
        }
    }

    Device(String name, LongSupplier beside) {
        this.name = name;
        this.beside = beside;
    }

    long value() {
        return Cells.mix(memory + 31 * beside.getAsLong());
    }

    boolean keeps(long pfn) {
        return frames.containsKey(pfn);
    }

    /** Called before a write with the old content, and behind it with the new. */
    void scatter(PhysicalMemory content, long hpa, int bytes) {
        for (long word = hpa & -8; word < hpa + bytes; word += 8) {
            Frame frame = frames.computeIfAbsent(word >>> 12, pfn -> new Frame());
            memory ^= frame.hash(word >>> 12);
            frame.changes ^= Cells.mix(word + Cells.mix(content.read64(word)));
            memory ^= frame.hash(word >>> 12);
        }
    }

    /** All words of a frame became {@code word}. */
    void fill(long pfn, long word) {
        Frame frame = frames.computeIfAbsent(pfn, key -> new Frame());
        memory ^= frame.hash(pfn);
        frame.base = Cells.mix(word + 1) | 1;
        frame.changes = 0;
        memory ^= frame.hash(pfn);
    }
}
