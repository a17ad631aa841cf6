package kvasir.metal.cpu;

import java.util.Arrays;
import java.util.List;

/**
 * One set of cached translations from linear page to native address, for one privilege. The index mixes higher page bits
 * in, so that streams a power of two apart do not collide.
 */
final class Tlb {
    private static final int ENTRIES = 1024;
    private static final long NONE = 1;
    private static final long PAGE = -4096;

    final long[] readTag = new long[ENTRIES];
    final long[] readDelta = new long[ENTRIES];
    final long[] writeTag = new long[ENTRIES];
    final long[] writeDelta = new long[ENTRIES];
    final long[] fetchTag = new long[ENTRIES];
    final long[] fetchFrame = new long[ENTRIES];

    /** Whether there is anything to flush. */
    private boolean reads = true;

    private boolean writes = true;
    private boolean fetches = true;

    Tlb() {
        flush();
    }

    static int index(long linear) {
        long page = linear >>> 12;
        return (int) (page ^ page >>> 10 ^ page >>> 20) & (ENTRIES - 1);
    }

    void flush() {
        flushReads();
        flushWrites();
        if (fetches) {
            fetches = false;
            Arrays.fill(fetchTag, NONE);
        }
    }

    void flushReads() {
        if (reads) {
            reads = false;
            Arrays.fill(readTag, NONE);
        }
    }

    void flushWrites() {
        if (writes) {
            writes = false;
            Arrays.fill(writeTag, NONE);
        }
    }

    /** Adds a line for each page that is cached: what may be done with it there. */
    void list(String privilege, List<Cached> into) {
        for (int i = 0; i < ENTRIES; i++) {
            for (long page : new long[] {readTag[i], writeTag[i], fetchTag[i]}) {
                if (page == NONE) {
                    continue;
                }
                var cached = new Cached(page, privilege, readTag[i] == page, writeTag[i] == page, fetchTag[i] == page);
                if (!into.contains(cached)) {
                    into.add(cached);
                }
            }
        }
    }

    /**
     * A cached translation.
     *
     * @param linear address of the page
     * @param privilege {@code supervisor}, {@code supervisor, AC set} or {@code user}
     */
    record Cached(long linear, String privilege, boolean reads, boolean writes, boolean fetches) {}

    void flushPage(long linear) {
        int i = index(linear);
        readTag[i] = NONE;
        writeTag[i] = NONE;
        fetchTag[i] = NONE;
    }

    void fillRead(long linear, long host) {
        reads = true;
        int i = index(linear);
        readTag[i] = linear & PAGE;
        readDelta[i] = host - (linear & PAGE);
    }

    void fillWrite(long linear, long host) {
        writes = true;
        int i = index(linear);
        writeTag[i] = linear & PAGE;
        writeDelta[i] = host - (linear & PAGE);
    }

    void fillFetch(long linear, long frame) {
        fetches = true;
        int i = index(linear);
        fetchTag[i] = linear & PAGE;
        fetchFrame[i] = frame;
    }
}
