package kvasir.kvm.mm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.kvm.Errno;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Seams;
import kvasir.metal.memory.PhysicalMemory;
import org.junit.jupiter.api.Test;

/** The VMM's address space: which page-table entries exist, and what its notifiers hear. */
class MmTest {
    private static final long PAGE = 4096;
    private static final long BLOCK = 2 << 20;

    private final PhysicalMemory memory = new PhysicalMemory(4L << 40);
    private final HostPages pages = new HostPages(memory);
    private final Mm mm = new Mm(memory, pages, Seams.SEQUENTIAL, new kvasir.event.Events(), true);

    private long map(Vma like, long count) {
        return mm.mmap(Optional.empty(), 0, count, like);
    }

    private String entry(long hva) {
        return mm.pte(hva)
                .map(e -> "level " + e.level() + (e.writable() ? " rw " : " r ") + e.kind())
                .orElse("none");
    }

    private static Optional<Errno> errno(IoctlResult result) {
        return result instanceof IoctlResult.Err err ? Optional.of(err.errno()) : Optional.empty();
    }

    @Test
    void aReadOfUntouchedMemoryMapsTheZeroPage() {
        long hva = map(Mm.anonymous(false), 2);
        long first = mm.gup(hva, false);
        assertFalse(Pfn.writable(first));
        assertEquals(first, mm.gup(hva + PAGE, false), "one zero page for all");
        assertEquals("level 1 r ZERO", entry(hva));
    }

    @Test
    void aWriteBreaksCopyOnWriteAndTellsTheNotifier() {
        long hva = map(Mm.anonymous(false), 1);
        long zero = mm.gup(hva, false);
        List<String> heard = listen();
        long own = mm.gup(hva, true);
        assertNotEquals(Pfn.pfn(zero), Pfn.pfn(own));
        assertTrue(Pfn.writable(own));
        assertEquals(List.of("start 0..1000", "end 0..1000"), relative(heard, hva));
        assertEquals(own, mm.gup(hva, false), "a later read finds it writable");
    }

    @Test
    void hugePagesWhereTheyFit() {
        long hva = map(Mm.anonymous(true), 1024);
        mm.gup(hva + PAGE, true);
        assertEquals("level 2 rw ANON", entry(hva));
        mm.gup(hva + BLOCK, false);
        assertEquals("level 2 r ZERO", entry(hva + BLOCK));
        long small = map(Mm.anonymous(true), 511);
        mm.gup(small, true);
        assertEquals("level 1 rw ANON", entry(small));
    }

    @Test
    void sharedFilesAreWritableAfterARead() {
        long hva = map(Mm.mapping(mm.memfd(512, 2, false), 0, true), 512);
        assertTrue(Pfn.writable(mm.gup(hva, false)));
        assertEquals("level 2 rw FILE", entry(hva));
    }

    @Test
    void privateFilesAreCopiedWhenWritten() {
        HostFile file = mm.memfd(1, 1, false);
        long shared = map(Mm.mapping(file, 0, true), 1);
        assertTrue(mm.write(shared, new byte[] {7}, 0, 1));
        long hva = map(Mm.mapping(file, 0, false), 1);
        long clean = mm.gup(hva, false);
        assertFalse(Pfn.writable(clean));
        assertTrue(mm.write(hva, new byte[] {8}, 0, 1));
        assertEquals("level 1 rw ANON", entry(hva));
        assertEquals(7, memory.read8(Pfn.pfn(clean) << 12), "the file keeps its own");
    }

    @Test
    void munmapOfPartOfAHugePageLeavesSmallEntries() {
        long hva = map(Mm.anonymous(true), 512);
        mm.gup(hva, true);
        List<String> heard = listen();
        assertTrue(mm.munmap(hva, hva + PAGE).succeeded());
        // splitting the huge entry tells of its whole block (huge_memory.c, __split_huge_pmd), before the page goes
        assertEquals(List.of("start 0..200000", "end 0..200000", "start 0..1000", "end 0..1000"), relative(heard, hva));
        assertEquals("none", entry(hva));
        assertEquals("level 1 rw ANON", entry(hva + PAGE));
        assertEquals(Pfn.FAULT, mm.gup(hva, false));
    }

    @Test
    void mprotectTellsTheNotifierOnlyIfSomethingIsMapped() {
        long hva = map(Mm.anonymous(false), 2);
        List<String> heard = listen();
        assertTrue(mm.mprotect(hva, hva + PAGE, true, false).succeeded());
        assertEquals(List.of(), heard);
        assertEquals(Pfn.FAULT, mm.gup(hva, true));
        mm.gup(hva + PAGE, true);
        assertTrue(mm.mprotect(hva + PAGE, hva + 2 * PAGE, true, false).succeeded());
        assertEquals(2, heard.size());
        assertEquals("level 1 r ANON", entry(hva + PAGE));
    }

