package kvasir.kvm.semantics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kvasir.kvm.HostConfig;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.VmType;
import kvasir.kvm.mmu.Rig;
import kvasir.registry.Outcome;
import org.junit.jupiter.api.Test;

final class SemanticsTest {
    private static final long K = 1 << 10;
    private static final long M = 1 << 20;
    private static final HostConfig SMALL_PAGES = Rig.host(false, true, false, false, false);

    /** {@code ok 0}, {@code EAGAIN 4096}: the outcome and what is left. */
    private static String said(IoctlResult result) {
        Outcome outcome = result.outcome();
        Object left = outcome.details().get("left");
        return outcome.name() + (left == null ? "" : " " + Long.toUnsignedString((Long) left));
    }

    private static Map<String, String> each(HostConfig host, java.util.function.Function<Rig, IoctlResult> call) {
        var answers = new LinkedHashMap<String, String>();
        for (Semantics semantics : Semantics.all()) {
            var rig = new Rig(host, semantics, VmType.DEFAULT);
            answers.put(semantics.name(), said(call.apply(rig)));
        }
        return answers;
    }

    private static Map<String, String> answers(String... pairs) {
        var map = new LinkedHashMap<String, String>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put(pairs[i], pairs[i + 1]);
        }
        return map;
    }

    private static Map<String, String> answers(String rfc, String v2, String sean, String upstream) {
        return answers(
                "rfc", rfc, "rfc-v2", v2, "sean", sean, "v6.11", upstream, "v6.16", upstream, "v6.18", upstream,
                "v6.19", upstream);
    }

    @Test
    void aRangeWithinASlotIsMapped() {
        assertEquals(answers("ok 0", "ok 0", "ok 0", "ok 0"), each(SMALL_PAGES, rig -> {
            rig.slot(0, 0, 2 * M, 0, true);
            return rig.map(0, 64 * K);
        }));
    }

    @Test
    void partialProgressAtTheEndOfASlot() {
        assertEquals(answers("EAGAIN 4096", "EAGAIN 4096", "ok 4096", "ok 4096"), each(SMALL_PAGES, rig -> {
            rig.slot(0, 0, 2 * M, 0, true);
            return rig.map(2 * M - 4 * K, 8 * K);
        }));
    }

    @Test
    void noSlotAtAll() {
        assertEquals(answers("EIO 4096", "EFAULT 4096", "ENOENT 4096", "ENOENT 4096"), each(SMALL_PAGES, rig -> {
            rig.slot(0, 0, 2 * M, 0, true);
            return rig.map(4 * M, 4 * K);
        }));
    }

    @Test
    void badArguments() {
        for (long[] bad : new long[][] {
            {0x10, 4096}, {0, 0x10}, {0, 0}, {-4096L, 8192}, {-4096L, 4096},
        }) {
            each(SMALL_PAGES, rig -> {
                        rig.slot(0, 0, 2 * M, 0, true);
                        return rig.map(bad[0], bad[1]);
                    })
                    .forEach((name, said) -> assertTrue(said.startsWith("EINVAL"), name + " said " + said));
        }
    }

    @Test
    void flagsMeanSomethingInTheFirstProposalOnly() {
        assertEquals(answers("ok 0", "EINVAL 4096", "EINVAL 4096", "EINVAL 4096"), each(SMALL_PAGES, rig -> {
            rig.slot(0, 0, 2 * M, 0, true);
            return rig.map(new MemoryMapping(0, 4 * K, MemoryMapping.WRITE, 0));
        }));
        assertEquals(answers("EINVAL 4096", "EINVAL 4096", "EINVAL 4096", "EINVAL 4096"), each(SMALL_PAGES, rig -> {
            rig.slot(0, 0, 2 * M, 0, true);
            return rig.map(new MemoryMapping(0, 4 * K, MemoryMapping.PRIVATE, 0));
        }));
    }

    @Test
    void aWriteAccessBreaksCopyOnWriteAReadDoesNot() {
        var rig = new Rig(SMALL_PAGES, "rfc", VmType.DEFAULT);
        rig.slot(0, 0, 2 * M, 0, false);
        assertEquals("ok 0", said(rig.map(0, 4 * K)));
        assertEquals(0x8000_0000_0000_0975L, bits(rig, 0), "the zero page, accessed, as an ordinary fault leaves it");
        assertEquals("EAGAIN 4096", said(rig.map(new MemoryMapping(0, 4 * K, MemoryMapping.WRITE, 0))));
        assertEquals("ok 0", said(rig.map(new MemoryMapping(0, 4 * K, MemoryMapping.WRITE, 0))));
        assertEquals(0x8600_0000_0000_0B77L, bits(rig, 0));
    }

    private static long bits(Rig rig, long gpa) {
        return rig.bits(gpa);
    }

    @Test
    void aSmallRequestOnHugeMemory() {
        for (Semantics semantics : Semantics.all()) {
            var rig = new Rig(HostConfig.intel(), semantics, VmType.DEFAULT);
            rig.slot(0, 0, 4 * M, 0, true);
            IoctlResult result = rig.map(4 * K, 4 * K);
            switch (semantics.name()) {
                case "rfc" -> assertEquals("ok 0 4K", said(result) + " " + level(rig));
                case "rfc-v2" ->
                    assertEquals(
                            "EAGAIN " + Long.toUnsignedString(-(4 * M - 8 * K)) + " 2M",
                            said(result) + " " + level(rig),
                            "the size passed below zero and the loop ran on to the end of the slot");
                default -> assertEquals("ok 0 2M", said(result) + " " + level(rig), semantics.name());
            }
        }
    }

    private static String level(Rig rig) {
        return rig.entry(4 * K).state().orElseThrow().arguments().getFirst().equals(4096L) ? "4K" : "2M";
    }

    @Test
    void theAlignVariantDoesNotAdvanceFromAnAlignedAddress() {
        var problems = new ArrayList<String>();
        Semantics endless = Semantics.custom(
                "align", Semantics.named("rfc-v2").orElseThrow(), Map.of("arithmetic", "align"), problems);
        assertEquals(List.of(), problems);
        var rig = new Rig(HostConfig.intel(), endless, VmType.DEFAULT);
        rig.slot(0, 0, 4 * M, 0, true);
        assertEquals("livelock", said(rig.map(0, 4 * M)));
        assertEquals("ok 0", said(rig.map(2 * M - 4 * K, 4 * K)));
        Semantics warned = Semantics.custom(
                "align", Semantics.named("v6.18").orElseThrow(), Map.of("arithmetic", "align"), problems);
        var other = new Rig(HostConfig.intel(), warned, VmType.DEFAULT);
        other.slot(0, 0, 4 * M, 0, true);
        assertEquals("ok 4194304", said(other.map(0, 4 * M)), "upstream's loop ends with a WARN and success");
    }

    @Test
    void aSecondCallFindsNothingToDo() {
        assertEquals(answers("ok 0", "ok 0", "ok 0", "ok 0"), each(HostConfig.intel(), rig -> {
            rig.slot(0, 0, 4 * M, 0, true);
            rig.map(0, 4 * M);
            return rig.map(0, 4 * M);
        }));
    }

    @Test
    void anObsoleteRootIsNoticedSince615() {
        var said = each(HostConfig.intel(), rig -> {
            rig.slot(0, 0, 4 * M, 0, true);
            rig.slot(1, 8 * M, 4 * M, 0, true);
            rig.map(0, 4 * M);
            rig.deleteSlot(1);
            return rig.map(0, 4 * M);
        });
        assertEquals(
                answers(
                        "rfc", "EAGAIN 4194304",
                        "rfc-v2", "EAGAIN 4194304",
                        "sean", "livelock",
                        "v6.11", "livelock",
                        "v6.16", "ok 0",
                        "v6.18", "ok 0",
                        "v6.19", "ok 0"),
                said);
    }

    @Test
    void anEmptyTableLeftByALeafZapIsNotSpuriousSince616() {
        for (Semantics semantics : Semantics.all()) {
            var rig = new Rig(HostConfig.intel(), semantics, VmType.SW_PROTECTED);
            long hva = rig.slot(0, 0, 2 * M, 0, true);
            Rig.must(rig.vm.setUserMemoryRegion2(MemoryRegion.deletion(0)));
            Rig.must(rig.vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 4 * K, hva)));
            rig.map(0, 4 * K);
            Rig.must(rig.vm.setUserMemoryRegion2(MemoryRegion.deletion(0)));
            assertEquals("empty", rig.entry(0).state().orElseThrow().name());
            assertEquals(1L, rig.entry(0).state().orElseThrow().fields().get("level"), "the table is still there");
            Rig.must(rig.vm.setUserMemoryRegion2(MemoryRegion.user(0, 0, 0, 2 * M, hva)));
            assertEquals("ok 0", said(rig.map(0, 2 * M)), semantics.name());
            boolean fixed =
                    semantics.kernel().atLeast(6, 16) || semantics.policies().accessed();
            assertEquals(
                    fixed ? "leaf" : "empty", rig.entry(0).state().orElseThrow().name(), semantics.name());
        }
    }

    @Test
    void aSignalBeforeAndAfterProgress() {
        assertEquals(answers("EINTR 65536", "EINTR 65536", "EINTR 65536", "EINTR 65536"), each(SMALL_PAGES, rig -> {
            rig.slot(0, 0, 2 * M, 0, true);
            rig.vcpu().sendSignal(0);
            return rig.map(0, 64 * K);
        }));
        assertEquals(answers("EAGAIN 57344", "EAGAIN 57344", "ok 57344", "ok 57344"), each(SMALL_PAGES, rig -> {
            rig.slot(0, 0, 2 * M, 0, true);
            rig.vcpu().sendSignal(4);
            return rig.map(0, 64 * K);
        }));
    }

    @Test
    void beforeTheLaunchIsFinished() {
        var said = new LinkedHashMap<String, String>();
        for (Semantics semantics : Semantics.all()) {
            var rig = new Rig(HostConfig.intel(), semantics, VmType.SNP);
            rig.slot(0, 0, 2 * M, 0, true);
            said.put(semantics.name(), said(rig.map(0, 2 * M)));
        }
        assertEquals(answers("ok 0", "ok 0", "ok 0", "EOPNOTSUPP 2097152"), said);
    }

    @Test
    void nestedTdpIsNotSupported() {
        assertEquals(
                answers("EOPNOTSUPP 4096", "EOPNOTSUPP 4096", "EOPNOTSUPP 4096", "EOPNOTSUPP 4096"),
                each(SMALL_PAGES, rig -> {
                    rig.slot(0, 0, 2 * M, 0, true);
                    rig.vcpu().setGuestMode(true, true);
                    return rig.map(0, 4 * K);
                }));
    }

    @Test
    void aMixedRangeIsMappedFromWhereEachPageLives() {
        var rig = new Rig(HostConfig.intel(), "v6.19", VmType.SW_PROTECTED);
        var file = rig.gmemSlot(0, 0, 2 * M);
        Rig.must(rig.vm.setMemoryAttributes(4 * K, 4 * K, 8, 0));
        assertEquals("ok 0", said(rig.map(0, 12 * K)));
        assertEquals(file.pageAt(1) << 12, rig.raw(4 * K) & 0xffff_ffff_f000L);
        assertEquals(0x8600_0000_0000_0A77L, bits(rig, 4 * K));
        assertEquals(0x8000_0000_0000_0875L, bits(rig, 0), "shared: the zero page");
    }

    @Test
    void aPrivatePageWithoutGmemClobbersKvmRun() {
        var rig = new Rig(HostConfig.intel(), "v6.19", VmType.SW_PROTECTED);
        rig.slot(0, 0, 2 * M, 0, true);
        Rig.must(rig.vm.setMemoryAttributes(0, 2 * M, 8, 0));
        assertEquals("EFAULT 4096", said(rig.map(0x3000, 4 * K)));
        assertEquals(39, rig.run().exitReason());
        assertEquals(8, rig.run().get64(32));
        assertEquals(0x3000, rig.run().get64(40));
    }

    @Test
    void customPoliciesByName() {
        var problems = new ArrayList<String>();
        Semantics custom = Semantics.custom(
                "mine",
                Semantics.named("v6.18").orElseThrow(),
                Map.of("no_slot", "EFAULT", "progress", "eagain_on_partial"),
                problems);
        assertEquals(List.of(), problems);
        var rig = new Rig(SMALL_PAGES, custom, VmType.DEFAULT);
        rig.slot(0, 0, 2 * M, 0, true);
        assertEquals("EFAULT 4096", said(rig.map(2 * M, 4 * K)));
        assertEquals("EAGAIN 4096", said(rig.map(2 * M - 4 * K, 8 * K)));
        Semantics.custom("bad", custom, Map.of("no_slot", "EPERM"), problems);
        Semantics.custom("bad", custom, Map.of("no_slots", "EIO"), problems);
        assertEquals(
                List.of(
                        "policy 'no_slot' is one of EIO, EFAULT, EINVAL, ENOENT, not 'EPERM'",
                        "there is no policy 'no_slots'; there are who_adds, progress, retry, invalid_slot,"
                                + " spurious_leaf_check, root_reload, before_finalise, no_slot, units, max_level,"
                                + " arithmetic, accessed, flags, gmem_fault"),
                problems);
    }
}
