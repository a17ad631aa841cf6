package kvasir.metal.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Host physical memory of one machine: sparse, little-endian, 4 KiB frames, copy-on-write snapshots.
 *
 * <p>An access beyond {@link #size()} is a bug of the caller and throws {@link IndexOutOfBoundsException}: the storeys
 * above check addresses against MAXPHYADDR by their own rules. The typed accessors may be unaligned and may cross
 * frames.
 *
 * <p>The processor's software TLB keeps native addresses from {@link #readable} and {@link #writable}; they stay valid
 * while {@link #epoch()} stays the same, except that a readable address goes stale when its frame is first written
 * through {@link #writable}, which {@link #epoch()} tells too.
 *
 * <p>Confined to one thread, except between {@link #share} and {@link #unshare()}: then any thread may read, write and
 * ask for addresses. Whoever keeps addresses then asks for {@link #writable} ones only, so that a frame's first write
 * makes none stale.
 */
public final class PhysicalMemory {
    /** Bytes in a frame. */
    public static final int FRAME_BYTES = 4096;

    private static final int SHIFT = 12;
    private static final int LEAF_BITS = 11;
    private static final int MIDDLE_BITS = 11;
    private static final VarHandle FRAMES = MethodHandles.arrayElementVarHandle(int[].class);
    private static final int LEAF_FRAMES = 1 << LEAF_BITS;
    private static final int MIDDLE_LEAVES = 1 << MIDDLE_BITS;

    private final FramePool pool = new FramePool();
    private final long zeroFrame = pool.address(0);
    private final long size;
    private Leaf[][] root;
    private long epoch;

    /** Whether {@link #readable} has given out the frame of zeros since a first write last changed the epoch. */
    private boolean zerosGivenOut;

    /** What {@link #changes} tells. */
    private long changes;

    /** Who told {@link #usedBy} last. */
    private Object user = this;

    private MemoryWatch watch = MemoryWatch.NONE;

    private boolean shared;
    private Runnable standStill = () -> {};

    /** 2,048 frames (8 MiB). A leaf that a snapshot holds is copied before it changes. */
    private static final class Leaf {
        final int[] frames;
        int references = 1;

        Leaf(int[] frames) {
            this.frames = frames;
        }
    }

    /** All bytes at one moment. Close it when it is no longer needed, so that its frames can be used again. */
    public final class Snapshot implements AutoCloseable {
        private final Leaf[][] leaves;
        private boolean open = true;

        private Snapshot(Leaf[][] leaves) {
            this.leaves = leaves;
        }

        @Override
        public void close() {
            if (open) {
                open = false;
                releaseAll(leaves);
            }
        }
    }

    /** @param size bytes, a multiple of 4 KiB, at most 2^52 */
    public PhysicalMemory(long size) {
        if (size <= 0 || size % FRAME_BYTES != 0 || size > 1L << 52) {
            throw new IllegalArgumentException("host memory of " + Long.toUnsignedString(size) + " bytes");
        }
        this.size = size;
        root = new Leaf[(int) ((size - 1) >>> (SHIFT + LEAF_BITS + MIDDLE_BITS)) + 1][];
    }

    /** Tells {@code listener} of every access from now on. */
    public void watch(MemoryWatch listener) {
        watch = listener;
    }

    /**
     * From now on threads share the memory.
     *
     * @param standStill returns once nobody uses a native address any more; called before a frame is given back
     */
    public void share(Runnable standStill) {
        this.standStill = standStill;
        shared = true;
        epoch++;
    }

    /** One thread has it to itself again. */
    public void unshare() {
        shared = false;
        standStill = () -> {};
        epoch++;
    }

    /**
     * A number that changes whenever bytes may change by another than a processor that has the native address: at each
     * {@link #writable}, discard and restore. Not kept while memory is {@linkplain #share shared}.
     */
    public long changes() {
        return changes + epoch;
    }

    /** Tells that {@code processor} begins to run; answers whether another one did since it last told so. */
    public boolean usedBy(Object processor) {
        boolean other = user != processor;
        user = processor;
        return other;
    }

    /** Bytes of physical address space. */
    public long size() {
        return size;
    }

    /**
     * A number that changes whenever a native address handed out before may be stale: at a snapshot, at a restore, when
     * a frame is discarded, and when a frame that may have been read gets its first or its own copy of bytes.
     */
    public long epoch() {
        return epoch;
    }

    /** Frames that take memory. */
    public int framesInUse() {
        return pool.inUse();
    }

    /** Whether the frame was ever written (and not discarded since). */
    public boolean materialized(long pfn) {
        return frame(pfn) != 0;
    }

    /** The first frame from {@code pfn} on that was ever written; {@code end} if there is none below it. */
    public long nextMaterialized(long pfn, long end) {
        for (long at = pfn; at < end; ) {
            long endOfLeaf = Math.min(end, (at | LEAF_FRAMES - 1) + 1);
            Leaf[] middle = root[(int) (at >>> (LEAF_BITS + MIDDLE_BITS))];
            if (middle != null && middle[(int) (at >>> LEAF_BITS) & (MIDDLE_LEAVES - 1)] != null) {
                for (; at < endOfLeaf; at++) {
                    if (frame(at) != 0) {
                        return at;
                    }
                }
            }
            at = endOfLeaf;
        }
        return end;
    }

    /** Native address of the frame for reading. */
    public long readable(long pfn) {
        int frame = frame(pfn);
        if (frame == 0) {
            zerosGivenOut = true;
            return zeroFrame;
        }
        return pool.address(frame);
    }

    /** Native address of the frame, to be read at once and not kept. */
    private long bytes(long pfn) {
        int frame = frame(pfn);
        return frame == 0 ? zeroFrame : pool.address(frame);
    }

    /** Native address of the frame for writing; gives it memory of its own first. */
    public long writable(long pfn) {
        if (shared) {
            Leaf[] middle = root[(int) (pfn >>> (LEAF_BITS + MIDDLE_BITS))];
            Leaf leaf = middle == null ? null : middle[(int) (pfn >>> LEAF_BITS) & (MIDDLE_LEAVES - 1)];
            int frame = leaf == null || leaf.references > 1 ? 0 : frame(leaf, pfn);
            if (frame != 0 && !pool.shared(frame)) {
                return pool.address(frame);
            }
            synchronized (pool) {
                return own(pfn);
            }
        }
        return own(pfn);
    }

    /** Native address of the frame, with bytes of its own. */
    private long own(long pfn) {
        changes++;
        Leaf leaf = ownLeaf(pfn);
        int slot = (int) pfn & (LEAF_FRAMES - 1);
        int frame = leaf.frames[slot];
        if (frame == 0) {
            frame = pool.allocateZeroed();
            take(leaf, slot, frame, zerosGivenOut);
        } else if (pool.shared(frame)) {
            int copy = pool.allocateCopy(frame);
            pool.release(frame);
            frame = copy;
            take(leaf, slot, frame, true);
        }
        return pool.address(frame);
    }

    /** @param stale whether somebody may keep an address of the bytes that the frame had before */
    private void take(Leaf leaf, int slot, int frame, boolean stale) {
        FRAMES.setRelease(leaf.frames, slot, frame);
        if (!shared && stale) {
            epoch++;
            zerosGivenOut = false;
        }
    }

    /** Forgets the frame's content: it reads as zeros and takes no memory. */
    public void discard(long pfn) {
        if (frame(pfn) != 0) {
            standStill.run();
            synchronized (pool) {
                Leaf leaf = ownLeaf(pfn);
                int slot = (int) pfn & (LEAF_FRAMES - 1);
                pool.release(leaf.frames[slot]);
                leaf.frames[slot] = 0;
                epoch++;
            }
        }
        watch.filled(pfn, 0);
    }

    /** Forgets {@code count} frames from {@code pfn} on; cheap where nothing was ever written. */
    public void discard(long pfn, long count) {
        for (long at = pfn; at < pfn + count; ) {
            long end = Math.min(pfn + count, (at | LEAF_FRAMES - 1) + 1);
            Leaf[] middle = root[(int) (at >>> (LEAF_BITS + MIDDLE_BITS))];
            if (middle != null && middle[(int) (at >>> LEAF_BITS) & (MIDDLE_LEAVES - 1)] != null) {
                for (long frame = at; frame < end; frame++) {
                    discard(frame);
                }
            }
            at = end;
        }
    }

    public byte read8(long hpa) {
        if (watch != MemoryWatch.NONE) {
            watch.reading(hpa, 1);
        }
        return NativeMemory.get8(bytes(hpa >>> SHIFT) + offset(hpa));
    }

    public short read16(long hpa) {
        if (watch != MemoryWatch.NONE) {
            watch.reading(hpa, 2);
        }
        return offset(hpa) <= FRAME_BYTES - 2
                ? NativeMemory.get16(bytes(hpa >>> SHIFT) + offset(hpa))
                : (short) readBytewise(hpa, 2);
    }

    public int read32(long hpa) {
        if (watch != MemoryWatch.NONE) {
            watch.reading(hpa, 4);
        }
        return offset(hpa) <= FRAME_BYTES - 4
                ? NativeMemory.get32(bytes(hpa >>> SHIFT) + offset(hpa))
                : (int) readBytewise(hpa, 4);
    }

    public long read64(long hpa) {
        if (watch != MemoryWatch.NONE) {
            watch.reading(hpa, 8);
        }
        return offset(hpa) <= FRAME_BYTES - 8
                ? NativeMemory.get64(bytes(hpa >>> SHIFT) + offset(hpa))
                : readBytewise(hpa, 8);
    }

    public void write8(long hpa, byte value) {
        if (watch != MemoryWatch.NONE) {
            watch.writing(hpa, 1);
        }
        NativeMemory.put8(writable(hpa >>> SHIFT) + offset(hpa), value);
        if (watch != MemoryWatch.NONE) {
            watch.written(hpa, 1);
        }
    }

    public void write16(long hpa, short value) {
        if (watch != MemoryWatch.NONE) {
            watch.writing(hpa, 2);
        }
        if (offset(hpa) <= FRAME_BYTES - 2) {
            NativeMemory.put16(writable(hpa >>> SHIFT) + offset(hpa), value);
        } else {
            writeBytewise(hpa, value, 2);
        }
        if (watch != MemoryWatch.NONE) {
            watch.written(hpa, 2);
        }
    }

    public void write32(long hpa, int value) {
        if (watch != MemoryWatch.NONE) {
            watch.writing(hpa, 4);
        }
        if (offset(hpa) <= FRAME_BYTES - 4) {
            NativeMemory.put32(writable(hpa >>> SHIFT) + offset(hpa), value);
        } else {
            writeBytewise(hpa, value, 4);
        }
        if (watch != MemoryWatch.NONE) {
            watch.written(hpa, 4);
        }
    }

    public void write64(long hpa, long value) {
        if (watch != MemoryWatch.NONE) {
            watch.writing(hpa, 8);
        }
        if (offset(hpa) <= FRAME_BYTES - 8) {
            NativeMemory.put64(writable(hpa >>> SHIFT) + offset(hpa), value);
        } else {
            writeBytewise(hpa, value, 8);
        }
        if (watch != MemoryWatch.NONE) {
            watch.written(hpa, 8);
        }
    }

    /** Atomic compare and set of the 8-byte word at {@code hpa}, which must be 8-byte aligned. */
    public boolean compareAndSet64(long hpa, long expected, long value) {
        if (watch == MemoryWatch.NONE) {
            return NativeMemory.compareAndSet64(writable(hpa >>> SHIFT) + offset(hpa), expected, value);
        }
        if (read64(hpa) != expected) {
            return false;
        }
        write64(hpa, value);
        return true;
    }

    /** Atomic compare and set of the 4-byte word at {@code hpa}, which must be 4-byte aligned. */
    public boolean compareAndSet32(long hpa, int expected, int value) {
        if (watch == MemoryWatch.NONE) {
            return NativeMemory.compareAndSet32(writable(hpa >>> SHIFT) + offset(hpa), expected, value);
        }
        if (read32(hpa) != expected) {
            return false;
        }
        write32(hpa, value);
        return true;
    }

    /** Copies {@code bytes} bytes from {@code hpa} to {@code target[at...]}. */
    public void read(long hpa, byte[] target, int at, int bytes) {
        Objects.checkFromIndexSize(at, bytes, target.length);
        if (watch != MemoryWatch.NONE) {
            watch.reading(hpa, bytes);
        }
        for (int done = 0; done < bytes; ) {
            int chunk = Math.min(bytes - done, FRAME_BYTES - offset(hpa + done));
            NativeMemory.copyOut(bytes((hpa + done) >>> SHIFT) + offset(hpa + done), target, at + done, chunk);
            done += chunk;
        }
    }

    /** Copies {@code bytes} bytes from {@code source[at...]} to {@code hpa}. */
    public void write(long hpa, byte[] source, int at, int bytes) {
        Objects.checkFromIndexSize(at, bytes, source.length);
        if (watch != MemoryWatch.NONE) {
            watch.writing(hpa, bytes);
        }
        for (int done = 0; done < bytes; ) {
            int chunk = Math.min(bytes - done, FRAME_BYTES - offset(hpa + done));
            NativeMemory.copyIn(source, at + done, writable((hpa + done) >>> SHIFT) + offset(hpa + done), chunk);
            done += chunk;
        }
        if (watch != MemoryWatch.NONE) {
            watch.written(hpa, bytes);
        }
    }

    /** Fills the whole frame with 512 copies of {@code word}; used to make page-table pages. */
    public void fillFrame(long pfn, long word) {
        long address = writable(pfn);
        for (int i = 0; i < FRAME_BYTES; i += 8) {
            NativeMemory.put64(address + i, word);
        }
        watch.filled(pfn, word);
    }

    /** All bytes as they are now. */
    public Snapshot snapshot() {
        epoch++;
        return new Snapshot(retainAll(root));
    }

    /** Makes all bytes what they were at {@code snapshot}, which may be used again. */
    public void restore(Snapshot snapshot) {
        if (!snapshot.open) {
            throw new IllegalStateException("the snapshot is closed");
        }
        Leaf[][] previous = root;
        root = retainAll(snapshot.leaves);
        releaseAll(previous);
        epoch++;
    }

    /** Address of the first 8 bytes that are not what they were at {@code snapshot}. */
    public OptionalLong difference(Snapshot snapshot) {
        for (int high = 0; high < root.length; high++) {
            for (int low = 0; low < MIDDLE_LEAVES && root[high] != snapshot.leaves[high]; low++) {
                long pfn = ((long) high << MIDDLE_BITS | low) << LEAF_BITS;
                OptionalLong found = difference(leaf(root[high], low), leaf(snapshot.leaves[high], low), pfn);
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return OptionalLong.empty();
    }

    private static @Nullable Leaf leaf(Leaf @Nullable [] middle, int low) {
        return middle == null ? null : middle[low];
    }

    private OptionalLong difference(@Nullable Leaf one, @Nullable Leaf other, long firstPfn) {
        for (int slot = 0; slot < LEAF_FRAMES && one != other; slot++) {
            int frame = one == null ? 0 : one.frames[slot];
            int then = other == null ? 0 : other.frames[slot];
            if (frame == then) {
                continue;
            }
            long bytes = frame == 0 ? zeroFrame : pool.address(frame);
            long before = then == 0 ? zeroFrame : pool.address(then);
            for (int at = 0; at < FRAME_BYTES; at += 8) {
                if (NativeMemory.get64(bytes + at) != NativeMemory.get64(before + at)) {
                    return OptionalLong.of((firstPfn + slot << SHIFT) + at);
                }
            }
        }
        return OptionalLong.empty();
    }

    private int frame(long pfn) {
        Objects.checkIndex(pfn, size >>> SHIFT);
        Leaf[] middle = root[(int) (pfn >>> (LEAF_BITS + MIDDLE_BITS))];
        if (middle == null) {
            return 0;
        }
        Leaf leaf = middle[(int) (pfn >>> LEAF_BITS) & (MIDDLE_LEAVES - 1)];
        return leaf == null ? 0 : frame(leaf, pfn);
    }

    /** The frame's number; whoever sees it sees its bytes too. */
    private static int frame(Leaf leaf, long pfn) {
        return (int) FRAMES.getAcquire(leaf.frames, (int) pfn & (LEAF_FRAMES - 1));
    }

    private Leaf ownLeaf(long pfn) {
        Objects.checkIndex(pfn, size >>> SHIFT);
        int top = (int) (pfn >>> (LEAF_BITS + MIDDLE_BITS));
        if (root[top] == null) {
            root[top] = new Leaf[MIDDLE_LEAVES];
        }
        Leaf[] middle = root[top];
        int slot = (int) (pfn >>> LEAF_BITS) & (MIDDLE_LEAVES - 1);
        Leaf leaf = middle[slot];
        if (leaf == null) {
            leaf = new Leaf(new int[LEAF_FRAMES]);
            middle[slot] = leaf;
        } else if (leaf.references > 1) {
            leaf.references--;
            leaf = new Leaf(leaf.frames.clone());
            for (int frame : leaf.frames) {
                pool.retain(frame);
            }
            middle[slot] = leaf;
        }
        return leaf;
    }

    private static Leaf[][] retainAll(Leaf[][] from) {
        var copy = new Leaf[from.length][];
        for (int i = 0; i < from.length; i++) {
            if (from[i] != null) {
                copy[i] = from[i].clone();
                for (Leaf leaf : copy[i]) {
                    if (leaf != null) {
                        leaf.references++;
                    }
                }
            }
        }
        return copy;
    }

    private void releaseAll(Leaf[][] leaves) {
        for (Leaf[] middle : leaves) {
            if (middle != null) {
                for (Leaf leaf : middle) {
                    if (leaf != null && --leaf.references == 0) {
                        for (int frame : leaf.frames) {
                            pool.release(frame);
                        }
                    }
                }
            }
        }
    }

    private long readBytewise(long hpa, int bytes) {
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (read8(hpa + i) & 0xffL) << (8 * i);
        }
        return value;
    }

    private void writeBytewise(long hpa, long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            write8(hpa + i, (byte) (value >>> (8 * i)));
        }
    }

    private static int offset(long hpa) {
        return (int) hpa & (FRAME_BYTES - 1);
    }
}
