package kvasir.vmm;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.Gpr;
import kvasir.metal.cpu.Msr;
import kvasir.metal.cpu.Segment;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Bytes;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.vmm.boot.AcpiTables;
import kvasir.vmm.boot.BootImage;
import kvasir.vmm.device.GuestRam;
import kvasir.vmm.device.Line;
import kvasir.vmm.device.PcBoard;
import kvasir.vmm.device.VirtioConsole;
import kvasir.vmm.device.VirtioDevice;

/** A VM that is a small PC: its devices, what it has printed, and how it is booted. */
public final class Pc {
    /** Instructions after which {@code expect} gives up if nothing is said. */
    static final long EXPECT_BUDGET = 10_000_000_000L;

    /** The parameters of {@code expect}. */
    static final List<Parameter> EXPECT = List.of(
            Parameter.of("port", Kind.WORD, "", "COM1, or the virtio console").among("serial", "console"),
            Parameter.of("text", Kind.STRING, "", "what to wait for"),
            Parameter.of("budget", Kind.U64, "instructions", "of all vCPUs together; 10,000,000,000 if left out")
                    .asKeyword()
                    .orAbsent());

    /** The parameters of {@code send}. */
    static final List<Parameter> SEND = List.of(
            Parameter.of("port", Kind.WORD, "", "COM1, or the virtio console").among("serial", "console"),
            Parameter.of("text", Kind.STRING, "", "what arrives; a line ends with \\n"));

    private static final int FLAT_CODE = 0xc09b;
    private static final int FLAT_DATA = 0xc093;
    private static final int TASK = 0x8b;
    private static final int CODE_64 = 0xa09b;
    private static final long CR0_PE_ET = 0x11;
    private static final long CR0_PG = 1L << 31;
    private static final long CR4_PAE = 0x20;
    private static final long EFER_LME_LMA = 0x500;
    private static final long TOP_OF_LOW_MEMORY = 3L << 30;

    /** Lines of the console that a failed wait shows. */
    private static final int TAIL = 12;

