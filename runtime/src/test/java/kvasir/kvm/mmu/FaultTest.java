package kvasir.kvm.mmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvasir.kvm.Errno;
import kvasir.kvm.HostConfig;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Memslot;
import kvasir.kvm.VcpuMmu;
import kvasir.kvm.VmEvent;
import kvasir.kvm.VmType;
import kvasir.kvm.mm.Pfn;
import org.junit.jupiter.api.Test;

final class FaultTest {
    private static final long M = 1 << 20;
    private static final long READ = Pferr.GUEST_FINAL | Pferr.USER;
    private static final long WRITE = Pferr.GUEST_FINAL | Pferr.WRITE;
    private static final long FETCH = Pferr.GUEST_FINAL | Pferr.FETCH;

    private static HostConfig small() {
        return Rig.host(false, true, true, false, false);
    }

    @Test
    void preFaultMapsLargeWithoutAccessed() {
        Rig rig = Rig.plain();
        rig.slot(0, 0, 4 * M, 0, true);
        Rig.must(rig.map(0, 4 * M));
        assertEquals(0x8600_0000_0000_0AF7L, rig.bits(0));
        assertEquals(0x8600_0000_0000_0AF7L, rig.bits(2 * M));
        assertEquals(2, rig.mmu.stats().pages(Level.PG_2M));
        assertEquals(0, rig.mmu.stats().pages(Level.PG_4K));
        assertEquals(
                "0x00000000..0x00400000  2M  rwx wb  slot0+0",
                rig.mmu.table(0).picture().orElseThrow());
    }

    @Test
    void aReadOfUntouchedMemoryMapsTheZeroPageReadOnlyAndTheWriteBreaksIt() {
        Rig rig = new Rig(small(), "v6.19", VmType.DEFAULT);
        rig.slot(0, 0, 2 * M, 0, false);
        assertEquals(VcpuMmu.FIXED, rig.fault(0x1000, READ));
        assertEquals(0x8000_0000_0000_0975L, rig.bits(0x1000));
        var flushes = rig.record(VmEvent.TlbFlush.class);
        long zero = rig.entry(0x1000).raw & Spte.ADDRESS;
        assertEquals(
                VcpuMmu.RETRY,
                rig.fault(0x1000, WRITE | Pferr.PRESENT),
                "breaking CoW runs the notifier, whose end makes this very fault stale");
        assertEquals(VcpuMmu.FIXED, rig.fault(0x1000, WRITE));
        assertEquals(0x8600_0000_0000_0B77L, rig.bits(0x1000));
        assertNotEquals(zero, rig.entry(0x1000).raw & Spte.ADDRESS);
        assertEquals(1, flushes.size(), "the notifier's zap is flushed");
    }

    @Test
    void theSecondFaultIsSpurious() {
        Rig rig = Rig.plain();
        rig.slot(0, 0, 2 * M, 0, true);
        assertEquals(VcpuMmu.FIXED, rig.fault(0x1000, WRITE));
        assertEquals(VcpuMmu.SPURIOUS, rig.fault(0x2000, READ));
        assertEquals(0x8600_0000_0000_0BF7L, rig.bits(0x1000));
    }

    @Test
    void anAccessWithoutSlotLeavesAnMmioEntryWithTheGeneration() {
        Rig rig = Rig.plain();
        rig.slot(0, 0, 2 * M, 0, true);
        long generation = rig.vm.memslots(0).generation() & 0x7ffff;
        assertEquals(VcpuMmu.EMULATE, rig.fault(0x1000_0000, WRITE));
        assertEquals(0x1000_0000L + 6 + (generation << 3), rig.raw(0x1000_0000));
        assertTrue(rig.vcpuMmu().remembersMmio(0x1000_0000));
        assertEquals(VcpuMmu.EMULATE, rig.fault(0x1000_0000, Pferr.RSVD));
        rig.slot(1, 0x2000_0000, 2 * M, 0, true);
        assertFalse(rig.vcpuMmu().remembersMmio(0x1000_0000), "slots have changed");
        assertEquals(VcpuMmu.EMULATE, rig.fault(0x1000_0000, Pferr.RSVD), "the stale entry is made anew");
        assertNotEquals(0x1000_0000L + 6 + (generation << 3), rig.raw(0x1000_0000));
    }

    @Test
    void aWriteToReadOnlyMemoryIsEmulated() {
        Rig rig = Rig.plain();
        rig.slot(0, 0, 2 * M, Memslot.READONLY, true);
        assertEquals(VcpuMmu.FIXED, rig.fault(0x1000, READ));
        assertEquals(0x8000_0000_0000_09F5L, rig.bits(0x1000));
        assertEquals(VcpuMmu.EMULATE, rig.fault(0x1000, WRITE | Pferr.PRESENT));
    }

