package kvasir.kvm.snp;

import java.util.Optional;
import java.util.OptionalLong;
import kvasir.kvm.Errno;
import kvasir.kvm.ExitReason;
import kvasir.kvm.KvmRun;
import kvasir.kvm.MpState;
import kvasir.kvm.RunResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.SnpProcessor;

/** VMGEXITs of the guest and what KVM answers (sev.c, sev_handle_vmgexit): the MSR protocol and the page protocol. */
final class GhcbEvents {
    private static final int VECTOR_GP = 13;
    private static final long FEATURES = 0x3;
    private static final int SYSTEM_EVENT_SEV_TERM = 6;
    private static final long HC_MAP_GPA_RANGE = 12;
    private static final long KVM_ENOSYS = 1000;
    private static final long ATTRIBUTE_ENCRYPTED = 0x10;
    private static final long DR7_DEFAULT = 0x400;
    private static final int MSR_TSC = 0x10;
    private static final int MSR_EFER = 0xc000_0080;
    private static final int MSR_TSC_AUX = 0xc000_0103;

    private static final int AP_CREATE_ON_INIT = 0;
    private static final int AP_CREATE = 1;
    private static final long CERTIFICATE_TABLE_END = 24;

    private final SnpVm snp;
    private final Vm vm;
    private final Vcpu vcpu;
    private final PhysicalMemory memory;
    private final GuestPages pages;
    private final GhcbIo io;
    private Optional<Ghcb> page = Optional.empty();
    private Pending pending = Pending.NOTHING;
    private ResetHold hold = ResetHold.NONE;
    private long registered = -1;
    private long jumpTable;
    private Optional<PageStateChangeList> list = Optional.empty();

    /** What the next KVM_RUN must finish first. */
    private enum Pending {
        NOTHING,
        MSR_PAGE_STATE,
        PAGE_STATE_LIST,
        HYPERCALL
    }

    /** How the guest asked to wait for a SIPI (ap_reset_hold_type). */
    private enum ResetHold {
        NONE,
        NAE_EVENT,
        MSR_PROTOCOL
    }

    GhcbEvents(SnpVm snp, Vcpu vcpu) {
        this.snp = snp;
        this.vm = snp.vm();
        this.vcpu = vcpu;
        memory = vm.kvm().memory();
        pages = new GuestPages(vm, vcpu);
        io = new GhcbIo(snp, vcpu, pages);
    }

    long registered() {
        return registered;
    }

    /** sev_es_unmap_ghcb: before the guest is entered, it gets the registers that the event has as output. */
    void unmap() {
        page.ifPresent(ghcb -> {
            pages.wrote(ghcb.at(0), 4096, "sev_es_sync_to_ghcb");
            ghcb.writeBack();
            if (vm.events().listening()) {
                vm.events().emit(ghcb.answered(vm.name() + ".vcpu" + vcpu.id()));
            }
        });
        page = Optional.empty();
        list = Optional.empty();
    }

    /** A VMGEXIT; a result if it goes to user space. */
    Optional<RunResult> handle(SnpProcessor processor) {
        long msr = processor.ghcb();
        if ((msr & 0xfff) != 0) {
            return messages(processor, msr);
        }
        Optional<Long> hpa = msr == 0 ? Optional.empty() : pages.host(msr);
        if (hpa.isEmpty()) {
            return Optional.empty();
        }
        var ghcb = new Ghcb(memory, hpa.get(), msr);
        page = Optional.of(ghcb);
        if (registered != msr) {
            page = Optional.empty();
            return refused(Errno.EINVAL, "sev_handle_vmgexit: GHCB 0x%x is not registered".formatted(msr));
        }
        if (ghcb.usage() != 0) {
            return malformed(ghcb, Ghcb.INVALID_USAGE);
        }
        if (!ghcb.valid(Ghcb.SW_EXITCODE) || !ghcb.valid(Ghcb.SW_EXITINFO1) || !ghcb.valid(Ghcb.SW_EXITINFO2)) {
            return malformed(ghcb, Ghcb.MISSING_INPUT);
        }
        Optional<NaeEvent> event = NaeEvent.of(ghcb.exitCode());
        if (event.isEmpty()) {
            return malformed(ghcb, Ghcb.INVALID_EVENT);
        }
        if (!event.get().complete(ghcb)) {
            return malformed(ghcb, Ghcb.MISSING_INPUT);
        }
        ghcb.noAction(0);
        return event(event.get(), ghcb, processor);
    }

