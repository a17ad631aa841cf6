package kvasir.metal.tdx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** MRTD and RTMRs, byte exact, reached through SEAMCALLs and TDCALLs only. */
final class MeasurementTest {
    private static final byte[] Z = new byte[4096];
    private static final byte[] P = pattern();

    private final TestTd td = TestTd.initialised(TdxPlatform.ready());

    private static byte[] pattern() {
        var page = new byte[4096];
        for (int i = 0; i < page.length; i++) {
            page[i] = (byte) (7 * i + 3);
        }
        return page;
    }

    private String finalized() {
        td.vcpu();
        TdxPlatform.ok(td.platform.call(17, td.tdr));
        var field = new StringBuilder();
        for (int i = 0; i < 6; i++) {
            var out = td.platform.call(11, td.tdr, 0x1310000300000000L + i);
            TdxPlatform.ok(out);
            field.append(HexFormat.of().toHexDigits(Long.reverseBytes(out.r8())));
        }
        assertEquals(field.toString(), td.tdcs().mrtd().hex());
        return field.toString();
    }

    @Test
    void v0NothingAdded() {
        assertEquals(
                "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
                finalized());
    }

    @Test
    void v1OnePageNotExtended() {
        td.add(0, Z);
        assertEquals(
                "8f3e9a8aca6784eab874f7aa4dda5d49104a88047f1f86695ef2a88f5691a90e34aac48ce45ffa1f5a23c7d62980d570",
                finalized());
    }

    @Test
    void v2OneZeroPage() {
        td.add(0, Z);
        td.extend(0);
        assertEquals(
                "236f0efa607ff8843f1855d7ef80dc3dda8fb455787a186b8787212951eab0096e3193bb26f817c2b63c21f5e10f9938",
                finalized());
    }

    @Test
    void v3TheResetVectorPage() {
        td.add(0xfffff000L, Z);
        td.extend(0xfffff000L);
        assertEquals(
                "07f08f558c5e2593b33452cf00c12a165c07b027a36424ecfa15ebf39b5415e0ed62418458e4bfd77f16fec0f1568dc9",
                finalized());
    }

    @Test
    void v4Content() {
        td.add(0x1000, P);
        td.extend(0x1000);
        assertEquals(
                "1d6a39508485f397068c05784a4b63a370570e76aece69da8d9803c7ec110b31872fb82a115e9bb2ba454fad78293be6",
                finalized());
    }

    @Test
    void v5SinglePass() {
        td.add(0x1000, P);
        td.extend(0x1000);
        td.add(0x2000, Z);
        td.extend(0x2000);
        assertEquals(
                "fd8963e532688d850d508c47f0ea72375ccc46f81c58c50f1b0804a362b7ac32bd2dc318f453386922dde5f78d235fab",
                finalized());
    }

    @Test
    void v5TwoPass() {
        td.add(0x1000, P);
        td.add(0x2000, Z);
        td.extend(0x1000);
        td.extend(0x2000);
        assertEquals(
                "3e3e59e3a319c10a456235a1fe40db466d6064a5fa20d47e842e23f32c94e5041169871676ce1a0031f41256e8698759",
                finalized());
    }

    @Test
    void v6SecondPageOnlyAdded() {
        td.add(0x1000, P);
        td.extend(0x1000);
        td.add(0x2000, Z);
        assertEquals(
                "8edb5659741d45ae539c3758a0397f52b9a47c48bb7d73d4bc9525f8743ed411c0d8c6404384939a4473567e8419f1b4",
                finalized());
    }

    @Test
    void removedPagesStayInTheDigestAndRefusedOnesNeverEnterIt() {
        long page = td.add(0, Z);
        var again = td.platform.call(2, 0, td.tdr, td.platform.page(), TestTd.SOURCE);
        TdxPlatform.expect(Status.EPT_ENTRY_STATE_INCORRECT.on(Operand.RCX), again);
        td.extend(0);
        var removed = td.platform.call(29, 0, td.tdr);
        TdxPlatform.ok(removed);
        assertEquals(page, removed.rcx());
        assertEquals(
                "236f0efa607ff8843f1855d7ef80dc3dda8fb455787a186b8787212951eab0096e3193bb26f817c2b63c21f5e10f9938",
                finalized());
    }

