package kvasir.kvm.tdx;

import static kvasir.kvm.tdx.KvmTd.ok;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import kvasir.kvm.Errno;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.VcpuMmu;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.kvm.mmu.Pferr;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.tdx.HkidState;
import kvasir.metal.tdx.LeafDone;
import kvasir.metal.tdx.LockObject;
import kvasir.metal.tdx.SeptState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** KVM_TDX_* commands, their order, errnos and effects; the hooks of the mirror. */
final class TdxVmTest {
    private static final byte[] Z = new byte[4096];
    private static final String V2 =
            "236f0efa607ff8843f1855d7ef80dc3dda8fb455787a186b8787212951eab0096e3193bb26f817c2b63c21f5e10f9938";
    private static final String V1 =
            "8f3e9a8aca6784eab874f7aa4dda5d49104a88047f1f86695ef2a88f5691a90e34aac48ce45ffa1f5a23c7d62980d570";

    private static void refused(Errno errno, IoctlResult result) {
        assertEquals(
                errno,
                assertInstanceOf(IoctlResult.Err.class, result, result.toString())
                        .errno(),
                result.toString());
    }

    private static int map(KvmTd td, long gpa) {
        return td.vcpu().mmu().tdpMapPage(gpa, Pferr.GUEST_FINAL | Pferr.PRIVATE_ACCESS, 1, true, true);
    }

    @ParameterizedTest
    @EnumSource(
            value = InitMemRegionMode.class,
            names = {"MERGED_6_16", "MERGED_6_19"})
    void oneMeasuredPage(InitMemRegionMode mode) {
        var td = KvmTd.initialised(mode);
        ok(td.add(0, Z, true));
        assertEquals(SeptState.MAPPED, td.sept(0));
        assertEquals(V2, td.mrtd());
        ok(td.td.finalizeVm(TdxCmd.flags(0)));
        assertEquals(V2, td.td.root().orElseThrow().tdcs().mrtd().hex());
        assertTrue(td.vm.preFaultAllowed());
    }

    @ParameterizedTest
    @EnumSource(
            value = InitMemRegionMode.class,
            names = {"MERGED_6_16", "MERGED_6_19"})
    void withoutTheFlagOnlyTheAddIsMeasured(InitMemRegionMode mode) {
        var td = KvmTd.initialised(mode);
        ok(td.add(0, Z, false));
        assertEquals(V1, td.mrtd());
    }

    @Test
    void theProposalMapsFirstAndVerifies() {
        var td = KvmTd.initialised(InitMemRegionMode.PROPOSAL_2024);
        String before = td.mrtd();
        refused(Errno.ENOENT, td.add(0, Z, true));
        assertEquals(VcpuMmu.SPURIOUS, mapTwice(td));
        assertEquals(SeptState.FREE, td.sept(0));
        assertTrue(td.td.mirrorPfn(0) >= 0);
        assertEquals(before, td.mrtd());
        refused(Errno.EINVAL, td.td.finalizeVm(TdxCmd.flags(0)));
        ok(td.add(0, Z, true));
        assertEquals(V2, td.mrtd());
        ok(td.td.finalizeVm(TdxCmd.flags(0)));
    }

    private static int mapTwice(KvmTd td) {
        assertEquals(0, td.vcpu().mmu().reload());
        assertEquals(VcpuMmu.FIXED, map(td, 0));
        return map(td, 0);
    }

    @Test
    void aHoleBetweenMapAndAddDropsTheMirrorLeafOnly() {
        var td = KvmTd.initialised(InitMemRegionMode.PROPOSAL_2024);
        mapTwice(td);
        assertEquals(1, td.td.premapped());
        ok(td.vm.gmems().getFirst().fallocate(GuestMemfd.FALLOC_KEEP_SIZE | GuestMemfd.FALLOC_PUNCH_HOLE, 0, 4096));
        assertEquals(-1, td.td.mirrorPfn(0));
        assertEquals(0, td.td.premapped());
        assertFalse(td.vm.dead());
        ok(td.td.finalizeVm(TdxCmd.flags(0)));
    }

    @Test
    void addingTwice() {
        var old = KvmTd.initialised(InitMemRegionMode.MERGED_6_16);
        ok(old.add(0, Z, true));
        refused(Errno.EEXIST, old.add(0, Z, true));
        assertEquals(V2, old.mrtd());
        var now = KvmTd.initialised(InitMemRegionMode.MERGED_6_19);
        ok(now.add(0, Z, true));
        refused(Errno.EIO, now.add(0, Z, true));
        assertEquals(V2, now.mrtd());
        assertFalse(now.vm.dead());
    }

