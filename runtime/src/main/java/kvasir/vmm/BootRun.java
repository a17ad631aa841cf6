package kvasir.vmm;

import java.util.function.IntConsumer;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.Engine;
import kvasir.registry.Bytes;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.vmm.boot.Bios;
import kvasir.vmm.boot.BootException;
import kvasir.vmm.boot.BootImage;
import kvasir.vmm.boot.KernelFile;
import kvasir.vmm.boot.LinuxImage;
import kvasir.vmm.boot.Multiboot;

/** One guest from power-on to its end, on a machine of its own: what {@code kvs boot} does. */
public final class BootRun {
    private final Machine machine;
    private final Pc pc;

    /**
     * @param memory bytes of guest memory, a multiple of 4 KiB, at most 3 GiB
     * @param cpus number of vCPUs, 1 to 254
     * @param model the processor
     * @param pit whether there is an interval timer
     * @param engine how guest code is executed
     * @param threads whether each vCPU has a thread of the host
     * @param firmware bytes of memory that end at 4 GiB, a multiple of 4 KiB; 0 for none
     */
    public record Shape(
            long memory, int cpus, CpuidModel model, boolean pit, Engine engine, boolean threads, int firmware) {}

    /** @param serial receives each byte that the guest sends on COM1, 0 to 255 */
    public BootRun(Shape shape, IntConsumer serial) {
        machine = new Machine(Machine.Config.standard().executedBy(shape.engine()));
        VmBuilder builder = machine.declare("pc", "default");
        builder.setVcpus(shape.cpus());
        builder.addMemory(new Range(0, shape.memory()));
        if (shape.firmware() > 0) {
            builder.addMemory(new Range((1L << 32) - shape.firmware(), 1L << 32));
        }
        builder.setModel(shape.model());
        builder.setIrqchip(shape.pit(), false);
        builder.setDevices();
        builder.setTogether(shape.threads());
        if (!(machine.build(builder) instanceof VmHandle handle)) {
            throw new IllegalStateException("a VM that cannot be built: " + shape);
        }
        pc = handle.pc().orElseThrow();
        pc.onSerial(serial);
    }

    /**
     * Loads a multiboot kernel.
     *
     * @param arguments its command line without its name
     * @throws BootException if the file is none
     */
    public void multiboot(String name, byte[] file, String arguments, long memory) throws BootException {
        BootImage image = Multiboot.load(name, file, new KernelFile.Request(arguments, Bytes.of(), memory));
        if (!(pc.load(image) instanceof Outcome.Ok)) {
            throw new BootException(name + " does not fit into guest memory");
        }
    }

    /**
     * Loads a Linux kernel.
     *
     * @param initrd its initial RAM disk; empty for none
     * @throws BootException if the file is no bzImage or does not fit
     */
    public void linux(String name, byte[] file, Bytes initrd, String commandLine, long memory) throws BootException {
        BootImage image =
                LinuxImage.kernel(name, file, commandLine, initrd).load(new KernelFile.Request("", Bytes.of(), memory));
        if (!(pc.load(image) instanceof Outcome.Ok)) {
            throw new BootException(name + " does not fit into guest memory");
        }
    }

    /** Puts a firmware image, of the size of {@link Shape#firmware()}, where the reset vector finds it. */
    public void firmware(byte[] image, IntConsumer debugConsole) throws BootException {
        pc.onDebugConsole(debugConsole);
        BootImage loaded = Bios.firmware("firmware", image).load(new KernelFile.Request("", Bytes.of(), 0));
        if (!(pc.load(loaded) instanceof Outcome.Ok)) {
            throw new BootException("the firmware does not fit into guest memory");
        }
    }

    /** Who types on COM1 while the guest runs. */
    public void connect(ConsoleInput input) {
        pc.connect(input);
    }

    /** A byte arrives at COM1. */
    public void type(int octet) {
        pc.board().com1().receive(octet);
    }

    /** Runs until the guest ends, at most {@code budget} instructions. */
    public Ended run(long budget) {
        return pc.run(budget);
    }

    /** Instructions that all vCPUs have retired. */
    public long retired() {
        return pc.retired();
    }

    /** Makes {@link #run} come back soon; from any thread. */
    public void interrupt() {
        machine.interrupt();
    }
}
