package kvasir.kvm.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import kvasir.kvm.HostConfig;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.Memslot;
import kvasir.kvm.VmType;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.kvm.invariant.Invariants;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Faults, pre-faults, conversions, slot changes, notifier events and dirty logging in random order, against a model
 * that knows nothing of tables: what each page may be mapped to.
 */
final class RandomOperationsTest {
    private static final int PAGES = 1536;
    private static final long READ = Pferr.GUEST_FINAL | Pferr.USER;
    private static final long WRITE = Pferr.GUEST_FINAL | Pferr.WRITE;

    private final SplittableRandom random = new SplittableRandom(7);

    @ParameterizedTest
    @ValueSource(strings = {"v6.11", "v6.16", "v6.19"})
    void ordinaryVm(String semantics) {
        for (int round = 0; round < 6; round++) {
            HostConfig host = Rig.host(
                    round % 3 == 2, round % 2 == 0, round % 2 == 0 && round % 3 != 2, round % 4 == 1, round % 5 != 0);
            var rig = new Rig(host, semantics, VmType.DEFAULT);
            long hva = rig.slot(0, 0, PAGES * 4096L, 0, false);
            run(rig, hva, Optional.empty());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v6.11", "v6.19"})
    void swProtectedVm(String semantics) {
        for (int round = 0; round < 6; round++) {
            var rig = new Rig(HostConfig.intel(), semantics, VmType.SW_PROTECTED);
            GuestMemfd file = rig.gmemSlot(0, 0, PAGES * 4096L);
            run(rig, rig.vm.memslots(0).byId(0).userspaceAddr(), Optional.of(file));
        }
    }

    private void run(Rig rig, long hva, Optional<GuestMemfd> file) {
        Map<Long, Boolean> written = new HashMap<>();
        for (int step = 0; step < 250; step++) {
            long page = random.nextLong(PAGES);
            long pages = Math.min(PAGES - page, 1 + random.nextLong(random.nextInt(4) == 0 ? 600 : 8));
            long start = page << 12;
            long end = (page + pages) << 12;
            switch (random.nextInt(file.isEmpty() ? 9 : 10)) {
                case 0, 1 -> settle(rig, start, READ);
                case 2, 3 -> {
                    settle(rig, start, WRITE);
                    written.put(page, true);
                }
                case 4 -> {
                    rig.vcpu().mmu().reload();
                    Rig.must(rig.map(start, end - start));
                    for (long p = page; p < page + pages; p++) {
                        assertEquals(
                                "leaf", rig.entry(p << 12).state().orElseThrow().name(), "pre-faulted");
                    }
                }
                case 5 -> {
                    Rig.must(rig.mm.dontneed(hva + start, hva + end));
                    for (long p = page; p < page + pages; p++) {
                        if (file.isEmpty() || !rig.vm.attributes().isPrivate(p)) {
                            assertEquals(Spte.EMPTY, lowest(rig, p), "the notifier has zapped it");
                        }
                    }
                }
                case 6 -> rig.mm.populate(hva + start, hva + end);
                case 7 -> {
                    if (file.isEmpty()) {
                        int flags = rig.vm.memslots(0).byId(0).flags() ^ Memslot.LOG_DIRTY_PAGES;
                        Rig.must(rig.vm.setUserMemoryRegion2(MemoryRegion.user(0, flags, 0, PAGES * 4096L, hva)));
                        written.clear();
                    }
                }
                case 8 -> {
                    if (file.isEmpty() && rig.vm.memslots(0).byId(0).logsDirty()) {
                        collect(rig, written);
                    } else if (file.isEmpty()) {
                        Rig.must(rig.deleteSlot(0));
                        Rig.must(rig.vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, PAGES * 4096L, hva)));
                        rig.vcpu().mmu().reload();
                    }
                }
                default -> {
                    boolean toPrivate = random.nextBoolean();
                    Rig.must(rig.vm.setMemoryAttributes(start, end - start, toPrivate ? 8 : 0, 0));
                }
            }
            if (step % 8 == 0) {
                check(rig, hva, file);
            }
        }
    }

