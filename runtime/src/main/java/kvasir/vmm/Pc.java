package kvasir.vmm;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntConsumer;
import kvasir.kvm.Vm;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.Gpr;
import kvasir.metal.cpu.Msr;
import kvasir.metal.cpu.Segment;
import kvasir.registry.Bytes;
import kvasir.registry.Outcome;
import kvasir.vmm.boot.AcpiTables;
import kvasir.vmm.boot.BootImage;
import kvasir.vmm.device.Line;
import kvasir.vmm.device.PcBoard;

/** A VM that is a small PC: its devices, what it has printed, and how it is booted. */
public final class Pc {
    private static final int FLAT_CODE = 0xc09b;
    private static final int FLAT_DATA = 0xc093;
    private static final int TASK = 0x8b;
    private static final int CODE_64 = 0xa09b;
    private static final long CR0_PE_ET = 0x11;
    private static final long CR0_PG = 1L << 31;
    private static final long CR4_PAE = 0x20;
    private static final long EFER_LME_LMA = 0x500;
    private static final int LOW_FIRMWARE = 128 << 10;

    private final Vm vm;
    private final PcBoard board;
    private final VcpuThreads threads;
    private final long memory;
    private final ByteArrayOutputStream serial = new ByteArrayOutputStream();
    private final ByteArrayOutputStream debug = new ByteArrayOutputStream();
    private IntConsumer serialListener = _ -> {};
    private IntConsumer debugListener = _ -> {};

    /** @param memory bytes of guest memory, counted from gpa 0 */
    Pc(Vm vm, long memory) {
        this.vm = vm;
        this.memory = memory;
        board = new PcBoard(this::line, memory, vm.vcpus().size(), this::sent, this::debugged);
        threads = new VcpuThreads(vm, board);
    }

    private Line line(int gsi) {
        return high -> vm.irqLine(gsi, high);
    }

    private void sent(int octet) {
        serial.write(octet);
        serialListener.accept(octet);
    }

    private void debugged(int octet) {
        debug.write(octet);
        debugListener.accept(octet);
    }

    /** Who hears each byte, 0 to 255, that the guest writes to the debug console. */
    void onDebugConsole(IntConsumer listener) {
        debugListener = listener;
    }

    /** Writes a firmware image to its two places: it ends at 4 GiB, and its last 128 KiB end at 1 MiB. */
    Outcome loadFirmware(Bytes image) {
        byte[] bytes = image.toArray();
        int low = Math.min(bytes.length, LOW_FIRMWARE);
        Outcome high = GuestMemory.write(vm, (1L << 32) - bytes.length, image);
        return high instanceof Outcome.Ok
                ? GuestMemory.write(
                        vm,
                        (1 << 20) - low,
                        Bytes.of(java.util.Arrays.copyOfRange(bytes, bytes.length - low, bytes.length)))
                : high;
    }

    /** Who hears each byte, 0 to 255, that the guest sends on COM1. */
    public void onSerial(IntConsumer listener) {
        serialListener = listener;
    }

    /** Everything that the guest has sent on COM1. */
    public String serial() {
        return serial.toString(StandardCharsets.UTF_8);
    }

    /** Everything that the guest has written to the debug console. */
    public String debugConsole() {
        return debug.toString(StandardCharsets.UTF_8);
    }

    /** Bytes of guest memory, counted from gpa 0. */
    long memory() {
        return memory;
    }

    /** Text arrives at COM1. */
    Outcome type(String text) {
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
            board.com1().receive(octet);
        }
        return Outcome.ok();
    }

    /** The devices. */
    public PcBoard board() {
        return board;
    }

    /** Instructions that all vCPUs have retired. */
    public long retired() {
        return vm.vcpus().stream().mapToLong(vcpu -> vcpu.cpu().retired()).sum();
    }

    /** Runs all vCPUs, {@code budget} instructions together. */
    public Ended run(long budget) {
        return threads.run(budget);
    }

    /** Loads an image with the ACPI tables and points the boot processor at its entry. */
    public Outcome load(BootImage image) {
        for (List<BootImage.Piece> pieces : List.of(AcpiTables.build(vm.vcpus().size()), image.pieces())) {
            for (BootImage.Piece piece : pieces) {
                Outcome written = GuestMemory.write(vm, piece.gpa(), piece.content());
                if (!(written instanceof Outcome.Ok)) {
                    return written;
                }
            }
        }
        Cpu cpu = vm.vcpus().getFirst().cpu();
        switch (image.start()) {
            case BootImage.Flat flat -> {
                cpu.setCr(0, CR0_PE_ET);
                segments(cpu, new Segment(0x08, 0, -1, FLAT_CODE), 0x10);
                cpu.setGpr(Gpr.RAX, Integer.toUnsignedLong(flat.eax()));
                cpu.setGpr(Gpr.RBX, Integer.toUnsignedLong(flat.ebx()));
            }
            case BootImage.LongMode mode -> {
                cpu.setCr(3, mode.tables());
                cpu.setCr(4, CR4_PAE);
                cpu.setMsr(Msr.EFER, EFER_LME_LMA);
                cpu.setCr(0, CR0_PE_ET | CR0_PG);
                segments(cpu, new Segment(0x10, 0, -1, CODE_64), 0x18);
                cpu.setGdtr(new DescriptorTable(mode.gdt(), 0x1f));
                cpu.setGpr(Gpr.RSI, mode.rsi());
            }
        }
        cpu.setIdtr(new DescriptorTable(0, 0));
        cpu.setRflags(2);
        cpu.setRip(image.start().entry());
        return Outcome.ok();
    }

    private static void segments(Cpu cpu, Segment code, int dataSelector) {
        cpu.setSegment(Segment.CS, code);
        for (int number : new int[] {Segment.DS, Segment.ES, Segment.SS, Segment.FS, Segment.GS}) {
            cpu.setSegment(number, new Segment(dataSelector, 0, -1, FLAT_DATA));
        }
        cpu.setSegment(Segment.TR, new Segment(0, 0, 0xffff, TASK));
    }

    /** The devices and what has been printed, as an action that puts them back. */
    Runnable checkpoint() {
        Runnable devices = board.checkpoint();
        byte[] savedSerial = serial.toByteArray();
        byte[] savedDebug = debug.toByteArray();
        return () -> {
            devices.run();
            serial.reset();
            serial.writeBytes(savedSerial);
            debug.reset();
            debug.writeBytes(savedDebug);
        };
    }
}