    @Test
    void badRegions() {
        var td = KvmTd.initialised(InitMemRegionMode.MERGED_6_19);
        long hva = td.source(Z);
        refused(Errno.EINVAL, td.td.initMemRegion(td.vcpu(), new MemRegion(hva + 1, 0, 1), TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initMemRegion(td.vcpu(), new MemRegion(hva, 0x800, 1), TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initMemRegion(td.vcpu(), new MemRegion(hva, 0, 0), TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initMemRegion(td.vcpu(), new MemRegion(hva, 1L << 47, 1), TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initMemRegion(td.vcpu(), new MemRegion(hva, 0, 1), TdxCmd.flags(2)));
        refused(Errno.EINVAL, td.td.initMemRegion(td.vcpu(), new MemRegion(hva, 128 << 20, 1), TdxCmd.flags(0)));
        refused(Errno.EOPNOTSUPP, td.td.initMemRegion(td.vcpu(), new MemRegion(0, 0, 1), TdxCmd.flags(0)));
        refused(Errno.EFAULT, td.td.initMemRegion(td.vcpu(), new MemRegion(0x10000, 0, 1), TdxCmd.flags(0)));
        ok(td.vm.setMemoryAttributes(0, 4096, 0, 0));
        refused(Errno.EINVAL, td.td.initMemRegion(td.vcpu(), new MemRegion(hva, 0, 1), TdxCmd.flags(0)));
        ok(td.td.finalizeVm(TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initMemRegion(td.vcpu(), new MemRegion(hva, 0, 1), TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.finalizeVm(TdxCmd.flags(0)));
    }

    @Test
    void theRegionIsWrittenBackWithItsProgress() {
        var td = KvmTd.initialised(InitMemRegionMode.MERGED_6_19);
        var region = new MemRegion(td.source(new byte[8192]), (64 << 20) - 4096, 2);
        refused(Errno.EINVAL, td.td.initMemRegion(td.vcpu(), region, TdxCmd.flags(0)));
        assertEquals(64 << 20, region.gpa());
        assertEquals(1, region.nrPages());
        td.vcpu().sendSignal(0);
        refused(Errno.EINTR, td.td.initMemRegion(td.vcpu(), new MemRegion(td.source(Z), 0, 1), TdxCmd.flags(0)));
    }

    @Test
    void aBusyModule() {
        var old = KvmTd.initialised(InitMemRegionMode.MERGED_6_16);
        old.host.module().conditions().busy(LockObject.TDR, 4);
        refused(Errno.EBUSY, old.add(0, Z, true));
        ok(old.add(0, Z, true));
        assertEquals(V2, old.mrtd());
        old.host.module().conditions().busy(LockObject.TDR, 1);
        refused(Errno.EBUSY, old.td.finalizeVm(TdxCmd.flags(0)));
        ok(old.td.finalizeVm(TdxCmd.flags(0)));
    }

    @Test
    void orderOfTheCommands() {
        var td = new KvmTd(InitMemRegionMode.MERGED_6_19);
        refused(Errno.EIO, td.vm.createVcpu(0, CpuidModel.standard()));
        refused(Errno.EINVAL, td.td.finalizeVm(TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initVm(InitVm.usual(), TdxCmd.flags(1)));
        refused(Errno.EINVAL, td.td.initVm(InitVm.usual().withAttributes(1), TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initVm(InitVm.usual().withXfam(1), TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initVm(InitVm.usual().withCpuid(List.of()), TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initVm(InitVm.usual().withCpuid(List.of(InitVm.width(40))), TdxCmd.flags(0)));
        ok(td.td.initVm(InitVm.usual(), TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initVm(InitVm.usual(), TdxCmd.flags(0)));
        ok(td.vm.createVcpu(0, CpuidModel.standard()));
        ok(td.vcpu().setCpuid2(CpuidModel.standard()));
        refused(Errno.EINVAL, td.td.initMemRegion(td.vcpu(), new MemRegion(td.source(Z), 0, 1), TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initVcpu(td.vcpu(), 0, TdxCmd.flags(1)));
        ok(td.td.initVcpu(td.vcpu(), 0, TdxCmd.flags(0)));
        refused(Errno.EINVAL, td.td.initVcpu(td.vcpu(), 0, TdxCmd.flags(0)));
        ok(td.td.finalizeVm(TdxCmd.flags(0)));
        refused(Errno.EIO, td.vm.createVcpu(1, CpuidModel.standard()));
    }

    @Test
    void afterFinalizeFaultsAugmentAndZapsBlockTrackRemove() {
        var td = KvmTd.initialised(InitMemRegionMode.MERGED_6_19);
        ok(td.td.finalizeVm(TdxCmd.flags(0)));
        assertEquals(0, td.vcpu().mmu().reload());
        assertEquals(VcpuMmu.FIXED, map(td, 0x5000));
        assertEquals(SeptState.PENDING, td.sept(0x5000));
        var leaves = new ArrayList<String>();
        td.kvm.events().add((sequence, event) -> {
            if (event instanceof LeafDone done) {
                leaves.add(done.leaf());
            }
        });
        ok(td.vm.setMemoryAttributes(0x5000, 4096, 0, 0));
        assertEquals(
                List.of("TDH.MEM.RANGE.BLOCK", "TDH.MEM.TRACK", "TDH.MEM.PAGE.REMOVE", "TDH.PHYMEM.PAGE.WBINVD"),
                leaves);
        assertEquals(SeptState.FREE, td.sept(0x5000));
        assertFalse(td.vm.dead());
    }

    @Test
    void theEndGivesEveryPageBack() {
        var td = new KvmTd(InitMemRegionMode.MERGED_6_19);
        long before = td.kvm.pages().used();
        td.memory(0, 64 << 20);
        ok(td.td.initVm(InitVm.usual(), TdxCmd.flags(0)));
        int hkid = td.td.hkid();
        assertEquals(HkidState.HKID_ASSIGNED, td.host.module().hkidState(hkid));
        ok(td.vm.createVcpu(0, CpuidModel.standard()));
        ok(td.vcpu().setCpuid2(CpuidModel.standard()));
        ok(td.td.initVcpu(td.vcpu(), 0, TdxCmd.flags(0)));
        long hva = td.source(Z);
        ok(td.td.initMemRegion(td.vcpu(), new MemRegion(hva, 0, 1), TdxCmd.flags(1)));
        ok(td.mm.munmap(hva, hva + 4096));
        ok(td.td.finalizeVm(TdxCmd.flags(0)));
        long tdr = td.td.tdr();
        td.td.destroy();
        assertEquals(List.of(), td.td.leaked());
        assertEquals(HkidState.HKID_FREE, td.host.module().hkidState(hkid));
        assertTrue(td.host.module().tdr(tdr).isEmpty());
        assertFalse(td.vm.dead());
        long mirrorAndDirect = ((kvasir.kvm.mmu.TdpMmu) td.vm.mmu()).tablePages();
        assertEquals(before + mirrorAndDirect, td.kvm.pages().used());
    }

    private static byte[] pattern() {
        var page = new byte[4096];
        for (int i = 0; i < page.length; i++) {
            page[i] = (byte) (7 * i + 3);
        }
        return page;
    }

    private static String sealed(KvmTd td) {
        ok(td.td.finalizeVm(TdxCmd.flags(0)));
        return td.td.root().orElseThrow().tdcs().mrtd().hex();
    }

    @ParameterizedTest
    @EnumSource(
            value = InitMemRegionMode.class,
            names = {"MERGED_6_16", "MERGED_6_19"})
    void theVectorsThroughTheIoctls(InitMemRegionMode mode) {
        assertEquals(
                "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
                sealed(KvmTd.initialised(mode)));
        var v3 = KvmTd.initialised(mode);
        v3.memory(0xfffff000L, 4096);
        ok(v3.add(0xfffff000L, Z, true));
        assertEquals(
                "07f08f558c5e2593b33452cf00c12a165c07b027a36424ecfa15ebf39b5415e0ed62418458e4bfd77f16fec0f1568dc9",
                sealed(v3));
        var v4 = KvmTd.initialised(mode);
        ok(v4.add(0x1000, pattern(), true));
        assertEquals(
                "1d6a39508485f397068c05784a4b63a370570e76aece69da8d9803c7ec110b31872fb82a115e9bb2ba454fad78293be6",
                v4.mrtd());
        ok(v4.add(0x2000, Z, true));
        assertEquals(
                "fd8963e532688d850d508c47f0ea72375ccc46f81c58c50f1b0804a362b7ac32bd2dc318f453386922dde5f78d235fab",
                sealed(v4));
        var v5 = KvmTd.initialised(mode);
        ok(v5.add(0x1000, pattern(), false));
        ok(v5.add(0x2000, Z, false));
        ok(v5.td.extendRange(0x1000, 2));
        assertEquals(
                "3e3e59e3a319c10a456235a1fe40db466d6064a5fa20d47e842e23f32c94e5041169871676ce1a0031f41256e8698759",
                sealed(v5));
        var v6 = KvmTd.initialised(mode);
        ok(v6.add(0x1000, pattern(), true));
        ok(v6.add(0x2000, Z, false));
        assertEquals(
                "8edb5659741d45ae539c3758a0397f52b9a47c48bb7d73d4bc9525f8743ed411c0d8c6404384939a4473567e8419f1b4",
                sealed(v6));
    }
}
