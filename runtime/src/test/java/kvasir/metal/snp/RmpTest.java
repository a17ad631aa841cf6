package kvasir.metal.snp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import kvasir.event.Events;
import kvasir.event.History;
import kvasir.event.Topic;
import kvasir.metal.memory.PhysicalMemory;
import org.junit.jupiter.api.Test;

/** Expectations: APM 2, 15.36, and the operand and raw formats of Linux. */
final class RmpTest {
    private static final long BASE = 0x1000_0000;
    private static final long PAGE = 0x20_0000;
    private static final PageSize K4 = PageSize.SIZE_4K;
    private static final PageSize M2 = PageSize.SIZE_2M;

    private final PhysicalMemory memory = new PhysicalMemory(1L << 30);
    private final Events events = new Events();
    private final Rmp rmp = new Rmp(memory, events, RmpRegisters.contiguous(BASE, RmpRegisters.bytesToCover(1L << 29)));
    private final HostInstructions host = new HostInstructions(rmp, Rules.standard());
    private final GuestInstructions guest = new GuestInstructions(rmp, Rules.standard());
    private final RmpCheck check = new RmpCheck(rmp, Rules.standard());

    private ReturnCode toGuest(long spa, long gpa, PageSize size, int asid, boolean immutable) {
        return host.rmpupdate(spa, RmpUpdate.toGuest(gpa, size, asid, immutable));
    }

    private ReturnCode toHost(long spa, PageSize size) {
        return host.rmpupdate(spa, RmpUpdate.shared(size));
    }

    private InstructionResult pvalidate(long va, int size, int validate, int nestedLevel, long spa) {
        return guest.pvalidate(
                Caller.guest(1, 0),
                va,
                size,
                validate,
                address -> java.util.Optional.of(new GuestWalk.Translated(spa, address, nestedLevel, true)));
    }

    private InstructionResult rmpadjust(int vmpl, long va, long rcx, long rdx, long spa) {
        return guest.rmpadjust(
                Caller.guest(1, vmpl),
                va,
                rcx,
                rdx,
                address -> java.util.Optional.of(new GuestWalk.Translated(spa, address, rcx == 0 ? 1 : 2, true)));
    }

    private static InstructionResult.Done done(int eax, boolean carry) {
        for (ReturnCode code : ReturnCode.values()) {
            if (code.eax() == eax) {
                return new InstructionResult.Done(code, carry);
            }
        }
        throw new IllegalArgumentException("code " + eax);
    }

    @Test
    void anEntryLiesSixteenKibibytesIntoTheTableInTheRawFormat() {
        assertEquals(ReturnCode.SUCCESS, toGuest(PAGE + 0x3000, 0x7000, K4, 5, true));
        long entry = BASE + 0x4000 + 16 * 0x203;
        assertEquals(1L | 4 | 0x7000 | 5L << 51, memory.read64(entry));
        assertEquals(PageState.PRE_GUEST, rmp.state(PAGE + 0x3fff));
    }

    @Test
    void aFreshTableIsAllHypervisorAndBeyondItNothingIsCovered() {
        assertEquals(PageState.HYPERVISOR, rmp.state(0));
        assertTrue(rmp.covered((1L << 29) - 1));
        assertFalse(rmp.covered(1L << 30));
        assertEquals(ReturnCode.FAIL_INPUT, toGuest(0x3fff_f000L, 0, K4, 1, false));
    }

    @Test
    void segmentsCoverWhatTheirTableSays() {
        var segmented = new Rmp(memory, events, new RmpRegisters(BASE, 0, 0x1e01)); // 1 GiB a segment
        memory.write64(BASE + 0x4000, 0x1200_0000L | 1);
        assertEquals(0x1200_0000L + 16 * 0x203, segmented.entryAddress(0x20_3000));
        assertFalse(segmented.covered(1L << 30));
    }

