package kvasir.metal.snp.psp;

import static kvasir.metal.snp.psp.FirmwareCommand.SNP_ACTIVATE;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_CONFIG;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_DBG_DECRYPT;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_DBG_ENCRYPT;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_DECOMMISSION;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_DF_FLUSH;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_GCTX_CREATE;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_GUEST_STATUS;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_INIT_EX;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_LAUNCH_FINISH;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_LAUNCH_START;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_LAUNCH_UPDATE;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_PAGE_MD_INIT;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_PAGE_RECLAIM;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_PAGE_UNSMASH;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_PLATFORM_STATUS;
import static kvasir.metal.snp.psp.FirmwareCommand.SNP_SHUTDOWN_EX;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.PageState;
import kvasir.metal.snp.ReturnCode;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.RmpUpdate;
import kvasir.metal.snp.Rule;
import kvasir.metal.snp.Rules;
import kvasir.registry.Bytes;
import org.junit.jupiter.api.Test;

/** Checks and effects of the SNP firmware ABI, each status where its table puts it. */
final class FirmwareCommandsTest {
    private static final long POLICY = FirmwareBench.POLICY;

    @Test
    void nothingButInitAndStatusBeforeInit() {
        var bench = new FirmwareBench();
        bench.expect(FirmwareStatus.INVALID_PLATFORM_STATE, SNP_DF_FLUSH, CommandBuffer.address(0));
        bench.expect(FirmwareStatus.SUCCESS, SNP_PLATFORM_STATUS, CommandBuffer.address(bench.page()));
        bench.expect(FirmwareStatus.RMP_INIT_REQUIRED, SNP_INIT_EX, CommandBuffer.initEx(false, 0));
        bench.init();
        bench.expect(FirmwareStatus.INVALID_PLATFORM_STATE, SNP_INIT_EX, CommandBuffer.initEx(true, 0));
        assertEquals(FirmwareStatus.INVALID_COMMAND, bench.firmware.issue(0x0ff, 0x1000));
        bench.expect(FirmwareStatus.INVALID_PARAM, FirmwareCommand.SNP_VLEK_LOAD, CommandBuffer.address(0));
    }

    @Test
    void initWantsSnpOnAllCores() {
        PlatformConfig on = FirmwareBench.config();
        var off = new PlatformConfig(
                on.seed(),
                on.apiMajor(),
                on.apiMinor(),
                on.build(),
                on.tcb(),
                on.cores(),
                on.asids(),
                on.smt(),
                on.sockets(),
                false,
                on.familyModelStepping(),
                on.cpuid());
        new FirmwareBench(Rules.standard(), off)
                .expect(FirmwareStatus.INVALID_CONFIG, SNP_INIT_EX, CommandBuffer.initEx(true, 0));
    }

    @Test
    void initBuildsTheRmp() {
        var bench = new FirmwareBench();
        long list = bench.page();
        bench.memory.write32(list, 1);
        bench.memory.write64(list + 8, 0x300_0800);
        bench.memory.write32(list + 16, 2);
        bench.expect(FirmwareStatus.INVALID_ADDRESS, SNP_INIT_EX, CommandBuffer.initEx(true, list));
        bench.memory.write64(list + 8, 0x300_0000);
        bench.expect(FirmwareStatus.SUCCESS, SNP_INIT_EX, CommandBuffer.initEx(true, list));
        assertEquals(PageState.HV_FIXED, bench.rmp.state(0x300_1000));
        assertEquals(PageState.HYPERVISOR, bench.rmp.state(0x300_2000));
        assertEquals(PageState.FIRMWARE, bench.rmp.state(0x800_0000));
        assertEquals(PageState.FIRMWARE, bench.rmp.state(0x700_0000));
        assertEquals(
                ReturnCode.FAIL_PERMISSION,
                bench.instructions.rmpupdate(0x300_0000, RmpUpdate.toGuest(0, PageSize.SIZE_4K, 1, false)));
    }

