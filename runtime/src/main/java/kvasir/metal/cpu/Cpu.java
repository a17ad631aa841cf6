package kvasir.metal.cpu;

import java.util.OptionalLong;
import kvasir.event.Events;
import kvasir.metal.memory.PhysicalMemory;

/**
 * One logical processor. Confined to one thread at a time, except {@link #kick()}.
 *
 * <p>The hypervisor's loop: {@link #run}, look at the exit, repair what it needs (map a page, set registers,
 * {@link #skip()} an instruction, {@link #inject} an event), {@link #run} again.
 */
public final class Cpu {
    final PhysicalMemory memory;
    final Events events;
    final CpuidModel model;
    final int apicId;
    final SystemState sys = new SystemState();

    /** RAX to R15, then a constant 0 and the IP of the running block, so that address arithmetic needs no branches. */
    final long[] r = new long[18];

    long ip;
    long retired;
    private SecondStage secondStage = new SecondStage.None();
    private volatile boolean kicked;

    /**
     * A processor in the state after RESET.
     *
     * @param memory host physical memory
     * @param events where page walks and exceptions are told, when someone listens
     * @param model what CPUID answers
     * @param apicId initial APIC id
     */
    public Cpu(PhysicalMemory memory, Events events, CpuidModel model, int apicId) {
        this.memory = memory;
        this.events = events;
        this.model = model;
        this.apicId = apicId;
        reset();
    }

    /** RESET. */
    public void reset() {
        sys.reset();
        java.util.Arrays.fill(r, 0);
        r[Gpr.RDX] = model.signature();
        ip = 0xfff0;
    }

    /**
     * Executes until an exit, at most {@code budget} instructions.
     *
     * @param budget instructions, at least 1; with exactly that many retired the answer is {@link VmExit.Budget}
     */
    public VmExit run(long budget) {
        return new VmExit.Unsupported("the interpreter");
    }

    /** Executes exactly one instruction; its data accesses that the second stage does not map go to {@code bus}. */
    public VmExit emulate(MmioBus bus) {
        return new VmExit.Unsupported("the interpreter");
    }

    /** Steps over the instruction that caused the last exit: it counts as retired. */
    public void skip() {}

    /** Ends an IN or INS with the value read. */
    public void completeIn(int value) {}

    /** Ends an OUT or OUTS. */
    public void completeOut() {}

    /** Makes {@code event} pending; it is delivered before the next instruction. At most one is pending. */
    public void inject(Injection event) {}

    /** Whether an injected event waits for delivery. */
    public boolean injectionPending() {
        return false;
    }

    /** Whether an external interrupt would be taken now: IF set, no shadow of STI or MOV SS, nothing pending. */
    public boolean interruptible() {
        return false;
    }

    /** Asks for {@link VmExit.InterruptWindow} as soon as {@link #interruptible()}. */
    public void requestInterruptWindow(boolean wanted) {}

    /** Makes {@link #run} return {@link VmExit.Interrupted} soon. From any thread. */
    public void kick() {
        kicked = true;
    }

    /** Whether CPUID exits; it does not after construction. */
    public void interceptCpuid(boolean exits) {}

    /** Whether a write of CR8 exits; it does not after construction. */
    public void interceptCr8(boolean exits) {}

    /** The second stage in force. */
    public SecondStage secondStage() {
        return secondStage;
    }

    /** Changes the second stage and forgets cached translations. */
    public void setSecondStage(SecondStage stage) {
        secondStage = stage;
        flushTranslations();
    }

    /** Forgets every cached translation, as INVEPT or a change of ASID does. */
    public void flushTranslations() {}

    /** General register {@code number}, see {@link Gpr}. */
    public long gpr(int number) {
        return r[number];
    }

    /** Sets a general register. */
    public void setGpr(int number, long value) {
        r[number] = value;
    }

    /** Instruction pointer (an offset in CS). */
    public long rip() {
        return ip;
    }

    /** Sets the instruction pointer. */
    public void setRip(long value) {
        ip = value;
    }

    /** RFLAGS. */
    public long rflags() {
        return sys.flags;
    }

    /** Sets RFLAGS; bit 1 reads as one whatever is written. */
    public void setRflags(long value) {
        sys.flags = (int) value | 2;
    }

    /** A segment register, see {@link Segment}. */
    public Segment segment(int number) {
        return new Segment(sys.selector[number], sys.base[number], sys.limit[number], sys.access[number]);
    }

    /** Sets a segment register with its hidden part; nothing is checked. */
    public void setSegment(int number, Segment value) {
        sys.selector[number] = value.selector();
        sys.base[number] = value.base();
        sys.limit[number] = value.limit();
        sys.access[number] = value.access();
    }

    public DescriptorTable gdtr() {
        return new DescriptorTable(sys.gdtBase, sys.gdtLimit);
    }

    public void setGdtr(DescriptorTable table) {
        sys.gdtBase = table.base();
        sys.gdtLimit = table.limit();
    }

    public DescriptorTable idtr() {
        return new DescriptorTable(sys.idtBase, sys.idtLimit);
    }

    public void setIdtr(DescriptorTable table) {
        sys.idtBase = table.base();
        sys.idtLimit = table.limit();
    }

    /** CR0, CR2, CR3, CR4 or CR8. */
    public long cr(int number) {
        return switch (number) {
            case 0 -> sys.cr0;
            case 2 -> sys.cr2;
            case 3 -> sys.cr3;
            case 4 -> sys.cr4;
            case 8 -> sys.cr8;
            default -> throw new IllegalArgumentException("CR" + number);
        };
    }

    /** Sets a control register; nothing is checked, translations are forgotten. */
    public void setCr(int number, long value) {
        switch (number) {
            case 0 -> sys.cr0 = value;
            case 2 -> sys.cr2 = value;
            case 3 -> sys.cr3 = value;
            case 4 -> sys.cr4 = value;
            case 8 -> sys.cr8 = (int) value & 15;
            default -> throw new IllegalArgumentException("CR" + number);
        }
        flushTranslations();
    }

    /** Debug register 0 to 3, 6 or 7. */
    public long dr(int number) {
        return sys.dr[number];
    }

    /** Sets a debug register; nothing is checked. */
    public void setDr(int number, long value) {
        sys.dr[number] = value;
    }

    /** A model-specific register that the processor keeps itself (see {@link Msr}); empty for any other. */
    public OptionalLong msr(int index) {
        return OptionalLong.empty();
    }

    /** Sets a model-specific register that the processor keeps itself; false for any other. Nothing is checked. */
    public boolean setMsr(int index, long value) {
        return false;
    }

    /** Instructions retired since construction: the virtual time. */
    public long retired() {
        return retired;
    }

    /** Current privilege level, 0 to 3. */
    public int cpl() {
        return sys.access[Segment.SS] >> 5 & 3;
    }

    /** What CPUID answers here. */
    public CpuidModel model() {
        return model;
    }

    /** Everything the guest can see of the processor, at one moment. */
    public static final class Image {
        private final long[] r;
        private final SystemState sys = new SystemState();
        private final long ip;
        private final long retired;

        private Image(Cpu cpu) {
            r = cpu.r.clone();
            sys.copyFrom(cpu.sys);
            ip = cpu.ip;
            retired = cpu.retired;
        }
    }

    /** The state now. */
    public Image save() {
        return new Image(this);
    }

    /** Makes the state what it was. */
    public void restore(Image image) {
        System.arraycopy(image.r, 0, r, 0, r.length);
        sys.copyFrom(image.sys);
        ip = image.ip;
        retired = image.retired;
        flushTranslations();
    }
}