    @Test
    void rmpupdateChecksInOrder() {
        assertEquals(ReturnCode.FAIL_INPUT, toGuest(PAGE + 1, 0, K4, 1, false), "unaligned");
        assertEquals(ReturnCode.FAIL_INPUT, toGuest(PAGE + 4096, 0, M2, 1, false), "2M unaligned");
        assertEquals(ReturnCode.FAIL_INPUT, host.rmpupdate(PAGE, new RmpUpdate(0, true, K4, false, 1, 2)), "reserved");
        assertEquals(
                ReturnCode.FAIL_INPUT, host.rmpupdate(PAGE, new RmpUpdate(0, false, K4, false, 1, 0)), "owner kept");
        rmp.lock(PAGE);
        assertEquals(ReturnCode.FAIL_INUSE, toGuest(PAGE, 0, K4, 1, false));
        assertEquals(ReturnCode.FAIL_INUSE, toGuest(PAGE, 0, M2, 1, false));
        rmp.unlock(PAGE);
        assertEquals(ReturnCode.SUCCESS, toGuest(PAGE, 0, K4, 1, true));
        assertEquals(ReturnCode.FAIL_PERMISSION, toHost(PAGE, K4), "immutable");
        assertEquals(ReturnCode.SUCCESS, toGuest(PAGE + 4096, 0x1000, K4, 1, false));
        assertEquals(ReturnCode.SUCCESS, toGuest(PAGE + (2 << 20), 0, M2, 1, false));
        assertEquals(ReturnCode.FAIL_OVERLAP, toGuest(PAGE + (2 << 20) + 4096, 0x1000, K4, 1, false), "4K in 2M");
        rmp.running(PAGE + 4096, true);
        assertEquals(ReturnCode.FAIL_INUSE, toHost(PAGE + 4096, K4));
        rmp.running(PAGE + 4096, false);
        assertEquals(ReturnCode.SUCCESS, toHost(PAGE + 4096, K4));
    }

    @Test
    void twoMegabytesOverAssignedPagesOverlap() {
        assertEquals(ReturnCode.SUCCESS, toGuest(PAGE + 0x5000, 0x5000, K4, 1, false));
        assertEquals(ReturnCode.FAIL_OVERLAP, toGuest(PAGE, 0, M2, 1, false));
        assertEquals(1, rmp.entry(PAGE).subpageCount());
        assertEquals(ReturnCode.SUCCESS, toHost(PAGE + 0x5000, K4));
        assertEquals(0, rmp.entry(PAGE).subpageCount());
        assertEquals(ReturnCode.SUCCESS, toGuest(PAGE, 0, M2, 1, false));
    }

    @Test
    void rmpupdateForgetsValidationUnlessTheOwnerIsTheSame() {
        toGuest(PAGE, 0x1000, K4, 1, false);
        assertEquals(done(0, false), pvalidate(0x1000, 0, 1, 1, PAGE));
        assertEquals(ReturnCode.SUCCESS, toGuest(PAGE, 0x1000, K4, 1, true));
        assertEquals(PageState.PRE_SWAP, rmp.state(PAGE));
        rmp.write(PAGE, rmp.entry(PAGE).withImmutable(false), "test");
        assertEquals(ReturnCode.SUCCESS, toGuest(PAGE, 0x2000, K4, 1, false));
        assertEquals(PageState.GUEST_INVALID, rmp.state(PAGE));
        assertEquals(ReturnCode.SUCCESS, host.rmpupdate(PAGE, RmpUpdate.shared(K4)));
        assertEquals(0, memory.read64(rmp.entryAddress(PAGE)));
    }

    @Test
    void psmashMakesFiveHundredAndTwelveEntriesThatKeepEverything() {
        toGuest(PAGE, 0x40_0000, M2, 1, false);
        assertEquals(done(0, false), pvalidate(0x40_0000, 1, 1, 2, PAGE));
        assertEquals(ReturnCode.FAIL_INPUT, host.psmash(PAGE + 4096));
        rmp.lock(PAGE + 0x7000);
        assertEquals(ReturnCode.FAIL_INUSE, host.psmash(PAGE));
        rmp.unlock(PAGE + 0x7000);
        assertEquals(ReturnCode.SUCCESS, host.psmash(PAGE));
        assertEquals(512, rmp.entry(PAGE).subpageCount());
        RmpEntry last = rmp.entry(PAGE + 511 * 4096);
        assertEquals(0x40_0000 + 511 * 4096, last.gpa());
        assertEquals(PageState.GUEST_VALID, last.pageState());
        assertEquals(ReturnCode.FAIL_INPUT, host.psmash(PAGE), "already small");
    }

