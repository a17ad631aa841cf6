package kvasir.metal.tdx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import kvasir.event.Events;
import kvasir.metal.memory.PhysicalMemory;

/**
 * A machine for tests of the module, driven by SEAMCALLs only: 4 GiB of host memory, one TDMR at 1 GiB .. 3 GiB, PAMT in
 * the last GiB, four LPs in two packages. The first GiB is the host's own.
 */
final class TdxPlatform {
    static final long GIB = 1L << 30;
    static final long TDMR = GIB;
    static final long TDMR_BYTES = 2 * GIB;
    static final long PAMT = 3 * GIB;
    static final long SCRATCH = 0x10_0000;
    static final int GLOBAL_HKID = 32;

    final PhysicalMemory memory = new PhysicalMemory(4 * GIB);
    final Events events = new Events();
    final TdxModule module = new TdxModule(memory, Platform.of(4 * GIB, 4, 2), events, 7);
    final List<LeafDone> log = new ArrayList<>();
    private long nextPage = TDMR + 0x1000;
    private int nextHkid = GLOBAL_HKID + 1;

    /** Module loaded, nothing done. */
    TdxPlatform() {
        events.add((sequence, event) -> {
            if (event instanceof LeafDone done) {
                log.add(done);
            }
        });
    }

    /** Module ready. */
    static TdxPlatform ready() {
        var platform = new TdxPlatform();
        platform.bringUp();
        return platform;
    }

    void bringUp() {
        ok(call(33));
        for (int lp = 0; lp < 4; lp++) {
            ok(callOn(lp, 35));
        }
        writeTdmrInfo(0, TDMR, TDMR_BYTES, PAMT);
        ok(configure(1));
        ok(callOn(0, 31));
        ok(callOn(1, 31));
        long next = TDMR;
        while (next < TDMR + TDMR_BYTES) {
            var out = call(36, TDMR);
            ok(out);
            next = out.rdx();
        }
    }

    /** TDMR_INFO number {@code index} without reserved areas, PAMT arrays one after the other at {@code pamt}. */
    void writeTdmrInfo(int index, long base, long bytes, long pamt) {
        long info = SCRATCH + 0x1000 + 512L * index;
        memory.write64(SCRATCH + 8L * index, info);
        for (int i = 0; i < 64; i++) {
            memory.write64(info + 8L * i, 0);
        }
        long size4k = bytes / 4096 * 16;
        long size2m = Math.max(4096, bytes / (1 << 21) * 16);
        put(info, 0, base);
        put(info, 1, bytes);
        put(info, 2, pamt + size4k + size2m);
        put(info, 3, 4096);
        put(info, 4, pamt + size4k);
        put(info, 5, size2m);
        put(info, 6, pamt);
        put(info, 7, size4k);
    }

    void put(long info, int word, long value) {
        memory.write64(info + 8L * word, value);
    }

    SeamcallRegs configure(int count) {
        return call(45, SCRATCH, count, GLOBAL_HKID, 0);
    }

    SeamcallRegs call(long leaf) {
        return callOn(0, leaf);
    }

    SeamcallRegs callOn(int lp, long leaf) {
        return module.seamcall(lp, SeamcallRegs.leaf(leaf));
    }

    SeamcallRegs call(long leaf, long rcx) {
        return module.seamcall(0, SeamcallRegs.of(leaf, rcx, 0));
    }

    SeamcallRegs call(long leaf, long rcx, long rdx) {
        return module.seamcall(0, SeamcallRegs.of(leaf, rcx, rdx));
    }

    SeamcallRegs call(long leaf, long rcx, long rdx, long r8, long r9) {
        return module.seamcall(0, SeamcallRegs.of(leaf, rcx, rdx, r8, r9));
    }

    static void ok(SeamcallRegs out) {
        assertEquals("TDX_SUCCESS", Status.describe(out.rax()));
    }

    static void expect(long status, SeamcallRegs out) {
        assertEquals(Status.describe(status), Status.describe(out.rax()));
        assertEquals(status, out.rax());
    }

    /** A free 4K page of the TDMR. */
    long page() {
        long page = nextPage;
        nextPage += 0x1000;
        return page;
    }

    /** A free, aligned 2M range of the TDMR. */
    long largePage() {
        long page = (nextPage + 0x1f_ffff) & -0x20_0000L;
        nextPage = page + 0x20_0000;
        return page;
    }

    int hkid() {
        return nextHkid++;
    }
}