    @Test
    void aPrivateFaultThatDoesNotFitTheAttributeIsReported() {
        Rig rig = new Rig(HostConfig.intel(), "v6.19", VmType.SW_PROTECTED);
        rig.gmemSlot(0, 0, 2 * M);
        assertEquals(-Errno.EFAULT.number(), rig.fault(0x3000, WRITE | Pferr.PRIVATE_ACCESS));
        assertEquals(39, rig.run().exitReason());
        assertEquals(8, rig.run().get64(32));
        assertEquals(0x3000, rig.run().get64(40));
        assertEquals(4096, rig.run().get64(48));
    }

    @Test
    void swProtectedMapsFromGmemAtFourKilobytes() {
        Rig rig = new Rig(HostConfig.intel(), "v6.19", VmType.SW_PROTECTED);
        var file = rig.gmemSlot(0, 0, 4 * M);
        Rig.must(rig.vm.setMemoryAttributes(0, 4 * M, 8, 0));
        assertEquals(VcpuMmu.FIXED, rig.fault(0x3000, WRITE));
        assertEquals(0x8600_0000_0000_0B77L, rig.bits(0x3000));
        assertEquals(file.pageAt(3), Spte.pfn(rig.raw(0x3000)));
        Rig.must(rig.vm.setMemoryAttributes(0, 4 * M, 0, 0));
        assertEquals(Spte.EMPTY, rig.raw(0x3000), "conversion zaps the old kind");
    }

    @Test
    void withoutAdBitsAccessesAreTrackedByTakingPermissionsAway() {
        Rig rig = new Rig(Rig.host(false, false, false, false, true), "v6.19", VmType.DEFAULT);
        rig.slot(0, 0, 2 * M, 0, true);
        Rig.must(rig.map(0, 2 * M));
        assertEquals(0, rig.raw(0) & 7);
        assertTrue(rig.mmu.format().isAccessTracked(rig.raw(0)));
        Rig.must(rig.map(0, 4096));
        assertEquals(5, rig.raw(0) & 7, "the second pre-fault restores R and X");
        assertTrue(rig.mmu.format().isAccessed(rig.raw(0)));
        assertEquals(VcpuMmu.FIXED, rig.fault(0, WRITE | Pferr.PRESENT), "W comes back by a fast page fault");
        assertEquals(7, rig.raw(0) & 7);
        assertEquals(2, rig.mmu.stats().get(MmuStats.Counter.PF_FAST));
    }

    @Test
    void nxHugePagesAsTheKernelsSelftest() {
        Rig rig = new Rig(Rig.host(false, true, true, true, true), "v6.19", VmType.DEFAULT);
        rig.slot(0, 0, 6 * M, 0, true);
        long p1 = 0;
        long p2 = 2 * M;
        long p3 = 4 * M;
        rig.fault(p1, READ);
        assertEquals("1/0", pages(rig));
        assertEquals(0x8600_0000_0000_0BF3L, rig.bits(p1));
        rig.fault(p2, READ);
        assertEquals("2/0", pages(rig));
        rig.fault(p1, FETCH | Pferr.PRESENT);
        assertEquals("1/1", pages(rig));
        rig.fault(p3, FETCH);
        assertEquals("1/2", pages(rig));
        rig.fault(p1, READ);
        assertEquals("1/2", pages(rig));
        for (int period = 0; period < 5; period++) {
            rig.mmu.nxHugePages().recover(1);
        }
        assertEquals("1/0", pages(rig));
        rig.fault(p3, READ);
        assertEquals("2/0", pages(rig));
    }

    private static String pages(Rig rig) {
        return rig.mmu.stats().pages(Level.PG_2M) + "/" + rig.mmu.stats().get(MmuStats.Counter.NX_LPAGE_SPLITS);
    }

    @Test
    void deletingASlotInvalidatesTheRootAndTheNextReloadMakesAnother() {
        Rig rig = Rig.plain();
        rig.slot(0, 0, 2 * M, 0, true);
        rig.slot(1, 4 * M, 2 * M, 0, true);
        rig.fault(0, READ);
        Root before = rig.vcpuMmu().root();
        Rig.must(rig.deleteSlot(1));
        assertTrue(before.role.invalid());
        assertEquals(1, before.references, "only the vCPU still has it");
        assertEquals(VcpuMmu.RETRY, rig.vcpu().mmu().pageFault(0, READ), "stale until the root is reloaded");
        assertEquals(VcpuMmu.FIXED, rig.fault(0, READ));
        assertNotEquals(before.pfn, rig.vcpuMmu().root().pfn);
        assertEquals(1, rig.mmu.roots().size());
        assertEquals(3, rig.mmu.tablePages(), "root, one table of 1G entries, one of 2M entries");
    }