    @Test
    void hostInstructionsOutsideTheHostKernelFault() {
        var update = RmpUpdate.shared(K4);
        assertEquals(InstructionResult.Raised.UD, host.rmpupdate(Caller.guest(1, 0), PAGE, update));
        assertEquals(
                InstructionResult.Raised.GP, host.rmpupdate(new Caller(true, false, false, 3, 0, 0), PAGE, update));
        assertEquals(InstructionResult.Raised.UD, host.psmash(new Caller(false, false, false, 0, 0, 0), PAGE));
        assertEquals(
                InstructionResult.Raised.GP,
                new HostInstructions(rmp, Rules.standard().with(Rule.FOREIGN_INSTRUCTION_IS_UD))
                        .psmash(Caller.guest(1, 0), PAGE));
    }

    @Test
    void rmpreadShowsNoValidatedBit() {
        toGuest(PAGE + 4096, 0x1000, K4, 3, false);
        pvalidate(0x1000, 0, 1, 1, PAGE + 4096);
        assertEquals(ReturnCode.SUCCESS, host.rmpread(PAGE + 4096, 0x8000));
        assertEquals(0x1000, memory.read64(0x8000));
        assertEquals(3L << 32 | 0x0201, memory.read64(0x8008));
        assertEquals(ReturnCode.FAIL_INPUT, host.rmpread(PAGE + 1, 0x8000));
    }

    @Test
    void pvalidateValidatesOnceAndTellsBySettingCarry() {
        toGuest(PAGE, 0x1000, K4, 1, false);
        assertEquals(done(0, false), pvalidate(0x1000, 0, 1, 1, PAGE));
        assertEquals(done(0, true), pvalidate(0x1000, 0, 1, 1, PAGE));
        assertEquals(done(0, false), pvalidate(0x1000, 0, 0, 1, PAGE));
        assertEquals(done(0, true), pvalidate(0x1000, 0, 0, 1, PAGE));
    }

    @Test
    void pvalidateRefusesInOrder() {
        toGuest(PAGE, 0x1000, K4, 1, false);
        assertEquals(
                InstructionResult.Raised.UD, guest.pvalidate(Caller.HOST, 0, 0, 1, a -> java.util.Optional.empty()));
        assertEquals(
                InstructionResult.Raised.GP,
                guest.pvalidate(Caller.guest(1, 1), 0x1000, 0, 1, a -> java.util.Optional.empty()));
        assertEquals(done(1, false), pvalidate(0x1000, 1, 1, 1, PAGE), "2M operand unaligned");
        assertEquals(done(1, false), pvalidate(0x1000, 2, 1, 1, PAGE), "reserved");
        assertEquals(
                new InstructionResult.WalkFaulted(),
                guest.pvalidate(Caller.guest(1, 0), 0x1000, 0, 1, a -> java.util.Optional.empty()));
        assertEquals(
                new InstructionResult.NestedFault(0x2000, RmpVerdict.GPA_MISMATCH), pvalidate(0x2000, 0, 1, 1, PAGE));
        assertEquals(done(6, false), pvalidate(0, 1, 1, 2, toGuestAt(0)), "2M operand on a 4K entry");
    }

    private long toGuestAt(long gpa) {
        toGuest(0x80_0000, gpa, K4, 1, false);
        return 0x80_0000;
    }

    @Test
    void aSmallOperandOnALargeEntryIsANestedFaultWithSizem() {
        toGuest(PAGE, 0, M2, 1, false);
        var fault = new InstructionResult.NestedFault(0x3000, RmpVerdict.OPERAND_SIZE_MISMATCH);
        assertEquals(fault, pvalidate(0x3000, 0, 1, 1, PAGE + 0x3000));
        assertEquals(1L << 31 | 1L << 34 | 1L << 35, fault.verdict().exitInfo1(true));
        assertEquals(done(6, false), pvalidate(0, 1, 1, 1, PAGE), "2M operand through a 4K leaf");
        assertEquals(done(0, false), pvalidate(0, 1, 1, 2, PAGE));
    }

