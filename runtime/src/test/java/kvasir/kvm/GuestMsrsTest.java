package kvasir.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalLong;
import kvasir.event.Events;
import kvasir.kvm.MsrTable.Keeper;
import kvasir.kvm.MsrTable.Row;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.memory.PhysicalMemory;
import org.junit.jupiter.api.Test;

/** MSRs that KVM emulates: who has them, reset values, what is #GP (x86.c, mtrr.c, svm.c; 6.16). */
final class GuestMsrsTest {
    private static final CpuidModel INTEL = CpuidModel.named("SapphireRapids").orElseThrow();
    private static final CpuidModel AMD = CpuidModel.named("EPYC-Milan").orElseThrow();

    private final GuestMsrs intel = new GuestMsrs(() -> INTEL);
    private final GuestMsrs amd = new GuestMsrs(() -> AMD);

    @Test
    void memoryTypesAndRangesAreChecked() {
        assertEquals(OptionalLong.of(0x508), intel.value(0xfe));
        assertFalse(intel.write(0xfe, 0x508));
        assertTrue(intel.write(0x2ff, 0xc06));
        assertFalse(intel.write(0x2ff, 0xc02), "type 2");
        assertFalse(intel.write(0x2ff, 0x1006), "bit 12");
        assertTrue(intel.write(0x250, 0x0606_0606_0606_0606L));
        assertFalse(intel.write(0x250, 0x0706_0606_0606_0606L), "type 7 is PAT's only");
        assertTrue(intel.value(0x251).isEmpty(), "there is one register for 64 KiB ranges");
        assertTrue(intel.write(0x200, 0x8000_0006L));
        assertFalse(intel.write(0x200, 0x8000_0106L), "bits 11:8 of a base");
        assertTrue(intel.write(0x201, 0xf_8000_0000_0800L));
        assertFalse(intel.write(0x201, 0x8000_0400L), "bit 10 of a mask");
        assertFalse(intel.write(0x201, 1L << 52), "beyond MAXPHYADDR");
        assertFalse(amd.write(0x201, 1L << 48), "beyond MAXPHYADDR of that model");
        assertTrue(intel.write(0x20f, 0));
        assertTrue(intel.value(0x210).isEmpty(), "eight variable ranges");
    }

    @Test
    void mitigations() {
        assertTrue(intel.write(0x48, 7));
        assertEquals(OptionalLong.of(7), intel.value(0x48));
        assertFalse(intel.write(0x48, 1L << 40));
        assertTrue(intel.value(0x49).isEmpty(), "PRED_CMD cannot be read");
        assertTrue(intel.write(0x49, 1));
        assertFalse(intel.write(0x49, 2));
        assertTrue(amd.write(0x49, 1), "with IBPB");
        assertTrue(intel.write(0x10b, 1));
        assertFalse(amd.write(0x10b, 1), "no FLUSH_L1D");
        assertFalse(intel.write(0x10a, 0));
        assertTrue(amd.value(0x10a).isEmpty(), "no ARCH_CAPABILITIES");
    }

    @Test
    void amdsConfigurationRegisters() {
        assertEquals(OptionalLong.of(2), amd.value(0xc001_1029), "DE_CFG: LFENCE is serializing");
        assertTrue(intel.value(0xc001_1029).isEmpty());
        assertTrue(amd.write(0xc001_1029, 0));
        assertFalse(amd.write(0xc001_1029, 4));
        assertTrue(amd.write(0xc001_0015, 0x104_0148));
        assertEquals(OptionalLong.of(0x104_0000), amd.value(0xc001_0015), "HWCR forgets bits 3, 6 and 8");
        assertFalse(amd.write(0xc001_0015, 1));
        assertTrue(amd.write(0xc001_0117, 0x1000));
        assertEquals(OptionalLong.of(0), amd.value(0xc001_0117));
        assertEquals(OptionalLong.of(0x2000_0000), intel.value(0xc001_001b));
    }

    @Test
    void registersThatGuestsOnlyRead() {
        assertEquals(OptionalLong.of(0x1_0000_0000L), intel.value(0x8b));
        assertEquals(OptionalLong.of(0x0100_0065), amd.value(0x8b));
        assertTrue(intel.write(0x8b, 5), "no #GP");
        assertEquals(OptionalLong.of(0x1_0000_0000L), intel.value(0x8b), "and no effect");
        assertTrue(intel.hostWrite(0x8b, 5));
        assertEquals(OptionalLong.of(5), intel.value(0x8b));
        assertFalse(intel.write(0xce, 0));
        assertEquals(OptionalLong.of(0x8000_0000L), intel.value(0xce));
        assertTrue(intel.write(0x1a0, 0));
        assertEquals(OptionalLong.of(0x1800), intel.value(0x1a0), "BTS_UNAVAIL and PEBS_UNAVAIL stay");
        assertTrue(intel.value(0x6a0).isEmpty(), "U_CET");
        assertTrue(intel.value(0x480).isEmpty(), "VMX_BASIC");
    }

    @Test
    void theProcessorKeepsWhatTheTableSaysItDoes() {
        for (CpuidModel model : CpuidModel.all()) {
            var cpu = new Cpu(new PhysicalMemory(1 << 20), new Events(), model, 0);
            for (Row row : MsrTable.rows()) {
                boolean kept = row.keeper() == Keeper.CPU && row.in(model);
                assertEquals(kept, cpu.msr(row.index()).isPresent(), row.name() + " on " + model.name());
                if (kept && row.index() != 0x10) {
                    assertEquals(row.reset(), cpu.msr(row.index()).orElseThrow(), row.name());
                }
            }
        }
    }

    @Test
    void namesAreThoseOfTheKernel() {
        assertEquals(0xc000_0082, MsrTable.named("MSR_LSTAR").orElseThrow().index());
        assertEquals(0x277, MsrTable.named("cr_pat").orElseThrow().index());
        assertEquals(0x40d, MsrTable.named("MC3_STATUS").orElseThrow().index());
        assertTrue(MsrTable.named("U_CET").isEmpty());
    }
}
