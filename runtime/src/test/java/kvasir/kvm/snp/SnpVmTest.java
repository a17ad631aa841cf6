package kvasir.kvm.snp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;
import kvasir.event.Events;
import kvasir.kvm.Errno;
import kvasir.kvm.ExitReason;
import kvasir.kvm.GfnRange;
import kvasir.kvm.HostConfig;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Kvm;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.Memslot;
import kvasir.kvm.RunResult;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.kvm.invariant.Invariants;
import kvasir.kvm.mm.HostPages;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.kvm.semantics.MemoryMapping;
import kvasir.kvm.semantics.Semantics;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.Caller;
import kvasir.metal.snp.GuestInstructions;
import kvasir.metal.snp.GuestWalk;
import kvasir.metal.snp.InstructionResult;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.PageState;
import kvasir.metal.snp.ReturnCode;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.RmpUpdate;
import kvasir.metal.snp.RmpVerdict;
import kvasir.metal.snp.Rule;
import kvasir.metal.snp.Rules;
import kvasir.metal.snp.psp.PlatformConfig;
import kvasir.registry.Bytes;
import org.junit.jupiter.api.Test;

/** Expectations: Linux sev.c and guest_memfd.c as the KVM documentation and sources of 6.11 to 6.19 have them. */
final class SnpVmTest {
    private static final HostConfig AMD =
            new HostConfig(4L << 30, 48, true, true, false, true, true, false, true, true, true, true);
    private static final Bytes GOSVW = Bytes.of(new byte[16]);
    private static final long POLICY = 0x30000;
    private static final long SIZE = 4 << 20;

    /** An SNP VM with 4 MiB of private memory at 0 and one slot. */
    private static final class Rig {
        final Semantics semantics;
        final PhysicalMemory memory = new PhysicalMemory(AMD.memoryBytes());
        final Events events = new Events();
        final Kvm kvm;
        final Mm mm;
        final Vm vm;
        final SnpHost host;
        final SnpVm snp;
        final GuestMemfd gmem;
        final long source;

        Rig(String name) {
            this(name, Rules.standard());
        }

        Rig(String name, Rules rules) {
            semantics = Semantics.named(name).orElseThrow();
            kvm = new Kvm(AMD, semantics.kernel(), memory, events, v -> new TdpMmu(v, semantics.mmuPolicy()));
            mm = new Mm(memory, kvm.pages(), kvm.seams(), kvm.events(), true);
            vm = new Vm(kvm, "g", VmType.SNP, mm);
            host = new SnpHost(
                    memory,
                    kvm.pages(),
                    kvm.seams(),
                    events,
                    rules,
                    PlatformConfig.milan(Bytes.of("seed".getBytes(StandardCharsets.US_ASCII))));
            snp = new SnpVm(vm, host);
            vm.attach(snp);
            long hva = mm.mmap(Optional.empty(), 0, SIZE >>> 12, Mm.anonymous(true));
            int fd = (int) ((IoctlResult.Ok) vm.createGuestMemfd(SIZE, 0)).value();
            must(vm.setUserMemoryRegion2(new MemoryRegion(0, Memslot.GUEST_MEMFD, 0, SIZE, hva, 0, fd)));
            gmem = (GuestMemfd) mm.descriptors().get(fd).orElseThrow();
            must(vm.setMemoryAttributes(0, SIZE, 8, 0));
            source = mm.mmap(Optional.empty(), 0, 16, Mm.anonymous(false));
        }

        static Rig started(String name) {
            return started(name, Rules.standard());
        }

        static Rig started(String name, Rules rules) {
            var rig = new Rig(name, rules);
            must(rig.snp.init2(0, 0, 0));
            must(rig.vm.createVcpu(0, CpuidModel.named("EPYC-Milan").orElseThrow()));
            must(rig.snp.launchStart(POLICY, GOSVW, 0));
            return rig;
        }

        IoctlResult update(long gfn, long pages, int type) {
            return snp.launchUpdate(new LaunchUpdate(gfn, source, pages << 12, type, 0));
        }

