package kvasir.kvm;

import java.util.Optional;
import java.util.OptionalLong;
import kvasir.kvm.irqchip.DeliveryMode;
import kvasir.kvm.irqchip.IrqChip;
import kvasir.kvm.irqchip.LocalApic;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.Injection;
import kvasir.metal.cpu.Msr;

/**
 * The in-kernel irqchip as one vCPU meets it: what is injected before it enters the guest, whether it sleeps, and the
 * accesses that the kernel answers (x86.c, kvm_check_and_inject_events, kvm_vcpu_block; lapic.c,
 * kvm_apic_accept_events).
 */
public final class VcpuLapic {
    private static final int IA32_APIC_BASE = 0x1b;
    private static final int IA32_TSC_DEADLINE = 0x6e0;
    private static final long X2APIC_ENABLE = 1 << 10;
    private static final int X2APIC_FIRST = 0x800;
    private static final int X2APIC_LAST = 0x8ff;

    private static final int TASK_PRIORITY = 0x80;

    /** What a VM exit takes of virtual time: about a microsecond, as on a server. */
    private static final long EXIT_TICKS = 1000;

    private final Vcpu vcpu;
    private final IrqChip chip;
    private final LocalApic apic;
    private MpState state;
    private boolean nmiMasked;
    private boolean reportsTpr;
    private long instruction;
    private Optional<TprAccess> tprAccess = Optional.empty();

    /** An access to the task-priority register that user space wants to know of. */
    record TprAccess(long rip, boolean write) {}

    VcpuLapic(Vcpu vcpu, IrqChip chip, int physicalBits) {
        this.vcpu = vcpu;
        this.chip = chip;
        apic = chip.addLocalApic(vcpu.id(), physicalBits, boots());
        state = boots() ? MpState.RUNNABLE : MpState.UNINITIALIZED;
    }

    private boolean boots() {
        return vcpu.id() == vcpu.vm().platform().bootCpu();
    }

    /** Whether user space has the I/O APIC and the 8259 pair. */
    boolean split() {
        return chip.isSplit();
    }

    /** KVM_TPR_ACCESS_REPORTING. */
    void reportTpr(boolean wanted) {
        reportsTpr = wanted;
    }

    /** The access to tell, if there was one. */
    Optional<TprAccess> takeTprAccess() {
        Optional<TprAccess> access = tprAccess;
        tprAccess = Optional.empty();
        return access;
    }

    /** Where the instruction begins whose accesses come next. */
    void instructionAt(long rip) {
        instruction = rip;
    }

    private void report(boolean write) {
        if (reportsTpr) {
            tprAccess = Optional.of(new TprAccess(instruction, write));
        }
    }

    public MpState state() {
        return state;
    }

    public void setState(MpState wanted) {
        state = wanted;
    }

    LocalApic apic() {
        return apic;
    }

    private long now() {
        return vcpu.vm().now();
    }

    /** KVM_RUN of an uninitialized vCPU: whether INIT has come; it no longer waits then (kvm_apic_accept_events). */
    boolean woken() {
        chip.advance(now());
        acceptBootEvents(vcpu.cpu());
        return state != MpState.UNINITIALIZED;
    }

    /** Brings the chip to the present and makes the next event pending; false if the vCPU sleeps on. */
    public boolean enter() {
        Cpu cpu = vcpu.cpu();
        chip.advance(now());
        if (apic.takeSmi()) {
            vcpu.requests().make(Requests.SMI);
        }
        acceptBootEvents(cpu);
        if (state == MpState.HALTED && wakes(cpu)) {
            state = MpState.RUNNABLE;
        }
        if (state != MpState.RUNNABLE) {
            return false;
        }
        cpu.setCr(8, apic.taskPriority());
        boolean nmi = nmis(cpu) > 0 && !nmiMasked;
        if (nmi && cpu.nmiAcceptable()) {
            apic.takeNmi();
            nmiMasked = vcpu.vm().vendor().stateProtected(vcpu);
            cpu.inject(new Injection.Nmi());
        }
        if (cpu.interruptible() && chip.interrupting(apic)) {
            cpu.inject(new Injection.Interrupt(chip.acknowledge(apic)));
        }
        boolean asked = chip.isSplit() && apic.acceptsExternal() && apic.external() < 0;
        cpu.requestInterruptWindow(
                chip.interrupting(apic) || asked && vcpu.kvmRun().interruptWindowRequested());
        cpu.requestNmiWindow(nmis(cpu) > 0 && !nmiMasked);
        return true;
    }

    private int nmis(Cpu cpu) {
        return apic.pendingNmis(cpu.nmiBlocked() ? 1 : 2);
    }

    private void acceptBootEvents(Cpu cpu) {
        if (!apic.bootEventPending()) {
            return;
        }
        if (vcpu.smm()) {
            // kvm_apic_init_sipi_allowed: an INIT waits for RSM, a start-up IPI is lost
            var _ = apic.takeStartup();
            return;
        }
        if (apic.takeInit()) {
            vcpu.vm().vendor().vcpuReset(vcpu);
            vcpu.systemManagement().reset();
            apic.reset();
            state = boots() ? MpState.RUNNABLE : MpState.INIT_RECEIVED;
        }
        int vector = apic.takeStartup();
        if (vector >= 0 && state == MpState.INIT_RECEIVED) {
            vcpu.vm().vendor().vcpuDeliverSipiVector(vcpu, vector);
            state = MpState.RUNNABLE;
        }
    }

