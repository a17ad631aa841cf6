package kvasir.kvm.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import kvasir.metal.memory.PhysicalMemory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class TdpIteratorTest {
    private final PhysicalMemory memory = new PhysicalMemory(1L << 30);
    private final SpteFormat ept = SpteFormat.ept(true, false, true);
    private final TdpIterator iterator = new TdpIterator(memory);

    /** Root 16 -> 17 -> 18 -> tables 19 (gfn 0) and 20 (gfn 0x400); a 2M leaf at gfn 0x200. */
    @BeforeEach
    void tables() {
        for (int pfn = 16; pfn <= 20; pfn++) {
            memory.fillFrame(pfn, Spte.EMPTY);
        }
        memory.write64(16 << 12, ept.nonLeaf(17));
        memory.write64(17 << 12, ept.nonLeaf(18));
        memory.write64(18 << 12, ept.nonLeaf(19));
        memory.write64((18 << 12) + 8, ept.leaf(0x200, 2, 7, true, false, false));
        memory.write64((18 << 12) + 16, ept.nonLeaf(20));
        memory.write64((20 << 12) + 8, ept.leaf(0x99, 1, 7, true, false, false));
    }

    private static Root root(long gfnBits) {
        return new Root(16, PageRole.tdpRoot(4, false, false, false), "vm.ept", gfnBits);
    }

    private List<String> walk(long start, long end, int minLevel) {
        var seen = new ArrayList<String>();
        for (iterator.start(root(0), minLevel, start); iterator.valid && iterator.gfn < end; iterator.next()) {
            seen.add(Level.name(iterator.level) + "@" + Long.toHexString(iterator.gfn));
        }
        return seen;
    }

    @Test
    void theWalkIsPreOrder() {
        assertEquals(
                List.of("512G@0", "1G@0", "2M@0", "4K@1ff", "2M@200", "2M@400", "4K@400", "4K@401"),
                walk(0x1ff, 0x402, 1));
    }

    @Test
    void theMinimumLevelIsNotGoneBelow() {
        assertEquals(List.of("512G@0", "1G@0", "2M@0", "2M@200", "2M@400", "2M@600"), walk(0, 0x601, 2));
    }

    @Test
    void anEntryIsReadAgainBeforeSteppingDown() {
        iterator.start(root(0), 1, 0x400);
        iterator.next();
        iterator.next();
        assertEquals(2, iterator.level);
        memory.write64(iterator.sptep, Spte.EMPTY);
        iterator.next();
        assertEquals(2, iterator.level);
        assertEquals(0x600, iterator.gfn);
    }

    @Test
    void afterAYieldTheWalkRestartsAtTheTargetAndDoesNotSkipIt() {
        iterator.start(root(0), 1, 0x400);
        while (iterator.level > 1) {
            iterator.next();
        }
        assertFalse(iterator.mayYield(), "no progress since the start");
        iterator.next();
        assertEquals(0x401, iterator.gfn);
        assertTrue(iterator.mayYield());
        iterator.markYielded();
        iterator.next();
        assertEquals(4, iterator.level);
        assertFalse(iterator.mayYield(), "nothing gained since the last yield");
        while (iterator.level > 1) {
            iterator.next();
        }
        assertEquals(0x401, iterator.gfn, "the target, not the entry after it");
    }

    @Test
    void directBitsSelectEntriesButAreNotPartOfTheGfn() {
        long sharedBit = 1L << (47 - 12);
        memory.write64((16 << 12) + 8 * 256, ept.nonLeaf(17));
        iterator.start(root(sharedBit), 1, 0x401);
        assertEquals((16 << 12) + 8 * 256, iterator.sptep);
        while (iterator.level > 1) {
            iterator.next();
        }
        assertEquals(0x401, iterator.gfn);
        assertEquals((20 << 12) + 8, iterator.sptep);
    }
}