        IoctlResult map(long gpa, long bytes) {
            return semantics.mapMemory(vm.vcpus().getFirst(), new MemoryMapping(gpa, bytes, 0, 0));
        }

        String npt(long gpa) {
            return ((TdpMmu) vm.mmu()).table(0).entry(gpa).state().orElseThrow().name();
        }

        PageState state(long gfn) {
            return host.rmp().state(gmem.pageAt(gfn) << 12);
        }
    }

    private static void must(IoctlResult result) {
        assertTrue(result.succeeded(), result.toString());
    }

    private static void refused(Errno errno, IoctlResult result) {
        assertEquals(errno.name(), result.outcome().name(), result.toString());
    }

    @Test
    void commandsHaveAnOrder() {
        var rig = new Rig("v6.19");
        refused(Errno.ENOTTY, rig.snp.launchStart(POLICY, GOSVW, 0));
        refused(Errno.EINVAL, rig.update(0, 1, 1));
        refused(Errno.ENOTTY, rig.snp.launchFinish(LaunchFinish.plain()));
        refused(Errno.EINVAL, rig.snp.init2(1, 0, 0));
        refused(Errno.EINVAL, rig.snp.init2(0, 1, 0));
        refused(Errno.EINVAL, rig.snp.init2(0, 0, 3));
        refused(Errno.EINVAL, rig.snp.init2(0, 0, 1));
        must(rig.snp.init2(0x20, 0, 0));
        assertEquals(0x21, rig.snp.features());
        refused(Errno.EPERM, rig.snp.init2(0, 0, 0));
        refused(Errno.EPERM, rig.snp.otherCommand(2));
        refused(Errno.EINVAL, rig.snp.otherCommand(199));
        refused(Errno.EINVAL, rig.snp.launchStart(0x10000, GOSVW, 0));
        refused(Errno.EINVAL, rig.snp.launchStart(POLICY | 1L << 22, GOSVW, 0));
        refused(Errno.EINVAL, rig.snp.launchStart(POLICY, GOSVW, 1));
        refused(Errno.EIO, rig.snp.launchStart(0x20000, GOSVW, 0));
        assertEquals(0, rig.snp.guest().context(), "decommissioned again");
        must(rig.snp.launchStart(POLICY, GOSVW, 0));
        refused(Errno.EINVAL, rig.snp.launchStart(POLICY, GOSVW, 0));
    }

    @Test
    void ghcbVersionOneWasLegalBefore618() {
        must(new Rig("v6.16").snp.init2(0, 0, 1));
    }

    @Test
    void init2WithoutAFreeAsid() {
        var rig = new Rig("v6.19");
        rig.host.initialise();
        while (rig.host.allocateAsid() != 0) {
            assertEquals(0, rig.snp.asid());
        }
        refused(Errno.EBUSY, rig.snp.init2(0, 0, 0));
        assertEquals("UNINITIALIZED", rig.snp.state());
        rig.host.freeAsid(3);
        must(rig.snp.init2(0, 0, 0));
        assertEquals(3, rig.snp.asid());
    }

    @Test
    void init2OnAPlatformWithoutAsids() {
        var rig = new Rig("v6.19");
        PlatformConfig milan = PlatformConfig.milan(Bytes.of(new byte[] {1}));
        var none = new PlatformConfig(
                milan.seed(),
                milan.apiMajor(),
                milan.apiMinor(),
                milan.build(),
                milan.tcb(),
                milan.cores(),
                0,
                milan.smt(),
                milan.sockets(),
                milan.snpEnabled(),
                milan.familyModelStepping(),
                milan.cpuid());
        var host = new SnpHost(
                new PhysicalMemory(AMD.memoryBytes()),
                rig.kvm.pages(),
                rig.kvm.seams(),
                rig.events,
                Rules.standard(),
                none);
        refused(Errno.ENOTTY, new SnpVm(rig.vm, host).init2(0, 0, 0));
    }

