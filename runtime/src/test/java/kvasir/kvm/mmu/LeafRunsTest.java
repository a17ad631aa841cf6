package kvasir.kvm.mmu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertIterableEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import kvasir.event.Event;
import kvasir.kvm.GfnRange;
import kvasir.kvm.HostConfig;
import kvasir.kvm.KernelLock.Mode;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.VendorOps;
import kvasir.kvm.VmType;
import kvasir.registry.Bytes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole tables change as their entries would one by one, which is how they change as soon as somebody listens. */
final class LeafRunsTest {
    private static final long M = 1 << 20;
    private static final long BYTES = 12 * M;
    private static final long SHARED = 1L << 47;

    private static HostConfig host(boolean npt) {
        return Rig.host(npt, true, false, false, false);
    }

    /** Two slots, a hole and a written page, with no listener yet. */
    private static Rig rig(HostConfig host) {
        var rig = new Rig(host, "v6.19", VmType.DEFAULT);
        populate(rig, 0, 0);
        return rig;
    }

    private static void populate(Rig rig, int id, long gpa) {
        rig.slot(id, gpa & 0xffff_ffffL, BYTES, 0, false);
        rig.fault(gpa + 9 * M, Pferr.WRITE);
        for (long offset = 0x3000; offset < 8 * M; offset += 4096) {
            if (offset < 4 * M || offset >= 6 * M) {
                rig.fault(gpa + offset, 0);
            }
        }
        rig.fault(gpa + 9 * M + 0x7000, 0);
    }

    /** Every entry of the first slot and the counters. */
    private static long[] after(boolean listened, HostConfig host, Consumer<Rig> change) {
        Rig rig = rig(host);
        if (listened) {
            rig.record(Event.class);
        }
        change.accept(rig);
        int pages = (int) (BYTES >>> 12);
        var raw = new long[pages + 3];
        for (int page = 0; page < pages; page++) {
            raw[page] = rig.raw((long) page << 12);
        }
        raw[pages] = rig.mmu.stats().pages(Level.PG_4K);
        raw[pages + 1] = rig.mmu.tablePages();
        raw[pages + 2] = rig.kvm.pages().used();
        return raw;
    }

    private static void same(HostConfig host, Consumer<Rig> change) {
        long[] oneByOne = after(true, host, change);
        assertArrayEquals(oneByOne, after(false, host, change));
    }

    private static void same(boolean npt, Consumer<Rig> change) {
        same(host(npt), change);
    }

    private static void zap(Rig rig, long start, long end) {
        var range = new GfnRange(rig.vm.memslots(0).byId(0), start >>> 12, end >>> 12, GfnRange.Filter.SHARED, true);
        rig.vm.mmuLock().lock(Mode.WRITE);
        rig.mmu.unmap(range);
        rig.vm.mmuLock().unlock(Mode.WRITE);
    }

    @ParameterizedTest
    @CsvSource({"0,0xc00000", "0,0x200000", "0x3000,0x4000", "0x5000,0x603000", "0x1ff000,0x201000", "0x901000,0xc00000"
    })
    void zapped(String start, String end) {
        same(false, rig -> zap(rig, Long.decode(start), Long.decode(end)));
        same(true, rig -> zap(rig, Long.decode(start), Long.decode(end)));
    }

    @Test
    void nothingOutsideTheRangeIsZapped() {
        long[] all = after(false, host(false), rig -> {});
        long[] left = after(false, host(false), rig -> zap(rig, 0x10_0000, 0x30_0000));
        for (int page = 0; page < BYTES >>> 12; page++) {
            assertEquals(page >= 0x100 && page < 0x300 ? Spte.EMPTY : all[page], left[page], "page " + page);
        }
    }

