package kvasir.metal.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Native 4 KiB frames with reference counts, cut from chunks that live as long as the pool. A frame is named by a small
 * number; 0 is the zero frame, which is shared by everyone and never written.
 */
final class FramePool {
    private static final int FRAMES_PER_CHUNK = 512;

    private final Arena arena = Arena.ofAuto();
    private long[] chunks = new long[16];
    private int chunkCount;
    private int[] references = new int[FRAMES_PER_CHUNK];
    private int[] free = new int[FRAMES_PER_CHUNK];
    private int freeCount;

    FramePool() {
        grow();
        freeCount--; // the zero frame is the last of the free stack after the first growth
        references[0] = Integer.MAX_VALUE / 2;
    }

    /** A zeroed frame with one reference. */
    int allocateZeroed() {
        int frame = take();
        NativeMemory.fill(address(frame), PhysicalMemory.FRAME_BYTES, (byte) 0);
        return frame;
    }

    /** A frame with one reference and the content of {@code source}. */
    int allocateCopy(int source) {
        int frame = take();
        NativeMemory.copy(address(source), address(frame), PhysicalMemory.FRAME_BYTES);
        return frame;
    }

    private int take() {
        if (freeCount == 0) {
            grow();
        }
        int frame = free[--freeCount];
        references[frame] = 1;
        return frame;
    }

    void retain(int frame) {
        if (frame != 0) {
            references[frame]++;
        }
    }

    void release(int frame) {
        if (frame != 0 && --references[frame] == 0) {
            free[freeCount++] = frame;
        }
    }

    boolean shared(int frame) {
        return references[frame] > 1;
    }

    /** Native address of the first byte. */
    long address(int frame) {
        return chunks[frame / FRAMES_PER_CHUNK] + (long) (frame % FRAMES_PER_CHUNK) * PhysicalMemory.FRAME_BYTES;
    }

    /** Frames handed out and not given back. */
    int inUse() {
        return chunkCount * FRAMES_PER_CHUNK - freeCount - 1;
    }

    private void grow() {
        MemorySegment chunk = chunk();
        if (chunkCount == chunks.length) {
            chunks = Arrays.copyOf(chunks, chunkCount * 2);
        }
        chunks[chunkCount] = chunk.address();
        int first = chunkCount++ * FRAMES_PER_CHUNK;
        references = Arrays.copyOf(references, chunkCount * FRAMES_PER_CHUNK);
        free = Arrays.copyOf(free, chunkCount * FRAMES_PER_CHUNK);
        for (int i = FRAMES_PER_CHUNK - 1; i >= 0; i--) {
            free[freeCount++] = first + i;
        }
    }

    private MemorySegment chunk() {
        long bytes = (long) FRAMES_PER_CHUNK * PhysicalMemory.FRAME_BYTES;
        try {
            return arena.allocate(bytes, PhysicalMemory.FRAME_BYTES);
        } catch (OutOfMemoryError error) {
            throw new HostMemoryExhausted(chunkCount * bytes, error);
        }
    }
}