    @Test
    void init2AfterAVcpuIsRefused() {
        var rig = new Rig("v6.19");
        must(rig.vm.createVcpu(0, CpuidModel.standard()));
        refused(Errno.EINVAL, rig.snp.init2(0, 0, 0));
    }

    @Test
    void launchUpdateGivesPagesToTheGuest() {
        var rig = Rig.started("v6.19");
        rig.mm.write(rig.source, new byte[] {1, 2, 3}, 0, 3);
        IoctlResult result = rig.update(1, 2, 1);
        must(result);
        assertEquals(0L, result.outcome().details().get("left"));
        assertEquals(3L, result.outcome().details().get("gfn_start"));
        assertEquals(PageState.GUEST_VALID, rig.state(1));
        assertEquals(0x030201, rig.memory.read32(rig.gmem.pageAt(1) << 12));
        assertEquals(0x1000, rig.host.rmp().entry(rig.gmem.pageAt(1) << 12).gpa());
        assertEquals(2, rig.snp.guest().ledger().records().size());
    }

    @Test
    void launchUpdateOfASecondTimeIsEioWhateverTheReason() {
        for (String name : new String[] {"v6.11", "v6.16", "v6.19"}) {
            var rig = Rig.started(name);
            must(rig.update(1, 1, 1));
            Bytes digest = rig.snp.guest().launchDigest();
            IoctlResult again = rig.update(1, 1, 1);
            refused(Errno.EIO, again);
            assertEquals(0L, again.outcome().details().get("fw_error"));
            assertEquals(digest, rig.snp.guest().launchDigest());
            must(rig.vm.setMemoryAttributes(0x5000, 0x1000, 0, 0));
            refused(Errno.EIO, rig.update(5, 1, 1));
        }
    }

    @Test
    void successOfLaunchUpdateMayBePartial() {
        var rig = Rig.started("v6.19");
        must(rig.vm.setMemoryAttributes(0x3000, 0x1000, 0, 0));
        IoctlResult partial = rig.update(1, 4, 1);
        must(partial);
        assertEquals(0x2000L, partial.outcome().details().get("left"));
        assertEquals(3L, partial.outcome().details().get("gfn_start"));
        assertEquals(rig.source + 0x2000, partial.outcome().details().get("uaddr"));
    }

    @Test
    void badParametersOfLaunchUpdate() {
        var rig = Rig.started("v6.19");
        refused(Errno.EINVAL, rig.snp.launchUpdate(new LaunchUpdate(0, rig.source, 0x800, 1, 0)));
        refused(Errno.EINVAL, rig.snp.launchUpdate(new LaunchUpdate(0, rig.source, 0, 1, 0)));
        refused(Errno.EINVAL, rig.snp.launchUpdate(new LaunchUpdate(0, rig.source, 4096, 1, 1)));
        refused(Errno.EINVAL, rig.update(0, 1, 2));
        refused(Errno.EINVAL, rig.update(0x1000, 1, 1));
        refused(Errno.EIO, rig.snp.launchUpdate(new LaunchUpdate(0, 0x1000, 4096, 1, 0)));
    }

    @Test
    void aRefusedCpuidPageComesBackCorrectedAndThePageIsTheHostsAgain() {
        var rig = Rig.started("v6.19");
        var page = new byte[64];
        page[0] = 1;
        page[16] = 7;
        page[16 + 28 + 2] = 1; // AVX-512F
        rig.mm.write(rig.source, page, 0, page.length);
        IoctlResult refusal = rig.update(2, 1, 6);
        refused(Errno.EIO, refusal);
        assertEquals("INVALID_PARAM", refusal.outcome().details().get("fw_status"));
        assertEquals(PageState.HYPERVISOR, rig.state(2));
        rig.mm.read(rig.source, page, 0, page.length);
        assertEquals(0, page[16 + 28 + 2]);
        must(rig.update(2, 1, 6));
    }