    @Test
    void platformStatus() {
        var bench = FirmwareBench.initialised();
        bench.expect(FirmwareStatus.INVALID_PAGE_STATE, SNP_PLATFORM_STATUS, CommandBuffer.address(bench.page()));
        bench.expect(FirmwareStatus.INVALID_ADDRESS, SNP_PLATFORM_STATUS, CommandBuffer.address(0x10));
        bench.active(POLICY, 1);
        long output = bench.firmwarePage();
        bench.expect(FirmwareStatus.SUCCESS, SNP_PLATFORM_STATUS, CommandBuffer.address(output));
        assertEquals(0x0101_3701, bench.memory.read32(output));
        assertEquals(1, bench.memory.read32(output + 12), "guests");
        assertEquals(0x7308_0000_0000_0003L, bench.memory.read64(output + 16));
    }

    @Test
    void gctxCreate() {
        var bench = FirmwareBench.initialised();
        bench.expect(FirmwareStatus.INVALID_PAGE_STATE, SNP_GCTX_CREATE, CommandBuffer.address(bench.page()));
        bench.expect(FirmwareStatus.INVALID_ADDRESS, SNP_GCTX_CREATE, CommandBuffer.address(0x800_0000));
        long context = bench.context();
        assertEquals(PageState.CONTEXT, bench.rmp.state(context));
        bench.expect(FirmwareStatus.INVALID_PAGE_STATE, SNP_GCTX_CREATE, CommandBuffer.address(context));
    }

    @Test
    void launchStartChecksThePolicy() {
        var bench = FirmwareBench.initialised();
        bench.expect(FirmwareStatus.INVALID_GUEST, SNP_LAUNCH_START, FirmwareBench.start(bench.page(), POLICY));
        long context = bench.context();
        bench.expect(FirmwareStatus.INVALID_PARAM, SNP_LAUNCH_START, FirmwareBench.start(context, 0x10000));
        bench.expect(FirmwareStatus.INVALID_PARAM, SNP_LAUNCH_START, FirmwareBench.start(context, POLICY | 1L << 26));
        bench.expect(FirmwareStatus.POLICY_FAILURE, SNP_LAUNCH_START, FirmwareBench.start(context, 0x20000));
        bench.expect(FirmwareStatus.POLICY_FAILURE, SNP_LAUNCH_START, FirmwareBench.start(context, POLICY | 0x0138));
        bench.expect(FirmwareStatus.SUCCESS, SNP_LAUNCH_START, FirmwareBench.start(context, POLICY | 0x0137));
        bench.expect(FirmwareStatus.INVALID_GUEST_STATE, SNP_LAUNCH_START, FirmwareBench.start(context, POLICY));
        var lenient =
                new FirmwareBench(Rules.standard().with(Rule.RESERVED_POLICY_IS_PARAM), FirmwareBench.config()).init();
        lenient.expect(
                FirmwareStatus.POLICY_FAILURE, SNP_LAUNCH_START, FirmwareBench.start(lenient.context(), 0x10000));
    }

    @Test
    void anAsidIsUsedAgainOnlyAfterWbinvdAndDfFlush() {
        var bench = FirmwareBench.initialised();
        bench.expect(FirmwareStatus.INVALID_GUEST_STATE, SNP_ACTIVATE, CommandBuffer.activate(bench.context(), 1));
        long first = bench.started(POLICY);
        bench.expect(FirmwareStatus.INVALID_ASID, SNP_ACTIVATE, CommandBuffer.activate(first, 0));
        bench.expect(FirmwareStatus.INVALID_ASID, SNP_ACTIVATE, CommandBuffer.activate(first, 16));
        bench.expect(FirmwareStatus.SUCCESS, SNP_ACTIVATE, CommandBuffer.activate(first, 1));
        bench.expect(FirmwareStatus.ACTIVE, SNP_ACTIVATE, CommandBuffer.activate(first, 2));
        long second = bench.started(POLICY);
        bench.expect(FirmwareStatus.ASID_OWNED, SNP_ACTIVATE, CommandBuffer.activate(second, 1));
        bench.expect(FirmwareStatus.SUCCESS, SNP_DECOMMISSION, CommandBuffer.address(first));
        bench.expect(FirmwareStatus.WBINVD_REQUIRED, SNP_ACTIVATE, CommandBuffer.activate(second, 1));
        bench.firmware.wbinvd(0);
        bench.expect(FirmwareStatus.WBINVD_REQUIRED, SNP_DF_FLUSH, CommandBuffer.address(0));
        bench.firmware.wbinvd(1);
        bench.expect(FirmwareStatus.DFFLUSH_REQUIRED, SNP_ACTIVATE, CommandBuffer.activate(second, 1));
        bench.expect(FirmwareStatus.SUCCESS, SNP_DF_FLUSH, CommandBuffer.address(0));
        bench.expect(FirmwareStatus.SUCCESS, SNP_ACTIVATE, CommandBuffer.activate(second, 1));
    }