    @Test
    void aVcpuInSmmHasARootOfItsOwn() {
        Rig rig = Rig.plain();
        rig.slot(0, 0, 2 * M, 0, true);
        rig.slot(1 << 16, 0, 2 * M, 0, true);
        rig.fault(0x1000, READ);
        rig.vcpu().systemManagement().change(true);
        assertEquals(VcpuMmu.FIXED, rig.fault(0x1000, READ));
        assertNotEquals(rig.mmu.table(0).entry(0x1000).raw, rig.mmu.table(1).entry(0x1000).raw);
        assertEquals("vm.smm.ept", rig.vcpuMmu().root().space);
    }

    @Test
    void fourOrFiveLevelsByTheGuestsMaxphyaddr() {
        Rig rig = Rig.plain();
        rig.slot(0, 0, 2 * M, 0, true);
        rig.fault(0, READ);
        assertEquals(4, rig.vcpuMmu().root().level());
        assertEquals(0x1e, rig.vcpu().mmu().rootPointer() & 0x3e);
    }

    @Test
    void noMemoryForTablesIsEnomem() {
        Rig rig = Rig.plain();
        rig.slot(0, 0, 2 * M, 0, true);
        rig.vcpu().mmu().reload();
        while (rig.kvm.pages().allocate(kvasir.kvm.mm.HostPages.Use.UNMOVABLE) >= 0) {
            rig.kvm.pages().allocateHuge(3);
        }
        assertEquals(-Errno.ENOMEM.number(), rig.fault(0, READ));
    }

    @Test
    void loggingSplitsAndUnloggingMakesHugeAgain() {
        Rig rig = new Rig(Rig.host(false, true, true, false, true), "v6.19", VmType.DEFAULT);
        long hva = rig.slot(0, 0, 4 * M, 0, true);
        rig.map(0, 4 * M);
        setFlags(rig, hva, Memslot.LOG_DIRTY_PAGES);
        assertEquals(1024, rig.mmu.stats().pages(Level.PG_4K));
        assertEquals(0, rig.mmu.stats().pages(Level.PG_2M));
        assertEquals(0x8600_0000_0000_0877L, rig.bits(0x5000), "PML: D clear, W stays");
        setFlags(rig, hva, 0);
        assertEquals(0, rig.mmu.stats().pages(Level.PG_4K));
        assertEquals(2, rig.mmu.stats().pages(Level.PG_2M));
        assertEquals(0x8600_0000_0000_08F7L, rig.bits(0));
    }

    @Test
    void withoutPmlLoggingWriteProtectsAndAFastFaultReports() {
        Rig rig = new Rig(Rig.host(false, true, false, false, true), "v6.19", VmType.DEFAULT);
        long hva = rig.slot(0, 0, 2 * M, 0, true);
        rig.map(0, 2 * M);
        setFlags(rig, hva, Memslot.LOG_DIRTY_PAGES);
        assertEquals(0x8600_0000_0000_0A75L, rig.bits(0x5000));
        assertEquals(VcpuMmu.FIXED, rig.fault(0x5000, WRITE | Pferr.PRESENT));
        assertEquals(0x8600_0000_0000_0A77L, rig.bits(0x5000));
        assertTrue(rig.vm.memslots(0).byId(0).dirty().orElseThrow().get(5));
        assertFalse(rig.vm.memslots(0).byId(0).dirty().orElseThrow().get(6));
    }

    @Test
    void aReadFaultOnALoggedSlotReportsThePageDirty() {
        Rig rig = Rig.plain();
        rig.slot(0, 0, 2 * M, Memslot.LOG_DIRTY_PAGES, true);
        rig.fault(0x7000, READ);
        assertEquals(0x8600_0000_0000_0B77L, rig.bits(0x7000), "4 KiB, writable although it was a read");
        assertTrue(rig.vm.memslots(0).byId(0).dirty().orElseThrow().get(7));
    }

    private static void setFlags(Rig rig, long hva, int flags) {
        long bytes = rig.vm.memslots(0).byId(0).npages() << 12;
        Rig.must(rig.vm.setUserMemoryRegion2(kvasir.kvm.MemoryRegion.user(0, flags, 0, bytes, hva)));
    }

    @Test
    void aPoisonedHostPageSignalsTheThread() {
        Rig rig = new Rig(small(), "v6.19", VmType.DEFAULT);
        long hva = rig.slot(0, 0, 2 * M, 0, true);
        rig.mm.poison(hva + 0x4000);
        assertEquals(Pfn.HWPOISON, rig.mm.gup(hva + 0x4000, false));
        IoctlResult result = rig.map(0x4000, 4096);
        assertEquals("EINTR", result.outcome().name());
    }

    @Test
    void nptHasItsOwnBits() {
        Rig rig = new Rig(Rig.host(true, true, false, false, true), "v6.19", VmType.DEFAULT);
        rig.slot(0, 0, 2 * M + 4096, 0, true);
        rig.fault(2 * M, WRITE);
        assertEquals(0xE67L, rig.bits(2 * M));
        assertEquals("vm.npt", rig.vcpuMmu().root().space);
    }
}