    @Test
    void preFaultingIsForbiddenBeforeFinishAndLeavesPagesInvalidAfter() {
        var rig = Rig.started("v6.19");
        refused(Errno.EOPNOTSUPP, rig.map(0x10000, 0x2000));
        must(rig.update(1, 1, 1));
        must(rig.snp.launchFinish(LaunchFinish.plain()));
        must(rig.map(0x10000, 0x2000));
        assertEquals(PageState.GUEST_INVALID, rig.state(0x10));
        assertEquals(PageState.GUEST_INVALID, rig.state(0x11));
        assertEquals("leaf", rig.npt(0x11000));
        must(rig.map(0x1000, 0x1000));
        assertEquals(PageState.GUEST_VALID, rig.state(1), "launched pages keep their state");
    }

    @Test
    void zappingTheNptLeavesRmpAndDataAlone() {
        var rig = Rig.started("v6.19");
        rig.mm.write(rig.source, new byte[] {42}, 0, 1);
        must(rig.update(1, 1, 1));
        must(rig.snp.launchFinish(LaunchFinish.plain()));
        must(rig.map(0x1000, 0x1000));
        long pfn = rig.gmem.pageAt(1);
        rig.vm.mmuLock().lock();
        rig.vm.mmu().unmap(new GfnRange(rig.vm.memslots(0).lookup(1), 0, 16, GfnRange.Filter.PRIVATE, true));
        rig.vm.mmuLock().unlock();
        assertEquals("empty", rig.npt(0x1000));
        must(rig.map(0x1000, 0x1000));
        assertEquals(pfn, rig.gmem.pageAt(1));
        assertEquals(PageState.GUEST_VALID, rig.state(1));
        assertEquals(42, rig.memory.read8(pfn << 12));
    }

    @Test
    void aPunchedPageIsTheHostsAgainAndComesBackInvalid() {
        var rig = Rig.started("v6.19");
        must(rig.update(1, 1, 1));
        must(rig.snp.launchFinish(LaunchFinish.plain()));
        long spa = rig.gmem.pageAt(1) << 12;
        must(rig.gmem.fallocate(3, 0x1000, 0x1000));
        assertEquals(PageState.HYPERVISOR, rig.host.rmp().state(spa));
        must(rig.map(0x1000, 0x1000));
        assertEquals(PageState.GUEST_INVALID, rig.state(1));
    }

    @Test
    void finishMeasuresOneVmsaForEachVcpuAndDestroyGivesEverythingBack() {
        var rig = Rig.started("v6.19");
        must(rig.vm.createVcpu(1, CpuidModel.standard()));
        must(rig.snp.launchFinish(LaunchFinish.plain()));
        assertEquals(2, rig.snp.guest().ledger().records().size());
        assertEquals("LAUNCHED", rig.snp.state());
        long context = rig.snp.guest().context();
        long vmsa = rig.snp.guest().vmsaPages().getFirst();
        assertTrue(rig.host.rmp().entry(vmsa).vmsa());
        assertFalse(PageSize.SIZE_2M.aligned(vmsa));
        refused(Errno.EIO, rig.snp.launchFinish(LaunchFinish.plain()));
        rig.gmem.release();
        rig.snp.destroy();
        assertEquals(PageState.HYPERVISOR, rig.host.rmp().state(context));
        assertEquals(PageState.HYPERVISOR, rig.host.rmp().state(vmsa));
        assertEquals(0, rig.host.rmp().guestFrames());
    }

