package kvasir.vmm.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.LocalDateTime;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class DevicesTest {
    private boolean line;
    private final StringBuilder sent = new StringBuilder();
    private final Uart16550 uart =
            new Uart16550(Uart16550.COM1, high -> line = high, octet -> sent.append((char) octet));

    @Test
    void theUartSendsAndReceives() {
        "hi".chars().forEach(c -> uart.write(0x3f8, 1, c, 0));
        assertEquals("hi", sent.toString());
        assertEquals(0x60, uart.read(0x3fd, 1, 0));
        uart.receive('x');
        assertEquals(0x61, uart.read(0x3fd, 1, 0));
        assertEquals('x', uart.read(0x3f8, 1, 0));
    }

    @Test
    void theUartInterruptsOnlyWithOut2() {
        uart.write(0x3f9, 1, 1, 0);
        uart.receive('x');
        assertFalse(line);
        uart.write(0x3fc, 1, 0x08, 0);
        assertTrue(line);
        assertEquals(4, uart.read(0x3fa, 1, 0), "received data available");
        uart.read(0x3f8, 1, 0);
        assertFalse(line);
        assertEquals(1, uart.read(0x3fa, 1, 0), "nothing pending");
    }

    @Test
    void aKeyboardWaitsUntilSomebodyListens() {
        assertFalse(uart.listening(), "a driver that starts throws away what has come");
        uart.write(0x3f9, 1, 1, 0);
        assertTrue(uart.listening());
        for (int i = 0; i < 16; i++) {
            uart.receive('x');
        }
        assertFalse(uart.listening(), "the FIFO has 16 bytes");
        uart.read(0x3f8, 1, 0);
        assertTrue(uart.listening());
        uart.write(0x3f9, 1, 0, 0);
        for (int i = 0; i < 7; i++) {
            uart.read(0x3fd, 1, 0);
        }
        assertFalse(uart.listening());
        uart.read(0x3fd, 1, 0);
        assertTrue(uart.listening(), "a loop that polls the line status");
        uart.write(0x3f8, 1, 'a', 0);
        assertFalse(uart.listening(), "it was the transmitter that was polled");
    }

    @Test
    void readingTheIdentificationClearsTransmitterEmpty() {
        uart.write(0x3fc, 1, 0x08, 0);
        uart.write(0x3f9, 1, 2, 0);
        assertTrue(line, "enabling the interrupt with an empty transmitter raises it");
        assertEquals(2, uart.read(0x3fa, 1, 0));
        assertFalse(line);
    }

    @Test
    void theDivisorLatchHidesTheDataRegister() {
        uart.write(0x3fb, 1, 0x83, 0);
        uart.write(0x3f8, 1, 0x0c, 0);
        uart.write(0x3f9, 1, 0x01, 0);
        assertEquals(0x0c, uart.read(0x3f8, 1, 0));
        uart.write(0x3fb, 1, 3, 0);
        assertEquals("", sent.toString());
    }

    @Test
    void debugExitShiftsAndSetsBitZero() {
        var exit = new DebugExit();
        assertEquals(OptionalInt.empty(), exit.code());
        exit.write(0xf4, 4, 0, 0);
        assertEquals(OptionalInt.of(1), exit.code());
        exit.write(0xf4, 4, 3, 0);
        assertEquals(OptionalInt.of(7), exit.code());
    }

    @Test
    void theClockShowsVirtualTimeInBcd() {
        var rtc = new Rtc(LocalDateTime.of(2026, 1, 31, 23, 59, 58), 64 << 20);
        long threeSeconds = 3_000_000_000L;
        rtc.write(0x70, 1, 0, 0);
        assertEquals(0x58, rtc.read(0x71, 1, 0));
        assertEquals(0x01, rtc.read(0x71, 1, threeSeconds));
        rtc.write(0x70, 1, 7, 0);
        assertEquals(0x31, rtc.read(0x71, 1, 0));
        assertEquals(0x01, rtc.read(0x71, 1, threeSeconds));
        rtc.write(0x70, 1, 9, 0);
        assertEquals(0x26, rtc.read(0x71, 1, threeSeconds));
    }

    @Test
    void thePowerManagementTimerWrapsAt24Bits() {
        var timer = new AcpiPmTimer();
        assertEquals(3_579_545, timer.read(AcpiPmTimer.PORT, 4, 1_000_000_000L));
        assertEquals(3_579_545 * 5 - 0x1_000000, timer.read(AcpiPmTimer.PORT, 4, 5_000_000_000L));
    }

    @Test
    void fwCfgTellsCpusAndFiles() {
        var cfg = new FwCfg(512L << 20, 3);
        cfg.file("etc/e820", new byte[] {1, 2, 3});
        cfg.write(0x510, 2, 5, 0);
        assertEquals(3, cfg.read(0x511, 1, 0));
        assertEquals(0, cfg.read(0x511, 1, 0));
        assertEquals(0, cfg.read(0x511, 1, 0), "past the end are zeros");
        cfg.write(0x510, 2, 0x20, 0);
        assertEquals(1, cfg.read(0x511, 1, 0));
        cfg.write(0x510, 2, 0x19, 0);
        int[] count = new int[4];
        for (int i = 0; i < 4; i++) {
            count[i] = cfg.read(0x511, 1, 0);
        }
        assertEquals(1, count[3], "the directory is big-endian");
    }

    @Test
    void aPortThatNobodyOwnsReadsAsOnes() {
        var bus = new PortBus(List.of(uart, new ResetControl()));
        assertEquals(0xff, bus.read(0x1234, 1, 0));
        assertEquals(0xffff, bus.read(0x1234, 2, 0));
        assertEquals(-1, bus.read(0x1234, 4, 0));
        bus.write(0x1234, 4, 1, 0);
    }

    @Test
    void theKeyboardControllerAnswersForItselfAlone() {
        var keyboard = new Keyboard8042(_ -> _ -> {});
        keyboard.write(0x64, 1, 0xaa, 0);
        assertEquals(1, keyboard.read(0x64, 1, 0) & 1, "output buffer full");
        assertEquals(0x55, keyboard.read(0x60, 1, 0));
        assertEquals(0, keyboard.read(0x64, 1, 0) & 1);
        keyboard.write(0x64, 1, 0x60, 0);
        keyboard.write(0x60, 1, 0x47, 0);
        keyboard.write(0x64, 1, 0x20, 0);
        assertEquals(0x47, keyboard.read(0x60, 1, 0));
        keyboard.write(0x60, 1, 0xff, 0);
        assertEquals(0, keyboard.read(0x64, 1, 0) & 1, "no keyboard answers its reset");
        assertFalse(keyboard.resetRequested());
        keyboard.write(0x64, 1, 0xfe, 0);
        assertTrue(keyboard.resetRequested());
    }

    @Test
    void whatGoesThroughTheAuxiliaryPortRaisesItsLine() {
        var raised = new java.util.TreeSet<Integer>();
        var keyboard = new Keyboard8042(gsi -> high -> {
            if (high) {
                raised.add(gsi);
            }
        });
        keyboard.write(0x64, 1, 0x60, 0);
        keyboard.write(0x60, 1, 0x43, 0);
        keyboard.write(0x64, 1, 0xd3, 0);
        keyboard.write(0x60, 1, 0x5a, 0);
        assertEquals(java.util.Set.of(12), raised);
        assertEquals(0x21, keyboard.read(0x64, 1, 0) & 0x21);
        assertEquals(0x5a, keyboard.read(0x60, 1, 0));
    }

    @Test
    void sleepTypeZeroIsOff() {
        var power = new AcpiPm();
        assertEquals(1, power.read(0xb004, 2, 0), "always in ACPI mode");
        power.write(0xb004, 2, 5 << 10 | 1 << 13, 0);
        assertFalse(power.poweredOff());
        power.write(0xb004, 2, 1 << 13, 0);
        assertTrue(power.poweredOff());
    }

    @Test
    void theHostBridgeIsAloneOnItsBus() {
        var pci = new PciHost();
        pci.write(0xcf8, 4, 0x8000_0000, 0);
        assertEquals(0x1237_8086, pci.read(0xcfc, 4, 0));
        assertEquals(0x1237, pci.read(0xcfe, 2, 0));
        pci.write(0xcf8, 4, 0x8000_0058, 0);
        pci.write(0xcfd, 1, 0x30, 0);
        assertEquals(0x30, pci.read(0xcfd, 1, 0), "PAM0 is register 59h");
        pci.write(0xcf8, 4, 0x8000_0800, 0);
        assertEquals(-1, pci.read(0xcfc, 4, 0), "device 1 is not there");
    }

    @Test
    void theTestDeviceDrivesLinesAndKeepsMemory() {
        var high = new java.util.TreeMap<Integer, Boolean>();
        var device = new PcTestDevice(gsi -> level -> high.put(gsi, level));
        device.write(0x200e, 1, 1, 0);
        assertEquals(java.util.Map.of(14, true), high);
        device.write(0xe0, 4, 0x1234_5678, 0);
        assertEquals(0x5678, device.read(0xe0, 2, 0));
        assertEquals(0x34, device.read(0xea, 1, 0));
        device.writeMemory(0xff00_0ffcL, 8, 0x1122_3344_5566_7788L);
        assertEquals(0x1122_3344L, device.readMemory(0xff00_1000L, 4));
        assertFalse(device.ownsAddress(0xff01_0000L));
    }
}