    @Test
    void launchUpdateChecksInOrder() {
        var bench = FirmwareBench.initialised();
        long inactive = bench.started(POLICY);
        bench.expect(
                FirmwareStatus.INACTIVE,
                SNP_LAUNCH_UPDATE,
                FirmwareBench.update(inactive, PageType.NORMAL, bench.preGuestPage(0, 1)));
        long context = bench.active(POLICY, 1);
        bench.expect(
                FirmwareStatus.INVALID_PAGE_STATE,
                SNP_LAUNCH_UPDATE,
                FirmwareBench.update(context, PageType.NORMAL, bench.page()));
        bench.expect(
                FirmwareStatus.INVALID_PAGE_OWNER,
                SNP_LAUNCH_UPDATE,
                FirmwareBench.update(context, PageType.NORMAL, bench.preGuestPage(0, 2)));
        long page = bench.preGuestPage(0x1000, 1);
        bench.expect(
                FirmwareStatus.INVALID_PAGE_SIZE,
                SNP_LAUNCH_UPDATE,
                CommandBuffer.launchUpdate(context, PageSize.SIZE_2M, PageType.NORMAL, false, page, 0));
        bench.expect(
                FirmwareStatus.INVALID_PARAM,
                SNP_LAUNCH_UPDATE,
                CommandBuffer.launchUpdate(context, PageSize.SIZE_4K, PageType.NORMAL, true, page, 0));
        bench.expect(
                FirmwareStatus.INVALID_PARAM, SNP_LAUNCH_UPDATE, FirmwareBench.update(context, PageType.VMSA, page));
        assertEquals(
                "00".repeat(48),
                bench.firmware.launchDigest(context).orElseThrow().hex());
        bench.expect(
                FirmwareStatus.SUCCESS,
                SNP_LAUNCH_UPDATE,
                CommandBuffer.launchUpdate(context, PageSize.SIZE_4K, PageType.NORMAL, false, page, 0x01_0307));
        RmpEntry entry = bench.rmp.entry(page);
        assertEquals(PageState.GUEST_VALID, entry.pageState());
        assertEquals(0x1f, entry.permissions(0));
        assertEquals(7, entry.permissions(1));
        assertEquals(3, entry.permissions(2));
        assertEquals(1, entry.permissions(3));
        bench.expect(
                FirmwareStatus.INVALID_PAGE_STATE,
                SNP_LAUNCH_UPDATE,
                FirmwareBench.update(context, PageType.NORMAL, page));
        bench.finish(context);
        bench.expect(
                FirmwareStatus.INVALID_GUEST_STATE,
                SNP_LAUNCH_UPDATE,
                FirmwareBench.update(context, PageType.NORMAL, page));
    }

    @Test
    void aTwoMegabytePageIsFiveHundredAndTwelveSteps() {
        var bench = FirmwareBench.initialised();
        long context = bench.active(POLICY, 1);
        bench.rmpupdate(0x400_0000, RmpUpdate.toGuest(0x20_0000, PageSize.SIZE_2M, 1, true));
        bench.expect(
                FirmwareStatus.INVALID_PAGE_SIZE,
                SNP_LAUNCH_UPDATE,
                CommandBuffer.launchUpdate(context, PageSize.SIZE_2M, PageType.CPUID, false, 0x400_0000, 0));
        bench.expect(
                FirmwareStatus.SUCCESS,
                SNP_LAUNCH_UPDATE,
                CommandBuffer.launchUpdate(context, PageSize.SIZE_2M, PageType.NORMAL, false, 0x400_0000, 0));
        Ledger ledger = bench.firmware.ledger(context).orElseThrow();
        assertEquals(512, ledger.records().size());
        assertEquals(0x3f_f000, ledger.records().getLast().gpa());
    }

