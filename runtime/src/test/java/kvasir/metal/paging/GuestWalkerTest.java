package kvasir.metal.paging;

import static org.junit.jupiter.api.Assertions.assertEquals;

import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.paging.GuestWalker.Mode;
import org.junit.jupiter.api.Test;

final class GuestWalkerTest {
    private static final long ROOT = 0x1000;
    private final PhysicalMemory memory = new PhysicalMemory(1L << 40);

    private GuestWalker walker(Mode mode, SecondStageWalker stage) {
        return new GuestWalker(
                mode,
                ROOT,
                new GuestWalker.Pdptes(0x2001, 0, 0, 0),
                true,
                true,
                true,
                true,
                true,
                true,
                true,
                46,
                stage);
    }

    private void chain(long rights, long leaf) {
        memory.write64(0x1000, 0x2000 | rights);
        memory.write64(0x2000, 0x3000 | rights);
        memory.write64(0x3000, 0x4000 | rights);
        memory.write64(0x4000, leaf);
    }

    private GuestTranslation walk(Access access, boolean user) {
        return walker(Mode.LEVELS4, SecondStageWalker.NONE).translate(memory, 0x123, access, user, false, 0);
    }

    private static GuestTranslation fault(int errorCode) {
        return new GuestTranslation.PageFault(errorCode);
    }

    @Test
    void mapsAndSetsAccessedAndDirty() {
        chain(3, 0x9003);
        assertEquals(new GuestTranslation.Mapped(0x9123, 0x9123, false, false, 12), walk(Access.WRITE, false));
        assertEquals(0x9063, memory.read64(0x4000));
        assertEquals(0x2023, memory.read64(0x1000));
    }

    @Test
    void errorCodes() {
        chain(7, 0);
        assertEquals(fault(0), walk(Access.READ, false));
        assertEquals(fault(2), walk(Access.WRITE, false));
        assertEquals(fault(0x14), walk(Access.FETCH, true));
        chain(7, 0x9001);
        assertEquals(fault(5), walk(Access.READ, true));
        assertEquals(fault(3), walk(Access.WRITE, false));
        chain(7, 0x9005);
        assertEquals(fault(7), walk(Access.WRITE, true));
        chain(7, 0x9003 | X86Entry.NX);
        assertEquals(fault(0x11), walk(Access.FETCH, false));
        chain(7, 0x9003 | 1L << 50);
        assertEquals(fault(9), walk(Access.READ, false));
    }

    @Test
    void aRefusedAccessLeavesTheEntriesAlone() {
        chain(7, 0x9001);
        walk(Access.WRITE, true);
        assertEquals(0x9001, memory.read64(0x4000));
        assertEquals(0x2007, memory.read64(0x1000));
    }

    @Test
    void smapAndSmep() {
        chain(7, 0x9007);
        assertEquals(fault(1), walk(Access.READ, false));
        assertEquals(fault(0x11), walk(Access.FETCH, false));
        assertEquals(
                new GuestTranslation.Mapped(0x9123, 0x9123, true, false, 12),
                walker(Mode.LEVELS4, SecondStageWalker.NONE).translate(memory, 0x123, Access.READ, false, true, 0));
    }

    @Test
    void protectionKeys() {
        chain(7, 0x9007 | 3L << 59);
        var walker = walker(Mode.LEVELS4, SecondStageWalker.NONE);
        assertEquals(fault(0x25), walker.translate(memory, 0, Access.READ, true, false, 1 << 6));
        assertEquals(fault(0x27), walker.translate(memory, 0, Access.WRITE, true, false, 2 << 6));
        assertEquals(
                new GuestTranslation.Mapped(0x9000, 0x9000, true, false, 12),
                walker.translate(memory, 0, Access.READ, true, false, 2 << 6));
    }

    @Test
    void theKeyIsToldWhateverElseRefuses() {
        chain(5, 0x9005 | 3L << 59);
        var walker = walker(Mode.LEVELS4, SecondStageWalker.NONE);
        assertEquals(fault(0x27), walker.translate(memory, 0, Access.WRITE, true, false, 1 << 6));
        assertEquals(fault(7), walker.translate(memory, 0, Access.WRITE, true, false, 0));
        chain(3, 0x9003 | 3L << 59);
        assertEquals(fault(7), walker.translate(memory, 0, Access.WRITE, true, false, 1 << 6));
    }

    @Test
    void largePages() {
        chain(3, 0);
        memory.write64(0x3000, 0x4000_0083L);
        assertEquals(
                new GuestTranslation.Mapped(0x4000_0123L, 0x4000_0123L, false, false, 21), walk(Access.READ, false));
        memory.write64(0x3000, 0x4000_2083L);
        assertEquals(fault(9), walk(Access.READ, false));
        memory.write64(0x2000, 0x8000_0083L);
        assertEquals(
                new GuestTranslation.Mapped(0x8000_0123L, 0x8000_0123L, false, false, 30), walk(Access.READ, false));
        memory.write64(0x1000, 0x2083);
        assertEquals(fault(9), walk(Access.READ, false));
    }

    @Test
    void fiveLevelsPaeAndThirtyTwoBits() {
        memory.write64(0x1000, 0x5003);
        memory.write64(0x5000, 0x6003);
        memory.write64(0x6000, 0x7003);
        memory.write64(0x7000, 0x8003);
        memory.write64(0x8000, 0x9103);
        assertEquals(
                new GuestTranslation.Mapped(0x9123, 0x9123, false, true, 12),
                walker(Mode.LEVELS5, SecondStageWalker.NONE).translate(memory, 0x123, Access.READ, false, false, 0));
        memory.write64(0x2000, 0x3003);
        memory.write64(0x3000, 0xa003);
        assertEquals(
                new GuestTranslation.Mapped(0xa123, 0xa123, false, false, 12),
                walker(Mode.PAE, SecondStageWalker.NONE).translate(memory, 0x123, Access.READ, false, false, 0));
        assertEquals(
                fault(0),
                walker(Mode.PAE, SecondStageWalker.NONE).translate(memory, 1L << 30, Access.READ, false, false, 0));
        memory.write32(0x1004, 0x00c0_6083);
        var legacy = walker(Mode.BITS32, SecondStageWalker.NONE);
        assertEquals(
                new GuestTranslation.Mapped(0x3_00c5_6789L, 0x3_00c5_6789L, false, false, 22),
                legacy.translate(memory, 0x45_6789L, Access.READ, false, false, 0));
    }

    @Test
    void aTableThatTheSecondStageDoesNotMap() {
        long eptRoot = 0x10_0000;
        memory.write64(eptRoot, 0x907 + 0x10_1000);
        memory.write64(0x10_1000, 0x907 + 0x10_2000);
        memory.write64(0x10_2000, 0x907 + 0x10_3000);
        memory.write64(0x10_3000 + 8, 0xb77 + 0x20_0000); // gpa 0x1000: the root
        memory.write64(0x20_0000, 0x2007);
        var walker = walker(Mode.LEVELS4, new EptWalker(eptRoot | 0x5e, 46, true));
        assertEquals(
                new GuestTranslation.Refused(new SecondStageResult.Violation(0x2000, 3, false), true),
                walker.translate(memory, 0, Access.READ, false, false, 0));
    }
}
