package kvasir.kvm;

import java.util.Optional;
import kvasir.kvm.AbiStruct.Layout;
import kvasir.kvm.irqchip.LocalApic;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.Injection;

/**
 * Events that user space gives to a vCPU: KVM_INTERRUPT, KVM_NMI, KVM_GET_VCPU_EVENTS and KVM_SET_VCPU_EVENTS (struct
 * kvm_vcpu_events, 64 bytes), KVM_SET_MP_STATE; and their way into the guest where user space has the local APIC (x86.c,
 * kvm_vcpu_ioctl_interrupt, kvm_vcpu_ioctl_x86_set_vcpu_events, kvm_check_and_inject_events).
 */
public final class VcpuEvents {
    /** struct kvm_vcpu_events. */
    static final Layout LAYOUT = Layout.of(64)
            .fields(1, "exception.injected", "exception.nr", "exception.has_error_code", "exception.pending")
            .fields(4, "exception.error_code")
            .fields(1, "interrupt.injected", "interrupt.nr", "interrupt.soft", "interrupt.shadow")
            .fields(1, "nmi.injected", "nmi.pending", "nmi.masked")
            .at(16)
            .fields(4, "sipi_vector", "flags")
            .fields(1, "smi.smm", "smi.pending", "smi.smm_inside_nmi", "smi.latched_init", "triple_fault.pending")
            .at(55)
            .fields(1, "exception_has_payload")
            .fields(8, "exception_payload");

    private static final long VALID_NMI_PENDING = 1;
    private static final long VALID_SIPI_VECTOR = 1 << 1;
    private static final long VALID_SHADOW = 1 << 2;
    private static final long VALID_SMM = 1 << 3;
    private static final long VALID_PAYLOAD = 1 << 4;
    private static final long VALID_TRIPLE_FAULT = 1 << 5;

    private static final int VECTORS = 256;
    private static final int EXCEPTIONS = 32;
    private static final int NMI_VECTOR = 2;
    private static final int DEBUG = 1;
    private static final int PAGE_FAULT = 14;

    /** Intel SDM volume 3, "VM-entry failures during or after loading guest state": exit reason 33 with bit 31. */
    private static final long INVALID_GUEST_STATE = 0x8000_0021L;

    private static final long APIC_DEFAULT = 0xfee0_0000L;
    private static final long APIC_BSP = 1 << 8;
    private static final long APIC_X2 = 1 << 10;
    private static final long APIC_ENABLE = 1 << 11;
    private static final long APIC_RESERVED = 0x2ff;

    private final Vcpu vcpu;
    private int interrupt = -1;
    private int nmis;
    private boolean nmiMasked;
    private int sipiVector;
    private boolean tripleFault;
    private long apicBase;

    VcpuEvents(Vcpu vcpu) {
        this.vcpu = vcpu;
        apicBase =
                APIC_DEFAULT | APIC_ENABLE | (vcpu.id() == vcpu.vm().platform().bootCpu() ? APIC_BSP : 0);
    }

    private Cpu cpu() {
        return vcpu.cpu();
    }

    private Optional<LocalApic> apic() {
        return vcpu.lapic().map(VcpuLapic::apic);
    }

    private Optional<LocalApic> splitApic() {
        return vcpu.lapic().filter(VcpuLapic::split).map(VcpuLapic::apic);
    }

    /** Whether user space gives the external interrupts: it has the 8259 pair. */
    private boolean userHasPic() {
        return vcpu.lapic().isEmpty() || splitApic().isPresent();
    }

    /** The vector of the external interrupt that waits to be delivered; -1 if none does. */
    int injectedInterrupt() {
        return interrupt >= 0
                ? interrupt
                : cpu().injection().orElse(NOTHING) instanceof Injection.Interrupt(int vector) ? vector : -1;
    }

    private static final Injection NOTHING = new Injection.Nmi();

    /** kvm_queue_interrupt. */
    void queueInterrupt(int vector) {
        interrupt = vector;
    }

