package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R10;
import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;
import static kvasir.metal.tdx.Status.*;
import static kvasir.metal.tdx.TdxPlatform.expect;
import static kvasir.metal.tdx.TdxPlatform.ok;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Every status of every leaf, provoked; the last check is that next to none is missing. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class StatusCoverageTest {
    private static final long MNG_ATTRIBUTES = 0x1110000300000000L;
    private static final long NULL_ID = -1;
    private static final int V1 = 1 << 16;

    private final LeafCoverage coverage = new LeafCoverage();
    private TdxPlatform platform;
    private TestTd created;
    private TestTd keyed;
    private TestTd fresh;
    private TestTd built;
    private TestTd running;
    private TestTd fatal;
    private TestTd blocked;
    private TestTd debug;

    private TdxPlatform covered(TdxPlatform one) {
        one.events.add(coverage);
        return one;
    }

    @BeforeAll
    void tds() {
        platform = covered(new TdxPlatform());
        platform.bringUp();
        created = new TestTd(platform);
        keyed = new TestTd(platform);
        keyed.keys();
        fresh = TestTd.withTdcs(platform);
        built = TestTd.initialised(platform);
        built.vcpu();
        built.tables(0);
        running = TestTd.runnable(platform);
        debug = TestTd.initialised(platform, Tdcs.ATTRIBUTE_DEBUG);
        debug.add(0, new byte[4096]);
        fatal = TestTd.runnable(platform);
        platform.module.guest((module, vcpu) -> new TdExit.Fatal(NON_RECOVERABLE_TD));
        expect(NON_RECOVERABLE_TD.value(), fatal.enter(fatal.vcpus.getFirst()));
        platform.module.guest(TdGuest.NONE);
        blocked = TestTd.runnable(platform);
        blocked.vcpuFlush();
        ok(call(19, blocked.tdr, 0));
    }

    @AfterAll
    void nearlyNothingIsMissing() {
        var rows = coverage.seamcalls();
        int provoked = rows.stream().mapToInt(row -> row.provoked().size()).sum();
        int known =
                provoked + rows.stream().mapToInt(row -> row.missing().size()).sum();
        assertTrue(provoked * 100 >= known * 90, () -> LeafCoverage.listing(rows));
        var guest = coverage.tdcalls();
        int answered = guest.stream().mapToInt(row -> row.provoked().size()).sum();
        int possible =
                answered + guest.stream().mapToInt(row -> row.missing().size()).sum();
        assertTrue(answered * 100 >= possible * 90, () -> LeafCoverage.listing(guest));
    }

    private SeamcallRegs call(long leaf, long rcx, long rdx) {
        return platform.call(leaf, rcx, rdx);
    }

    private SeamcallRegs call(long leaf, long rcx, long rdx, long r8, long r9) {
        return platform.call(leaf, rcx, rdx, r8, r9);
    }

    private void busy(LockObject object, int nth, long status, LongFunction<SeamcallRegs> leaf, long argument) {
        platform.module.conditions().busy(object, nth);
        expect(status, leaf.apply(argument));
    }

    /** A page operand: unaligned, outside the TDMRs, taken by another LP, of a wrong type. */
    private void pageOperand(int operand, LockObject kind, int nth, long good, LongFunction<SeamcallRegs> leaf) {
        expect(OPERAND_INVALID.on(operand), leaf.apply(good + 0x1008 & ~0x1000L));
        expect(OPERAND_INVALID.on(operand), leaf.apply(good | 1L << 41));
        expect(OPERAND_ADDR_RANGE_ERROR.on(operand), leaf.apply(0x5000));
        busy(kind, nth, OPERAND_BUSY.on(operand), leaf, good);
        long wrong = kind == LockObject.TDR && operand != RCX ? platform.page() : created.tdr;
        expect(PAGE_METADATA_INCORRECT.on(operand), leaf.apply(kind == LockObject.PAGE ? created.tdr : wrong));
    }

    /** The TDR operand and the common check. */
    private void common(int tdrRegister, LongFunction<SeamcallRegs> leaf, long wrongState) {
        expect(OPERAND_INVALID.on(tdrRegister), leaf.apply(built.tdr | 0x800));
        expect(OPERAND_ADDR_RANGE_ERROR.on(tdrRegister), leaf.apply(0x5000));
        busy(LockObject.TDR, 1, OPERAND_BUSY.on(tdrRegister), leaf, built.tdr);
        expect(PAGE_METADATA_INCORRECT.on(tdrRegister), leaf.apply(platform.page()));
        expect(TD_FATAL.value(), leaf.apply(fatal.tdr));
        expect(TD_KEYS_NOT_CONFIGURED.value(), leaf.apply(created.tdr));
        expect(TDCS_NOT_ALLOCATED.value(), leaf.apply(keyed.tdr));
        expect(OP_STATE_INCORRECT.value(), leaf.apply(wrongState));
    }

    /** The TDVPR operand, its owner, and the common check. */
    private void vcpu(LongFunction<SeamcallRegs> leaf, int register, long good, long wrongState) {
        expect(OPERAND_INVALID.on(register), leaf.apply(good | 0x800));
        expect(OPERAND_ADDR_RANGE_ERROR.on(register), leaf.apply(0x5000));
        busy(LockObject.TDVPR, 1, OPERAND_BUSY.on(register), leaf, good);
        busy(LockObject.TDR, 1, OPERAND_BUSY.on(Operand.TDR), leaf, good);
        expect(PAGE_METADATA_INCORRECT.on(register), leaf.apply(built.tdr));
        expect(TD_FATAL.value(), leaf.apply(fatal.vcpus.getFirst()));
        expect(TD_KEYS_NOT_CONFIGURED.value(), leaf.apply(blocked.vcpus.getFirst()));
        if (wrongState != 0) {
            expect(OP_STATE_INCORRECT.value(), leaf.apply(wrongState));
        }
    }

    @Test
    void unknownLeavesVersionsAndReservedBits() {
        for (long rax :
                new long[] {42, 44, 48, 52, 63, 64, 96, 0xffff, 2 | V1, 7 | 2 << 16, 3 | 2 << 16, 1L << 24, 1L << 63}) {
            expect(OPERAND_INVALID.on(Operand.RAX), call(rax, 0, 0));
        }
    }

    @Test
    void bringUp() {
        var p = covered(new TdxPlatform());
        expect(SYS_LP_INIT_NOT_DONE.value(), p.call(9));
        expect(SYS_LP_INIT_NOT_PENDING.value(), p.call(35));
        expect(OPERAND_INVALID.on(RCX), p.call(33, 1));
        p.module.conditions().busy(LockObject.SYS, 1);
        expect(SYS_BUSY.value(), p.call(33));
        ok(p.call(33));
        expect(SYS_INIT_NOT_PENDING.value(), p.call(33));
        p.module.conditions().busy(LockObject.SYS, 1);
        expect(SYS_BUSY.value(), p.call(35));
        ok(p.call(35));
        expect(SYS_LP_INIT_DONE.value(), p.call(35));
        expect(SYS_NOT_READY.value(), p.call(9));
        expect(SYS_CONFIG_NOT_PENDING.value(), p.configure(1));
        for (int lp = 1; lp < 4; lp++) {
            ok(p.callOn(lp, 35));
        }
        expect(SYS_KEY_CONFIG_NOT_PENDING.value(), p.call(31));
        badConfigurations(p);
        p.writeTdmrInfo(0, TdxPlatform.TDMR, TdxPlatform.GIB, TdxPlatform.PAMT);
        ok(p.configure(1));
        p.module.conditions().busy(LockObject.SYS, 1);
        expect(SYS_BUSY.value(), p.call(31));
        p.module.conditions().keyGenerationFailure(1);
        expect(KEY_GENERATION_FAILED.value(), p.call(31));
        ok(p.call(31));
        expect(KEY_CONFIGURED.value(), p.call(31));
        ok(p.callOn(1, 31));
        expect(OPERAND_INVALID.on(RCX), p.call(36, 0));
        p.module.conditions().busy(LockObject.TDMR, 1);
        expect(OPERAND_BUSY.on(RCX), p.call(36, TdxPlatform.TDMR));
        ok(p.call(36, TdxPlatform.TDMR));
        expect(TDMR_ALREADY_INITIALIZED.value(), p.call(36, TdxPlatform.TDMR));
    }

    private static void badConfigurations(TdxPlatform p) {
        long gib = TdxPlatform.GIB;
        long info = TdxPlatform.SCRATCH + 0x1000;
        p.module.conditions().busy(LockObject.SYS, 1);
        expect(SYS_BUSY.value(), p.configure(1));
        expect(OPERAND_INVALID.on(RCX), p.call(45, TdxPlatform.SCRATCH + 8, 1, 32, 0));
        expect(OPERAND_INVALID.on(RDX), p.call(45, TdxPlatform.SCRATCH, 0, 32, 0));
        expect(OPERAND_INVALID.on(R8), p.call(45, TdxPlatform.SCRATCH, 1, 31, 0));
        p.writeTdmrInfo(0, gib + 4096, gib, TdxPlatform.PAMT);
        expect(INVALID_TDMR.on(0), p.configure(1));
        p.writeTdmrInfo(0, gib, gib, TdxPlatform.PAMT);
        p.writeTdmrInfo(1, gib, gib, TdxPlatform.PAMT + (64 << 20));
        expect(NON_ORDERED_TDMR.on(1), p.configure(2));
        p.put(info, 6, TdxPlatform.PAMT + 8);
        expect(INVALID_PAMT.on(0), p.configure(1));
        p.writeTdmrInfo(0, gib, gib, gib);
        expect(PAMT_OVERLAP.value(), p.configure(1));
        p.writeTdmrInfo(0, gib, gib, TdxPlatform.PAMT);
        p.put(info, 8, 4096);
        p.put(info, 9, 100);
        expect(INVALID_RESERVED_IN_TDMR.on(0), p.configure(1));
        p.put(info, 9, 8192);
        p.put(info, 10, 8192);
        p.put(info, 11, 4096);
        expect(NON_ORDERED_RESERVED_IN_TDMR.on(1 << 8), p.configure(1));
    }

    @Test
    void memoryOutsideTheConvertibleRanges() {
        var memory = new kvasir.metal.memory.PhysicalMemory(4 * TdxPlatform.GIB);
        var cmrs = List.of(new kvasir.registry.Range(0, 2 * TdxPlatform.GIB));
        var half = new Platform(46, 6, 31, 32, List.of(0), cmrs, new kvasir.registry.Range(0, 0));
        var events = new kvasir.event.Events();
        events.add(coverage);
        var module = new TdxModule(memory, half, events, 1);
        ok(module.seamcall(0, SeamcallRegs.leaf(33)));
        ok(module.seamcall(0, SeamcallRegs.leaf(35)));
        var writer = new TdxPlatform();
        writer.writeTdmrInfo(0, TdxPlatform.GIB, 2 * TdxPlatform.GIB, 0x1000_0000);
        copyInfo(writer, memory);
        expect(TDMR_OUTSIDE_CMRS.on(0), module.seamcall(0, SeamcallRegs.of(45, TdxPlatform.SCRATCH, 1, 32, 0)));
        writer.writeTdmrInfo(0, TdxPlatform.GIB, TdxPlatform.GIB, 3 * TdxPlatform.GIB);
        copyInfo(writer, memory);
        expect(PAMT_OUTSIDE_CMRS.on(0), module.seamcall(0, SeamcallRegs.of(45, TdxPlatform.SCRATCH, 1, 32, 0)));
    }

    private static void copyInfo(TdxPlatform from, kvasir.metal.memory.PhysicalMemory to) {
        var bytes = new byte[0x2000];
        from.memory.read(TdxPlatform.SCRATCH, bytes, 0, bytes.length);
        to.write(TdxPlatform.SCRATCH, bytes, 0, bytes.length);
    }

    @Test
    void globalMetadata() {
        assertEquals(16, call(34, 0, 0x9100000100000010L).r8());
        expect(METADATA_FIRST_FIELD_ID_IN_CONTEXT.value(), call(34, 0, NULL_ID));
        expect(METADATA_FIELD_ID_INCORRECT.value(), call(34, 0, 0x3f00000000000000L));
        long info = 0x40_0000;
        ok(call(32, info, 1024, info + 0x1000, 32));
        assertEquals(0x6dbe7, platform.memory.read64(info + 80));
        assertEquals(4 * TdxPlatform.GIB, platform.memory.read64(info + 0x1008));
        expect(OPERAND_INVALID.on(RCX), call(32, info + 8, 1024, info + 0x1000, 32));
        expect(OPERAND_INVALID.on(RDX), call(32, info, 1023, info + 0x1000, 32));
        expect(OPERAND_INVALID.on(R9), call(32, info, 1024, info + 0x1000, 31));
        busy(LockObject.SYS, 1, SYS_BUSY.value(), a -> call(32, a, 1024, a + 0x1000, 32), info);
        ok(call(37, 0, info, NULL_ID, 0));
        expect(OPERAND_INVALID.on(RDX), call(37, 0, info + 8, NULL_ID, 0));
        expect(METADATA_FIELD_ID_INCORRECT.value(), call(37, 0, info, 0x3f00000000000000L, 0));
    }

    @Test
    void create() {
        pageOperand(RCX, LockObject.TDR, 1, platform.page(), page -> call(9, page, 60));
        expect(OPERAND_INVALID.on(RDX), call(9, platform.page(), 31));
        expect(OPERAND_INVALID.on(RDX), call(9, platform.page(), 64));
        expect(HKID_NOT_FREE.value(), call(9, platform.page(), created.hkid));
        expect(HKID_NOT_FREE.value(), call(9, platform.page(), TdxPlatform.GLOBAL_HKID));
        busy(LockObject.KOT, 1, OPERAND_BUSY.on(Operand.KOT), page -> call(9, page, 61), platform.page());
        platform.module.conditions().entropyShortage(1);
        expect(RND_NO_ENTROPY.value(), call(9, platform.page(), 61));
    }

    @Test
    void keyConfig() {
        var td = new TestTd(platform);
        LongFunction<SeamcallRegs> leaf = tdr -> call(8, tdr, 0);
        tdrOnly(leaf, td.tdr);
        expect(TD_FATAL.value(), leaf.apply(fatal.tdr));
        platform.module.conditions().keyGenerationFailure(1);
        expect(KEY_GENERATION_FAILED.value(), leaf.apply(td.tdr));
        busy(LockObject.KET, 1, OPERAND_BUSY.on(Operand.KET), leaf, td.tdr);
        ok(leaf.apply(td.tdr));
        expect(KEY_CONFIGURED.value(), leaf.apply(td.tdr));
        expect(LIFECYCLE_STATE_INCORRECT.value(), leaf.apply(keyed.tdr));
    }

    private void tdrOnly(LongFunction<SeamcallRegs> leaf, long good) {
        expect(OPERAND_INVALID.on(RCX), leaf.apply(good | 0x800));
        expect(OPERAND_ADDR_RANGE_ERROR.on(RCX), leaf.apply(0x5000));
        busy(LockObject.TDR, 1, OPERAND_BUSY.on(RCX), leaf, good);
        expect(PAGE_METADATA_INCORRECT.on(RCX), leaf.apply(platform.page()));
    }

    @Test
    void addcx() {
        var td = new TestTd(platform);
        td.keys();
        pageOperand(RCX, LockObject.PAGE, 1, platform.page(), page -> call(1, page, td.tdr));
        expect(TD_FATAL.value(), call(1, platform.page(), fatal.tdr));
        expect(TD_KEYS_NOT_CONFIGURED.value(), call(1, platform.page(), created.tdr));
        for (int i = 0; i < 5; i++) {
            ok(call(1, platform.page(), td.tdr));
        }
        platform.module.conditions().entropyShortage(1);
        expect(RND_NO_ENTROPY.value(), call(1, platform.page(), td.tdr));
        for (int i = 5; i < 9; i++) {
            ok(call(1, platform.page(), td.tdr));
        }
        expect(TDCX_NUM_INCORRECT.value(), call(1, platform.page(), td.tdr));
        expect(OP_STATE_INCORRECT.value(), call(1, platform.page(), built.tdr));
    }

    @Test
    void init() {
        LongFunction<SeamcallRegs> leaf = tdr -> call(21, tdr, TestTd.TD_PARAMS);
        common(RCX, leaf, built.tdr);
        platform.module.conditions().limitCpuidMaxval(true);
        expect(LIMIT_CPUID_MAXVAL_SET.value(), leaf.apply(fresh.tdr));
        platform.module.conditions().limitCpuidMaxval(false);
        expect(OPERAND_INVALID.on(RDX), call(21, fresh.tdr, TestTd.TD_PARAMS + 512));
        wrong(0, 1L << 31, Operand.ATTRIBUTES);
        wrong(0, 1L << 29 | 1, Operand.ATTRIBUTES);
        wrong(8, 0x2, Operand.XFAM);
        wrong(8, 0x23, Operand.XFAM);
        wrong(16, 0, Operand.MAX_VCPUS);
        wrong(16, 4 | 4 << 16, Operand.NUM_L2_VMS);
        wrong(32, 8, Operand.EXEC_CONTROLS);
        wrong(24, 2 << 3 | 6, Operand.EPTP_CONTROLS);
        wrong(40, 3, Operand.TSC_FREQUENCY);
        wrong(40, 401, Operand.TSC_FREQUENCY);
        wrong(48, 1, RDX);
        wrong(448, 1, RDX);
        wrong(224, 1, Operand.IA32_ARCH_CAPABILITIES_CONFIG);
        fresh.goodParams();
        platform.memory.write32(TestTd.TD_PARAMS + 256 + 16 * 5, 1);
        var refused = leaf.apply(fresh.tdr);
        expect(OPERAND_INVALID.on(Operand.CPUID_CONFIG), refused);
        assertEquals(7, refused.rcx());
        fresh.goodParams();
        platform.module.conditions().tscAdjustChanged(true);
        expect(INCONSISTENT_MSR.on(0x3b), leaf.apply(fresh.tdr));
        platform.module.conditions().tscAdjustChanged(false);
    }

    private void wrong(int offset, long value, int operand) {
        fresh.goodParams();
        platform.memory.write64(TestTd.TD_PARAMS + offset, value);
        expect(OPERAND_INVALID.on(operand), call(21, fresh.tdr, TestTd.TD_PARAMS));
        fresh.goodParams();
    }

    @Test
    void mngReadAndWrite() {
        common(RCX, tdr -> call(11, tdr, MNG_ATTRIBUTES), fresh.tdr);
        common(RCX, tdr -> call(13, tdr, 0x9110000300000011L, 5, -1), fresh.tdr);
        assertEquals(2, call(11, running.tdr, 0x9010000200000004L).r8());
        assertEquals(2, call(11, running.tdr, 0x1000000000000004L).r8());
        expect(METADATA_FIELD_ID_INCORRECT.value(), call(11, built.tdr, 0x9110000300000000L | 1L << 40));
        expect(METADATA_FIELD_NOT_READABLE.value(), call(11, built.tdr, 0x1310000300000040L));
        var first = call(11 | V1, built.tdr, NULL_ID);
        expect(METADATA_FIRST_FIELD_ID_IN_CONTEXT.value(), first);
        assertEquals(0x8010000200000002L, call(11 | V1, built.tdr, first.rdx()).rdx());
        assertEquals(1_000_000, call(13, built.tdr, 0x9110000300000011L, 5, -1).r8());
        assertEquals(5, call(11, built.tdr, 0x9110000300000011L).r8());
        expect(METADATA_FIELD_ID_INCORRECT.value(), call(13, built.tdr, NULL_ID, 0, -1));
        expect(METADATA_FIELD_NOT_WRITABLE.value(), call(13, built.tdr, MNG_ATTRIBUTES, 0, -1));
        expect(METADATA_FIELD_VALUE_NOT_VALID.value(), call(13, built.tdr, 0x9110000300000012L, 2, -1));
    }

    @Test
    void vcpuCreation() {
        common(RDX, tdr -> call(10, platform.page(), tdr), running.tdr);
        pageOperand(RCX, LockObject.PAGE, 1, platform.page(), page -> call(10, page, built.tdr));
        long tdvpr = built.child();
        ok(call(10, tdvpr, built.tdr));
        pageOperand(RCX, LockObject.PAGE, 1, platform.page(), page -> call(4, page, tdvpr));
        vcpu(page -> call(4, platform.page(), page), RDX, tdvpr, running.vcpus.getFirst());
        vcpu(page -> call(22, page, 0), RCX, tdvpr, running.vcpus.getFirst());
        vcpu(page -> call(26, page, 0xA020000200000002L), RCX, tdvpr, 0);
        vcpu(page -> call(43, page, 0x202000000000000BL, 1, -1), RCX, tdvpr, 0);
        expect(TDCX_NUM_INCORRECT.value(), call(22, tdvpr, 0));
        expect(TDCX_NUM_INCORRECT.value(), call(18, tdvpr, 0));
        expect(TDCX_NUM_INCORRECT.value(), call(26, tdvpr, 0xA020000200000002L));
        expect(TDCX_NUM_INCORRECT.value(), call(43, tdvpr, 0x202000000000000BL, 1, -1));
        for (int i = 0; i < 14; i++) {
            ok(call(4, built.child(), tdvpr));
        }
        expect(TDCX_NUM_INCORRECT.value(), call(4, platform.page(), tdvpr));
        expect(VCPU_STATE_INCORRECT.value(), call(26, tdvpr, 0xA020000200000002L));
        expect(VCPU_STATE_INCORRECT.value(), call(43, tdvpr, 0x202000000000000BL, 1, -1));
        expect(VCPU_NOT_ASSOCIATED.value(), call(18, tdvpr, 0));
        long ready = built.vcpus.getFirst();
        expect(VCPU_STATE_INCORRECT.value(), call(4, platform.page(), ready));
        expect(VCPU_STATE_INCORRECT.value(), call(22, ready, 0));
        var small = TestTd.withTdcs(platform);
        platform.memory.write16(TestTd.TD_PARAMS + 16, (short) 1);
        ok(call(21, small.tdr, TestTd.TD_PARAMS));
        fresh.goodParams();
        small.vcpu();
        expect(MAX_VCPUS_EXCEEDED.value(), call(22, small.vcpuWithoutInit(), 0));
    }

    @Test
    void vcpuFields() {
        long vcpu = built.vcpus.getFirst();
        assertEquals(0, call(26, vcpu, 0xA020000200000004L).r8());
        expect(METADATA_FIELD_ID_INCORRECT.value(), call(26, vcpu, 0x3f00000000000000L));
        var first = call(26 | V1, vcpu, NULL_ID);
        expect(METADATA_FIRST_FIELD_ID_IN_CONTEXT.value(), first);
        assertEquals(0x0024000100000002L, first.rdx());
        ok(call(43, vcpu, 0x002400030000203CL, 0x1234_5000, -1));
        assertEquals(0x1234_5000, call(26, vcpu, 0x002400030000203CL).r8());
        expect(METADATA_FIELD_ID_INCORRECT.value(), call(43, vcpu, NULL_ID, 0, -1));
        expect(METADATA_FIELD_NOT_WRITABLE.value(), call(43, vcpu, 0xA020000200000002L, 0, -1));
        expect(METADATA_FIELD_VALUE_NOT_VALID.value(), call(43, vcpu, 0x0024000200004000L, 1, -1));
        expect(VCPU_ASSOCIATED.value(), platform.module.seamcall(1, SeamcallRegs.of(26, vcpu, 0xA020000200000002L)));
        expect(
                VCPU_ASSOCIATED.value(),
                platform.module.seamcall(1, SeamcallRegs.of(43, vcpu, 0x202000000000000BL, 1, -1)));
    }

    @Test
    void flush() {
        var td = TestTd.runnable(platform);
        long vcpu = td.vcpus.getFirst();
        LongFunction<SeamcallRegs> leaf = page -> call(18, page, 0);
        expect(OPERAND_INVALID.on(RCX), leaf.apply(vcpu | 0x800));
        expect(OPERAND_ADDR_RANGE_ERROR.on(RCX), leaf.apply(0x5000));
        busy(LockObject.TDVPR, 1, OPERAND_BUSY.on(RCX), leaf, vcpu);
        expect(PAGE_METADATA_INCORRECT.on(RCX), leaf.apply(td.tdr));
        expect(TD_KEYS_NOT_CONFIGURED.value(), leaf.apply(blocked.vcpus.getFirst()));
        expect(VCPU_NOT_ASSOCIATED.value(), platform.module.seamcall(1, SeamcallRegs.of(18, vcpu, 0)));
        ok(leaf.apply(vcpu));
        expect(VCPU_NOT_ASSOCIATED.value(), leaf.apply(vcpu));
    }

    @Test
    void pageAdd() {
        LongFunction<SeamcallRegs> byTdr = tdr -> call(2, 0x9000, tdr, platform.page(), TestTd.SOURCE);
        common(RDX, byTdr, running.tdr);
        expect(OPERAND_INVALID.on(RCX), call(2, 0x9001, built.tdr, platform.page(), TestTd.SOURCE));
        expect(OPERAND_INVALID.on(RCX), call(2, 1L << 47, built.tdr, platform.page(), TestTd.SOURCE));
        var walk = call(2, 1L << 40, built.tdr, platform.page(), TestTd.SOURCE);
        expect(EPT_WALK_FAILED.on(RCX), walk);
        assertEquals(1L << 63, walk.rcx());
        assertEquals(3, walk.rdx());
        expect(OPERAND_INVALID.on(R9), call(2, 0x9000, built.tdr, 0x5000, TestTd.SOURCE + 8));
        expect(OPERAND_INVALID.on(R9), call(2, 0x9000, built.tdr, 0x5000, TestTd.SOURCE | 40L << 40));
        pageOperand(R8, LockObject.PAGE, 1, platform.page(), page -> call(2, 0x9000, built.tdr, page, TestTd.SOURCE));
        long page = built.add(0x9000, new byte[4096]);
        assertEquals(0x80000000000000F7L + page, built.raw(0x9000));
        var again = byTdr.apply(built.tdr);
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), again);
        assertEquals(0x80000000000000F7L + page, again.rcx());
        assertEquals(4 << 8, again.rdx());
    }

    /** Level and format of RCX, tree lock, walk, entry lock: what MEM leaves have in common. */
    private void septLeaf(LongFunction<SeamcallRegs> byRcx, int level) {
        expect(OPERAND_INVALID.on(RCX), byRcx.apply(5));
        expect(OPERAND_INVALID.on(RCX), byRcx.apply(0x8 | level));
        expect(OPERAND_INVALID.on(RCX), byRcx.apply(1L << 47 | level));
        busy(LockObject.SEPT_TREE, 1, OPERAND_BUSY.on(Operand.SEPT_TREE), byRcx, level);
        busy(LockObject.OP_STATE, 1, OPERAND_BUSY.on(Operand.OP_STATE), byRcx, level);
        busy(LockObject.SEPT_ENTRY, 1, OPERAND_BUSY.on(RCX), byRcx, level);
        if (level < 3) {
            expect(EPT_WALK_FAILED.on(RCX), byRcx.apply(1L << 40 | level));
        }
    }

    @Test
    void septAdd() {
        var td = TestTd.initialised(platform);
        common(RDX, tdr -> call(3, 3, tdr, platform.page(), 0), fresh.tdr);
        expect(OPERAND_INVALID.on(RDX), call(3, 3, td.tdr | 2, platform.page(), 0));
        pageOperand(R8, LockObject.PAGE, 1, platform.page(), page -> call(3, 3, td.tdr, page, 0));
        expect(OPERAND_INVALID.on(R8), call(3, 3, td.tdr, -1, 0));
        expect(OPERAND_INVALID.on(R8), call(3 | V1, 3, td.tdr, -1, 0));
        platform.module.conditions().pendingInterrupt(1);
        expect(INTERRUPTED_RESTARTABLE.value(), call(3 | V1, 3, td.tdr, platform.page(), -1));
        td.tables(0);
        septLeaf(rcx -> call(3, rcx, td.tdr, platform.page(), 0), 1);
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), call(3, 1, td.tdr, platform.page(), 0));
        ok(call(3, 1, td.tdr | 1, platform.page(), 0));
        long unused = platform.page();
        assertEquals(unused | 1L << 63, call(3 | V1, 1, td.tdr | 1, unused, -1).r8());
        ok(call(3 | V1, 1, td.tdr | 1, -1, -1));
        assertEquals(7, td.septRd(0, 1)[0] & 0xfff);
        assertEquals(0x8401, td.septRd(0, 1)[1]);
    }

    @Test
    void augment() {
        common(RDX, tdr -> call(6, 0xa000, tdr, platform.page(), 0), fresh.tdr);
        septLeaf(rcx -> call(6, rcx, running.tdr, platform.page(), 0), 0);
        pageOperand(R8, LockObject.PAGE, 1, platform.page(), page -> call(6, 0xa000, running.tdr, page, 0));
        long page = running.augment(0xa000);
        assertEquals(0x81000000000000F0L + page, running.raw(0xa000));
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), call(6, 0xa000, running.tdr, platform.page(), 0));
        long large = platform.largePage();
        expect(OPERAND_INVALID.on(R8), call(6, 0x20_0001, running.tdr, large + 4096, 0));
        ok(call(6, 0x20_0001, running.tdr, large, 0));
        expect(PAGE_METADATA_INCORRECT.on(R8), call(6, 0xb000, running.tdr, large + 4096, 0));
        expect(OPERAND_INVALID.on(RCX), call(6, 2, running.tdr, large, 0));
    }

    @Test
    void extend() {
        LongFunction<SeamcallRegs> byTdr = tdr -> call(16, 0, tdr);
        common(RDX, byTdr, running.tdr);
        var td = TestTd.initialised(platform);
        td.add(0, new byte[4096]);
        expect(OPERAND_INVALID.on(RCX), call(16, 0x80, td.tdr));
        expect(EPT_ENTRY_NOT_PRESENT.on(RCX), call(16, 0x1000, td.tdr));
        td.augment(0x2000);
        expect(EPT_ENTRY_NOT_PRESENT.value(), call(16, 0x2000, td.tdr));
        ok(call(16, 0x100, td.tdr));
        common(RCX, tdr -> call(17, tdr, 0), running.tdr);
        expect(NO_VCPUS.value(), call(17, td.tdr, 0));
    }

    @Test
    void blockTrackRemove() {
        var td = TestTd.runnable(platform);
        long page = td.augment(0);
        common(RDX, tdr -> call(7, 0, tdr), fresh.tdr);
        septLeaf(rcx -> call(7, rcx, td.tdr), 0);
        common(RCX, tdr -> call(38, tdr, 0), fresh.tdr);
        common(RDX, tdr -> call(29, 0, tdr), fresh.tdr);
        septLeaf(rcx -> call(29, rcx, td.tdr), 0);
        common(RDX, tdr -> call(39, 0, tdr), fresh.tdr);
        septLeaf(rcx -> call(39, rcx, td.tdr), 0);
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), call(7, 0x1000, td.tdr));
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), call(29, 0x1000, td.tdr));
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), call(39, 0, td.tdr));
        expect(GPA_RANGE_NOT_BLOCKED.on(RCX), call(29, 0, td.tdr));
        ok(call(7, 0, td.tdr));
        assertEquals(0x81800000000000F0L + page, td.raw(0));
        expect(GPA_RANGE_ALREADY_BLOCKED.on(RCX), call(7, 0, td.tdr));
        expect(TLB_TRACKING_NOT_DONE.on(RCX), call(29, 0, td.tdr));
        expect(TLB_TRACKING_NOT_DONE.on(Operand.SEPT_TREE), call(39, 0, td.tdr));
        busy(LockObject.TD_EPOCH, 1, OPERAND_BUSY.on(Operand.TD_EPOCH), tdr -> call(38, tdr, 0), td.tdr);
        ok(call(38, td.tdr, 0));
        ok(call(39, 0, td.tdr));
        assertEquals(0x81000000000000F0L + page, td.raw(0));
        ok(call(7, 0, td.tdr));
        ok(call(38, td.tdr, 0));
        var removed = call(29, 0, td.tdr);
        ok(removed);
        assertEquals(page, removed.rcx());
        assertEquals(0x80E0000000000000L, td.raw(0));
    }

    @Test
    void aVcpuInsideHoldsTheEpoch() {
        var td = TestTd.runnable(platform);
        td.augment(0);
        var seen = new ArrayList<Long>();
        platform.module.guest((module, vcpu) -> {
            ok(module.seamcall(1, SeamcallRegs.of(7, 0, td.tdr)));
            ok(module.seamcall(1, SeamcallRegs.of(38, td.tdr, 0)));
            seen.add(module.seamcall(1, SeamcallRegs.of(29, 0, td.tdr)).rax());
            seen.add(module.seamcall(1, SeamcallRegs.of(38, td.tdr, 0)).rax());
            seen.add(module.seamcall(1, SeamcallRegs.of(2, 0x1000, td.tdr, platform.page(), TestTd.SOURCE))
                    .rax());
            return new TdExit.Asynchronous(1, 0, 0x800000ff);
        });
        var out = td.enter(td.vcpus.getFirst());
        platform.module.guest(TdGuest.NONE);
        assertEquals(
                List.of(TLB_TRACKING_NOT_DONE.on(RCX), PREVIOUS_TLB_EPOCH_BUSY.value(), OPERAND_BUSY.on(RDX)), seen);
        assertEquals(1, out.rax());
        assertEquals(0x800000ff, out.r9());
        ok(call(29, 0, td.tdr));
    }

    @Test
    void septRemoveAndRead() {
        var td = TestTd.initialised(platform);
        td.vcpu();
        td.tables(0);
        td.tables(0x20_0000);
        long page = td.augment(0);
        common(RDX, tdr -> call(30, 1, tdr), fresh.tdr);
        septLeaf(rcx -> call(30, rcx, td.tdr), 1);
        common(RDX, tdr -> call(25, 0, tdr), fresh.tdr);
        septLeaf(rcx -> call(25, rcx, td.tdr), 0);
        expect(EPT_PAGE_NOT_FREE.on(RCX), call(30, 1, td.tdr));
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), call(30, 0x40_0001, td.tdr));
        assertEquals(page | 0xf0 | 1L << 63, td.septRd(0, 0)[0]);
        assertEquals(2 << 8, td.septRd(0, 0)[1]);
        ok(call(17, td.tdr, 0));
        expect(GPA_RANGE_NOT_BLOCKED.on(RCX), call(30, 0x20_0001, td.tdr));
        ok(call(7, 0x20_0001, td.tdr));
        expect(TLB_TRACKING_NOT_DONE.on(RCX), call(30, 0x20_0001, td.tdr));
        ok(call(38, td.tdr, 0));
        ok(call(30, 0x20_0001, td.tdr));
        assertEquals(1L << 63, td.septRd(0x20_0000, 1)[0]);
    }

    @Test
    void demoteAndPromote() {
        var td = TestTd.runnable(platform);
        td.tables(0x20_0000);
        long large = platform.largePage();
        common(RDX, tdr -> call(15, 1, tdr, platform.page(), 0), fresh.tdr);
        common(RDX, tdr -> call(23, 1, tdr), fresh.tdr);
        septLeaf(rcx -> call(15, rcx, td.tdr, platform.page(), 0), 1);
        septLeaf(rcx -> call(23, rcx, td.tdr), 1);
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), call(15, 1, td.tdr, platform.page(), 0));
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), call(23, 0x40_0001, td.tdr));
        ok(call(6, 0x40_0001, td.tdr, large, 0));
        expect(GPA_RANGE_NOT_BLOCKED.on(RCX), call(15, 0x40_0001, td.tdr, platform.page(), 0));
        ok(call(7, 0x40_0001, td.tdr));
        expect(TLB_TRACKING_NOT_DONE.on(RCX), call(15, 0x40_0001, td.tdr, platform.page(), 0));
        ok(call(38, td.tdr, 0));
        long table = platform.page();
        pageOperand(R8, LockObject.PAGE, 1, table, page -> call(15, 0x40_0001, td.tdr, page, 0));
        platform.module.conditions().pendingInterrupt(1);
        expect(INTERRUPTED_RESTARTABLE.value(), call(15, 0x40_0001, td.tdr, table, 0));
        ok(call(15, 0x40_0001, td.tdr, table, 0));
        assertEquals(0x81000000000000F0L + large + 0x5000, td.raw(0x40_5000));
        expect(GPA_RANGE_NOT_BLOCKED.on(RCX), call(23, 0x40_0001, td.tdr));
        ok(call(7, 0x40_0001, td.tdr));
        expect(TLB_TRACKING_NOT_DONE.on(RCX), call(23, 0x40_0001, td.tdr));
        ok(call(38, td.tdr, 0));
        var promoted = call(23, 0x40_0001, td.tdr);
        ok(promoted);
        assertEquals(table, promoted.rcx());
        assertEquals(0x81000000000000F0L + large, td.raw(0x40_0000));
        ok(call(7, 1, td.tdr));
        ok(call(38, td.tdr, 0));
        expect(EPT_INVALID_PROMOTE_CONDITIONS.on(RCX), call(23, 1, td.tdr));
    }

    @Test
    void relocate() {
        var td = TestTd.runnable(platform);
        long page = td.augment(0);
        common(RDX, tdr -> call(5, 0, tdr, platform.page(), 0), fresh.tdr);
        septLeaf(rcx -> call(5, rcx, td.tdr, platform.page(), 0), 0);
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), call(5, 0x1000, td.tdr, platform.page(), 0));
        expect(OPERAND_INVALID.on(R8), call(5, 0, td.tdr, page, 0));
        expect(GPA_RANGE_NOT_BLOCKED.on(RCX), call(5, 0, td.tdr, platform.page(), 0));
        ok(call(7, 0, td.tdr));
        expect(TLB_TRACKING_NOT_DONE.on(RCX), call(5, 0, td.tdr, platform.page(), 0));
        ok(call(38, td.tdr, 0));
        long target = platform.page();
        pageOperand(R8, LockObject.PAGE, 2, target, to -> call(5, 0, td.tdr, to, 0));
        var moved = call(5, 0, td.tdr, target, 0);
        ok(moved);
        assertEquals(page, moved.rcx());
        assertEquals(0x81000000000000F0L + target, td.raw(0));
    }

    @Test
    void debugReadAndWrite() {
        common(RDX, tdr -> call(12, 0, tdr), fresh.tdr);
        common(RDX, tdr -> call(14, 0, tdr, 1, 0), fresh.tdr);
        expect(TD_NON_DEBUG.value(), call(12, 0, built.tdr));
        expect(TD_NON_DEBUG.value(), call(14, 0, built.tdr, 1, 0));
        expect(OPERAND_INVALID.on(RCX), call(12, 4, debug.tdr));
        expect(EPT_WALK_FAILED.on(RCX), call(12, 0x1000, debug.tdr));
        expect(EPT_WALK_FAILED.on(RCX), call(14, 0x1000, debug.tdr, 1, 0));
        debug.augment(0x2000);
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), call(12, 0x2000, debug.tdr));
        expect(EPT_ENTRY_STATE_INCORRECT.on(RCX), call(14, 0x2000, debug.tdr, 1, 0));
        assertEquals(0, call(14, 8, debug.tdr, 0x1234, 0).r8());
        assertEquals(0x1234, call(12, 8, debug.tdr).r8());
    }

    @Test
    void teardown() {
        var td = TestTd.runnable(platform);
        tdrOnly(tdr -> call(19, tdr, 0), td.tdr);
        tdrOnly(tdr -> call(20, tdr, 0), td.tdr);
        LongFunction<SeamcallRegs> reclaim = page -> call(28, page, 0);
        expect(NO_HKID_READY_TO_WBCACHE.value(), noHkidReady());
        expect(FLUSHVP_NOT_DONE.value(), call(19, td.tdr, 0));
        td.vcpuFlush();
        expect(LIFECYCLE_STATE_INCORRECT.value(), call(20, td.tdr, 0));
        busy(LockObject.KOT, 1, OPERAND_BUSY.on(Operand.KOT), tdr -> call(19, tdr, 0), td.tdr);
        ok(call(19, td.tdr, 0));
        expect(LIFECYCLE_STATE_INCORRECT.value(), call(19, td.tdr, 0));
        expect(WBCACHE_NOT_COMPLETE.value(), call(20, td.tdr, 0));
        expect(OPERAND_INVALID.on(RCX), call(40, 2, 0));
        expect(WBCACHE_RESUME_ERROR.value(), call(40, 1, 0));
        busy(LockObject.WBCACHE, 1, OPERAND_BUSY.on(Operand.WBCACHE), start -> call(40, start, 0), 0);
        platform.module.conditions().interruptWriteback(1);
        expect(INTERRUPTED_RESUMABLE.value(), call(40, 0, 0));
        ok(call(40, 1, 0));
        ok(platform.module.seamcall(1, SeamcallRegs.of(40, 0, 0)));
        expect(LIFECYCLE_STATE_INCORRECT.value(), reclaim.apply(td.children.getFirst()));
        ok(call(20, td.tdr, 0));
        ok(call(27, td.tdr, 0));
        expect(TD_ASSOCIATED_PAGES_EXIST.value(), reclaim.apply(td.tdr));
        expect(OPERAND_INVALID.on(RCX), reclaim.apply(td.tdr + 8));
        expect(OPERAND_ADDR_RANGE_ERROR.on(RCX), reclaim.apply(0x5000));
        busy(LockObject.PAGE, 1, OPERAND_BUSY.on(RCX), reclaim, td.tdr);
        expect(PAGE_METADATA_INCORRECT.on(RCX), reclaim.apply(platform.page()));
        for (long page : td.children) {
            var out = reclaim.apply(page);
            ok(out);
            assertEquals(td.tdr, out.rdx());
        }
        ok(reclaim.apply(td.tdr));
    }

    /** On a platform of its own, where no TD is being torn down. */
    private SeamcallRegs noHkidReady() {
        var p = covered(new TdxPlatform());
        p.bringUp();
        return p.call(40, 0);
    }

    @Test
    void pageMetadata() {
        LongFunction<SeamcallRegs> rdmd = page -> call(24, page, 0);
        assertEquals(4, rdmd.apply(built.tdr).rcx());
        assertEquals(built.tdr, rdmd.apply(built.children.getFirst()).rdx());
        expect(OPERAND_INVALID.on(RCX), rdmd.apply(built.tdr + 8));
        expect(OPERAND_ADDR_RANGE_ERROR.on(RCX), rdmd.apply(0x5000));
        busy(LockObject.PAGE, 1, OPERAND_BUSY.on(RCX), rdmd, built.tdr);
        LongFunction<SeamcallRegs> wbinvd = page -> call(41, page | 33L << 40, 0);
        ok(wbinvd.apply(platform.page()));
        expect(OPERAND_INVALID.on(RCX), wbinvd.apply(built.tdr + 8));
        expect(OPERAND_ADDR_RANGE_ERROR.on(RCX), wbinvd.apply(0x5000));
        busy(LockObject.PAGE, 1, OPERAND_BUSY.on(RCX), wbinvd, platform.page());
        expect(PAGE_METADATA_INCORRECT.on(RCX), wbinvd.apply(built.tdr));
    }

    @Test
    void enter() {
        var td = TestTd.runnable(platform);
        long vcpu = td.vcpus.getFirst();
        LongFunction<SeamcallRegs> leaf = page -> call(0, page, 0);
        vcpu(leaf, RCX, vcpu, built.vcpus.getFirst());
        var conditions = platform.module.conditions();
        conditions.limitCpuidMaxval(true);
        expect(LIMIT_CPUID_MAXVAL_SET.value(), leaf.apply(vcpu));
        conditions.limitCpuidMaxval(false);
        conditions.tscAdjustChanged(true);
        expect(INCONSISTENT_MSR.on(0x3b), leaf.apply(vcpu));
        conditions.tscAdjustChanged(false);
        conditions.tscRolledBack(true);
        expect(TSC_ROLLBACK.value(), leaf.apply(vcpu));
        conditions.tscRolledBack(false);
        expect(OPERAND_INVALID.on(RCX), leaf.apply(vcpu | 1L << 53));
        expect(OPERAND_INVALID.on(RCX), leaf.apply(vcpu | 1L << 52));
        expect(VCPU_ASSOCIATED.value(), platform.module.seamcall(1, SeamcallRegs.of(0, vcpu, 0)));
        busy(LockObject.TD_EPOCH, 1, OPERAND_BUSY.on(Operand.TD_EPOCH), leaf, vcpu);
        platform.module.guest((module, guest) -> new TdExit.HostPriorityTimeout());
        expect(HOST_PRIORITY_BUSY_TIMEOUT.value(), leaf.apply(vcpu));
        platform.module.guest((module, guest) -> new TdExit.TripleFault());
        expect(NON_RECOVERABLE_VCPU.on(2), leaf.apply(vcpu | 1L << 52));
        expect(VCPU_STATE_INCORRECT.value(), leaf.apply(vcpu));
        platform.module.guest(TdGuest.NONE);
        assertEquals(0, td.tdcs().refcount(0) + td.tdcs().refcount(1));
    }

    @Test
    void sixFaultsWithoutProgressArmTheZeroStepFilter() {
        var td = TestTd.runnable(platform);
        long vcpu = td.vcpus.getFirst();
        platform.module.guest((module, guest) -> new TdExit.EptViolation(0x7000, 0x182, 0));
        for (int i = 0; i < 7; i++) {
            var out = td.enter(vcpu);
            assertEquals(48, out.rax());
            assertEquals(0x2, out.rcx());
            assertEquals(0x7000, out.r8());
        }
        platform.module.guest((module, guest) -> {
            throw new AssertionError("the vCPU is not entered");
        });
        platform.module.conditions().busy(LockObject.SEPT_TREE, 1);
        expect(OPERAND_BUSY.on(Operand.SEPT_TREE), td.enter(vcpu));
        assertEquals(48, td.enter(vcpu).rax());
        platform.module.guest(TdGuest.NONE);
        assertEquals(0, td.tdcs().refcount(0) + td.tdcs().refcount(1));
    }

    // ---- TDCALL

    private TdcallResult tdcall(TestTd td, SeamcallRegs in) {
        return platform.module.tdcall(td.vcpus.getFirst(), in);
    }

    private SeamcallRegs returned(TestTd td, SeamcallRegs in) {
        return assertInstanceOf(TdcallResult.Returned.class, tdcall(td, in)).regs();
    }

    private static SeamcallRegs in(long leaf, long rcx, long rdx) {
        return SeamcallRegs.of(leaf, rcx, rdx);
    }

    @Test
    void guestCalls() {
        var td = TestTd.runnable(platform);
        td.augment(0);
        ok(returned(td, in(6, 0, 0)));
        expect(OPERAND_INVALID.on(Operand.RAX), returned(td, in(18, 0, 0)));
        expect(OPERAND_INVALID.on(Operand.RAX), returned(td, in(1 | V1, 0, 0)));
        var info = returned(td, in(1, 0, 0));
        assertEquals(48, info.rcx());
        assertEquals(1 | 4L << 32, info.r8());
        assertEquals(1, info.get(R10));
        expect(OPERAND_INVALID.on(RCX), returned(td, in(0, 1, 0)));
        expect(OPERAND_INVALID.on(RCX), returned(td, in(0, 1L << 32, 0)));
        assertInstanceOf(
                TdExit.Vmcall.class,
                assertInstanceOf(TdcallResult.Left.class, tdcall(td, in(0, 0xffcc, 0)))
                        .exit());
        expect(NO_VALID_VE_INFO.value(), returned(td, in(3, 0, 0)));
        assertTrue(VeInfo.of(new Tdvps(platform.memory, td.vcpus.getFirst())).inject(10, 0, 0, 0, 2, 0));
        assertEquals(10, returned(td, in(3, 0, 0)).rcx());
        ok(returned(td, in(5, 3, 0)));
        expect(OPERAND_INVALID.on(RCX), returned(td, in(5, 4, 0)));
        for (long leaf = 25; leaf <= 27; leaf++) {
            expect(OPERAND_INVALID.on(RCX), returned(td, in(leaf, 0, 0)));
        }
    }

    @Test
    void guestMetadata() {
        var td = TestTd.runnable(platform);
        td.augment(0);
        ok(returned(td, in(6, 0, 0)));
        assertEquals(0xe7, returned(td, in(7, 0, 0x1110000300000001L)).r8());
        expect(OPERAND_INVALID.on(RCX), returned(td, in(7, 1, 0x1110000300000001L)));
        expect(METADATA_FIELD_ID_INCORRECT.value(), returned(td, in(7, 0, 0x9100000000000019L)));
        expect(METADATA_FIELD_NOT_READABLE.value(), returned(td, in(7, 0, 0x8010000300000004L)));
        expect(METADATA_FIRST_FIELD_ID_IN_CONTEXT.value(), returned(td, in(7 | V1, 0, NULL_ID)));
        long notify = 0x9110000300000010L;
        ok(returned(td, SeamcallRegs.of(8, 0, notify, 1, 1)));
        expect(OPERAND_INVALID.on(RCX), returned(td, SeamcallRegs.of(8, 1, notify, 1, 1)));
        expect(METADATA_FIELD_ID_INCORRECT.value(), returned(td, SeamcallRegs.of(8, 0, NULL_ID, 1, 1)));
        expect(METADATA_FIELD_NOT_WRITABLE.value(), returned(td, SeamcallRegs.of(8, 0, MNG_ATTRIBUTES, 1, 1)));
        expect(METADATA_FIELD_NOT_WRITABLE.value(), returned(td, SeamcallRegs.of(8, 0, 0x1110000300000017L, 1, 1)));
        expect(METADATA_FIELD_VALUE_NOT_VALID.value(), returned(td, SeamcallRegs.of(8, 0, notify, 2, 3)));
        expect(METADATA_FIELD_ID_INCORRECT.value(), returned(td, in(9, 0, NULL_ID)));
        expect(METADATA_FIELD_NOT_READABLE.value(), returned(td, in(9, 0, 0xA020000200000002L)));
        expect(METADATA_FIELD_ID_INCORRECT.value(), returned(td, SeamcallRegs.of(10, 0, NULL_ID, 1, 1)));
        expect(METADATA_FIELD_NOT_WRITABLE.value(), returned(td, SeamcallRegs.of(10, 0, 0xA020000200000002L, 1, 1)));
        assertEquals(1, returned(td, in(11, 0, 0x0800000100000004L)).r8());
        expect(METADATA_FIRST_FIELD_ID_IN_CONTEXT.value(), returned(td, in(11, 0, NULL_ID)));
        expect(METADATA_FIELD_ID_INCORRECT.value(), returned(td, in(11, 0, 0x3f00000000000000L)));
        ok(returned(td, SeamcallRegs.of(12, 0, 0, NULL_ID, 0)));
        expect(OPERAND_INVALID.on(RDX), returned(td, SeamcallRegs.of(12, 0, 8, NULL_ID, 0)));
        expect(METADATA_FIELD_ID_INCORRECT.value(), returned(td, SeamcallRegs.of(12, 0, 0, 0x3f00000000000000L, 0)));
    }

    @Test
    void accept() {
        var td = TestTd.runnable(platform);
        td.augment(0);
        expect(OPERAND_INVALID.on(RCX), returned(td, in(6, 2, 0)));
        expect(OPERAND_INVALID.on(RCX), returned(td, in(6, 1L << 47, 0)));
        platform.module.conditions().busy(LockObject.SEPT_ENTRY, 1);
        expect(OPERAND_BUSY.on(RCX), returned(td, in(6, 0, 0)));
        expect(PAGE_SIZE_MISMATCH.on(1), returned(td, in(6, 1, 0)));
        ok(returned(td, in(6, 0, 0)));
        expect(PAGE_ALREADY_ACCEPTED.on(0), returned(td, in(6, 0, 0)));
        var left = assertInstanceOf(TdcallResult.Left.class, tdcall(td, in(6, 0x1000, 0)));
        var exit = assertInstanceOf(TdExit.EptViolation.class, left.exit());
        assertEquals(0x1000, exit.gpa());
        assertEquals(1, exit.eeq());
        long large = platform.largePage();
        platform.memory.write64(large + 0x1000, 7);
        ok(call(6, 0x20_0001, td.tdr, large, 0));
        platform.module.conditions().pendingInterrupt(1);
        assertInstanceOf(TdcallResult.Left.class, tdcall(td, in(6, 0x20_0001, 0)));
        ok(returned(td, in(6, 0x20_0001, 0)));
        assertEquals(0x80000000000000F7L + large, td.raw(0x20_0000));
        assertEquals(0, platform.memory.read64(large + 0x1000));
        expect(PAGE_ALREADY_ACCEPTED.on(1), returned(td, in(6, 0x20_5000, 0)));
        assertEquals(0x20_0001, returned(td, in(23, 0x20_0000, 0)).rcx());
        expect(OPERAND_INVALID.on(RCX), returned(td, in(23, 8, 0)));
        assertInstanceOf(TdcallResult.Left.class, tdcall(td, in(23, 0x5000, 0)));
        ok(returned(td, in(24, 0, 0)));
        expect(OPERAND_INVALID.on(RCX), returned(td, in(24, 3, 0)));
        expect(PAGE_ATTR_INVALID.value(), returned(td, in(24, 0, 1L << 16)));
        expect(PAGE_SIZE_MISMATCH.on(1), returned(td, in(24, 0x20_0000, 0)));
    }

    @Test
    void reports() {
        var td = TestTd.runnable(platform);
        td.augment(0);
        ok(returned(td, in(6, 0, 0)));
        expect(OPERAND_INVALID.on(RCX), returned(td, in(2, 8, 0)));
        expect(OPERAND_INVALID.on(RDX), returned(td, in(2, 0, 4)));
        platform.module.conditions().busy(LockObject.RTMR, 1);
        expect(OPERAND_BUSY.on(Operand.RTMR), returned(td, in(2, 0, 0)));
        ok(returned(td, in(2, 0, 0)));
        expect(OPERAND_INVALID.on(RCX), returned(td, in(4, 512, 0)));
        expect(OPERAND_INVALID.on(RDX), returned(td, in(4, 0, 8)));
        expect(OPERAND_INVALID.on(R8), returned(td, SeamcallRegs.of(4, 0, 0x400, 1, 0)));
        platform.module.conditions().busy(LockObject.RTMR, 1);
        expect(OPERAND_BUSY.on(Operand.RTMR), returned(td, in(4, 0, 0x400)));
        ok(returned(td, in(4, 0, 0x400)));
        ok(returned(td, in(22, 0, 0)));
        expect(OPERAND_INVALID.on(RCX), returned(td, in(22, 8, 0)));
        long page = SeptEntry.hpa(td.raw(0));
        platform.memory.write8(page + 128, (byte) 1);
        expect(INVALID_REPORTMACSTRUCT.value(), returned(td, in(22, 0, 0)));
        platform.memory.write8(page + 16, (byte) 9);
        expect(INVALID_CPUSVN.value(), returned(td, in(22, 0, 0)));
        assertInstanceOf(TdcallResult.Left.class, tdcall(td, in(22, 0x3000, 0)));
    }

    @Test
    void accessesToPrivateMemory() {
        var td = TestTd.runnable(platform);
        long page = td.augment(0);
        var pending = PrivateAccess.decide(td.tdcs(), 0x10, PrivateAccess.Kind.READ);
        assertInstanceOf(AccessDecision.VirtualizationException.class, pending);
        ok(returned(td, in(6, 0, 0)));
        var allowed = PrivateAccess.decide(td.tdcs(), 0x10, PrivateAccess.Kind.WRITE);
        assertEquals(new AccessDecision.Allowed(page + 0x10, 0, true), allowed);
        ok(call(7, 0, td.tdr));
        assertEquals(
                0,
                exit(PrivateAccess.decide(td.tdcs(), 0x10, PrivateAccess.Kind.FETCH))
                        .eeq());
        assertEquals(
                0,
                exit(PrivateAccess.decide(td.tdcs(), 0x5000, PrivateAccess.Kind.READ))
                        .eeq());
        var strict = TestTd.runnable(platform, Tdcs.ATTRIBUTE_SEPT_VE_DISABLE);
        strict.augment(0);
        assertEquals(
                6,
                exit(PrivateAccess.decide(strict.tdcs(), 0, PrivateAccess.Kind.READ))
                        .eeq());
    }

    private static TdExit.EptViolation exit(AccessDecision decision) {
        return assertInstanceOf(AccessDecision.Exit.class, decision).exit();
    }
}