    @Test
    void aSmallFaultOnALargeEntrySmashesItOnce() {
        var rig = Rig.started("v6.19");
        must(rig.snp.launchFinish(LaunchFinish.plain()));
        long head = rig.kvm.pages().allocateHuge(2);
        assertEquals(0, rig.snp.gmemPrepare(head, 0x200, 9));
        assertEquals(PageSize.SIZE_2M, rig.host.rmp().entry(head << 12).size());
        assertEquals(2, rig.snp.gmemMaxMappingLevel(head + 3, true));
        rig.snp.gmemInvalidate(head + 1, head + 2);
        assertEquals(PageState.HYPERVISOR, rig.host.rmp().state((head + 1) << 12));
        assertEquals(PageState.GUEST_INVALID, rig.host.rmp().state((head + 2) << 12));
        assertEquals(1, rig.snp.gmemMaxMappingLevel(head + 3, true));
        must(rig.map(0x1000, 0x1000));
        assertEquals(SnpVm.RmpFault.SPURIOUS, rig.snp.handleRmpFault(0x1000, RmpVerdict.SIZE_MISMATCH.exitInfo1(true)));
        assertEquals(SnpVm.RmpFault.NOT_PRIVATE, rig.snp.handleRmpFault(0x1000, 0));
    }

    @Test
    void theGuestValidatesWhatWasPreFaulted() {
        var rig = Rig.started("v6.19");
        must(rig.snp.launchFinish(LaunchFinish.plain()));
        must(rig.map(0x1000, 0x1000));
        long spa = rig.gmem.pageAt(1) << 12;
        var instructions = new GuestInstructions(rig.host.rmp(), Rules.standard());
        GuestWalk walk = a -> Optional.of(new GuestWalk.Translated(spa, a, 1, true));
        assertEquals(
                new InstructionResult.Done(ReturnCode.SUCCESS, false),
                instructions.pvalidate(Caller.guest(rig.snp.asid(), 0), 0x1000, 0, 1, walk));
        assertEquals(PageState.GUEST_VALID, rig.state(1));
    }

    @Test
    void anAsidComesBackAfterAFlush() {
        var rig = new Rig("v6.19");
        must(rig.snp.init2(0, 0, 0));
        for (int i = 1; i < 15; i++) {
            rig.host.allocateAsid();
        }
        assertEquals(0, rig.host.allocateAsid());
        rig.snp.destroy();
        assertEquals(1, rig.host.allocateAsid());
    }

    @Test
    void aPageLeftAssignedByAnotherGuestIsTakenAsItIs() {
        var rig = Rig.started("v6.19");
        must(rig.snp.launchFinish(LaunchFinish.plain()));
        long pfn = rig.kvm.pages().allocate(kvasir.kvm.mm.HostPages.Use.GMEM);
        rig.host.rmpupdate(pfn << 12, RmpUpdate.toGuest(0x9000, PageSize.SIZE_4K, 9, false));
        assertEquals(0, rig.snp.gmemPrepare(pfn, 0x123, 0), "KVM compares neither ASID nor GPA");
        assertEquals(9, rig.host.rmp().entry(pfn << 12).asid());
    }

    private static boolean broken(Rig rig, String name) {
        return Invariants.all().stream()
                .filter(invariant -> invariant.name().equals(name))
                .findFirst()
                .orElseThrow()
                .violation(rig.vm)
                .isPresent();
    }

    private static RmpEntry guestPage(long gpa, int asid, boolean validated, int permissions) {
        return new RmpEntry(true, PageSize.SIZE_4K, false, gpa, asid, false, validated, permissions, 0);
    }