    /** KVM_INTERRUPT. */
    IoctlResult interrupt(long vector) {
        if (Long.compareUnsigned(vector, VECTORS) >= 0) {
            return Check.INTERRUPT_VECTOR.refuse("kvm_vcpu_ioctl_interrupt: a vector is below 256");
        }
        if (splitApic().isPresent()) {
            if (splitApic().get().external() >= 0) {
                return Check.INTERRUPT_PENDING.refuse("kvm_vcpu_ioctl_interrupt: one waits already");
            }
            splitApic().get().setExternal((int) vector);
            vcpu.kick();
            return IoctlResult.done();
        }
        if (vcpu.lapic().isPresent()) {
            return Check.INTERRUPT_PIC.refuse("kvm_vcpu_ioctl_interrupt: the 8259s are in the kernel");
        }
        queueInterrupt((int) vector);
        return IoctlResult.done();
    }

    /** KVM_REQ_TRIPLE_FAULT. */
    void raiseTripleFault() {
        tripleFault = true;
        vcpu.kick();
    }

    /** KVM_NMI. */
    IoctlResult nmi() {
        apic().ifPresentOrElse(LocalApic::nonMaskable, () -> nmis = Math.min(nmis + 1, 2));
        vcpu.kick();
        return IoctlResult.done();
    }

    /** IA32_APIC_BASE. */
    long apicBase() {
        return apic().map(LocalApic::base).orElse(apicBase);
    }

    /** kvm_set_apic_base by user space; false if the value is not legal. */
    boolean setApicBase(long value) {
        long reserved = -1L << cpu().model().physicalBits() | APIC_RESERVED;
        if ((value & reserved) != 0 || (value & (APIC_X2 | APIC_ENABLE)) == APIC_X2) {
            return false;
        }
        apicBase = value;
        return apic().map(apic -> apic.setBase(value)).orElse(true);
    }

    /** KVM_GET_VCPU_EVENTS. */
    AbiStruct get() {
        var events = new AbiStruct(LAYOUT);
        if (cpu().injection().orElse(NOTHING) instanceof Injection.GuestException(int vector, int errorCode)) {
            events.set("exception.injected", true);
            events.set("exception.nr", vector);
            events.set("exception.has_error_code", hasErrorCode(vector));
            events.set("exception.error_code", errorCode);
        }
        int vector = injectedInterrupt();
        events.set("interrupt.injected", vector >= 0);
        events.set("interrupt.nr", Math.max(0, vector));
        events.set("interrupt.shadow", cpu().interruptShadow());
        events.set(
                "nmi.injected",
                cpu().injection().filter(Injection.Nmi.class::isInstance).isPresent());
        events.set("nmi.pending", apic().map(apic -> apic.pendingNmis(2)).orElse(nmis));
        events.set("nmi.masked", cpu().nmiBlocked());
        vcpu.systemManagement().tell(events);
        events.set("smi.latched_init", apic().filter(LocalApic::initLatched).isPresent());
        long flags = VALID_NMI_PENDING | VALID_SHADOW | VALID_SMM;
        if (vcpu.vm().exitRules().exceptionPayload()) {
            flags |= VALID_PAYLOAD;
        }
        if (vcpu.vm().exitRules().tripleFaultEvent()) {
            flags |= VALID_TRIPLE_FAULT;
            events.set("triple_fault.pending", tripleFault);
        }
        events.set("flags", flags);
        return events;
    }

    private static boolean hasErrorCode(int vector) {
        return vector == 8
                || vector >= 10 && vector <= 14
                || vector == 17
                || vector == 21
                || vector == 29
                || vector == 30;
    }

