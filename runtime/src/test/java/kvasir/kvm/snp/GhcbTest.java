package kvasir.kvm.snp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvasir.kvm.Seams;
import kvasir.kvm.snp.PageStateChangeList.Step;
import kvasir.metal.memory.PhysicalMemory;
import org.junit.jupiter.api.Test;

/** The GHCB specification's values, and what KVM's sev.c makes of them. */
final class GhcbTest {
    private static final long BUFFER = 0x1800;

    private final PhysicalMemory memory = new PhysicalMemory(1 << 20);
    private final PageStateChangeList list =
            new PageStateChangeList(memory, BUFFER, PageStateChangeList.MAX_ENTRIES, Seams.SEQUENTIAL, true);

    private void header(int current, int end) {
        memory.write16(BUFFER, (short) current);
        memory.write16(BUFFER + 2, (short) end);
    }

    private void entry(int index, long gfn, int operation, boolean large, int done) {
        memory.write64(BUFFER + 8 + 8L * index, done | gfn << 12 | (long) operation << 52 | (large ? 1L << 56 : 0));
    }

    private int currentEntry() {
        return memory.read16(BUFFER) & 0xffff;
    }

    @Test
    void neighboursOfOneKindAreOneExit() {
        header(0, 3);
        entry(0, 0x10, 1, false, 0);
        entry(1, 0x11, 1, false, 0);
        entry(2, 0x12, 2, false, 0);
        entry(3, 0x200, 1, true, 0);
        assertEquals(new Step.MapGpaRange(0x10000, 2, 0x10), list.next());
        assertEquals(new Step.MapGpaRange(0x12000, 1, 0), list.complete(0));
        assertEquals(2, currentEntry());
        assertEquals(new Step.MapGpaRange(0x20_0000, 512, 0x11), list.complete(0));
        assertEquals(new Step.Finished(0), list.complete(0));
        assertEquals(4, currentEntry());
        assertEquals(512, memory.read64(BUFFER + 8 + 24) & 0xfff);
    }

    @Test
    void theEndIsAnInclusiveIndex() {
        header(0, 252);
        assertEquals(new Step.MapGpaRange(0, 1, 0x10), first());
        header(0, 253);
        assertEquals(new Step.Finished(0x1_0000_0001L), list.next());
    }

    private Step first() {
        for (int i = 0; i <= 252; i++) {
            entry(i, 2L * i, 1, false, 0);
        }
        return list.next();
    }

    @Test
    void invalidEntries() {
        header(0, 0);
        entry(0, 0x201, 1, true, 0);
        assertEquals(new Step.Finished(0x1_0000_0002L), list.next());
        entry(0, 0x10, 1, false, 2);
        assertEquals(new Step.Finished(0x1_0000_0002L), list.next());
    }

    @Test
    void aHalfDone2MEntryGoesOnAs4K() {
        header(0, 0);
        entry(0, 0x200, 2, true, 100);
        assertEquals(new Step.MapGpaRange((0x200L + 100) << 12, 412, 0), list.next());
    }

    @Test
    void smashAndUnsmashAreDoneWithoutAnyAction() {
        header(0, 2);
        entry(0, 0x200, 3, true, 0);
        entry(1, 0x400, 4, true, 0);
        entry(2, 0x10, 2, false, 0);
        assertEquals(new Step.MapGpaRange(0x10000, 1, 0), list.next());
        assertEquals(2, currentEntry());
        header(0, 0);
        entry(0, 0x200, 3, true, 0);
        assertEquals(new Step.Finished(0), list.next(), "SMASH at the end of the list");
    }

    @Test
    void aRefusalOfUserSpaceIsAGenericError() {
        header(0, 0);
        entry(0, 0x10, 1, false, 0);
        list.next();
        assertEquals(new Step.Finished(0x0000_0100_0000_0000L), list.complete(-22));
        assertEquals(0, currentEntry());
    }

    @Test
    void msrProtocol() {
        assertEquals(0x0002_0001_3300_0001L, GhcbMsr.sevInformation(2));
        assertEquals(new GhcbMsr.Answer.Value(GhcbMsr.sevInformation(2)), answer(0x002));
        assertEquals(new GhcbMsr.Answer.Value(-1L << 12 | 0x011), answer(0x010));
        assertEquals(new GhcbMsr.Answer.Registered(0x123, 0x123013), answer(0x123012));
        assertEquals(new GhcbMsr.Answer.Value(0x3081), answer(0x080));
        assertEquals(new GhcbMsr.Answer.MapGpaRange(0x7000, false), answer(2L << 52 | 0x7014));
        assertEquals(new GhcbMsr.Answer.Value(0x8000_0000_0000_0015L), answer(3L << 52 | 0x7014));
        assertEquals(
                new GhcbMsr.Answer.Value(0x8000_0000_0000_0015L),
                GhcbMsr.handle(1L << 52 | 0x7014, false, 2).orElseThrow());
        assertEquals(new GhcbMsr.Answer.Terminate(1, 3), answer(0x3_1100));
        var cpuid = new GhcbMsr.Answer.Cpuid(0x8000_001f, 1);
        assertEquals(cpuid, answer(0x8000_001fL << 32 | 1L << 30 | 0x004));
        assertEquals(0x33L << 32 | 1L << 30 | 0x005, GhcbMsr.cpuid(cpuid, 0x33));
        assertTrue(GhcbMsr.handle(0xfff, true, 2).isEmpty());
    }

    private static GhcbMsr.Answer answer(long msr) {
        return GhcbMsr.handle(msr, true, 2).orElseThrow();
    }
}