    @Test
    void eachInvariantOfTheReverseMapIsNoticed() {
        Rig rig = Rig.started("v6.19");
        must(rig.snp.launchFinish(LaunchFinish.plain()));
        assertEquals(Optional.empty(), new Invariants(rig.kvm).firstViolation());
        var rmp = rig.host.rmp();
        long first = rig.kvm.pages().allocate(HostPages.Use.UNMOVABLE) << 12;
        long second = rig.kvm.pages().allocate(HostPages.Use.UNMOVABLE) << 12;

        rmp.write(first, guestPage(0, 0, true, 31), "test");
        assertTrue(broken(rig, "rmp_fields_agree"));
        rmp.write(first, RmpEntry.HYPERVISOR, "test");
        assertFalse(broken(rig, "rmp_fields_agree"));

        rmp.write(first, guestPage(0x9000, 5, false, 1), "test");
        assertTrue(broken(rig, "vmpl0_is_full"));
        rmp.write(first, guestPage(0x9000, 5, true, 31), "test");
        assertFalse(broken(rig, "vmpl0_is_full"));
        assertFalse(broken(rig, "gpa_validated_once"));
        rmp.write(second, guestPage(0x9000, 5, true, 31), "test");
        assertTrue(broken(rig, "gpa_validated_once"));
        rmp.write(first, RmpEntry.HYPERVISOR, "test");
        rmp.write(second, RmpEntry.HYPERVISOR, "test");

        long head = rmp.entryAddress(first & -PageSize.SIZE_2M.bytes()) + 8;
        long count = rig.memory.read64(head);
        assertFalse(broken(rig, "rmp_counts_are_true"));
        rig.memory.write64(head, count + (1L << 32));
        assertTrue(broken(rig, "rmp_counts_are_true"));
        rig.memory.write64(head, count);

        rmp.write(first, guestPage(0x9000, 5, false, 31), "test");
        assertFalse(broken(rig, "free_page_is_unassigned"));
        rig.kvm.pages().free(first >>> 12, 1, HostPages.Use.UNMOVABLE);
        assertTrue(broken(rig, "free_page_is_unassigned"));
        rmp.write(first, RmpEntry.HYPERVISOR, "test");
        assertFalse(broken(rig, "free_page_is_unassigned"));
    }

    @Test
    void leavesAgreeWithTheReverseMap() {
        Rig rig = Rig.started("v6.19");
        must(rig.snp.launchFinish(LaunchFinish.plain()));
        must(rig.vm.setMemoryAttributes(0x10000, 0x1000, 0, 0));
        must(rig.semantics.mapMemory(rig.vm.vcpus().getFirst(), new MemoryMapping(0, 0x20000, 0, 0)));
        assertEquals(Optional.empty(), new Invariants(rig.kvm).firstViolation());

        long owned = rig.gmem.pageAt(0) << 12;
        assertEquals(ReturnCode.SUCCESS, rig.host.rmpupdate(owned, RmpUpdate.shared(PageSize.SIZE_4K)));
        assertTrue(broken(rig, "private_leaf_is_owned"));

        Memslot slot = rig.vm.memslots(0).lookup(16);
        long shared = rig.mm.peek(slot.hva(16)) << 12;
        assertFalse(broken(rig, "shared_leaf_is_the_hosts"));
        rig.host.rmpupdate(shared, RmpUpdate.toGuest(0x10000, PageSize.SIZE_4K, rig.snp.asid(), false));
        assertTrue(broken(rig, "shared_leaf_is_the_hosts"));
    }

    @Test
    void anAsidGoesWithItsGuest() {
        var rig = new Rig("v6.19");
        must(rig.snp.init2(0, 0, 0));
        rig.snp.destroy();
        assertFalse(broken(rig, "asid_goes_with_its_guest"));
        long page = rig.kvm.pages().allocate(HostPages.Use.UNMOVABLE) << 12;
        rig.host.rmp().write(page, guestPage(0x9000, 5, false, 31), "test");
        assertTrue(broken(rig, "asid_goes_with_its_guest"));
    }

    private static Optional<Long> failedEntry(Rules rules) {
        var rig = Rig.started("v6.19", rules);
        must(rig.snp.launchFinish(LaunchFinish.plain()));
        rig.host.rmp().running(rig.snp.vmsaOf(0), true);
        RunResult result = rig.vm.vcpus().getFirst().run(10);
        return result instanceof RunResult.Exited(ExitReason reason, var fields) && reason == ExitReason.FAIL_ENTRY
                ? Optional.of((Long) Objects.requireNonNull(fields.get("reason")))
                : Optional.empty();
    }

    @Test
    void vmrunOfAVmsaThatRunsElsewhereIsBusy() {
        assertEquals(Optional.of(-2L), failedEntry(Rules.standard()));
        assertEquals(Optional.empty(), failedEntry(Rules.standard().with(Rule.VMRUN_OF_RUNNING_VMSA_IS_BUSY)));
    }
}
