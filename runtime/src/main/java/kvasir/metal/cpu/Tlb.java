package kvasir.metal.cpu;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import kvasir.metal.memory.PhysicalMemory;

/**
 * One set of cached translations from linear page to native address, for one privilege. The index mixes higher page bits
 * in, so that streams a power of two apart do not collide. The tables grow while a guest that does not flush fills them
 * over and over, and shrink when it flushes them nearly empty.
 */
final class Tlb {
    private static final int LEAST = 1024;
    private static final int MOST = 1 << 16;
    private static final long NONE = 1;

    /** A flush of at most so many entries costs what they cost, not what the table does. */
    private static final int NOTED = 64;

    /** Where counting ends. */
    private static final int MANY = 1 << 20;

    private static final long PAGE = -4096;

    long[] readTag = new long[LEAST];
    long[] readDelta = new long[LEAST];
    long[] writeTag = new long[LEAST];
    long[] writeDelta = new long[LEAST];
    final long[] fetchTag = new long[LEAST];
    final long[] fetchFrame = new long[LEAST];

    /** Entries made since the last flush, or since the table last grew; where the first of them are. */
    private final int[] readSlots = new int[NOTED];

    private final int[] writeSlots = new int[NOTED];
    private final int[] fetchSlots = new int[NOTED];
    private int reads;

    private int writes;
    private int fetches;

    Tlb() {
        Arrays.fill(readTag, NONE);
        Arrays.fill(writeTag, NONE);
        Arrays.fill(fetchTag, NONE);
    }

    /** Where {@code linear} is in a table with these tags. */
    static int index(long linear, long[] tags) {
        long page = linear >>> 12;
        return (int) (page ^ page >>> 10 ^ page >>> 20) & (tags.length - 1);
    }

    /**
     * Native address behind {@code linear} if its translation is cached, else 0. Small, so that the JVM takes it into the
     * loops of translated code.
     *
     * @param last offset in the page of the last place where the access still lies within it
     */
    static long host(long[] tags, long[] deltas, long linear, int last) {
        int i = index(linear, tags);
        return tags[i] == (linear & PAGE) && ((int) linear & 0xfff) <= last ? linear + deltas[i] : 0;
    }

    void flush() {
        flushReads();
        flushWrites();
        clear(fetchTag, fetchSlots, fetches);
        fetches = 0;
    }

    private static void clear(long[] tags, int[] slots, int filled) {
        if (filled > NOTED) {
            Arrays.fill(tags, NONE);
            return;
        }
        for (int i = 0; i < filled; i++) {
            tags[slots[i]] = NONE;
        }
    }

    /** Notes one more filled slot; the new count. */
    private static int note(int[] slots, int filled, int slot) {
        if (filled < NOTED) {
            slots[filled] = slot;
        }
        return Math.min(filled + 1, MANY);
    }

    void flushReads() {
        if (reads > NOTED && readTag.length > LEAST && reads < readTag.length >> 2) {
            readTag = new long[readTag.length >> 1];
            readDelta = new long[readTag.length];
        }
        clear(readTag, readSlots, reads);
        reads = 0;
    }

    void flushWrites() {
        if (writes > NOTED && writeTag.length > LEAST && writes < writeTag.length >> 2) {
            writeTag = new long[writeTag.length >> 1];
            writeDelta = new long[writeTag.length];
        }
        clear(writeTag, writeSlots, writes);
        writes = 0;
    }

    /** Adds a line for each page that is cached: what may be done with it there. */
    void list(String privilege, List<Cached> into) {
        var pages = new TreeSet<Long>(Long::compareUnsigned);
        for (long[] tags : List.of(readTag, writeTag, fetchTag)) {
            for (long page : tags) {
                if (page != NONE) {
                    pages.add(page);
                }
            }
        }
        for (long page : pages) {
            into.add(new Cached(page, privilege, holds(readTag, page), holds(writeTag, page), holds(fetchTag, page)));
        }
    }

    /** Adds the native address of every frame that a cached translation leads to. */
    void hosts(PhysicalMemory memory, Set<Long> into) {
        for (int i = 0; i < readTag.length; i++) {
            if (readTag[i] != NONE) {
                into.add(readTag[i] + readDelta[i]);
            }
        }
        for (int i = 0; i < writeTag.length; i++) {
            if (writeTag[i] != NONE) {
                into.add(writeTag[i] + writeDelta[i]);
            }
        }
        for (int i = 0; i < fetchTag.length; i++) {
            if (fetchTag[i] != NONE) {
                into.add(memory.readable(fetchFrame[i]));
            }
        }
    }

    private static boolean holds(long[] tags, long page) {
        return tags[index(page, tags)] == page;
    }

    /**
     * A cached translation.
     *
     * @param linear address of the page
     * @param privilege {@code supervisor}, {@code supervisor, AC set} or {@code user}
     */
    record Cached(long linear, String privilege, boolean reads, boolean writes, boolean fetches) {}

    void flushPage(long linear) {
        readTag[index(linear, readTag)] = NONE;
        writeTag[index(linear, writeTag)] = NONE;
        fetchTag[index(linear, fetchTag)] = NONE;
    }

    /** Drops what has all bits from {@code shift} on in common with {@code linear}; everything, if much is cached. */
    void flushAround(long linear, int shift) {
        if (Math.max(reads, Math.max(writes, fetches)) > NOTED) {
            flush();
            return;
        }
        drop(readTag, readSlots, reads, linear, shift);
        drop(writeTag, writeSlots, writes, linear, shift);
        drop(fetchTag, fetchSlots, fetches, linear, shift);
    }

    private static void drop(long[] tags, int[] slots, int filled, long linear, int shift) {
        for (int i = 0; i < filled; i++) {
            int slot = slots[i];
            if (tags[slot] != NONE && (tags[slot] ^ linear) >>> shift == 0) {
                tags[slot] = NONE;
            }
        }
    }

    void fillRead(long linear, long host) {
        if (reads > 2 * readTag.length && readTag.length < MOST) {
            readTag = new long[4 * readTag.length];
            readDelta = new long[readTag.length];
            Arrays.fill(readTag, NONE);
            reads = 0;
        }
        int i = index(linear, readTag);
        reads = note(readSlots, reads, i);
        readTag[i] = linear & PAGE;
        readDelta[i] = host - (linear & PAGE);
    }

    void fillWrite(long linear, long host) {
        if (writes > 2 * writeTag.length && writeTag.length < MOST) {
            writeTag = new long[4 * writeTag.length];
            writeDelta = new long[writeTag.length];
            Arrays.fill(writeTag, NONE);
            writes = 0;
        }
        int i = index(linear, writeTag);
        writes = note(writeSlots, writes, i);
        writeTag[i] = linear & PAGE;
        writeDelta[i] = host - (linear & PAGE);
    }

    void fillFetch(long linear, long frame) {
        int i = index(linear, fetchTag);
        fetches = note(fetchSlots, fetches, i);
        fetchTag[i] = linear & PAGE;
        fetchFrame[i] = frame;
    }
}
