package kvasir.metal.paging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvasir.metal.memory.PhysicalMemory;
import org.junit.jupiter.api.Test;

final class EptWalkerTest {
    private static final long ROOT = 0x10_0000;
    private static final long FRAME = 0x7654_3000L;
    private final PhysicalMemory memory = new PhysicalMemory(1L << 40);
    private final EptWalker walker = new EptWalker(ROOT | 0x5e, 46, true);

    /** Tables at ROOT, +1000, +2000, +3000 that lead to {@code leaf} for gpa 0 to 4 KiB. */
    private void leaf(long leaf) {
        memory.write64(ROOT, 0x8000_0000_0000_0907L + ROOT + 0x1000);
        memory.write64(ROOT + 0x1000, 0x8000_0000_0000_0907L + ROOT + 0x2000);
        memory.write64(ROOT + 0x2000, 0x8000_0000_0000_0907L + ROOT + 0x3000);
        memory.write64(ROOT + 0x3000, leaf);
    }

    private SecondStageResult walk(long gpa, Access access) {
        return walker.translate(memory, gpa, access, false);
    }

    @Test
    void aWritableLeafOfKvmMapsEverything() {
        leaf(0x8600_0000_0000_0b77L + FRAME);
        for (Access access : Access.values()) {
            assertEquals(new SecondStageResult.Mapped(FRAME + 0x123, 1), walk(0x123, access));
        }
        assertEquals("4K rwx wb ipat A D -> 0x76543000", new EptEntry(memory.read64(ROOT + 0x3000)).text(1));
    }

    @Test
    void aPrefaultedLeafGetsAccessedOnTheFirstRead() {
        leaf(0x8600_0000_0000_0a77L + FRAME);
        assertEquals(new SecondStageResult.Mapped(FRAME, 1), walk(0, Access.READ));
        assertEquals(0x8600_0000_0000_0b77L + FRAME, memory.read64(ROOT + 0x3000));
    }

    @Test
    void aWriteSetsDirtyOnTheLeafOnly() {
        leaf(0x8600_0000_0000_0877L + FRAME);
        walk(0, Access.WRITE);
        assertEquals(0x8600_0000_0000_0b77L + FRAME, memory.read64(ROOT + 0x3000));
        assertEquals(0x8000_0000_0000_0907L + ROOT + 0x1000, memory.read64(ROOT));
    }

    @Test
    void aWriteToAWriteProtectedLeafTellsWhatItMayDo() {
        leaf(0x8600_0000_0000_0b75L + FRAME);
        // bit 1 write, bits 5:3 = r-x = 101, bit 8 final translation
        assertEquals(new SecondStageResult.Violation(8, 0x12a, true), walk(8, Access.WRITE));
        assertEquals(new SecondStageResult.Mapped(FRAME + 8, 1), walk(8, Access.READ));
    }

    @Test
    void anEmptyEntryHasNoRights() {
        leaf(0x8000_0000_0000_0000L);
        assertEquals(new SecondStageResult.Violation(0, 0x101, true), walk(0, Access.READ));
        assertEquals(new SecondStageResult.Violation(0, 0x102, true), walk(0, Access.WRITE));
        assertEquals(new SecondStageResult.Violation(0, 0x104, true), walk(0, Access.FETCH));
        leaf(0);
        assertEquals(new SecondStageResult.Violation(0, 0x101, false), walk(0, Access.READ));
    }

    @Test
    void theFrozenValueIsAViolation() {
        leaf(0x8000_0000_0000_05a0L);
        assertEquals(new SecondStageResult.Violation(0, 0x101, true), walk(0, Access.READ));
    }

    @Test
    void anMmioEntryIsAMisconfiguration() {
        leaf(0x6);
        assertEquals(new SecondStageResult.Misconfig(0x10, 1, 6), walk(0x10, Access.READ));
    }

    @Test
    void misconfigurations() {
        assertTrue(walker.misconfigured(2, 1), "write only");
        assertFalse(walker.misconfigured(0x34, 1), "execute only, supported");
        assertTrue(new EptWalker(ROOT | 0x5e, 46, false).misconfigured(0x34, 1), "execute only, unsupported");
        for (int type : new int[] {2, 3, 7}) {
            assertTrue(walker.misconfigured(7 | type << 3, 1), "memory type " + type);
        }
        for (int type : new int[] {0, 1, 4, 5, 6}) {
            assertFalse(walker.misconfigured(7 | type << 3, 1), "memory type " + type);
        }
        assertTrue(walker.misconfigured(0xb7 | 1L << 20, 2), "2M leaf with address bit 20");
        assertFalse(walker.misconfigured(0xb7 | 1L << 21, 2));
        assertTrue(walker.misconfigured(0xb7 | 1L << 29, 3), "1G leaf with address bit 29");
        assertTrue(walker.misconfigured(0x87, 4), "bit 7 at level 4");
        assertTrue(walker.misconfigured(0x0f, 2), "bit 3 of a table");
        assertTrue(walker.misconfigured(7 | 1L << 46, 2), "address beyond MAXPHYADDR");
    }

    @Test
    void aLargePageAddsTheOffset() {
        leaf(0);
        memory.write64(ROOT + 0x2000, 0x8600_0000_0000_0bf7L + 0x4000_0000L);
        assertEquals(new SecondStageResult.Mapped(0x4000_0000L + 0x12_3456, 2), walk(0x12_3456, Access.WRITE));
        assertEquals("2M rwx wb ipat A D -> 0x40000000", new EptEntry(memory.read64(ROOT + 0x2000)).text(2));
    }

    @Test
    void withAccessedAndDirtyATableWalkIsAReadAndAWrite() {
        leaf(0x8600_0000_0000_0b75L + FRAME);
        assertEquals(new SecondStageResult.Violation(0, 0x2b, true), walker.translate(memory, 0, Access.READ, true));
        var plain = new EptWalker(ROOT | 0x1e, 46, true);
        assertEquals(new SecondStageResult.Mapped(FRAME, 1), plain.translate(memory, 0, Access.READ, true));
    }

    @Test
    void rightsOfEveryLevelCount() {
        leaf(0x8600_0000_0000_0b77L + FRAME);
        memory.write64(ROOT, 0x8000_0000_0000_0905L + ROOT + 0x1000);
        assertEquals(new SecondStageResult.Violation(0, 0x12a, true), walk(0, Access.WRITE));
    }

    @Test
    void anAddressBeyondTheWalkIsAViolation() {
        leaf(0x8600_0000_0000_0b77L + FRAME);
        assertEquals(new SecondStageResult.Violation(1L << 48, 0x101, true), walk(1L << 48, Access.READ));
    }
}
