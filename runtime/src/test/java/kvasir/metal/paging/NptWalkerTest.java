package kvasir.metal.paging;

import static org.junit.jupiter.api.Assertions.assertEquals;

import kvasir.metal.memory.PhysicalMemory;
import org.junit.jupiter.api.Test;

final class NptWalkerTest {
    private static final long ROOT = 0x10_0000;
    private static final long FRAME = 0x7654_3000L;
    private final PhysicalMemory memory = new PhysicalMemory(1L << 40);
    private final NptWalker walker = new NptWalker(ROOT, 4, 48, 0);

    private void leaf(long leaf) {
        memory.write64(ROOT, 0x827 + ROOT + 0x1000);
        memory.write64(ROOT + 0x1000, 0x827 + ROOT + 0x2000);
        memory.write64(ROOT + 0x2000, 0x827 + ROOT + 0x3000);
        memory.write64(ROOT + 0x3000, leaf);
    }

    @Test
    void aWritableLeafOfKvm() {
        leaf(0xe67 + FRAME);
        for (Access access : Access.values()) {
            assertEquals(new SecondStageResult.Mapped(FRAME + 5, 1), walker.translate(memory, 5, access, false));
        }
        assertEquals("4K rwx user A D -> 0x76543000", new X86Entry(memory.read64(ROOT + 0x3000)).text(1));
    }

    @Test
    void notPresent() {
        leaf(0);
        assertEquals(
                new SecondStageResult.NestedFault(5, 0x1_0000_0004L), walker.translate(memory, 5, Access.READ, false));
        assertEquals(
                new SecondStageResult.NestedFault(5, 0x1_0000_0006L), walker.translate(memory, 5, Access.WRITE, false));
        assertEquals(
                new SecondStageResult.NestedFault(5, 0x1_0000_0014L), walker.translate(memory, 5, Access.FETCH, false));
    }

    @Test
    void aTableWalkIsAWrite() {
        leaf(0xe65 + FRAME);
        assertEquals(
                new SecondStageResult.NestedFault(0, 0x2_0000_0007L), walker.translate(memory, 0, Access.READ, true));
        assertEquals(new SecondStageResult.Mapped(FRAME, 1), walker.translate(memory, 0, Access.READ, false));
    }

    @Test
    void supervisorPagesAreRefused() {
        leaf(0xe63 + FRAME);
        assertEquals(
                new SecondStageResult.NestedFault(0, 0x1_0000_0005L), walker.translate(memory, 0, Access.READ, false));
    }

    @Test
    void reservedBitsAndNoExecute() {
        leaf(0xe67 + FRAME + (1L << 51));
        assertEquals(
                new SecondStageResult.NestedFault(0, 0x1_0000_000dL), walker.translate(memory, 0, Access.READ, false));
        leaf(0xe67 + FRAME | X86Entry.NX);
        assertEquals(
                new SecondStageResult.NestedFault(0, 0x1_0000_0015L), walker.translate(memory, 0, Access.FETCH, false));
    }

    @Test
    void theEncryptionBitIsNoAddressBit() {
        leaf(0xe67 + FRAME + (1L << 51));
        var encrypted = new NptWalker(ROOT, 4, 48, 1L << 51);
        assertEquals(new SecondStageResult.Mapped(FRAME, 1), encrypted.translate(memory, 0, Access.READ, false));
    }
}
