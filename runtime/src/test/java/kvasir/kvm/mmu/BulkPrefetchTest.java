package kvasir.kvm.mmu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import kvasir.event.Event;
import kvasir.kvm.HostConfig;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.mm.Mm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bulk path leaves the same bytes as single faults, which are taken as soon as somebody listens. */
final class BulkPrefetchTest {
    private static final long M = 1 << 20;

    private static long[] table(boolean listened, boolean thp, boolean populate, String semantics) {
        var rig = new Rig(Rig.host(false, true, false, false, thp), semantics, kvasir.kvm.VmType.DEFAULT);
        long hva = rig.mm.mmap(Optional.empty(), 0, 4096, Mm.anonymous(true));
        if (populate) {
            rig.mm.populate(hva, hva + 16 * M);
        }
        Rig.must(rig.vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 12 * M, hva + 4096)));
        if (listened) {
            rig.record(Event.class);
        }
        rig.map(0x3000, 4 * M);
        rig.fault(9 * M, Pferr.WRITE);
        rig.map(6 * M, 8 * M);
        var raw = new long[3073];
        for (int page = 0; page < 3072; page++) {
            raw[page] = rig.raw((long) page << 12);
        }
        raw[3072] = rig.mmu.stats().pages(Level.PG_4K);
        return raw;
    }

    @ParameterizedTest
    @ValueSource(strings = {"rfc", "rfc-v2", "sean", "v6.11", "v6.19"})
    void theSameBytes(String semantics) {
        for (int variant = 0; variant < 4; variant++) {
            boolean thp = (variant & 1) != 0;
            boolean populate = (variant & 2) != 0;
            assertArrayEquals(
                    table(true, thp, populate, semantics), table(false, thp, populate, semantics), semantics + variant);
        }
    }

    @Test
    void aTerabyteIsDeclaredForNothing() {
        var rig = new Rig(HostConfig.intel(), "v6.19", kvasir.kvm.VmType.DEFAULT);
        rig.slot(0, 0, 1L << 40, 0, false);
        Rig.must(rig.map(0, 4096));
        assertEquals(3, rig.mmu.tablePages(), "the huge zero page fits: no table of 4 KiB entries");
    }
}