    @Test
    void mprotectOfWhatIsProtectedSoAlreadyTellsNobody() {
        long hva = map(Mm.anonymous(false), 2);
        mm.gup(hva, true);
        List<String> heard = listen();
        assertTrue(mm.mprotect(hva, hva + PAGE, true, true).succeeded());
        assertEquals(List.of(), heard);
    }

    /** Three mappings with a hole after the first two, which have pages at 0 and 1. */
    private long hole() {
        long hva = map(Mm.anonymous(false), 5);
        mm.mmap(Optional.of(hva + PAGE), 0, 1, Mm.mapping(mm.memfd(1, 1, false), 0, true));
        mm.populate(hva, hva + 5 * PAGE);
        mm.munmap(hva + 2 * PAGE, hva + 3 * PAGE);
        return hva;
    }

    /** mprotect.c, do_mprotect_pkey: what lies before the hole is done, mapping by mapping. */
    @Test
    void mprotectStopsAtAHole() {
        long hva = hole();
        List<String> heard = listen();
        assertEquals(Optional.of(Errno.ENOMEM), errno(mm.mprotect(hva, hva + 5 * PAGE, true, false)));
        assertEquals(
                List.of("start 0..1000", "end 0..1000", "start 1000..2000", "end 1000..2000"), relative(heard, hva));
        assertEquals("level 1 r ANON", entry(hva));
        assertEquals("level 1 r FILE", entry(hva + PAGE));
        assertEquals("level 1 rw ANON", entry(hva + 3 * PAGE));
        assertEquals(Optional.of(Errno.ENOMEM), errno(mm.mprotect(hva + 2 * PAGE, hva + 5 * PAGE, true, false)));
        assertEquals("level 1 rw ANON", entry(hva + 3 * PAGE), "a hole at the beginning");
    }

    /** madvise.c, madvise_walk_vmas: the advice goes on behind the hole. */
    @Test
    void madviseStepsOverAHole() {
        long hva = hole();
        List<String> heard = listen();
        assertEquals(Optional.of(Errno.ENOMEM), errno(mm.dontneed(hva, hva + 6 * PAGE)));
        assertEquals(
                List.of(
                        "start 0..1000",
                        "end 0..1000",
                        "start 1000..2000",
                        "end 1000..2000",
                        "start 3000..5000",
                        "end 3000..5000"),
                relative(heard, hva));
        assertEquals("none", entry(hva + 4 * PAGE));
        assertEquals(Optional.of(Errno.ENOMEM), errno(mm.adviseHuge(hva, hva + 5 * PAGE, false)));
        assertFalse(mm.vmaAt(hva + 3 * PAGE >>> 12).orElseThrow().huge());
    }

    @Test
    void lengthsAreRoundedUpAndNoneIsNoError() {
        long hva = map(Mm.anonymous(false), 3);
        mm.populate(hva, hva + 3 * PAGE);
        assertTrue(mm.mprotect(hva, hva, true, false).succeeded());
        assertTrue(mm.dontneed(hva, hva).succeeded());
        assertEquals("level 1 rw ANON", entry(hva));
        assertTrue(mm.mprotect(hva, hva + 1, true, false).succeeded());
        assertEquals("level 1 r ANON", entry(hva));
        assertTrue(mm.dontneed(hva + PAGE, hva + PAGE + 1).succeeded());
        assertEquals("none", entry(hva + PAGE));
        assertTrue(mm.munmap(hva, hva + 1).succeeded());
        assertEquals(Optional.of(Errno.EINVAL), errno(mm.munmap(hva, hva)));
        assertEquals(Optional.of(Errno.EINVAL), errno(mm.mprotect(hva + 1, hva + PAGE, true, false)));
        assertEquals(Optional.of(Errno.EINVAL), errno(mm.dontneed(hva + 1, hva + PAGE)));
        assertEquals(Optional.of(Errno.ENOMEM), errno(mm.mprotect(-PAGE, -PAGE + 1, true, false)), "no user address");
    }

    /** change_pud_range: the range told begins with the first GiB that has page tables, and ends with the mapping. */
    @Test
    void mprotectTellsFromTheFirstGigabyteWithPageTables() {
        long hva = map(Mm.anonymous(false), 3 << 18);
        mm.gup(hva + (1L << 30) + (5 << 20), true);
        List<String> heard = listen();
        assertTrue(mm.mprotect(hva, hva + (3L << 30), true, false).succeeded());
        assertEquals(List.of("start 40000000..c0000000", "end 40000000..c0000000"), relative(heard, hva));
    }