    /** Lets a page fault as often as a guest would. */
    private static void settle(Rig rig, long gpa, long access) {
        rig.vcpu().mmu().reload();
        for (int times = 0; times < 4; times++) {
            var entry = rig.entry(gpa);
            boolean allowed =
                    entry.leaf() && (access == WRITE ? Spte.isWritable(entry.raw) : SpteFormat.isReadable(entry.raw));
            if (allowed) {
                hardware(rig, gpa, access);
                return;
            }
            long code = access | (entry.leaf() && (entry.raw & 7) != 0 ? Pferr.PRESENT : 0);
            assertTrue(rig.vcpu().mmu().pageFault(gpa, code) > 0);
        }
        throw new AssertionError("the fault does not settle: " + rig.entry(gpa).picture());
    }

    /** What the processor does when the access goes through: A, and D for a write. */
    private static void hardware(Rig rig, long gpa, long access) {
        SpteFormat format = rig.mmu.format();
        var entry = rig.entry(gpa);
        if (!format.adDisabled()) {
            long set = format.accessedMask() | (access == WRITE ? format.dirtyMask() : 0);
            if (access == WRITE
                    && (entry.raw & format.dirtyMask()) == 0
                    && rig.vm.memslots(0).byId(0).logsDirty()) {
                rig.vm.markDirty(rig.vm.memslots(0).byId(0), gpa >>> 12);
            }
            rig.memory.write64(entry.sptep, entry.raw | set);
        }
    }

    /** GET_DIRTY_LOG: every page written since the last collection is in it. */
    private static void collect(Rig rig, Map<Long, Boolean> written) {
        var bitmap = rig.vm.memslots(0).byId(0).dirty().orElseThrow();
        for (long page : written.keySet()) {
            assertTrue(bitmap.get(page), "page " + page + " was written and is not reported");
        }
        Rig.must(rig.vm.getDirtyLog(0));
        written.clear();
    }

    private static long lowest(Rig rig, long page) {
        var entry = rig.entry(page << 12);
        return entry.present() && !entry.leaf() ? Spte.EMPTY : entry.raw;
    }

    private static void check(Rig rig, long hva, Optional<GuestMemfd> file) {
        long[] leaves = new long[4];
        SpteFormat format = rig.mmu.format();
        Memslot slot = rig.vm.memslots(0).byId(0);
        for (long page = 0; page < PAGES; ) {
            var entry = rig.entry(page << 12);
            if (entry.leaf()) {
                leaves[entry.level]++;
                long pages = Level.pages(entry.level);
                assertEquals(0, page % pages, "leaves are aligned");
                assertTrue(format.writableTripleIsLegal(entry.raw));
                boolean isPrivate = rig.vm.attributes().isPrivate(page);
                for (long i = 0; i < pages; i++) {
                    long pfn = Spte.pfn(entry.raw) + i;
                    assertEquals(isPrivate, rig.vm.attributes().isPrivate(page + i), "no leaf over mixed attributes");
                    if (isPrivate) {
                        assertEquals(file.orElseThrow().pageAt(page + i), pfn);
                    } else {
                        var pte = rig.mm.pte(hva + ((page + i) << 12)).orElseThrow();
                        assertEquals(pte.pfnAt((hva >>> 12) + page + i), pfn, "maps what the host maps");
                        assertTrue(pte.writable() || !format.isHostWritable(entry.raw));
                    }
                }
                page += pages;
            } else {
                assertNotEquals(Spte.FROZEN, entry.raw);
                page += Level.pages(entry.level) - (page & (Level.pages(entry.level) - 1));
            }
        }
        assertEquals(Optional.empty(), new Invariants(rig.kvm).firstViolation());
        for (int level = 1; level <= 3; level++) {
            assertEquals(leaves[level], rig.mmu.stats().pages(level), "pages_" + Level.name(level));
        }
        assertTrue(slot.exists());
        assertEquals(
                rig.mmu.roots().size(),
                rig.mmu.roots().stream().filter(r -> r.references > 0).count());
    }
}