    private static void log(Rig rig, int flags) {
        var slot = rig.vm.memslots(0).byId(0);
        Rig.must(rig.vm.setUserMemoryRegion2(MemoryRegion.user(0, flags, 0, BYTES, slot.userspaceAddr())));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void loggedAndReported(boolean npt) {
        same(npt, rig -> log(rig, 1));
        same(npt, rig -> {
            log(rig, 1);
            rig.fault(9 * M, Pferr.WRITE);
            rig.fault(0x5000, Pferr.WRITE);
            rig.fault(0x20_0000, Pferr.WRITE);
            Rig.must(rig.vm.getDirtyLog(0));
        });
    }

    /** All 64 pages of a word dirty. */
    @Test
    void aFullWord() {
        same(false, rig -> {
            log(rig, 1);
            for (int page = 0; page < 130; page++) {
                rig.fault(6 * M + ((long) page << 12), Pferr.WRITE);
            }
            Rig.must(rig.vm.getDirtyLog(0));
        });
    }

    /** Tables that a reader still holds, each with its entries, after a change that took them out of the tree. */
    private static List<Long> unlinked(boolean listened, HostConfig host, Consumer<Rig> change) {
        Rig rig = rig(host);
        var tables = new TreeSet<Long>();
        rig.mmu.visitEntries((tree, gfn, level, table, spte) -> tables.add(table));
        if (listened) {
            rig.record(Event.class);
        }
        rig.mmu.tables.rcuReadLock();
        change.accept(rig);
        var words = new ArrayList<Long>();
        for (long table : tables) {
            assertTrue(rig.mmu.isFreed(table), "table " + table);
            for (int i = 0; i < Level.ENTRIES; i++) {
                words.add(rig.memory.read64((table << 12) + 8L * i));
            }
        }
        words.add(rig.mmu.stats().pages(Level.PG_4K));
        rig.mmu.tables.rcuReadUnlock();
        words.add(rig.mmu.tablePages());
        words.add(rig.kvm.pages().used());
        return words;
    }

    /** The root goes in passes by level, under mmu_lock held for reading, and every entry below it ends FROZEN. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void slotDeletedWithItsRoot(boolean npt) {
        Consumer<Rig> delete = rig -> {
            Rig.must(rig.deleteSlot(0));
            rig.vcpu().mmu().reload();
        };
        List<Long> words = unlinked(false, host(npt), delete);
        assertIterableEquals(unlinked(true, host(npt), delete), words);
        // 4 tables of level 1, one of levels 2 and 3; the root itself is emptied
        assertEquals(6 * 512, words.stream().filter(word -> word == Spte.FROZEN).count());
        assertEquals(0, words.get(words.size() - 3), "no leaf is counted any more");
        assertEquals(1, words.get(words.size() - 2), "the new root");
    }

    /** The VM ends: mmu_lock held for writing, where entries that are not present stay as they are. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everythingZapped(boolean npt) {
        same(npt, rig -> rig.mmu.zapAll());
    }

    /** A huge page takes the place of a table that is full, and of one with holes. */
    @Test
    void tableReplacedByALeaf() {
        var host = Rig.host(false, true, false, false, true);
        Consumer<Rig> collapse = rig -> {
            log(rig, 1);
            rig.fault(9 * M + 0x9000, Pferr.WRITE);
            log(rig, 0);
            rig.fault(9 * M, Pferr.WRITE);
        };
        same(host, collapse);
    }

    /** An invalid root whose zap has not begun is zapped by a range too. */
    @Test
    void invalidRoot() {
        Consumer<Rig> change = rig -> {
            rig.vm.mmuLock().lock(Mode.WRITE);
            rig.mmu.invalidateRoots(RootTypes.DIRECT);
            rig.vm.mmuLock().unlock(Mode.WRITE);
            zap(rig, 0x5000, 0x60_3000);
        };
        assertArrayEquals(entries(true, host(false), change), entries(false, host(false), change));
    }

    /** The shared half of a TD, whose entries are reached through the shared bit. */
    @Test
    void sharedTreeOfATd() {
        assertIterableEquals(shared(true), shared(false));
        assertEquals(1535 - 513, shared(false).getLast(), "pages mapped less pages zapped");
    }

    private static List<Long> shared(boolean listened) {
        var rig = new Rig(host(false), "v6.19", VmType.TDX);
        rig.vm.attach(new VendorOps() {
            @Override
            public long gfnDirectBits() {
                return SHARED >>> 12;
            }
        });
        populate(rig, 0, SHARED);
        if (listened) {
            rig.record(Event.class);
        }
        zap(rig, 0x10_0000, 0x30_1000);
        return allEntries(rig);
    }

    /** SMM has a root of its own, and a slot of its address space is zapped in that only. */
    @Test
    void systemManagementRoot() {
        assertIterableEquals(smm(true), smm(false));
    }

    private static List<Long> smm(boolean listened) {
        Rig rig = rig(host(false));
        rig.vcpu().systemManagement().change(true);
        populate(rig, 1 << 16, 0);
        if (listened) {
            rig.record(Event.class);
        }
        var range = new GfnRange(rig.vm.memslots(1).byId(0), 0x100, 0x801, GfnRange.Filter.SHARED, true);
        rig.vm.mmuLock().lock(Mode.WRITE);
        rig.mmu.unmap(range);
        rig.vm.mmuLock().unlock(Mode.WRITE);
        return allEntries(rig);
    }

    private static long[] entries(boolean listened, HostConfig host, Consumer<Rig> change) {
        Rig rig = rig(host);
        if (listened) {
            rig.record(Event.class);
        }
        change.accept(rig);
        return allEntries(rig).stream().mapToLong(word -> word).toArray();
    }

    /** Address, level and value of everything that is not empty in any tree; the count of leaves is the last. */
    private static List<Long> allEntries(Rig rig) {
        var words = new ArrayList<Long>();
        rig.mmu.visitEntries((tree, gfn, level, table, spte) -> words.addAll(List.of(gfn, (long) level, table, spte)));
        words.add(rig.mmu.stats().pages(Level.PG_4K));
        return words;
    }

    /** Without A/D flags, with them, and with them and PML: W or D is cleared, word by word of a bitmap with gaps. */
    @ParameterizedTest
    @CsvSource({"false,false,false", "false,true,false", "false,true,true", "true,true,false"})
    void sparseLog(boolean npt, boolean adBits, boolean pml) {
        HostConfig host = Rig.host(npt, adBits, pml, false, false);
        same(host, rig -> {
            log(rig, 1);
            dirty(rig);
            Rig.must(rig.vm.getDirtyLog(0));
        });
        same(host, rig -> {
            log(rig, 1);
            dirty(rig);
            Rig.must(rig.vm.clearDirtyLog(0, 0x600, 0x200, Bytes.of(new byte[0x40])));
            var some = new byte[0x40];
            Arrays.fill(some, (byte) 0x5a);
            Rig.must(rig.vm.clearDirtyLog(0, 0x600, 0x200, Bytes.of(some)));
        });
    }

    private static void dirty(Rig rig) {
        for (long offset = 0; offset < BYTES; offset += 0x3000) {
            rig.fault(offset, Pferr.WRITE);
        }
    }

    /** A slot that begins in the middle of 64 gfns: a word of its bitmap lies in two tables. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aWordInTwoTables(boolean pml) {
        HostConfig host = Rig.host(false, true, pml, false, false);
        assertIterableEquals(shifted(true, host), shifted(false, host));
    }

    private static List<Long> shifted(boolean listened, HostConfig host) {
        var rig = new Rig(host, "v6.19", VmType.DEFAULT);
        rig.slot(0, 0x1e_1000, BYTES, 1, false);
        for (long offset = 0; offset < 4 * M; offset += 0x1000) {
            rig.fault(0x1e_1000 + offset, Pferr.WRITE);
        }
        Rig.must(rig.vm.getDirtyLog(0));
        for (long offset = 0; offset < 4 * M; offset += 0x5000) {
            rig.fault(0x1e_1000 + offset, Pferr.WRITE);
        }
        if (listened) {
            rig.record(Event.class);
        }
        var slot = rig.vm.memslots(0).byId(0);
        rig.vm.mmuLock().lock(Mode.WRITE);
        rig.vm.mmu().protectMasked(slot, 0, 0x8421_1842_2184_4218L);
        rig.vm.mmuLock().unlock(Mode.WRITE);
        return allEntries(rig);
    }
}