    @Test
    void theLedgerHasEveryContributionWithItsRunningDigest() {
        td.add(0, Z);
        assertEquals(
                "8f3e9a8aca6784eab874f7aa4dda5d49104a88047f1f86695ef2a88f5691a90e34aac48ce45ffa1f5a23c7d62980d570",
                td.tdcs().runningMrtd().hex());
        td.extend(0);
        var ledger = td.platform.module.ledger(td.tdr);
        assertEquals(17, ledger.size());
        var last = ledger.records().get(16);
        assertEquals(17, last.number());
        assertEquals("TDH.MR.EXTEND", last.leaf());
        assertEquals(0xf00, last.gpa());
        assertEquals(
                "236f0efa607ff8843f1855d7ef80dc3dda8fb455787a186b8787212951eab0096e3193bb26f817c2b63c21f5e10f9938",
                last.digest().hex());
        assertEquals("00".repeat(48), td.tdcs().mrtd().hex(), "the field is zero before FINALIZE");
    }

    @Test
    void aSnapshotTakesTheRunningMeasurementWithIt() {
        td.add(0, Z);
        var saved = td.platform.module.save();
        try (var frames = td.platform.memory.snapshot()) {
            td.extend(0);
            td.platform.memory.restore(frames);
            td.platform.module.restore(saved);
            assertEquals(1, td.platform.module.ledger(td.tdr).size());
            td.extend(0);
        }
        assertEquals(
                "236f0efa607ff8843f1855d7ef80dc3dda8fb455787a186b8787212951eab0096e3193bb26f817c2b63c21f5e10f9938",
                finalized());
    }

    @Test
    void rtmrs() {
        byte[] inputs = new byte[4096];
        java.util.Arrays.fill(inputs, 0, 48, (byte) 0xaa);
        java.util.Arrays.fill(inputs, 64, 112, (byte) 0xbb);
        td.add(0x1000, inputs);
        finalized();
        long tdvpr = td.vcpus.getFirst();
        tdcall(tdvpr, SeamcallRegs.of(2, 0x1000, 2));
        assertEquals(
                "7bb2c5d8ea033e351e3bbcd999104ba4a95c440e7930e17becc2effd55069425f50dd6852cfd3b664453b66c6cb673ea",
                td.tdcs().rtmr(2).hex());
        tdcall(tdvpr, SeamcallRegs.of(2, 0x1040, 2));
        assertEquals(
                "dea02caf4a6cbe4cd8ad7fcdfac84a784056e8d0f52aa524f160f5d321a40bc24bab8ea1a6787e7b39d459446cafa226",
                td.tdcs().rtmr(2).hex());
    }

    private SeamcallRegs tdcall(long tdvpr, SeamcallRegs in) {
        var result = td.platform.module.tdcall(tdvpr, in);
        var returned = org.junit.jupiter.api.Assertions.assertInstanceOf(TdcallResult.Returned.class, result);
        TdxPlatform.ok(returned.regs());
        return returned.regs();
    }

    @Test
    void t1TheHashOfTdinfoInAReport() {
        var measured = TestTd.initialised(td.platform, 0x1000_0000L);
        measured.add(0, Z);
        measured.extend(0);
        measured.vcpu();
        measured.tables(0x4000);
        TdxPlatform.ok(td.platform.call(17, measured.tdr));
        long tdvpr = measured.vcpus.getFirst();
        long page = measured.augment(0x4000);
        tdcall(tdvpr, SeamcallRegs.of(6, 0x4000, 0));
        tdcall(tdvpr, SeamcallRegs.of(4, 0x4000, 0x4400));
        var report = new byte[1024];
        td.platform.memory.read(page, report, 0, 1024);
        assertEquals(
                "e7f7280c18ad65066c4bdaaa8e1913de825d1f66b9f98391381df6be25adfbe53896b3c29e57c894747fa54dbc01a4ac",
                HexFormat.of().formatHex(report, 80, 128));
        tdcall(tdvpr, SeamcallRegs.of(22, 0x4000, 0));
    }

    @Test
    void theStoredContextAgreesWithTheLibrary() throws Exception {
        var library = MessageDigest.getInstance("SHA-384");
        var context = new Sha384();
        for (int i = 0; i < 5; i++) {
            context.update(java.util.Arrays.copyOf(P, 128 * i));
            library.update(P, 0, 128 * i);
        }
        assertArrayEquals(library.digest(), context.digest());
    }
}