    @Test
    void rmpadjustGivesOnlyWhatTheGranterHasAndOnlyDownwards() {
        toGuest(PAGE, 0x1000, K4, 1, false);
        assertEquals(new InstructionResult.NotValidated(), rmpadjust(0, 0x1000, 0, 0x0301, PAGE));
        pvalidate(0x1000, 0, 1, 1, PAGE);
        assertEquals(done(2, false), rmpadjust(0, 0x1000, 0, 0x0300, PAGE), "target is the caller");
        assertEquals(done(1, false), rmpadjust(0, 0x1000, 0, 0x0304, PAGE), "no such VMPL");
        assertEquals(done(1, false), rmpadjust(0, 0x1000, 0, 1L << 17 | 1, PAGE), "reserved");
        assertEquals(done(0, false), rmpadjust(0, 0x1000, 0, 0x0301, PAGE));
        assertEquals(done(2, false), rmpadjust(1, 0x1000, 0, 0x0702, PAGE), "VMPL1 may not fetch itself");
        assertEquals(done(0, false), rmpadjust(1, 0x1000, 0, 0x0102, PAGE));
        assertEquals(3, rmp.entry(PAGE).permissions(1));
        assertEquals(1, rmp.entry(PAGE).permissions(2));
        assertEquals(done(0, false), rmpadjust(0, 0x1000, 0, 0x10001, PAGE));
        assertTrue(rmp.entry(PAGE).vmsa());
        assertEquals(
                new InstructionResult.Queried(0, 0x1_0102),
                guest.rmpquery(
                        Caller.guest(1, 0),
                        0x1000,
                        2,
                        a -> java.util.Optional.of(new GuestWalk.Translated(PAGE, a, 1, true))));
        assertEquals(done(2, false), guest.rmpquery(Caller.guest(1, 2), 0x1000, 1, a -> java.util.Optional.empty()));
    }

    @Test
    void aHostWriteThroughALargeMappingFaultsOnAnyAssignedNeighbour() {
        toGuest(PAGE + 0x9000, 0x1000, K4, 1, false);
        assertEquals(RmpVerdict.ALLOWED, check.hostWrite(PAGE, 1));
        assertEquals(RmpVerdict.NOT_HYPERVISOR_OWNED, check.hostWrite(PAGE + 0x9000, 1));
        assertEquals(RmpVerdict.NOT_HYPERVISOR_OWNED, check.hostWrite(PAGE, 2));
        assertEquals(RmpVerdict.NOT_HYPERVISOR_OWNED, check.hostWrite(PAGE + 0x1000, 3));
        assertEquals(RmpVerdict.ALLOWED, check.hostWrite(0x40_0000, 3));
        assertEquals(0x8000_0003, RmpCheck.hostErrorCode(false));
        assertEquals(0x8000_0007, RmpCheck.hostErrorCode(true));
    }