    /** KVM_SET_VCPU_EVENTS. */
    IoctlResult set(AbiStruct events) {
        IoctlResult refusal = refusal(events);
        if (!refusal.succeeded()) {
            return refusal;
        }
        long flags = events.get("flags");
        cpu().cancelInjection();
        boolean pending = (flags & VALID_PAYLOAD) != 0 && events.is("exception.pending");
        if (events.is("exception.injected") || pending) {
            int vector = (int) events.get("exception.nr");
            if (pending && events.is("exception_has_payload")) {
                deliverPayload(vector, events.get("exception_payload"));
            }
            cpu().inject(new Injection.GuestException(vector, (int) events.get("exception.error_code")));
        }
        interrupt = events.is("interrupt.injected") ? (int) events.get("interrupt.nr") : -1;
        if ((flags & VALID_SHADOW) != 0) {
            cpu().setInterruptShadow((int) events.get("interrupt.shadow") & 3);
        }
        if (events.is("nmi.injected")) {
            cpu().inject(new Injection.Nmi());
        }
        if ((flags & VALID_NMI_PENDING) != 0) {
            int count = (int) Math.min(2, events.get("nmi.pending"));
            apic().ifPresentOrElse(apic -> apic.setPendingNmis(count), () -> nmis = count);
        }
        cpu().blockNmis(events.is("nmi.masked"));
        if ((flags & VALID_SIPI_VECTOR) != 0) {
            sipiVector = (int) events.get("sipi_vector") & 0xff;
        }
        if ((flags & VALID_SMM) != 0) {
            vcpu.systemManagement().set(events);
            apic().ifPresent(apic -> apic.latchInit(events.is("smi.latched_init")));
        }
        if ((flags & VALID_TRIPLE_FAULT) != 0) {
            tripleFault = events.is("triple_fault.pending");
        }
        return IoctlResult.done();
    }

    private IoctlResult refusal(AbiStruct events) {
        long flags = events.get("flags");
        long known =
                VALID_NMI_PENDING | VALID_SIPI_VECTOR | VALID_SHADOW | VALID_SMM | VALID_PAYLOAD | VALID_TRIPLE_FAULT;
        String function = "kvm_vcpu_ioctl_x86_set_vcpu_events: ";
        if ((flags & ~known) != 0) {
            return Check.EVENTS_FLAGS.refuse(function + "unknown flag");
        }
        if ((flags & VALID_PAYLOAD) != 0 && !vcpu.vm().exitRules().exceptionPayload()) {
            return Check.EVENTS_PAYLOAD.refuse(function + "VALID_PAYLOAD without KVM_CAP_EXCEPTION_PAYLOAD");
        }
        boolean exception =
                events.is("exception.injected") || (flags & VALID_PAYLOAD) != 0 && events.is("exception.pending");
        long vector = events.get("exception.nr");
        if (exception && (vector >= EXCEPTIONS || vector == NMI_VECTOR)) {
            return Check.EVENTS_EXCEPTION.refuse(function + "no exception has vector " + vector);
        }
        if ((flags & VALID_SMM) != 0
                && (events.is("smi.smm") || events.is("smi.pending"))
                && vcpu.mpState() == MpState.INIT_RECEIVED) {
            return Check.EVENTS_SMM.refuse(function + "SMM in a vCPU that waits for its start-up IPI");
        }
        if ((flags & VALID_TRIPLE_FAULT) != 0 && !vcpu.vm().exitRules().tripleFaultEvent()) {
            return Check.EVENTS_TRIPLE_FAULT.refuse(
                    function + "VALID_TRIPLE_FAULT without KVM_CAP_X86_TRIPLE_FAULT_EVENT");
        }
        return IoctlResult.done();
    }

    /** kvm_deliver_exception_payload: CR2 of a page fault, DR6 of a debug exception. */
    private void deliverPayload(int vector, long payload) {
        if (vector == PAGE_FAULT) {
            cpu().setCr(2, payload);
        } else if (vector == DEBUG) {
            cpu().setDr(6, cpu().dr(6) | payload & 0xe00f);
        }
    }