    private static Optional<RunResult> malformed(Ghcb ghcb, long reason) {
        ghcb.malformed(reason);
        return Optional.empty();
    }

    // ---- MSR protocol

    private Optional<RunResult> messages(SnpProcessor processor, long msr) {
        Optional<GhcbMsr.Answer> answer = GhcbMsr.handle(msr, vm.exitsOnMapGpaRange(), snp.ghcbVersion());
        if (answer.isEmpty()) {
            return Optional.empty();
        }
        return switch (answer.get()) {
            case GhcbMsr.Answer.Value(long value) -> {
                processor.setGhcb(value);
                yield Optional.empty();
            }
            case GhcbMsr.Answer.Cpuid request -> {
                int[] out = SnpCpuid.values(vcpu.cpu(), request.leaf(), 0);
                processor.setGhcb(GhcbMsr.cpuid(request, out[request.register()]));
                yield Optional.empty();
            }
            case GhcbMsr.Answer.Registered(long gfn, long value) -> {
                registered = gfn << 12;
                processor.setGhcb(value);
                yield Optional.empty();
            }
            case GhcbMsr.Answer.MapGpaRange(long gpa, boolean isPrivate) -> {
                pending = Pending.MSR_PAGE_STATE;
                yield mapGpaRange(gpa, 1, isPrivate ? ATTRIBUTE_ENCRYPTED : 0);
            }
            case GhcbMsr.Answer.ApResetHold() -> {
                hold = ResetHold.MSR_PROTOCOL;
                processor.setGhcb(GhcbMsr.AP_RESET_HOLD_NO_SIPI);
                yield resetHold();
            }
            case GhcbMsr.Answer.Terminate _ -> terminate(msr);
        };
    }

    private Optional<RunResult> terminate(long data) {
        vcpu.kvmRun().systemEvent(SYSTEM_EVENT_SEV_TERM, data);
        return exited();
    }

    private Optional<RunResult> mapGpaRange(long gpa, long count, long attributes) {
        vcpu.kvmRun().hypercall(HC_MAP_GPA_RANGE, gpa, count, attributes, true);
        return exited();
    }

    // ---- page protocol

    private Optional<RunResult> event(NaeEvent event, Ghcb ghcb, SnpProcessor processor) {
        switch (event) {
            case DR7_READ -> ghcb.setRax(DR7_DEFAULT);
            case RDTSC -> ghcb.setPair(vcpu.cpu().msr(MSR_TSC).orElseThrow());
            case RDTSCP -> {
                ghcb.setPair(vcpu.cpu().msr(MSR_TSC).orElseThrow());
                ghcb.setRcx(vcpu.cpu().msr(MSR_TSC_AUX).orElseThrow());
            }
            case RDPMC -> ghcb.inject(VECTOR_GP);
            case CPUID -> cpuid(ghcb);
            case MSR -> msr(ghcb);
            case DR7_WRITE, INVD, WBINVD, MONITOR, MWAIT -> {}
            case NMI_COMPLETE -> vcpu.events().nmiComplete();
            case AP_JUMP_TABLE -> jumpTable(ghcb);
            case AP_CREATION -> {
                if (!createAp(ghcb)) {
                    ghcb.malformed(Ghcb.INVALID_INPUT);
                }
            }
            case HYPERVISOR_FEATURES -> ghcb.noAction(FEATURES);
            case IOIO -> {
                return io.port(ghcb);
            }
            case MMIO_READ, MMIO_WRITE -> {
                return io.mmio(ghcb, event == NaeEvent.MMIO_WRITE);
            }
            case VMMCALL -> {
                return vmmcall(ghcb);
            }
            case AP_RESET_HOLD -> {
                hold = ResetHold.NAE_EVENT;
                return resetHold();
            }
            case PAGE_STATE_CHANGE -> {
                return pageStateChange(ghcb);
            }
            case GUEST_REQUEST -> {
                return guestRequest(ghcb);
            }
            case EXTENDED_GUEST_REQUEST -> {
                return extendedGuestRequest(ghcb);
            }
            case TERMINATION -> {
                return terminate(processor.ghcb());
            }
            case UNSUPPORTED_EVENT -> {
                return refused(
                        Errno.EINVAL,
                        "sev_handle_vmgexit: the guest met an unsupported event 0x%x".formatted(ghcb.exitInfo1()));
            }
        }
        return Optional.empty();
    }

