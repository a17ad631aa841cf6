package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.Set;
import java.util.TreeSet;
import kvasir.metal.cpu.CpuidModel.Feature;
import kvasir.metal.cpu.isa.Encoding;
import kvasir.metal.cpu.isa.InstructionTable;
import org.junit.jupiter.api.Test;

/** What CPUID says and what the decoder takes are one thing. */
final class CpuidModelTest {
    /** Features that bring no instruction of their own: modes, paging, formats, registers, timing. */
    private static final Set<Feature> NO_INSTRUCTION = EnumSet.of(
            Feature.PAE,
            Feature.PKS,
            Feature.PGE,
            Feature.PAT,
            Feature.PSE,
            Feature.DE,
            Feature.APIC,
            Feature.PSE36,
            Feature.PCID,
            Feature.X2APIC,
            Feature.TSC_DEADLINE,
            Feature.TSC_ADJUST,
            Feature.HYPERVISOR,
            Feature.SMEP,
            Feature.ERMS,
            Feature.UMIP,
            Feature.LA57,
            Feature.FSRM,
            Feature.LAHF_LM,
            Feature.NX,
            Feature.PDPE1GB,
            Feature.LM,
            Feature.FDP_EXCPTN_ONLY,
            Feature.ZERO_FCS_FDS,
            Feature.XGETBV1,
            Feature.MISALIGNSSE,
            Feature.FFXSR,
            Feature.VME,
            Feature.MCE,
            Feature.MCA,
            Feature.MTRR,
            Feature.FZRM,
            Feature.FSRS,
            Feature.FSRC,
            Feature.LAM,
            Feature.ARAT,
            Feature.TOPOEXT,
            Feature.SPEC_CTRL,
            Feature.STIBP,
            Feature.FLUSH_L1D,
            Feature.ARCH_CAPABILITIES,
            Feature.SSBD,
            Feature.IBPB,
            Feature.IBRS,
            Feature.AMD_STIBP,
            Feature.AMD_SSBD,
            // a hint, and WBINVD where it is absent
            Feature.PREFETCHW,
            Feature.WBNOINVD,
            // its instructions are those of SSE on MMX registers
            Feature.MMXEXT);

    @Test
    void everyFeatureOfAModelHasItsRows() {
        Set<Feature> inTable = EnumSet.noneOf(Feature.class);
        for (Encoding row : InstructionTable.rows()) {
            row.feature().ifPresent(inTable::add);
        }
        var missing = new TreeSet<Feature>();
        for (CpuidModel model : CpuidModel.all()) {
            for (Feature feature : model.features()) {
                if (!inTable.contains(feature) && !NO_INSTRUCTION.contains(feature)) {
                    missing.add(feature);
                }
            }
        }
        assertEquals(Set.of(), missing);
    }

    @Test
    void everyRowIsReachedByAModel() {
        Set<Feature> inModels = EnumSet.noneOf(Feature.class);
        CpuidModel.all().forEach(model -> inModels.addAll(model.features()));
        inModels.addAll(
                CpuidModel.named("EPYC-Milan,+rdpru,+mwaitx").orElseThrow().features());
        var unreachable = new TreeSet<String>();
        for (Encoding row : InstructionTable.rows()) {
            if (row.feature().isPresent() && !inModels.contains(row.feature().get())) {
                unreachable.add(row.mnemonic());
            }
        }
        assertEquals(Set.of(), unreachable);
    }

    /** SDM volume 1, 14.3 and volume 2, CPUID: what implies what. */
    @Test
    void featuresComeWithWhatTheyRestOn() {
        Feature[][] implied = {
            {Feature.SSE, Feature.FXSR},
            {Feature.SSE2, Feature.SSE},
            {Feature.SSE3, Feature.SSE2},
            {Feature.SSSE3, Feature.SSE3},
            {Feature.SSE4_1, Feature.SSSE3},
            {Feature.SSE4_2, Feature.SSE4_1},
            {Feature.AVX, Feature.XSAVE},
            {Feature.AVX, Feature.SSE4_2},
            {Feature.AVX2, Feature.AVX},
            {Feature.FMA, Feature.AVX},
            {Feature.F16C, Feature.AVX},
            {Feature.VAES, Feature.AES},
            {Feature.VAES, Feature.AVX2},
            {Feature.VPCLMULQDQ, Feature.PCLMULQDQ},
            {Feature.XSAVES, Feature.XSAVEC},
            {Feature.XSAVEC, Feature.XSAVE},
            {Feature.XSAVEOPT, Feature.XSAVE},
            {Feature.GFNI, Feature.AVX2},
            {Feature.AVX_VNNI, Feature.AVX2},
            {Feature.MMX, Feature.FPU}
        };
        for (CpuidModel model : CpuidModel.all()) {
            for (Feature[] pair : implied) {
                assertTrue(
                        !model.has(pair[0]) || model.has(pair[1]),
                        () -> model.name() + ": " + pair[0] + " without " + pair[1]);
            }
        }
    }

    @Test
    void aNameCanAddAndTakeFeatures() {
        CpuidModel masking = CpuidModel.named("sapphirerapids,+lam,-avx-vnni").orElseThrow();
        assertEquals("SapphireRapids", masking.name());
        assertEquals(1 << 26, masking.answer(7, 1)[0] & (1 << 26 | 1 << 4));
        assertEquals(1 << 4, CpuidModel.standard().answer(7, 1)[0] & (1 << 26 | 1 << 4));
        assertTrue(CpuidModel.named("SapphireRapids,lam").isEmpty());
        assertTrue(CpuidModel.named("SapphireRapids,+avx512f").isEmpty());
    }

