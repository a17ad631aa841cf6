package kvasir.kvm.mmu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.function.Consumer;
import kvasir.event.Event;
import kvasir.kvm.GfnRange;
import kvasir.kvm.KernelLock.Mode;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.VmType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole tables change as their entries would one by one, which is how they change as soon as somebody listens. */
final class LeafRunsTest {
    private static final long M = 1 << 20;
    private static final long BYTES = 12 * M;

    /** Every entry, a hole and a written page among them, and the counters. */
    private static long[] after(boolean listened, boolean npt, Consumer<Rig> change) {
        var rig = new Rig(Rig.host(npt, true, false, false, false), "v6.19", VmType.DEFAULT);
        rig.slot(0, 0, BYTES, 0, false);
        rig.map(0x3000, 4 * M);
        rig.fault(9 * M, Pferr.WRITE);
        rig.map(6 * M, 2 * M);
        rig.fault(9 * M + 0x7000, 0);
        if (listened) {
            rig.record(Event.class);
        }
        change.accept(rig);
        int pages = (int) (BYTES >>> 12);
        var raw = new long[pages + 2];
        for (int page = 0; page < pages; page++) {
            raw[page] = rig.raw((long) page << 12);
        }
        raw[pages] = rig.mmu.stats().pages(Level.PG_4K);
        raw[pages + 1] = rig.mmu.tablePages();
        return raw;
    }

    private static void same(boolean npt, Consumer<Rig> change) {
        long[] oneByOne = after(true, npt, change);
        assertArrayEquals(oneByOne, after(false, npt, change));
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
        long[] all = after(false, false, rig -> {});
        long[] left = after(false, false, rig -> zap(rig, 0x10_0000, 0x30_0000));
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
}