    private void cpuid(Ghcb ghcb) {
        int[] out = SnpCpuid.values(vcpu.cpu(), (int) ghcb.rax(), (int) ghcb.rcx());
        ghcb.setRax(Integer.toUnsignedLong(out[0]));
        ghcb.setRbx(Integer.toUnsignedLong(out[1]));
        ghcb.setRcx(Integer.toUnsignedLong(out[2]));
        ghcb.setRdx(Integer.toUnsignedLong(out[3]));
    }

    private void jumpTable(Ghcb ghcb) {
        if (ghcb.exitInfo1() == 0) {
            jumpTable = ghcb.exitInfo2();
        } else if (ghcb.exitInfo1() == 1) {
            ghcb.noAction(jumpTable);
        } else {
            ghcb.malformed(Ghcb.INVALID_INPUT);
        }
    }

    private void msr(Ghcb ghcb) {
        int index = (int) ghcb.rcx();
        if (ghcb.exitInfo1() == 0) {
            OptionalLong value = vcpu.guestMsr(index);
            if (value.isPresent()) {
                ghcb.setPair(value.getAsLong());
            } else {
                ghcb.inject(VECTOR_GP);
            }
            return;
        }
        long value = ghcb.rdx() << 32 | ghcb.rax() & 0xffff_ffffL;
        boolean done = index != MSR_EFER && (vcpu.cpu().msr(index).isPresent() || vcpu.writeEmulatedMsr(index, value));
        if (!done) {
            ghcb.inject(VECTOR_GP);
        }
    }

    // ---- AP reset hold

    /** kvm_emulate_ap_reset_hold: with the irqchip in the kernel the vCPU sleeps there, else user space has to do it. */
    private Optional<RunResult> resetHold() {
        if (vcpu.lapic().isPresent()) {
            vcpu.setMpState(MpState.AP_RESET_HOLD);
            return Optional.empty();
        }
        wakeFromResetHold();
        vcpu.kvmRun().setExitReason(ExitReason.AP_RESET_HOLD);
        return exited();
    }

    /** sev_vcpu_deliver_sipi_vector, for the second SIPI of a vCPU and later ones: the guest goes on after its hold. */
    void wakeFromResetHold() {
        switch (hold) {
            case NONE -> {}
            case NAE_EVENT -> page.ifPresent(g -> g.noAction(1));
            case MSR_PROTOCOL -> snp.processor(vcpu.id()).ifPresent(p -> p.setGhcb(GhcbMsr.AP_RESET_HOLD_RESPONSE));
        }
        hold = ResetHold.NONE;
    }

    // ---- page state, hypercalls

    private Optional<RunResult> pageStateChange(Ghcb ghcb) {
        if (!io.openScratch(ghcb, ghcb.exitInfo2())) {
            return Optional.empty();
        }
        if (!vm.exitsOnMapGpaRange()) {
            ghcb.noAction(PageStateChangeList.GENERIC_ERROR);
            return Optional.empty();
        }
        int room = (int) (ghcb.at(Ghcb.SHARED_BUFFER_END) - io.scratch() - 8) / 8;
        boolean since71 = vm.kvm().version().atLeast(7, 1);
        var changes = new PageStateChangeList(
                memory,
                io.scratch(),
                since71 ? Math.min(room, PageStateChangeList.MAX_ENTRIES) : PageStateChangeList.MAX_ENTRIES,
                vm.seams(),
                since71);
        list = Optional.of(changes);
        return step(changes.next());
    }

    private Optional<RunResult> step(PageStateChangeList.Step step) {
        pages.wrote(io.scratch(), 2, "snp_begin_psc");
        return switch (step) {
            case PageStateChangeList.Step.MapGpaRange(long gpa, long count, long attributes) -> {
                pending = Pending.PAGE_STATE_LIST;
                yield mapGpaRange(gpa, count, attributes);
            }
            case PageStateChangeList.Step.Finished(long info2) -> {
                page.ifPresent(g -> g.noAction(info2));
                yield Optional.empty();
            }
        };
    }