    private static void assertLeaf(CpuidModel model, int leaf, int subleaf, int processors, int... registers) {
        String what = "%s leaf %x.%x".formatted(model.name(), leaf, subleaf);
        assertArrayEquals(registers, model.answer(leaf, subleaf, 3, processors), what);
    }

    /** As CPUID dumps of a Xeon Platinum 8480+ have them, with fewer cores. */
    @Test
    void cachesAndCoresOfTheIntelModel() {
        CpuidModel rapids = CpuidModel.standard();
        assertLeaf(rapids, 2, 0, 1, 0x00fe_ff01, 0xf0, 0, 0);
        assertLeaf(rapids, 4, 0, 4, 0x0c00_0121, 0x02c0_003f, 63, 0);
        assertLeaf(rapids, 4, 1, 4, 0x0c00_0122, 0x01c0_003f, 63, 0);
        assertLeaf(rapids, 4, 2, 4, 0x0c00_0143, 0x03c0_003f, 2047, 0);
        assertLeaf(rapids, 4, 3, 4, 0x0c00_c163, 0x0380_003f, 114_687, 4);
        assertLeaf(rapids, 4, 4, 4, 0, 0, 0, 0);
        assertLeaf(rapids, 0xb, 0, 6, 0, 1, 0x100, 3);
        assertLeaf(rapids, 0xb, 1, 6, 3, 6, 0x201, 3);
        assertLeaf(rapids, 0xb, 2, 6, 0, 0, 2, 3);
        assertLeaf(rapids, 0x1f, 1, 6, 3, 6, 0x201, 3);
        assertLeaf(rapids, 0x12, 0, 6, 0, 0, 0, 0);
        assertEquals(0x1f, rapids.answer(0, 0)[0]);
        assertEquals(0x0308_0800, rapids.answer(1, 0, 3, 6)[1], "APIC id 3, room for 8, lines of 64 bytes");
        assertEquals(1 << 28, rapids.answer(1, 0, 3, 6)[3] & 1 << 28, "HTT");
        assertEquals(0, rapids.answer(1, 0, 0, 1)[3] & 1 << 28, "a processor that is alone");
        assertEquals(0x3934, rapids.answer(0x8000_0008, 0)[0], "52 physical, 57 linear bits");
    }

    /** As CPUID dumps of an EPYC 7763 have them, with fewer cores. */
    @Test
    void cachesAndCoresOfTheAmdModel() {
        CpuidModel milan = CpuidModel.named("EPYC-Milan").orElseThrow();
        assertLeaf(milan, 2, 0, 4, 0, 0, 0, 0);
        assertLeaf(milan, 4, 0, 4, 0, 0, 0, 0);
        assertLeaf(milan, 0x8000_0005, 0, 4, 0xff40_ff40, 0xff40_ff40, 0x2008_0140, 0x2008_0140);
        assertLeaf(milan, 0x8000_0006, 0, 4, 0x4800_6400, 0x6800_6400, 0x0200_6140, 0x0100_9140);
        assertLeaf(milan, 0x8000_001d, 0, 4, 0x121, 0x01c0_003f, 63, 0);
        assertLeaf(milan, 0x8000_001d, 2, 4, 0x143, 0x01c0_003f, 1023, 2);
        assertLeaf(milan, 0x8000_001d, 3, 4, 0xc163, 0x03c0_003f, 32_767, 1);
        assertLeaf(milan, 0x8000_001d, 3, 64, 0x1_c163, 0x03c0_003f, 32_767, 1);
        assertLeaf(milan, 0x8000_001e, 0, 4, 3, 3, 0, 0);
        assertEquals(0x2003, milan.answer(0x8000_0008, 0, 3, 4)[2], "four cores in two bits of the APIC id");
        assertEquals(2, milan.answer(0x8000_0001, 0, 3, 4)[2] & 2, "CMP_LEGACY");
        assertEquals(0x8000_001e, milan.answer(0x8000_0000, 0)[0]);
    }

    @Test
    void leavesBeyondTheHighestAreTheVendorsChoice() {
        CpuidModel milan = CpuidModel.named("EPYC-Milan").orElseThrow();
        assertLeaf(milan, 0x50, 1, 4, 0, 0, 0, 0);
        assertLeaf(CpuidModel.standard(), 0x50, 1, 4, 2, 4, 0x201, 3);
        assertLeaf(CpuidModel.standard(), 0x8000_0020, 1, 4, 2, 4, 0x201, 3);
        assertLeaf(CpuidModel.standard(), 0x4000_0010, 1, 4, 0, 0, 0, 0);
    }

    @Test
    void modelsAreDistinguishableAsTheProcessorsAre() {
        CpuidModel milan = CpuidModel.named("epyc-milan").orElseThrow();
        CpuidModel rapids = CpuidModel.named("SapphireRapids").orElseThrow();
        assertEquals(0x00a0_0f11, milan.answer(1, 0)[0], "family 25, model 1, stepping 1");
        assertEquals(0x0008_06f8, rapids.answer(1, 0)[0], "family 6, model 143, stepping 8");
        assertEquals(0x207, milan.answer(0xd, 0)[0]);
        assertEquals(0x207, rapids.answer(0xd, 0)[0]);
        assertEquals(15, milan.answer(0xd, 1)[0] & 15);
        assertEquals(milan.answer(1, 0)[3] & 0x0183_f3ff, milan.answer(0x8000_0001, 0)[3] & 0x0183_f3ff);
        assertTrue(milan.has(Feature.SSE4A) && !rapids.has(Feature.SSE4A));
        assertTrue(rapids.has(Feature.ZERO_FCS_FDS) && !milan.has(Feature.ZERO_FCS_FDS));
    }
}