    @Test
    void zeroAndSecretsPagesAreWrittenByFirmware() {
        var bench = FirmwareBench.initialised();
        long context = bench.active(POLICY, 1);
        long zero = bench.preGuestPage(0x1000, 1);
        bench.memory.write64(zero, -1);
        bench.expect(FirmwareStatus.SUCCESS, SNP_LAUNCH_UPDATE, FirmwareBench.update(context, PageType.ZERO, zero));
        assertEquals(0, bench.memory.read64(zero));
        long secrets = bench.add(context, PageType.SECRETS, 0x2000, 1);
        assertEquals(3, bench.memory.read32(secrets));
        assertEquals(0x00a0_0f11, bench.memory.read32(secrets + 8));
        assertFalse(java.util.Arrays.equals(new byte[32], bench.read(secrets + 0x20, 32)), "VMPCK0");
        assertArrayEquals(new byte[96], bench.read(secrets + 0xa0, 96), "the guest's own area");
        long vmsa = bench.add(context, PageType.VMSA, 0xffff_ffff_f000L, 1);
        assertTrue(bench.rmp.entry(vmsa).vmsa());
    }

    @Test
    void aCpuidPageThatPromisesTooMuchComesBackCorrected() {
        var bench = FirmwareBench.initialised();
        long context = bench.active(POLICY, 1);
        long page = bench.preGuestPage(0x1000, 1);
        bench.memory.write32(page, 1);
        bench.memory.write32(page + 16, 7);
        bench.memory.write32(page + 16 + 28, 1 << 16 | 1 << 5); // AVX-512F and AVX2
        Bytes update = FirmwareBench.update(context, PageType.CPUID, page);
        bench.expect(FirmwareStatus.INVALID_PARAM, SNP_LAUNCH_UPDATE, update);
        assertEquals(1 << 5, bench.memory.read32(page + 16 + 28));
        assertEquals(PageState.PRE_GUEST, bench.rmp.state(page));
        bench.expect(FirmwareStatus.SUCCESS, SNP_LAUNCH_UPDATE, update);
        long big = bench.preGuestPage(0x2000, 1);
        bench.memory.write32(big, 65);
        bench.expect(
                FirmwareStatus.INVALID_PARAM, SNP_LAUNCH_UPDATE, FirmwareBench.update(context, PageType.CPUID, big));
        assertEquals(65, bench.memory.read32(big));
    }

    @Test
    void reclaim() {
        var bench = FirmwareBench.initialised();
        long firmware = bench.firmwarePage();
        bench.expect(FirmwareStatus.INVALID_ADDRESS, SNP_PAGE_RECLAIM, CommandBuffer.page(0x10_1000, PageSize.SIZE_2M));
        bench.expect(
                FirmwareStatus.INVALID_PAGE_SIZE, SNP_PAGE_RECLAIM, CommandBuffer.page(0x40_0000, PageSize.SIZE_2M));
        bench.expect(FirmwareStatus.SUCCESS, SNP_PAGE_RECLAIM, CommandBuffer.page(firmware, PageSize.SIZE_4K));
        assertEquals(PageState.RECLAIM, bench.rmp.state(firmware));
        bench.rmpupdate(firmware, RmpUpdate.shared(PageSize.SIZE_4K));
        long preGuest = bench.preGuestPage(0x1000, 1);
        bench.expect(FirmwareStatus.SUCCESS, SNP_PAGE_RECLAIM, CommandBuffer.page(preGuest, PageSize.SIZE_4K));
        assertEquals(PageState.GUEST_INVALID, bench.rmp.state(preGuest));
        bench.expect(
                FirmwareStatus.INVALID_PAGE_STATE,
                SNP_PAGE_RECLAIM,
                CommandBuffer.page(bench.context(), PageSize.SIZE_4K));
        long metadata = bench.firmwarePage();
        bench.expect(
                FirmwareStatus.SUCCESS, SNP_PAGE_MD_INIT, CommandBuffer.guestStatus(bench.started(0x30000), metadata));
        assertEquals(PageState.METADATA, bench.rmp.state(metadata));
        bench.expect(FirmwareStatus.SUCCESS, SNP_PAGE_RECLAIM, CommandBuffer.page(metadata, PageSize.SIZE_4K));
    }