    /** zap_page_range_single tells first, and splitting the huge entry tells within. */
    @Test
    void dontneedOfPartOfAHugePage() {
        long hva = map(Mm.anonymous(true), 512);
        mm.gup(hva, true);
        List<String> heard = listen();
        assertTrue(mm.dontneed(hva, hva + PAGE).succeeded());
        assertEquals(List.of("start 0..1000", "start 0..200000", "end 0..200000", "end 0..1000"), relative(heard, hva));
    }

    @Test
    void hugetlbPagesAreNotCut() {
        long hva = map(Mm.mapping(mm.memfd(1024, 2, true), 0, true), 1024);
        mm.populate(hva, hva + 1024 * PAGE);
        assertEquals(Optional.of(Errno.EINVAL), errno(mm.mprotect(hva, hva + PAGE, true, false)));
        assertTrue(mm.mprotect(hva, hva + PAGE, true, true).succeeded(), "nothing to change, nothing to cut");
        assertEquals(Optional.of(Errno.EINVAL), errno(mm.dontneed(hva + PAGE, hva + 512 * PAGE)));
        assertTrue(mm.dontneed(hva, hva + 600 * PAGE).succeeded(), "the end is rounded down");
        assertEquals("none", entry(hva));
        assertEquals("level 2 rw FILE", entry(hva + 512 * PAGE));
    }

    @Test
    void dontneedLosesAnonymousPagesAndKeepsFiles() {
        long anonymous = map(Mm.anonymous(false), 1);
        mm.write(anonymous, new byte[] {1}, 0, 1);
        long used = pages.used();
        mm.dontneed(anonymous, anonymous + PAGE);
        assertEquals(used - 1, pages.used());
        long file = map(Mm.mapping(mm.memfd(1, 1, false), 0, true), 1);
        mm.write(file, new byte[] {1}, 0, 1);
        mm.dontneed(file, file + PAGE);
        var read = new byte[1];
        assertTrue(mm.read(file, read, 0, 1));
        assertEquals(1, read[0]);
    }

    @Test
    void populateWritesPrivateMemoryAndReadsSharedMemory() {
        long anonymous = map(Mm.anonymous(false), 4);
        mm.populate(anonymous, anonymous + 4 * PAGE);
        assertEquals("level 1 rw ANON", entry(anonymous + 3 * PAGE));
        assertEquals(1, mm.ptes(anonymous, anonymous + 4 * PAGE).size(), "one run");
    }

    @Test
    void aPoisonedPageStaysRefused() {
        long hva = map(Mm.anonymous(false), 1);
        mm.gup(hva, true);
        mm.poison(hva);
        assertEquals(Pfn.HWPOISON, mm.gup(hva, false));
    }

    @Test
    void hugetlbCannotBeCut() {
        long hva = map(Mm.mapping(mm.memfd(512, 2, true), 0, true), 512);
        IoctlResult result = mm.munmap(hva, hva + PAGE);
        assertTrue(result instanceof IoctlResult.Err err && err.errno() == Errno.EINVAL);
    }

    @Test
    void pagesFaultedInOrderAreOneRun() {
        long count = 1 << 20;
        long hva = map(Mm.anonymous(false), count);
        mm.populate(hva, hva + count * PAGE);
        assertEquals(1, mm.ptes(hva, hva + count * PAGE).size());
        assertEquals(0, memory.framesInUse(), "memory never written takes nothing");
    }

    private List<String> listen() {
        var heard = new ArrayList<String>();
        mm.register(new MmuNotifier() {
            @Override
            public void invalidateRangeStart(long start, long end) {
                heard.add("start %x..%x".formatted(start, end));
            }

            @Override
            public void invalidateRangeEnd(long start, long end) {
                heard.add("end %x..%x".formatted(start, end));
            }

            @Override
            public boolean young(long start, long end, boolean clear) {
                return false;
            }
        });
        return heard;
    }

    private static List<String> relative(List<String> heard, long base) {
        return heard.stream()
                .map(line -> {
                    String[] parts = line.split(" ", -1);
                    String[] range = parts[1].split("\\.\\.", -1);
                    return "%s %x..%x"
                            .formatted(
                                    parts[0], Long.parseLong(range[0], 16) - base, Long.parseLong(range[1], 16) - base);
                })
                .toList();
    }
}