    /** KVM_SET_MP_STATE. */
    IoctlResult setMpState(long number) {
        Optional<MpState> wanted = MpState.of(number);
        String function = "kvm_arch_vcpu_ioctl_set_mpstate: ";
        if (wanted.isEmpty()) {
            return Check.MP_STATE_UNKNOWN.refuse(function + "no state has number " + number);
        }
        MpState state = wanted.get();
        if (state == MpState.RUNNABLE && vcpu.lapic().isEmpty()) {
            return IoctlResult.done();
        }
        if (vcpu.lapic().isEmpty()) {
            return Check.MP_STATE_APIC.refuse(function + state + " without in-kernel local APIC");
        }
        if (vcpu.smm() && (state == MpState.INIT_RECEIVED || state == MpState.SIPI_RECEIVED)) {
            return Check.MP_STATE_SMM.refuse(function + "INIT and start-up IPIs are blocked in SMM");
        }
        VcpuLapic lapic = vcpu.lapic().get();
        if (state == MpState.SIPI_RECEIVED) {
            lapic.setState(MpState.INIT_RECEIVED);
            lapic.apic().startup(sipiVector);
        } else {
            lapic.setState(state);
        }
        return IoctlResult.done();
    }

    /**
     * What waits goes into the guest, or a window is asked for.
     *
     * @return why the guest cannot be entered, if it cannot
     */
    public Optional<ExitReason> enter() {
        Cpu cpu = cpu();
        KvmRun run = vcpu.kvmRun();
        if (tripleFault) {
            tripleFault = false;
            run.setExitReason(ExitReason.SHUTDOWN);
            return Optional.of(ExitReason.SHUTDOWN);
        }
        if (interrupt >= 0 && !cpu.injectionPending()) {
            if (!cpu.model().amd() && !cpu.interruptible()) {
                run.failEntry(INVALID_GUEST_STATE, 0);
                return Optional.of(ExitReason.FAIL_ENTRY);
            }
            cpu.inject(new Injection.Interrupt(interrupt));
            interrupt = -1;
        }
        if (vcpu.lapic().isEmpty()) {
            if (nmis > 0 && !nmiMasked && cpu.nmiAcceptable()) {
                nmis--;
                nmiMasked = vcpu.vm().vendor().stateProtected(vcpu);
                cpu.inject(new Injection.Nmi());
            }
            cpu.requestNmiWindow(nmis > 0 && !nmiMasked);
            cpu.requestInterruptWindow(run.interruptWindowRequested());
        }
        return Optional.empty();
    }

    /** A guest whose IRET cannot be intercepted says that its NMI is over (svm.c, nmi_masked). */
    public void nmiComplete() {
        nmiMasked = false;
        vcpu.lapic().ifPresent(VcpuLapic::nmiComplete);
    }

    /** dm_request_for_irq_injection and kvm_vcpu_ready_for_interrupt_injection. */
    public boolean windowOpen() {
        return userHasPic() && vcpu.kvmRun().interruptWindowRequested() && ready();
    }

    private boolean ready() {
        boolean place = splitApic()
                .map(apic -> apic.acceptsExternal() && apic.external() < 0)
                .orElse(true);
        return interrupt < 0 && cpu().interruptible() && place;
    }

    /** post_kvm_run_save: what kvm_run tells after every KVM_RUN. */
    public void save() {
        vcpu.kvmRun()
                .saveState(
                        (cpu().rflags() & 1 << 9) != 0,
                        !userHasPic() || ready(),
                        cpu().cr(8),
                        apicBase(),
                        vcpu.smm(),
                        vcpu.guestMode());
    }

    Runnable checkpoint() {
        int savedInterrupt = interrupt;
        int savedNmis = nmis;
        boolean savedMasked = nmiMasked;
        int savedSipi = sipiVector;
        boolean savedFault = tripleFault;
        long savedBase = apicBase;
        return () -> {
            interrupt = savedInterrupt;
            nmis = savedNmis;
            nmiMasked = savedMasked;
            sipiVector = savedSipi;
            tripleFault = savedFault;
            apicBase = savedBase;
        };
    }
}
