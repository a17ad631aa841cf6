package kvasir.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** Machine-check registers as KVM emulates them (x86.c, set_msr_mce). */
final class MachineCheckTest {
    private final MachineCheck registers = new MachineCheck();

    @Test
    void thereAre32BanksBeforeSetup() {
        assertEquals(OptionalLong.of(32), registers.read(0x179));
        assertTrue(registers.read(0x17b).isEmpty(), "MCG_CTL needs MCG_CTL_P");
        assertEquals(OptionalLong.of(0), registers.read(0x400 + 4 * 31 + 3));
        assertTrue(registers.read(0x400 + 4 * 32).isEmpty());
    }

    @Test
    void setupChecksBanksAndCapabilities() {
        assertFalse(registers.setup(0, true));
        assertFalse(registers.setup(33, true));
        assertFalse(registers.setup(10 | 1 << 10, false), "CMCI is Intel's");
        assertFalse(registers.setup(10 | 1 << 9, true));
        assertTrue(registers.setup(10 | 1 << 8 | 1 << 24, false));
        assertEquals(OptionalLong.of(-1), registers.read(0x17b));
        assertEquals(OptionalLong.of(-1), registers.read(0x400));
        assertTrue(registers.read(0x400 + 40).isEmpty(), "bank 10 of 10");
    }

    @Test
    void controlTakesAllOrNothingAndStatusTakesNothing() {
        assertTrue(registers.write(0x400, 0));
        assertTrue(registers.write(0x400, -1));
        assertTrue(registers.write(0x410, ~(1L << 10)), "as Linux does on AMD");
        assertFalse(registers.write(0x400, 0x8000_0000_0000L));
        assertTrue(registers.write(0x401, 0));
        assertFalse(registers.write(0x401, 1));
        assertTrue(registers.write(0x402, 0x1234));
        assertEquals(OptionalLong.of(0x1234), registers.read(0x402));
        assertFalse(registers.write(0x280, 0), "MCi_CTL2 without CMCI");
        assertTrue(registers.setup(10 | 1 << 10, true));
        assertTrue(registers.write(0x280, 1 << 30 | 3));
        assertFalse(registers.write(0x280, 1L << 31));
    }
}
