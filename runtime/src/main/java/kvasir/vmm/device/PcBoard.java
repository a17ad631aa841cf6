package kvasir.vmm.device;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/** The devices of a small PC: what answers a vCPU's KVM_EXIT_IO and KVM_EXIT_MMIO. */
public final class PcBoard {
    /** What the real-time clock shows when the machine starts. */
    private static final LocalDateTime START = LocalDateTime.of(2024, 3, 1, 0, 0);

    private static final int COM1_GSI = 4;

    private final Uart16550 com1;
    private final DebugExit debugExit = new DebugExit();
    private final ResetControl reset = new ResetControl();
    private final AcpiPm power = new AcpiPm();
    private final Keyboard8042 keyboard;
    private final FwCfg fwCfg;
    private final PortBus ports;
    private final PcTestDevice testDevice;
    private final PciHost pci = new PciHost();
    private final IntFunction<Line> lines;
    private final List<VirtioMmio> virtio = new ArrayList<>();

    /**
     * @param lines the interrupt line of each GSI
     * @param memory bytes of guest memory
     * @param cpus number of vCPUs
     * @param serial receives each byte that the guest sends on COM1, 0 to 255
     * @param debug receives each byte that the guest writes to the debug console
     */
    public PcBoard(IntFunction<Line> lines, long memory, int cpus, IntConsumer serial, IntConsumer debug) {
        com1 = new Uart16550(Uart16550.COM1, lines.apply(COM1_GSI), serial);
        fwCfg = new FwCfg(memory, cpus);
        this.lines = lines;
        testDevice = new PcTestDevice(lines);
        keyboard = new Keyboard8042(lines);
        ports = new PortBus(List.of(
                com1,
                power,
                new AcpiPmTimer(),
                debugExit,
                testDevice,
                new DebugConsole(debug),
                new Rtc(START, memory),
                fwCfg,
                pci,
                keyboard,
                reset));
    }

    /** The first serial port. */
    public Uart16550 com1() {
        return com1;
    }

    /** The firmware configuration device. */
    public FwCfg fwCfg() {
        return fwCfg;
    }

    /** The PCI bus shows an ISA bridge, behind which firmware finds COM1. */
    public void showIsaBridge() {
        pci.showIsaBridge();
    }

    /** The exit code once the guest has asked for it. */
    public OptionalInt exitCode() {
        return debugExit.code();
    }

    /** Whether the guest has asked for a reset. */
    public boolean resetRequested() {
        return reset.requested() || keyboard.resetRequested();
    }

    /** Whether the guest has switched itself off. */
    public boolean poweredOff() {
        return power.poweredOff();
    }

    /** IN of 1, 2 or 4 bytes at virtual time {@code now}. */
    public int in(int port, int bytes, long now) {
        return ports.read(port, bytes, now);
    }

    /** OUT of 1, 2 or 4 bytes. */
    public void out(int port, int bytes, int value, long now) {
        ports.write(port, bytes, value, now);
    }

    /**
     * Plugs a device into the next window, of which there are {@link VirtioMmio#MOST}.
     *
     * @param ram what its DMA sees
     */
    public void plug(VirtioDevice device, GuestRam ram) {
        int slot = virtio.size();
        virtio.add(new VirtioMmio(slot, lines.apply(VirtioMmio.gsi(slot)), ram, device));
    }

    /** Something has come for the virtio devices from outside. */
    public void arrived() {
        virtio.forEach(VirtioMmio::arrived);
    }

    /** Number of virtio devices. */
    public int virtioDevices() {
        return virtio.size();
    }

    private Optional<MmioDevice> mmio(long gpa) {
        if (testDevice.ownsAddress(gpa)) {
            return Optional.of(testDevice);
        }
        return virtio.stream()
                .filter(device -> device.ownsAddress(gpa))
                .map(MmioDevice.class::cast)
                .findFirst();
    }

    /** A read of memory that no slot backs; all ones where there is no device. */
    public long readMemory(long gpa, int bytes) {
        return mmio(gpa).map(device -> device.readMemory(gpa, bytes)).orElse(-1L >>> 64 - 8 * bytes);
    }

    /** A write to memory that no slot backs. */
    public void writeMemory(long gpa, int bytes, long value) {
        mmio(gpa).ifPresent(device -> device.writeMemory(gpa, bytes, value));
    }

    /** All devices as they are, as an action that puts them back. */
    public Runnable checkpoint() {
        Runnable savedPorts = ports.checkpoint();
        List<Runnable> savedVirtio = virtio.stream().map(VirtioMmio::checkpoint).toList();
        return () -> {
            savedPorts.run();
            savedVirtio.forEach(Runnable::run);
        };
    }
}
