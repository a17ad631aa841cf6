package kvasir.metal.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Little-endian access to native addresses that {@link PhysicalMemory} handed out. One static final segment over the
 * whole address space: on this JVM within 5 % of Unsafe, and supported.
 *
 * <p>Accesses named {@code acquire} and {@code release} are for memory that several processors use at a time. An aligned
 * one is a single access of the host. Nothing behind a load of the first kind happens before it, and nothing before a
 * store of the second kind happens after it; a load may overtake an older store. Together that is the order that x86
 * promises (Intel SDM volume 3, "Memory ordering"). On an x86 host they cost nothing but what the JVM might have
 * reordered.
 */
public final class NativeMemory {
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle ALIGNED_LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle ALIGNED_INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private NativeMemory() {}

    /** One byte, sign extended as Java does. */
    public static byte get8(long address) {
        return ALL.get(ValueLayout.JAVA_BYTE, address);
    }

    public static short get16(long address) {
        return ALL.get(SHORT, address);
    }

    public static int get32(long address) {
        return ALL.get(INT, address);
    }

    public static long get64(long address) {
        return ALL.get(LONG, address);
    }

    public static void put8(long address, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, address, value);
    }

    public static void put16(long address, short value) {
        ALL.set(SHORT, address, value);
    }

    public static void put32(long address, int value) {
        ALL.set(INT, address, value);
    }

    public static void put64(long address, long value) {
        ALL.set(LONG, address, value);
    }

    public static byte acquire8(long address) {
        byte value = get8(address);
        VarHandle.acquireFence();
        return value;
    }

    public static short acquire16(long address) {
        short value = get16(address);
        VarHandle.acquireFence();
        return value;
    }

    public static int acquire32(long address) {
        int value = get32(address);
        VarHandle.acquireFence();
        return value;
    }

    public static long acquire64(long address) {
        long value = get64(address);
        VarHandle.acquireFence();
        return value;
    }

    public static void release8(long address, byte value) {
        VarHandle.releaseFence();
        put8(address, value);
    }

    public static void release16(long address, short value) {
        VarHandle.releaseFence();
        put16(address, value);
    }

    public static void release32(long address, int value) {
        VarHandle.releaseFence();
        put32(address, value);
    }

    public static void release64(long address, long value) {
        VarHandle.releaseFence();
        put64(address, value);
    }

    /** MFENCE: what came before is visible to all before anything that follows happens. */
    public static void fence() {
        VarHandle.fullFence();
    }

    /** Atomic compare and set of an aligned 8-byte word, with full fences. */
    public static boolean compareAndSet64(long address, long expected, long value) {
        return ALIGNED_LONG.compareAndSet(ALL, address, expected, value);
    }

    /** Atomic compare and set of an aligned 4-byte word, with full fences. */
    public static boolean compareAndSet32(long address, int expected, int value) {
        return ALIGNED_INT.compareAndSet(ALL, address, expected, value);
    }

    /** Copies as if through a buffer: the ranges may overlap. */
    public static void copy(long from, long to, long bytes) {
        MemorySegment.copy(ALL, from, ALL, to, bytes);
    }

    /** Copies {@code bytes} bytes into an array from {@code offset} on. */
    public static void copyOut(long from, byte[] to, int offset, int bytes) {
        MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, from, to, offset, bytes);
    }

    static void copyIn(byte[] from, int offset, long to, int bytes) {
        MemorySegment.copy(from, offset, ALL, ValueLayout.JAVA_BYTE, to, bytes);
    }

    /** Sets {@code bytes} bytes. */
    public static void fill(long address, long bytes, byte value) {
        ALL.asSlice(address, bytes).fill(value);
    }
}
