package kvasir.kvm.snp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import kvasir.event.Event;
import kvasir.event.Events;
import kvasir.kvm.HostConfig;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Kvm;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.invariant.Invariants;
import kvasir.kvm.mm.HostWrote;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.kvm.semantics.Semantics;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.PageWalked;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.paging.Access;
import kvasir.metal.snp.InstructionDone;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.RmpChanged;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.RmpUpdate;
import kvasir.metal.snp.Rules;
import kvasir.metal.snp.psp.CommandBuffer;
import kvasir.metal.snp.psp.CommandDone;
import kvasir.metal.snp.psp.FirmwareCommand;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.metal.snp.psp.PlatformConfig;
import kvasir.registry.Bytes;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each invariant of section 10 that is told from the stream is broken on purpose, and says so; a launch breaks none. */
final class SnpInvariantsTest {
    private static final HostConfig AMD =
            new HostConfig(4L << 30, 48, true, true, false, true, true, false, true, true, true, true);
    private static final long C_BIT = 1L << 51;

    private final PhysicalMemory memory = new PhysicalMemory(AMD.memoryBytes());
    private final Events events = new Events();
    private final Semantics semantics = Semantics.named("v6.19").orElseThrow();
    private final Kvm kvm = new Kvm(AMD, semantics.kernel(), memory, events, v -> new TdpMmu(v, semantics.mmuPolicy()));
    private final Vm vm = new Vm(kvm, "g", VmType.SNP, new Mm(memory, kvm.pages(), kvm.seams(), kvm.events(), true));
    private final SnpHost host = new SnpHost(
            memory,
            kvm.pages(),
            kvm.seams(),
            events,
            Rules.standard(),
            PlatformConfig.milan(Bytes.of("seed".getBytes(StandardCharsets.US_ASCII))));
    private final SnpVm snp = new SnpVm(vm, host);
    private final Invariants invariants = new Invariants(kvm);
    private long page;

    @BeforeEach
    void launched() {
        vm.attach(snp);
        events.add(invariants);
        must(snp.init2(0, 0, 0));
        must(vm.createVcpu(0, CpuidModel.named("EPYC-Milan").orElseThrow()));
        must(snp.launchStart(0x30000, Bytes.of(new byte[16]), 0));
        must(snp.launchFinish(LaunchFinish.plain()));
        page = host.pages().allocate(kvasir.kvm.mm.HostPages.Use.UNMOVABLE) << 12;
        assertEquals(Optional.empty(), invariants.broken());
    }

    private static void must(IoctlResult result) {
        assertTrue(result.succeeded(), result.toString());
    }

    private void breaks(String name) {
        String said = invariants.broken().orElse("nothing");
        assertTrue(said.startsWith(name + ":"), said);
    }

    private void happens(Event event) {
        invariants.on(1, event);
    }

    private static RmpEntry entry(RmpUpdate update, boolean validated) {
        return new RmpEntry(
                true,
                update.size(),
                update.immutable(),
                update.gpa(),
                update.asid(),
                false,
                validated,
                RmpEntry.DEFAULT_PERMISSIONS,
                0);
    }

    private void assign(long gpa, boolean validated) {
        events.remove(invariants);
        host.rmp().write(page, entry(RmpUpdate.toGuest(gpa, PageSize.SIZE_4K, snp.asid(), false), validated), "test");
        events.add(invariants);
    }

    @Test
    void aPageThatTheHostValidates() {
        RmpEntry before = entry(RmpUpdate.toGuest(0x5000, PageSize.SIZE_4K, 1, false), false);
        happens(new RmpChanged(page, before, before.withValidated(true), "RMPUPDATE"));
        breaks("validated_by_its_guest");
    }

    @Test
    void aVmplGivesWhatItHasNot() {
        RmpEntry before = entry(RmpUpdate.toGuest(0x5000, PageSize.SIZE_4K, 1, false), true)
                .withPermissions(1, 3)
                .withPermissions(2, 4);
        happens(new RmpChanged(page, before, before.withPermissions(2, 1), "RMPADJUST at VMPL1"));
        happens(new RmpChanged(page, before, before.withPermissions(3, 31), "RMPADJUST"));
        happens(new RmpChanged(page, before, before.withPermissions(2, 4), "RMPADJUST at VMPL1"));
        assertEquals(Optional.empty(), invariants.broken());
        happens(new RmpChanged(page, before, before.withPermissions(2, 8), "RMPADJUST at VMPL1"));
        breaks("vmpl_grants_its_own");
    }

    @Test
    void aVmplChangesItsOwnPermissions() {
        RmpEntry before = entry(RmpUpdate.toGuest(0x5000, PageSize.SIZE_4K, 1, false), true)
                .withPermissions(1, 3);
        happens(new RmpChanged(page, before, before.withPermissions(1, 1), "RMPADJUST at VMPL1"));
        breaks("vmpl_grants_its_own");
    }

    @Test
    void aPrivateAccessToAPageThatIsNotValidated() {
        assign(0x5000, false);
        happens(new PageWalked(0, 0x5000, 0x5000 | C_BIT, page, true, Access.READ));
        breaks("encrypted_access_is_the_owners");
    }

    @Test
    void aPrivateAccessByAnotherAddress() {
        assign(0x5000, true);
        happens(new PageWalked(0, 0x6000, 0x6000 | C_BIT, page, true, Access.READ));
        breaks("encrypted_access_is_the_owners");
    }

    @Test
    void aSharedWriteToAGuestsPage() {
        assign(0x5000, true);
        happens(new PageWalked(0, 0x5000, 0x5000, page, false, Access.WRITE));
        breaks("encrypted_access_is_the_owners");
    }