    /** kvm_emulate_hypercall with the registers of the GHCB. */
    private Optional<RunResult> vmmcall(Ghcb ghcb) {
        long gpa = ghcb.rbx();
        long count = ghcb.rcx();
        if (ghcb.cpl() != 0) {
            ghcb.setRax(-Errno.EPERM.number());
        } else if (ghcb.rax() != HC_MAP_GPA_RANGE || !vm.exitsOnMapGpaRange()) {
            ghcb.setRax(-KVM_ENOSYS);
        } else if ((gpa & 4095) != 0 || count == 0 || Long.compareUnsigned((gpa >>> 12) + count, gpa >>> 12) <= 0) {
            ghcb.setRax(-Errno.EINVAL.number());
        } else {
            pending = Pending.HYPERCALL;
            return mapGpaRange(gpa, count, ghcb.rdx());
        }
        return Optional.empty();
    }

    // ---- requests to the firmware

    private Optional<RunResult> guestRequest(Ghcb ghcb) {
        long info = snp.guestRequest(ghcb.exitInfo1(), ghcb.exitInfo2());
        if (info == SnpVm.VMM_ERROR_GENERIC) {
            return refused(Errno.EIO, "snp_handle_guest_req: the guest's pages cannot be accessed");
        }
        ghcb.noAction(info);
        return Optional.empty();
    }

    /** snp_handle_ext_guest_req of a KVM without certificates: an empty table, then the plain request. */
    private Optional<RunResult> extendedGuestRequest(Ghcb ghcb) {
        long data = ghcb.rax();
        if (ghcb.rbx() != 0) {
            Optional<Long> at = (data & 4095) == 0 ? pages.host(data) : Optional.empty();
            if (at.isEmpty()) {
                return malformed(ghcb, Ghcb.INVALID_INPUT);
            }
            for (int i = 0; i < CERTIFICATE_TABLE_END; i += 8) {
                memory.write64(at.get() + i, 0);
            }
        }
        return guestRequest(ghcb);
    }

    // ---- AP creation

    /** sev_snp_ap_creation; a refusal changes nothing. */
    private boolean createAp(Ghcb ghcb) {
        int request = (int) ghcb.exitInfo1();
        int apicId = (int) (ghcb.exitInfo1() >>> 32);
        Optional<SnpRun> target = snp.runOf(apicId);
        if (target.isEmpty()) {
            return false;
        }
        long gpa = ghcb.exitInfo2();
        switch (request) {
            case AP_CREATE_ON_INIT, AP_CREATE -> {
                boolean legal = ghcb.rax() == snp.features()
                        && (gpa & 4095) == 0
                        && gpa >>> vcpu.cpu().model().physicalBits() == 0
                        && (gpa & (2 << 20) - 1) != 0;
                if (!legal) {
                    return false;
                }
                target.get().setNextVmsa(gpa, request == AP_CREATE);
            }
            case NaeEvent.AP_DESTROY -> target.get().setNextVmsa(-1, true);
            default -> {
                return false;
            }
        }
        return true;
    }

    // ---- completion

    /** The completion callback of the previous exit; a result if user space is asked again. */
    Optional<RunResult> complete() {
        KvmRun run = vcpu.kvmRun();
        Pending what = pending;
        pending = Pending.NOTHING;
        return switch (what) {
            case NOTHING -> io.complete(page);
            case MSR_PAGE_STATE -> {
                snp.processor(vcpu.id()).ifPresent(p -> p.setGhcb(GhcbMsr.pageStateChanged(run.hypercallRet())));
                yield Optional.empty();
            }
            case PAGE_STATE_LIST -> step(list.orElseThrow().complete(run.hypercallRet()));
            case HYPERCALL -> {
                page.ifPresent(g -> g.setRax(run.hypercallRet()));
                yield Optional.empty();
            }
        };
    }

    private Optional<RunResult> exited() {
        return Optional.of(
                new RunResult.Exited(vcpu.kvmRun().reason(), vcpu.kvmRun().fields()));
    }

    private static Optional<RunResult> refused(Errno errno, String why) {
        return Optional.of(new RunResult.Refused(errno, why));
    }

    Runnable checkpoint() {
        Optional<Ghcb> savedPage = page;
        Pending savedPending = pending;
        ResetHold savedHold = hold;
        long savedRegistered = registered;
        long savedJump = jumpTable;
        Optional<PageStateChangeList> savedList = list;
        Optional<Runnable> listPart = list.map(PageStateChangeList::checkpoint);
        Runnable ioPart = io.checkpoint();
        return () -> {
            page = savedPage;
            pending = savedPending;
            hold = savedHold;
            registered = savedRegistered;
            jumpTable = savedJump;
            list = savedList;
            listPart.ifPresent(Runnable::run);
            ioPart.run();
        };
    }
}