    @Test
    void unsmashMakesOneEntryOfLikeOnes() {
        var bench = FirmwareBench.initialised();
        for (int i = 0; i < 512; i++) {
            bench.rmpupdate(0x400_0000 + 4096L * i, RmpUpdate.toGuest(4096L * i, PageSize.SIZE_4K, 1, false));
        }
        Bytes unsmash = CommandBuffer.page(0x400_0000, PageSize.SIZE_2M);
        bench.rmpupdate(0x400_5000, RmpUpdate.toGuest(0x5000, PageSize.SIZE_4K, 2, false));
        bench.expect(FirmwareStatus.INVALID_PAGE_OWNER, SNP_PAGE_UNSMASH, unsmash);
        bench.rmpupdate(0x400_5000, RmpUpdate.toGuest(0x6000, PageSize.SIZE_4K, 1, false));
        bench.expect(FirmwareStatus.INVALID_PAGE_STATE, SNP_PAGE_UNSMASH, unsmash);
        bench.rmpupdate(0x400_5000, RmpUpdate.toGuest(0x5000, PageSize.SIZE_4K, 1, false));
        bench.expect(FirmwareStatus.SUCCESS, SNP_PAGE_UNSMASH, unsmash);
        assertEquals(PageSize.SIZE_2M, bench.rmp.entry(0x400_5000).size());
        assertEquals(0, bench.rmp.entry(0x400_0000).subpageCount());
        assertEquals(ReturnCode.SUCCESS, bench.instructions.psmash(0x400_0000));
    }

    @Test
    void decommissionWantsNoPageStillInFlight() {
        var bench = FirmwareBench.initialised();
        long context = bench.active(POLICY, 1);
        long page = bench.preGuestPage(0x1000, 1);
        bench.expect(FirmwareStatus.INVALID_PAGE_STATE, SNP_DECOMMISSION, CommandBuffer.address(context));
        bench.expect(FirmwareStatus.SUCCESS, SNP_PAGE_RECLAIM, CommandBuffer.page(page, PageSize.SIZE_4K));
        bench.expect(FirmwareStatus.SUCCESS, SNP_DECOMMISSION, CommandBuffer.address(context));
        assertEquals(PageState.FIRMWARE, bench.rmp.state(context));
        bench.expect(FirmwareStatus.INVALID_GUEST, SNP_DECOMMISSION, CommandBuffer.address(context));
    }

    @Test
    void debugCommandsWantThePolicy() {
        var bench = FirmwareBench.initialised();
        long silent = bench.active(POLICY, 1);
        long closed = bench.add(silent, PageType.NORMAL, 0x1000, 1);
        long output = bench.firmwarePage();
        bench.expect(FirmwareStatus.INVALID_GUEST_STATE, SNP_DBG_DECRYPT, CommandBuffer.debug(silent, closed, output));
        bench.finish(silent);
        bench.expect(FirmwareStatus.POLICY_FAILURE, SNP_DBG_DECRYPT, CommandBuffer.debug(silent, closed, output));
        long open = bench.active(POLICY | 1 << 19, 2);
        long page = bench.preGuestPage(0x1000, 2);
        bench.memory.write64(page, 0x1122_3344);
        bench.expect(FirmwareStatus.SUCCESS, SNP_LAUNCH_UPDATE, FirmwareBench.update(open, PageType.NORMAL, page));
        bench.finish(open);
        bench.expect(FirmwareStatus.INVALID_PAGE_OWNER, SNP_DBG_DECRYPT, CommandBuffer.debug(open, closed, output));
        bench.expect(FirmwareStatus.INVALID_PAGE_STATE, SNP_DBG_DECRYPT, CommandBuffer.debug(open, page, bench.page()));
        bench.expect(FirmwareStatus.SUCCESS, SNP_DBG_DECRYPT, CommandBuffer.debug(open, page, output));
        assertEquals(0x1122_3344, bench.memory.read64(output));
        bench.memory.write64(output, 5);
        bench.expect(FirmwareStatus.SUCCESS, SNP_DBG_ENCRYPT, CommandBuffer.debug(open, output, page));
        assertEquals(5, bench.memory.read64(page));
    }