    /** kvm_vcpu_has_events. */
    private boolean wakes(Cpu cpu) {
        boolean nmi = nmis(cpu) > 0 && !nmiMasked && !cpu.nmiBlocked();
        boolean smi =
                vcpu.requests().test(Requests.SMI) || vcpu.systemManagement().pending();
        return cpu.injectionPending() || nmi || smi || (cpu.interruptible() && chip.interrupting(apic));
    }

    /** The guest has handled its NMI: nobody but an SEV-ES guest must say so, as its IRET cannot be intercepted. */
    public void nmiComplete() {
        nmiMasked = false;
    }

    /** A VM exit takes its time. */
    public void exitTakesTime() {
        vcpu.cpu().setClock(vcpu.cpu().clock() + EXIT_TICKS);
    }

    /** Ticks until something happens by itself, at least 1. */
    public long untilDeadline() {
        return Math.max(1, chip.deadline() - now());
    }

    /** MOV to CR8. */
    public void taskPriority(int value) {
        apic.taskPriority(value);
    }

    /**
     * KVM_HC_SEND_IPI (lapic.c, kvm_pv_send_ipi).
     *
     * @param low destinations {@code min}, {@code min + 1} ...; {@code high} those after, 32 or 64 a word
     * @return how many local APICs took it, or a negative error
     */
    long sendIpis(long low, long high, long min, long icr, boolean op64) {
        int width = op64 ? 64 : 32;
        int mode = (int) icr >>> 8 & 7;
        if (mode != DeliveryMode.FIXED.ordinal() && mode != DeliveryMode.NMI.ordinal()) {
            return -Errno.EINVAL.number();
        }
        long taken = 0;
        for (int i = 0; i < 2 * width; i++) {
            long word = i < width ? low : high;
            if ((word >>> i % width & 1) != 0) {
                taken += chip.sendTo((min & 0xffff_ffffL) + i, (int) icr) ? 1 : 0;
            }
        }
        return taken;
    }

    public boolean ownsPort(int port) {
        return chip.ownsPort(port);
    }

    public int readPort(int port) {
        return chip.readPort(port, now());
    }

    public void writePort(int port, int value) {
        chip.writePort(port, value, now());
    }

    public boolean ownsAddress(long gpa) {
        return apic.ownsAddress(gpa) || chip.ownsAddress(gpa);
    }

    /** A read of at most 8 bytes; the registers are 32 bits wide (lapic.c, apic_mmio_read; ioapic.c, ioapic_mmio_read). */
    public long readMmio(long gpa) {
        if (apic.ownsAddress(gpa) && (gpa & 0xffc) == TASK_PRIORITY) {
            report(false);
        }
        int value = apic.ownsAddress(gpa) ? apic.readMmio((int) gpa & 0xffc, now()) : chip.readIoApic(gpa & ~3L);
        return Integer.toUnsignedLong(value) >>> 8 * ((int) gpa & 3);
    }

    /** A write; to the local APIC only aligned 32-bit ones count (lapic.c, apic_mmio_write). */
    public void writeMmio(long gpa, int bytes, long value) {
        if (!apic.ownsAddress(gpa)) {
            chip.writeIoApic(gpa, (int) value);
        } else if (bytes == 4) {
            if ((gpa & 0xfff) == TASK_PRIORITY) {
                report(true);
            }
            apic.writeMmio((int) gpa & 0xfff, (int) value, now());
        }
    }

    boolean ownsMsr(int index) {
        return index == IA32_APIC_BASE || index == IA32_TSC_DEADLINE || (index >= X2APIC_FIRST && index <= X2APIC_LAST);
    }

    /** Without the feature the bit is reserved (lapic.c, kvm_apic_set_base). */
    private boolean hasX2apic() {
        return vcpu.cpu().model().has(CpuidModel.Feature.X2APIC);
    }

    /** RDMSR; empty for #GP. */
    OptionalLong readMsr(int index) {
        return switch (index) {
            case IA32_APIC_BASE -> OptionalLong.of(apic.base());
            case IA32_TSC_DEADLINE -> OptionalLong.of(apic.tscDeadline());
            default -> apic.readMsr(index, now());
        };
    }

    /** WRMSR; false for #GP. */
    boolean writeMsr(int index, long value) {
        return switch (index) {
            case IA32_APIC_BASE -> ((value & X2APIC_ENABLE) == 0 || hasX2apic()) && apic.writeBase(value);
            case IA32_TSC_DEADLINE -> {
                long tsc = vcpu.cpu().msr(Msr.TSC).orElse(0);
                apic.tscDeadline(value, now() + (value - tsc));
                yield true;
            }
            default -> apic.writeMsr(index, value, now());
        };
    }

    Runnable checkpoint() {
        MpState saved = state;
        boolean savedMasked = nmiMasked;
        boolean savedReports = reportsTpr;
        Optional<TprAccess> savedAccess = tprAccess;
        return () -> {
            state = saved;
            nmiMasked = savedMasked;
            reportsTpr = savedReports;
            tprAccess = savedAccess;
        };
    }
}
