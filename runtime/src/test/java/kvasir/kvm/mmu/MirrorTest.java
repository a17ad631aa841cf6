package kvasir.kvm.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.List;
import kvasir.kvm.Errno;
import kvasir.kvm.HostConfig;
import kvasir.kvm.VcpuMmu;
import kvasir.kvm.VendorOps;
import kvasir.kvm.VmType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The mirror and its vendor, without a TDX module: which hook is called when, and what others see meanwhile. */
final class MirrorTest {
    private static final long SHARED = 1L << 47;
    private static final long PRIVATE_WRITE = Pferr.GUEST_FINAL | Pferr.WRITE | Pferr.PRIVATE_ACCESS;

    private final Rig rig = new Rig(HostConfig.intel(), "v6.19", VmType.TDX);
    private final List<String> calls = new ArrayList<>();
    private int answer;

    @BeforeEach
    void vendor() {
        rig.vm.attach(new VendorOps() {
            @Override
            public long gfnDirectBits() {
                return SHARED >>> 12;
            }

            @Override
            public int linkExternalSpt(long gfn, int level, long externalPfn) {
                calls.add("link %x level %d".formatted(gfn, level));
                return answer;
            }

            @Override
            public int setExternalSpte(long gfn, int level, long spte) {
                calls.add("set %x level %d while %x".formatted(gfn, level, seen(gfn)));
                return answer;
            }

            @Override
            public void removeExternalSpte(long gfn, int level, long oldSpte) {
                calls.add("remove %x level %d while %x".formatted(gfn, level, seen(gfn)));
            }
        });
        rig.gmemSlot(0, 0, 4 << 20);
        Rig.must(rig.vm.setMemoryAttributes(0, 2 << 20, 8, 0));
    }

    private long seen(long gfn) {
        return rig.mmu.mirror().entry(gfn << 12).raw;
    }

    @Test
    void tablesAreLinkedTopDownAndTheLeafIsFrozenWhileItIsSet() {
        assertEquals(VcpuMmu.FIXED, rig.fault(0x3000, PRIVATE_WRITE));
        assertEquals(
                List.of("link 0 level 4", "link 0 level 3", "link 0 level 2", "set 3 level 1 while 80000000000005a0"),
                calls);
        assertEquals(
                "leaf", rig.mmu.mirror().entry(0x3000).state().orElseThrow().name());
        assertEquals(0x8600_0000_0000_0B37L, seen(3) & ~Spte.ADDRESS, "WB without IPAT: the quirk is off for TDX");
        assertEquals(0, rig.mmu.table(0).entry(0x3000).level - 4, "the direct tables have only their root");
    }

    @Test
    void aBusyVendorLeavesTheEntryAsItWasAndTheFaultIsRetried() {
        answer = -Errno.EBUSY.number();
        assertEquals(VcpuMmu.RETRY, rig.fault(0x3000, PRIVATE_WRITE));
        assertEquals(Spte.EMPTY, seen(3));
        assertEquals(List.of("link 0 level 4"), calls);
        assertEquals(2, rig.mmu.tablePages(), "the table that was to be linked is given back");
        answer = 0;
        assertEquals(VcpuMmu.FIXED, rig.fault(0x3000, PRIVATE_WRITE));
    }

    @Test
    void aZapRemovesAfterTheEntryIsGone() {
        rig.fault(0x3000, PRIVATE_WRITE);
        calls.clear();
        Rig.must(rig.vm.setMemoryAttributes(0x3000, 0x1000, 0, 0));
        assertEquals(List.of("remove 3 level 1 while 8000000000000000"), calls);
        assertFalse(rig.vm.dead());
    }

    @Test
    void sharedMemoryIsMappedInTheDirectTablesAtTheAlias() {
        long gpa = 3 << 20;
        assertEquals(VcpuMmu.FIXED, rig.fault(gpa | SHARED, Pferr.GUEST_FINAL | Pferr.WRITE));
        assertEquals("leaf", rig.mmu.table(0).entry(gpa).state().orElseThrow().name());
        assertEquals(List.of(), calls);
        TdpEntry entry = rig.mmu.table(0).entry(gpa);
        assertEquals(0x200, entry.gfn, "a 2M leaf, whose gfn carries no direct bit");
        Rig.must(rig.vm.setMemoryAttributes(gpa & -(1 << 21), 1 << 21, 8, 0));
        assertEquals("empty", rig.mmu.table(0).entry(gpa).state().orElseThrow().name());
    }

    @Test
    void aNotifierNeverTouchesTheMirror() {
        rig.fault(0x3000, PRIVATE_WRITE);
        calls.clear();
        long hva = rig.vm.memslots(0).byId(0).userspaceAddr();
        Rig.must(rig.mm.dontneed(hva, hva + (2 << 20)));
        assertEquals(List.of(), calls);
        assertEquals(
                "leaf", rig.mmu.mirror().entry(0x3000).state().orElseThrow().name());
    }
}