    @Test
    void aRightfulPrivateAccess() {
        assign(0x5000, true);
        happens(new PageWalked(0, 0x5000, 0x5000 | C_BIT, page, true, Access.WRITE));
        assertEquals(Optional.empty(), invariants.broken());
    }

    @Test
    void aPrivateWriteWithoutPagingHasNoCBitInItsGpa() {
        assign(0x5000, true);
        happens(new PageWalked(0, 0x5000, 0x5000, page, true, Access.WRITE));
        assertEquals(Optional.empty(), invariants.broken());
    }

    @Test
    void aWriteOfTheHostToAGuestsPage() {
        happens(new HostWrote(page + 8, 8, "copy_to_user"));
        assertEquals(Optional.empty(), invariants.broken());
        assign(0x5000, false);
        happens(new HostWrote(page + 8, 8, "copy_to_user"));
        breaks("host_writes_its_own");
    }

    @Test
    void theHostsPageTablesAloneDoNotLetItWrite() {
        assertTrue(host.pages().writable(page >>> 12));
        assign(0x5000, true);
        assertFalse(host.pages().writable(page >>> 12));
    }

    @Test
    void aPageLeftBehindByALaunchCommand() {
        vm.kvmLock().lock();
        assertEquals(
                "SUCCESS",
                host.rmpupdate(page, RmpUpdate.toGuest(0x5000, PageSize.SIZE_4K, snp.asid(), true))
                        .name());
        vm.kvmLock().unlock();
        happens(new InstructionDone("PSMASH", 0, "FAIL_INPUT"));
        breaks("pre_guest_is_inside_the_launch");
    }

    @Test
    void aContextPageWithoutGuest() {
        long context = snp.guest().context();
        memory.write64(context + 0xff8, 0);
        assertTrue(invariants.firstViolation().orElse("nothing").startsWith("context_page_is_one_guests:"));
    }

    @Test
    void aDigestThatAFailedUpdateChanged() {
        var record = snp.guest().ledger().records().getFirst();
        happens(new kvasir.metal.snp.psp.Measured(0x7000, record));
        happens(new CommandDone("SNP_LAUNCH_UPDATE", 0x7000, FirmwareStatus.INVALID_PARAM));
        breaks("digest_grows_by_the_launch");
    }

    @Test
    void anUpdateThatMeasuresNothing() {
        happens(new CommandDone("SNP_LAUNCH_UPDATE", snp.guest().context(), FirmwareStatus.SUCCESS));
        breaks("digest_grows_by_the_launch");
    }

    @Test
    void anAsidThatTwoContextsActivate() {
        happens(new CommandDone("SNP_ACTIVATE", snp.guest().context(), FirmwareStatus.SUCCESS));
        breaks("asid_is_flushed_before_reuse");
    }

    @Test
    void anAsidThatIsReusedWithoutFlush() {
        happens(new CommandDone("SNP_DECOMMISSION", snp.guest().context(), FirmwareStatus.SUCCESS));
        happens(new CommandDone("SNP_ACTIVATE", snp.guest().context(), FirmwareStatus.SUCCESS));
        breaks("asid_is_flushed_before_reuse");
    }

    @Test
    void anAsidThatIsReusedAfterAFlush() {
        happens(new CommandDone("SNP_DECOMMISSION", snp.guest().context(), FirmwareStatus.SUCCESS));
        happens(new CommandDone("SNP_DF_FLUSH", 0, FirmwareStatus.SUCCESS));
        happens(new CommandDone("SNP_ACTIVATE", snp.guest().context(), FirmwareStatus.SUCCESS));
        assertEquals(Optional.empty(), invariants.broken());
    }

    @Test
    void aRegionSmashedTwice() {
        happens(new InstructionDone("PSMASH", 0x20_0000, "SUCCESS"));
        happens(new InstructionDone("PSMASH", 0x20_0000, "SUCCESS"));
        breaks("smashed_once");
    }

    @Test
    void anOverlapMetTwiceInARow() {
        happens(new InstructionDone("RMPUPDATE", 0x20_1000, "FAIL_OVERLAP"));
        happens(new InstructionDone("RMPUPDATE", 0x20_1000, "FAIL_OVERLAP"));
        breaks("smashed_once");
    }

    @Test
    void anAnswerThatCountsNoMessage() {
        happens(new CommandDone("SNP_GUEST_REQUEST", snp.guest().context(), FirmwareStatus.SUCCESS));
        breaks("message_counts_rise");
    }

    @Test
    void aCountThatFalls() {
        long context = snp.guest().context();
        assertTrue(host.firmware().seedMessages(context, 2, 10));
        happens(new CommandDone("SNP_GUEST_STATUS", context, FirmwareStatus.SUCCESS));
        assertTrue(host.firmware().seedMessages(context, 2, 8));
        happens(new CommandDone("SNP_GUEST_STATUS", context, FirmwareStatus.SUCCESS));
        breaks("message_counts_rise");
    }

    @Test
    void aFieldThatTheGuestLeftValid() {
        happens(new GhcbAnswered("g.vcpu0", 0x5000, 1L << 63, 3L << 115 - 64 | 1L << 114 - 64));
        breaks("ghcb_bitmap_is_the_hosts");
    }

    @Test
    void theEndOfAGuest() {
        snp.destroy();
        host.firmware().wbinvdOnAllCores();
        assertEquals(FirmwareStatus.SUCCESS, host.command(FirmwareCommand.SNP_DF_FLUSH, CommandBuffer.address(0)));
        assertEquals(Optional.empty(), invariants.broken());
    }
}