    @Test
    void thePrivateChainStopsAtItsFirstFailure() {
        assertEquals(RmpVerdict.NOT_COVERED, check.guestPrivate(0x3fff_f000L, 0, 1, 0, 1, Access.READ));
        assertEquals(RmpVerdict.GPA_MISMATCH, check.guestPrivate(PAGE, 0x1000, 1, 0, 1, Access.READ));
        assertEquals(RmpVerdict.NOT_ASSIGNED, check.guestPrivate(PAGE, 0, 1, 0, 1, Access.READ));
        toGuest(PAGE, 0x1000, K4, 1, true);
        assertEquals(RmpVerdict.IMMUTABLE, check.guestPrivate(PAGE, 0x1000, 1, 0, 1, Access.READ));
        rmp.write(PAGE, rmp.entry(PAGE).withImmutable(false), "test");
        assertEquals(RmpVerdict.ASID_MISMATCH, check.guestPrivate(PAGE, 0x1000, 2, 0, 1, Access.READ));
        assertEquals(RmpVerdict.SIZE_MISMATCH, check.guestPrivate(PAGE, 0x1000, 1, 0, 2, Access.READ));
        assertEquals(RmpVerdict.NOT_VALIDATED, check.guestPrivate(PAGE, 0x1000, 1, 0, 1, Access.READ));
        pvalidate(0x1000, 0, 1, 1, PAGE);
        assertEquals(RmpVerdict.ALLOWED, check.guestPrivate(PAGE, 0x1abc, 1, 0, 1, Access.WRITE));
        assertEquals(RmpVerdict.VMPL_DENIED, check.guestPrivate(PAGE, 0x1000, 1, 1, 1, Access.READ));
        assertEquals(1L << 31 | 1L << 34 | 1L << 36, RmpVerdict.VMPL_DENIED.exitInfo1(true));
        rmpadjust(0, 0x1000, 0, 0x10001, PAGE);
        assertEquals(RmpVerdict.VMSA_WRITE, check.guestPrivate(PAGE, 0x1000, 1, 0, 1, Access.WRITE));
        assertEquals(RmpVerdict.ALLOWED, check.vmrunVmsa(PAGE, 1));
        assertEquals(RmpVerdict.ASID_MISMATCH, check.vmrunVmsa(PAGE, 2));
    }

    @Test
    void aPageInsideALargeEntryHasItsOwnGuestAddress() {
        toGuest(PAGE, 0x40_0000, M2, 1, false);
        pvalidate(0x40_0000, 1, 1, 2, PAGE);
        assertEquals(RmpVerdict.ALLOWED, check.guestPrivate(PAGE + 0x5008, 0x40_5008, 1, 0, 2, Access.READ));
        assertEquals(RmpVerdict.ALLOWED, check.guestPrivate(PAGE + 0x5008, 0x40_5008, 1, 0, 3, Access.READ));
        assertEquals(RmpVerdict.SIZE_MISMATCH, check.guestPrivate(PAGE + 0x5008, 0x40_5008, 1, 0, 1, Access.READ));
        assertEquals(RmpVerdict.GPA_MISMATCH, check.guestPrivate(PAGE + 0x5008, 0x40_6008, 1, 0, 2, Access.READ));
    }

    @Test
    void sharedAccessesWantAPageOfTheHypervisor() {
        toGuest(PAGE, 0x1000, K4, 1, false);
        assertEquals(RmpVerdict.NOT_HYPERVISOR_OWNED, check.guestShared(PAGE, Access.WRITE, 1));
        assertEquals(RmpVerdict.NOT_HYPERVISOR_OWNED, check.guestShared(PAGE, Access.READ, 1));
        var lenient = new RmpCheck(rmp, Rules.standard().with(Rule.SHARED_READ_IS_CHECKED));
        assertEquals(RmpVerdict.ALLOWED, lenient.guestShared(PAGE, Access.READ, 1));
        assertEquals(1L << 31, RmpVerdict.NOT_HYPERVISOR_OWNED.exitInfo1(false));
    }

    @Test
    void everyChangeIsOneEventAndThePictureJoinsNeighbours() {
        var history = new History(10);
        events.add(history);
        toGuest(PAGE, 0x1000, K4, 1, false);
        toGuest(PAGE + 4096, 0x2000, K4, 1, false);
        toGuest(PAGE + 8192, 0x9000, K4, 1, false);
        assertEquals(
                "rmp[0x200000] HYPERVISOR -> GUEST_INVALID 4K asid 1 gpa 0x1000 by RMPUPDATE",
                history.last(Topic.of("rmp", PAGE, 1)).orElseThrow().event().describe());
        assertEquals("""
                0x00200000..0x00202000  GUEST_INVALID 4K asid 1 gpa 0x1000
                0x00202000..0x00203000  GUEST_INVALID 4K asid 1 gpa 0x9000""", rmp.picture().orElseThrow());
        assertEquals(3, rmp.guestFrames());
    }
}
