package kvasir.kvm.irqchip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class IrqChipTest {
    private static final int TPR = 0x80;
    private static final int EOI = 0xb0;
    private static final int LDR = 0xd0;
    private static final int SVR = 0xf0;
    private static final int ESR = 0x280;
    private static final int ICR = 0x300;
    private static final int ICR_HIGH = 0x310;
    private static final int LVT_TIMER = 0x320;
    private static final int LVT_LINT0 = 0x350;
    private static final int LVT_ERROR = 0x370;
    private static final int INITIAL_COUNT = 0x380;
    private static final int CURRENT_COUNT = 0x390;
    private static final int DIVIDE = 0x3e0;

    private final IrqChip chip = new IrqChip();
    private final LocalApic bsp = chip.addLocalApic(0, 46, true);
    private final LocalApic ap = chip.addLocalApic(1, 46, false);

    @BeforeEach
    void enableApics() {
        bsp.writeMmio(SVR, 0x1ff, 0);
        ap.writeMmio(SVR, 0x1ff, 0);
    }

    private void initPics() {
        for (int port : new int[] {0x20, 0xa0}) {
            chip.writePort(port, 0x11, 0);
            chip.writePort(port + 1, port == 0x20 ? 0x20 : 0x28, 0);
            chip.writePort(port + 1, port == 0x20 ? 4 : 2, 0);
            chip.writePort(port + 1, 1, 0);
            chip.writePort(port + 1, 0, 0);
        }
    }

    @Test
    void theSlaveInterruptsThroughLineTwo() {
        initPics();
        chip.setLine(12, true);
        assertTrue(chip.interrupting(bsp), "LINT0 of the boot processor is ExtINT at reset");
        assertFalse(chip.interrupting(ap));
        assertEquals(0x2c, chip.acknowledge(bsp));
        assertFalse(chip.interrupting(bsp), "in service until both get an EOI");
        chip.setLine(14, true);
        assertFalse(chip.interrupting(bsp), "line 14 is below line 12");
        chip.writePort(0xa0, 0x20, 0);
        chip.writePort(0x20, 0x20, 0);
        assertEquals(0x2e, chip.acknowledge(bsp));
    }

    @Test
    void maskingLint0CutsThePicsOff() {
        initPics();
        chip.setLine(1, true);
        bsp.writeMmio(LVT_LINT0, 1 << 16, 0);
        assertFalse(chip.interrupting(bsp));
    }

    @Test
    void thePitTicksAtItsRate() {
        chip.createPit();
        initPics();
        chip.writePort(0x43, 0x34, 0);
        chip.writePort(0x40, 1193 & 0xff, 0);
        chip.writePort(0x40, 1193 >>> 8, 0);
        // 1193 ticks of 1193182 Hz are 999,847.5 ns
        assertEquals(999_848, chip.deadline());
        chip.advance(999_847);
        assertFalse(chip.interrupting(bsp));
        chip.advance(999_848);
        assertEquals(0x20, chip.acknowledge(bsp));
        assertEquals(1_999_695, chip.deadline());
        chip.writePort(0x43, 0, 1_999_000);
        int low = chip.readPort(0x40, 1_999_000);
        int high = chip.readPort(0x40, 1_999_000);
        assertEquals(1193 - (int) (1_999_000L * 1_193_182 / 1_000_000_000 - 1193), high << 8 | low);
    }

    @Test
    void prioritiesAndEndOfInterrupt() {
        bsp.writeMmio(ICR, 1 << 18 | 0x45, 0);
        bsp.writeMmio(ICR, 1 << 18 | 0x61, 0);
        assertEquals(0x61, chip.acknowledge(bsp));
        assertEquals(-1, bsp.pendingVector(), "0x45 waits below the class in service");
        bsp.writeMmio(EOI, 0, 0);
        bsp.writeMmio(TPR, 0x40, 0);
        assertEquals(-1, bsp.pendingVector(), "TPR class 4 masks vector 0x45");
        bsp.taskPriority(3);
        assertEquals(0x45, bsp.pendingVector());
    }

    @Test
    void initAndStartupReachTheOtherProcessor() {
        bsp.writeMmio(ICR_HIGH, 1 << 24, 0);
        bsp.writeMmio(ICR, 0x4500, 0);
        assertTrue(ap.takeInit());
        assertFalse(ap.takeInit());
        bsp.writeMmio(ICR, 0x4608, 0);
        assertEquals(8, ap.takeStartup());
        assertEquals(-1, bsp.takeStartup());
    }

    @Test
    void logicalFlatDestinations() {
        bsp.writeMmio(LDR, 1 << 24, 0);
        ap.writeMmio(LDR, 2 << 24, 0);
        bsp.writeMmio(ICR_HIGH, 3 << 24, 0);
        bsp.writeMmio(ICR, 1 << 11 | 0x50, 0);
        assertEquals(0x50, bsp.pendingVector());
        assertEquals(0x50, ap.pendingVector());
    }

    @Test
    void aLevelInterruptWaitsForItsEoi() {
        chip.writeIoApic(0xfec0_0000L, 0x10 + 2 * 20);
        chip.writeIoApic(0xfec0_0010L, 1 << 15 | 0x70);
        chip.setLine(20, true);
        assertEquals(0x70, chip.acknowledge(bsp));
        assertEquals(1 << 15 | 1 << 14 | 0x70, chip.readIoApic(0xfec0_0010L), "remote IRR is set");
        bsp.writeMmio(EOI, 0, 0);
        assertEquals(0x70, bsp.pendingVector(), "the line is still high");
        chip.setLine(20, false);
        chip.acknowledge(bsp);
        bsp.writeMmio(EOI, 0, 0);
        assertEquals(-1, bsp.pendingVector());
    }

    @Test
    void theTimerCountsInDividedNanoseconds() {
        bsp.writeMmio(DIVIDE, 0xb, 0);
        bsp.writeMmio(LVT_TIMER, 0xee, 0);
        bsp.writeMmio(INITIAL_COUNT, 1000, 500);
        assertEquals(1500, chip.deadline());
        assertEquals(600, bsp.readMmio(CURRENT_COUNT, 900));
        chip.advance(1499);
        assertEquals(-1, bsp.pendingVector());
        chip.advance(1500);
        assertEquals(0xee, bsp.pendingVector());
        assertEquals(0, bsp.readMmio(CURRENT_COUNT, 1600));
        assertEquals(Long.MAX_VALUE, chip.deadline());
    }

    @Test
    void tscDeadlineModeIgnoresTheCounters() {
        bsp.writeMmio(LVT_TIMER, 2 << 17 | 0xef, 0);
        bsp.writeMmio(INITIAL_COUNT, 1000, 0);
        assertEquals(Long.MAX_VALUE, chip.deadline());
        bsp.tscDeadline(5000, 5000);
        assertEquals(5000, chip.deadline());
        chip.advance(5000);
        assertEquals(0xef, bsp.pendingVector());
        assertEquals(0, bsp.tscDeadline());
    }

    @Test
    void modeChangesFollowTheTransitionDiagram() {
        long base = 0xfee0_0000L;
        assertFalse(bsp.writeBase(base | 1 << 10 | 1 << 8), "EXTD without EN");
        assertTrue(bsp.writeBase(base | 3 << 10 | 1 << 8));
        assertFalse(bsp.writeBase(base | 1 << 11 | 1 << 8), "x2APIC to xAPIC");
        assertEquals(OptionalLong.of(0), bsp.readMsr(0x802, 0));
        assertTrue(bsp.writeBase(base | 1 << 8));
        assertFalse(bsp.writeBase(base | 3 << 10 | 1 << 8), "disabled to x2APIC");
        assertEquals(OptionalLong.empty(), bsp.readMsr(0x802, 0));
        assertFalse(bsp.writeBase(1L << 46 | base), "above MAXPHYADDR");
    }

    @Test
    void reservedBitsOfX2ApicRegistersAreRefused() {
        bsp.writeBase(0xfee0_0000L | 3 << 10 | 1 << 8);
        assertTrue(bsp.writeMsr(0x80b, 0, 0));
        assertFalse(bsp.writeMsr(0x80b, 1, 0), "EOI takes only 0");
        assertFalse(bsp.writeMsr(0x802, 0, 0), "the id is read only");
        assertFalse(bsp.writeMsr(0x80e, 0, 0), "there is no DFR");
        assertEquals(OptionalLong.empty(), bsp.readMsr(0x80b, 0), "EOI is write only");
        assertTrue(bsp.writeMsr(0x83f, 0x55, 0));
        assertEquals(0x55, bsp.pendingVector());
    }

    @Test
    void anIllegalVectorIsAnError() {
        bsp.writeMmio(LVT_ERROR, 0xfe, 0);
        bsp.writeMmio(ICR, 1 << 18 | 0x05, 0);
        assertEquals(0xfe, bsp.pendingVector());
        bsp.writeMmio(ESR, 0, 0);
        assertEquals(0x60, bsp.readMmio(ESR, 0), "send and receive illegal vector");
    }

    @Test
    void aMaskedEdgeIsForgottenWithTheLinesFall() {
        long base = 0xfec0_0000L;
        chip.writeIoApic(base, 0x10 + 2 * 14);
        chip.writeIoApic(base + 0x10, 1 << 16 | 0x81);
        chip.setLine(14, true);
        chip.setLine(14, false);
        chip.writeIoApic(base + 0x10, 0x81);
        assertEquals(-1, bsp.pendingVector());
        chip.setLine(14, true);
        assertEquals(0x81, bsp.pendingVector());
    }

    @Test
    void nmisBeyondTwoAreForgotten() {
        for (int i = 0; i < 3; i++) {
            bsp.writeMmio(ICR, 1 << 18 | 0x400, 0);
        }
        assertEquals(2, bsp.pendingNmis(2));
        assertTrue(bsp.takeNmi());
        assertEquals(1, bsp.pendingNmis(1));
    }
}