    private final Vm vm;
    private final PcBoard board;
    private final VcpuThreads threads;
    private final long memory;
    private final Transcript serial = new Transcript();
    private final Transcript console = new Transcript();
    private Optional<VirtioConsole> keyboard = Optional.empty();
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
        return high -> vm.platform().irqLine(gsi, high);
    }

    private void sent(int octet) {
        serial.write(octet);
        serialListener.accept(octet);
    }

    private void debugged(int octet) {
        debug.write(octet);
        debugListener.accept(octet);
    }

    /** What a port has sent. */
    private static final class Transcript extends ByteArrayOutputStream {
        /** Where the next {@link #expect} begins to look. */
        private int expected;

        /** Whether {@code wanted} stands behind what was found before. */
        boolean finds(byte[] wanted) {
            int end = find(wanted, expected);
            expected = end < 0 ? Math.max(expected, size() - wanted.length + 1) : end;
            return end >= 0;
        }

        Runnable checkpoint() {
            byte[] saved = toByteArray();
            int savedExpected = expected;
            return () -> {
                reset();
                writeBytes(saved);
                expected = savedExpected;
            };
        }

        /** One past the first place of {@code wanted} at or behind {@code from}; -1 if there is none. */
        int find(byte[] wanted, int from) {
            for (int at = from; at + wanted.length <= count; at++) {
                if (java.util.Arrays.equals(buf, at, at + wanted.length, wanted, 0, wanted.length)) {
                    return at + wanted.length;
                }
            }
            return -1;
        }
    }

    /** Who hears each byte, 0 to 255, that the guest writes to the debug console. */
    void onDebugConsole(IntConsumer listener) {
        debugListener = listener;
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

    /** Who types on COM1 while the guest runs. */
    public void connect(ConsoleInput input) {
        threads.connect(input);
    }

    /** Text arrives at {@code serial} or {@code console}. */
    Outcome type(String port, String text) {
        if (port.equals("serial")) {
            return type(text);
        }
        if (keyboard.isEmpty()) {
            return new Outcome.Failed("ENODEV", "the VM has no `virtio console`", Map.of());
        }
        keyboard.get().type(text.getBytes(StandardCharsets.UTF_8));
        board.arrived();
        return Outcome.ok();
    }

    /** Text arrives at COM1. */
    Outcome type(String text) {
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
            board.com1().receive(octet);
        }
        return Outcome.ok();
    }

    /** Plugs a virtio device in; its DMA goes through the VMM's mapping. */
    void plug(VirtioDevice device) {
        board.plug(device, new GuestRam() {
            @Override
            public byte[] read(long gpa, int bytes) {
                return GuestMemory.read(vm, new Range(gpa, gpa + bytes)) instanceof Bytes content
                        ? content.toArray()
                        : new byte[bytes];
            }

            @Override
            public void write(long gpa, byte[] content) {
                GuestMemory.write(vm, gpa, Bytes.of(content));
            }
        });
    }

    /** The virtio console, of which there is at most one. */
    VirtioConsole virtioConsole() {
        var device = new VirtioConsole(console::write);
        keyboard = Optional.of(device);
        return device;
    }

    /** Everything that the guest has sent on the virtio console. */
    String console() {
        return console.toString(StandardCharsets.UTF_8);
    }

    /** The devices. */
    public PcBoard board() {
        return board;
    }

    /** Instructions that all vCPUs have retired. */
    public long retired() {
        return vm.vcpus().stream()
                .mapToLong(vcpu -> vm.vendor().processor(vcpu).retired())
                .sum();
    }

    /** Runs all vCPUs, {@code budget} instructions together. */
    public Ended run(long budget) {
        return threads.run(budget, () -> false);
    }

    /** Runs until {@code text} stands in what {@code serial} or {@code console} has sent since the last such wait. */
    Outcome expect(String port, String text, long budget) {
        byte[] wanted = text.getBytes(StandardCharsets.UTF_8);
        Transcript said = port.equals("serial") ? serial : console;
        if (!said.finds(wanted)) {
            Ended end = threads.run(budget, () -> said.finds(wanted));
            if (!(end instanceof Ended.Awaited)) {
                return unmet(said, text, end);
            }
        }
        return Outcome.ok();
    }

    private static Outcome unmet(Transcript said, String text, Ended end) {
        String[] lines = said.toString(StandardCharsets.UTF_8).split("\\r?\\n", -1);
        String tail =
                String.join("\n", java.util.Arrays.copyOfRange(lines, Math.max(0, lines.length - TAIL), lines.length));
        String how = end instanceof Ended.BudgetSpent spent
                ? "the guest did not send it within %,d instructions".formatted(spent.instructions())
                : "the guest ended: " + end.outcome();
        return new Outcome.Failed("ETIME", "expect \"%s\": %s; its console:\n%s".formatted(text, how, tail), Map.of());
    }

    /** The devices of a confidential guest, whose memory below 3G is all that they are told of. */
    static Pc confidential(Vm vm) {
        long top = vm.allSlots().stream()
                .map(slot -> slot.endGfn() << 12)
                .filter(end -> end < TOP_OF_LOW_MEMORY)
                .max(Long::compare)
                .orElse(0L);
        var pc = new Pc(vm, top);
        if (vm.type() == VmType.TDX) {
            pc.board.showIsaBridge();
        }
        return pc;
    }

    /**
     * Runs, and tells what came of it.
     *
     * @param budget instructions of all vCPUs together
     */
    Outcome runAndTell(long budget) {
        Ended ended = run(budget);
        var details = new LinkedHashMap<String, Object>();
        details.put("ended", ended.toString());
        details.put("serial", serial());
        details.put("debug", debugConsole());
        details.put("retired", retired());
        return new Outcome.Ok(details);
    }

    /** Loads an image, a kernel with the ACPI tables, and points the boot processor at its entry. */
    public Outcome load(BootImage image) {
        boolean reset = image.start() instanceof BootImage.Reset;
        List<BootImage.Piece> tables =
                reset ? List.of() : AcpiTables.build(vm.vcpus().size(), board.virtioDevices());
        for (List<BootImage.Piece> pieces : List.of(tables, image.pieces())) {
            for (BootImage.Piece piece : pieces) {
                Outcome written = GuestMemory.write(vm, piece.gpa(), piece.content());
                if (!(written instanceof Outcome.Ok)) {
                    return written;
                }
            }
        }
        Cpu cpu = vm.vcpus().getFirst().cpu();
        switch (image.start()) {
            case BootImage.Reset _ -> {
                return Outcome.ok();
            }
            case BootImage.Flat flat -> {
                cpu.setCr(0, CR0_PE_ET);
                segments(cpu, new Segment(0x08, 0, -1, FLAT_CODE), 0x10);
                cpu.setGpr(Gpr.RAX, Integer.toUnsignedLong(flat.eax()));
                cpu.setGpr(Gpr.RBX, Integer.toUnsignedLong(flat.ebx()));
            }
            case BootImage.Flat32 flat -> {
                cpu.setCr(0, CR0_PE_ET);
                segments(cpu, new Segment(0x10, 0, -1, FLAT_CODE), 0x18);
                cpu.setGdtr(new DescriptorTable(flat.gdt(), 0x1f));
                cpu.setGpr(Gpr.RSI, Integer.toUnsignedLong(flat.esi()));
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
        Runnable savedSerial = serial.checkpoint();
        byte[] savedDebug = debug.toByteArray();
        Runnable savedConsole = console.checkpoint();
        return () -> {
            devices.run();
            savedSerial.run();
            savedConsole.run();
            debug.reset();
            debug.writeBytes(savedDebug);
        };
    }
}
