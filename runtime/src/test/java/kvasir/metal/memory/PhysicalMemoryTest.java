package kvasir.metal.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class PhysicalMemoryTest {
    private static final long TERABYTE = 1L << 40;

    @Test
    void untouchedMemoryReadsAsZerosAndTakesNothing() {
        var memory = new PhysicalMemory(TERABYTE);
        assertEquals(0, memory.read64(TERABYTE - 8));
        assertEquals(0, memory.framesInUse());
        assertFalse(memory.materialized(0));
    }

    @Test
    void accessesCrossFrames() {
        var memory = new PhysicalMemory(TERABYTE);
        memory.write64(0x1ffd, 0x1122_3344_5566_7788L);
        assertEquals(0x1122_3344_5566_7788L, memory.read64(0x1ffd));
        assertEquals((byte) 0x55, memory.read8(0x2000));
        assertEquals(2, memory.framesInUse());
    }

    @Test
    void theLastByteIsInAndTheNextIsOut() {
        var memory = new PhysicalMemory(8192);
        memory.write8(8191, (byte) 1);
        assertThrows(IndexOutOfBoundsException.class, () -> memory.read8(8192));
        assertThrows(IndexOutOfBoundsException.class, () -> memory.write64(8190, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> memory.read8(-1));
    }

    @Test
    void discardGivesZerosBackEvenWithASnapshotAround() {
        var memory = new PhysicalMemory(TERABYTE);
        memory.write64(0x5000, 7);
        try (var snapshot = memory.snapshot()) {
            memory.discard(5);
            assertEquals(0, memory.read64(0x5000));
            memory.restore(snapshot);
            assertEquals(7, memory.read64(0x5000));
        }
    }

    @Test
    void randomWritesSnapshotsAndRestoresAgreeWithAPlainMap() {
        var random = new SplittableRandom(42);
        var memory = new PhysicalMemory(1L << 34);
        Map<Long, Long> truth = new HashMap<>();
        PhysicalMemory.Snapshot[] snapshots = new PhysicalMemory.Snapshot[4];
        @SuppressWarnings({"unchecked", "rawtypes"})
        Map<Long, Long>[] truths = new Map[4];
        for (int step = 0; step < 200_000; step++) {
            long hpa = (random.nextLong(64) << 23 | random.nextLong(3) << 12 | random.nextLong(4) << 3);
            int which = random.nextInt(4);
            switch (random.nextInt(500)) {
                case 0 -> {
                    if (snapshots[which] != null) {
                        snapshots[which].close();
                    }
                    snapshots[which] = memory.snapshot();
                    truths[which] = new HashMap<>(truth);
                }
                case 1 -> {
                    if (snapshots[which] != null) {
                        memory.restore(snapshots[which]);
                        truth = new HashMap<>(truths[which]);
                    }
                }
                default -> {
                    long value = random.nextLong();
                    memory.write64(hpa, value);
                    truth.put(hpa, value);
                }
            }
            assertEquals(truth.getOrDefault(hpa, 0L), memory.read64(hpa));
        }
        for (var snapshot : snapshots) {
            if (snapshot != null) {
                snapshot.close();
            }
        }
        assertTrue(memory.framesInUse() <= 64 * 3, "frames of closed snapshots are given back");
    }

    @Test
    void aFirstWriteMakesAddressesStaleOnlyIfZerosWereGivenOut() {
        var memory = new PhysicalMemory(1L << 20);
        long start = memory.epoch();
        memory.writable(3);
        memory.write64(0x5008, 1);
        assertEquals(0, memory.read64(0x9000), "a read that keeps no address");
        memory.write64(0x9000, 1);
        assertEquals(start, memory.epoch());

        long zeros = memory.readable(7);
        memory.write8(0x7000, (byte) 1);
        assertNotEquals(zeros, memory.readable(7));
        long after = memory.epoch();
        assertNotEquals(start, after);
        memory.writable(8);
        assertEquals(after, memory.epoch(), "whoever kept zeros has been told");

        try (var _ = memory.snapshot()) {
            long copied = memory.epoch();
            memory.writable(8);
            assertNotEquals(copied, memory.epoch(), "a frame's own copy is elsewhere");
        }
    }
}