    @Test
    void guestStatus() {
        var bench = FirmwareBench.initialised();
        long context = bench.active(POLICY, 3);
        long output = bench.firmwarePage();
        bench.expect(
                FirmwareStatus.INVALID_PAGE_STATE, SNP_GUEST_STATUS, CommandBuffer.guestStatus(context, bench.page()));
        bench.expect(FirmwareStatus.SUCCESS, SNP_GUEST_STATUS, CommandBuffer.guestStatus(context, output));
        assertEquals(POLICY, bench.memory.read64(output));
        assertEquals(3, bench.memory.read32(output + 8));
    }

    @Test
    void shutdownWantsFlushedAsids() {
        var bench = FirmwareBench.initialised();
        long context = bench.active(POLICY, 1);
        bench.expect(FirmwareStatus.SUCCESS, SNP_DECOMMISSION, CommandBuffer.address(context));
        bench.expect(FirmwareStatus.WBINVD_REQUIRED, SNP_SHUTDOWN_EX, CommandBuffer.shutdownEx(true, false));
        bench.firmware.wbinvdOnAllCores();
        bench.expect(FirmwareStatus.DFFLUSH_REQUIRED, SNP_SHUTDOWN_EX, CommandBuffer.shutdownEx(true, false));
        bench.expect(FirmwareStatus.SUCCESS, SNP_DF_FLUSH, CommandBuffer.address(0));
        bench.expect(FirmwareStatus.INVALID_LENGTH, SNP_SHUTDOWN_EX, CommandBuffer.address(0));
        bench.expect(FirmwareStatus.SUCCESS, SNP_SHUTDOWN_EX, CommandBuffer.shutdownEx(true, false));
        assertEquals(PageState.RECLAIM, bench.rmp.state(context));
        bench.expect(FirmwareStatus.SUCCESS, SNP_INIT_EX, CommandBuffer.initEx(false, 0));
    }

    @Test
    void configLowersTheReportedTcbOnly() {
        var bench = FirmwareBench.initialised();
        long newer = new Tcb(4, 0, 8, 0x73).version();
        bench.expect(FirmwareStatus.INVALID_PARAM, SNP_CONFIG, CommandBuffer.config(newer, false, false));
        bench.expect(
                FirmwareStatus.SUCCESS,
                SNP_CONFIG,
                CommandBuffer.config(new Tcb(2, 0, 8, 0x73).version(), false, false));
    }

    @Test
    void aRestoredSnapshotBringsContextAndLedgerBack() {
        var bench = FirmwareBench.initialised();
        long context = bench.active(POLICY, 1);
        bench.add(context, PageType.ZERO, 0x1000, 1);
        Bytes before = bench.firmware.launchDigest(context).orElseThrow();
        try (var snapshot = bench.memory.snapshot()) {
            bench.add(context, PageType.ZERO, 0x2000, 1);
            bench.memory.restore(snapshot);
        }
        assertEquals(before, bench.firmware.launchDigest(context).orElseThrow());
        assertEquals(before, bench.firmware.ledger(context).orElseThrow().digest());
    }

    @Test
    void finishOfAGuestThatIsNotInLaunch() {
        var bench = FirmwareBench.initialised();
        Bytes finish = CommandBuffer.launchFinish(bench.context(), 0, 0, false, false, FirmwareBench.NO_HOST_DATA);
        bench.expect(FirmwareStatus.INVALID_GUEST_STATE, SNP_LAUNCH_FINISH, finish);
    }
}
