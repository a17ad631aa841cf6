package kvasir.kvm.snp;

import java.util.Optional;
import java.util.OptionalLong;
import kvasir.kvm.Errno;
import kvasir.kvm.ExitReason;
import kvasir.kvm.GuestMsrs;
import kvasir.kvm.KvmRun;
import kvasir.kvm.Memslot;
import kvasir.kvm.RunResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.mm.Pfn;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.SnpProcessor;

/** VMGEXITs of the guest and what KVM answers (sev.c, sev_handle_vmgexit): the MSR protocol and the page protocol. */
final class GhcbEvents {
    private static final int DR7_READ = 0x27;
    private static final int DR7_WRITE = 0x37;
    private static final int RDTSC = 0x6e;
    private static final int RDPMC = 0x6f;
    private static final int CPUID = 0x72;
    private static final int INVD = 0x76;
    private static final int IOIO = 0x7b;
    private static final int MSR = 0x7c;
    private static final int VMMCALL = 0x81;
    private static final int RDTSCP = 0x87;
    private static final int WBINVD = 0x89;
    private static final int MONITOR = 0x8a;
    private static final int MWAIT = 0x8b;
    private static final int MMIO_READ = 0x8000_0001;
    private static final int MMIO_WRITE = 0x8000_0002;
    private static final int NMI_COMPLETE = 0x8000_0003;
    private static final int AP_RESET_HOLD = 0x8000_0004;
    private static final int AP_JUMP_TABLE = 0x8000_0005;
    private static final int PAGE_STATE_CHANGE = 0x8000_0010;
    private static final int GUEST_REQUEST = 0x8000_0011;
    private static final int EXTENDED_GUEST_REQUEST = 0x8000_0012;
    private static final int AP_CREATION = 0x8000_0013;
    private static final int HYPERVISOR_FEATURES = 0x8000_fffd;
    private static final int TERMINATION = 0x8000_fffe;
    private static final int UNSUPPORTED_EVENT = 0x8000_ffff;

    private static final long ERR_NOT_REGISTERED = 1;
    private static final long ERR_INVALID_USAGE = 2;
    private static final long ERR_INVALID_SCRATCH = 3;
    private static final long ERR_MISSING_INPUT = 4;
    private static final long ERR_INVALID_INPUT = 5;
    private static final long ERR_INVALID_EVENT = 6;
    private static final long NO_ERROR = 0;

    private static final int VECTOR_GP = 13;
    private static final long FEATURES = 0x3;
    private static final int SCRATCH_LIMIT = 16 * 1024;
    private static final int LARGEST_PIO = 4096;
    private static final int FRAGMENT = 8;
    private static final int SYSTEM_EVENT_SEV_TERM = 6;
    private static final long HC_MAP_GPA_RANGE = 12;
    private static final long KVM_ENOSYS = 1000;
    private static final long ATTRIBUTE_ENCRYPTED = 0x10;
    private static final int MSR_EFER = 0xc000_0080;
    private static final int MSR_TSC_AUX = 0xc000_0103;

    private static final int AP_CREATE_ON_INIT = 0;
    private static final int AP_CREATE = 1;
    private static final int AP_DESTROY = 2;
    private static final long CERTIFICATE_TABLE_END = 24;

    private final SnpVm snp;
    private final Vm vm;
    private final Vcpu vcpu;
    private final PhysicalMemory memory;
    private final GuestMsrs msrs;
    private Optional<Ghcb> page = Optional.empty();
    private Pending pending = Pending.NOTHING;
    private long registered = -1;
    private long jumpTable;
    private long scratch;
    private int elements;
    private int elementBytes;
    private long mmioGpa;
    private int mmioLeft;
    private Optional<PageStateChangeList> list = Optional.empty();

    /** What the next KVM_RUN must finish first. */
    private enum Pending {
        NOTHING,
        IN,
        STRING_IN,
        MMIO_READ,
        MMIO_WRITE,
        MSR_PAGE_STATE,
        PAGE_STATE_LIST,
        HYPERCALL,
        DONE
    }

    GhcbEvents(SnpVm snp, Vcpu vcpu) {
        this.snp = snp;
        this.vm = snp.vm();
        msrs = new GuestMsrs(() -> vcpu.cpu().model());
        this.vcpu = vcpu;
        memory = vm.kvm().memory();
    }

    long registered() {
        return registered;
    }

    /** sev_es_unmap_ghcb: before the guest is entered, it gets the registers that the event has as output. */
    void unmap() {
        page.ifPresent(Ghcb::writeBack);
        page = Optional.empty();
        list = Optional.empty();
    }

    /** A VMGEXIT; a result if it goes to user space. */
    Optional<RunResult> handle(SnpProcessor processor) {
        long msr = processor.ghcb();
        if ((msr & 0xfff) != 0) {
            return messages(processor, msr);
        }
        Optional<Long> hpa = msr == 0 ? Optional.empty() : host(msr);
        if (hpa.isEmpty()) {
            return Optional.empty();
        }
        var ghcb = new Ghcb(memory, hpa.get(), msr);
        page = Optional.of(ghcb);
        if (registered != msr) {
            page = Optional.empty();
            return refused(Errno.EINVAL, "sev_handle_vmgexit: GHCB 0x%x is not registered".formatted(msr));
        }
        long invalid = validate(ghcb);
        if (invalid != NO_ERROR) {
            ghcb.malformed(invalid);
            return Optional.empty();
        }
        ghcb.noAction(0);
        return event(ghcb, processor);
    }

    /** The host page behind a gpa that is the VMM's memory (kvm_vcpu_map). */
    private Optional<Long> host(long gpa) {
        Memslot slot = vm.memslots(0).lookup(gpa >>> 12);
        if (!slot.exists() || slot.gmemOnly()) {
            return Optional.empty();
        }
        long word = vm.mm().gup(slot.hva(gpa >>> 12), true);
        if (Pfn.isError(word)) {
            return Optional.empty();
        }
        vm.markDirty(vcpu, slot, gpa >>> 12);
        return Optional.of((Pfn.pfn(word) << 12) + (gpa & 4095));
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
                processor.setGhcb(GhcbMsr.AP_RESET_HOLD_RESPONSE);
                vcpu.kvmRun().setExitReason(ExitReason.AP_RESET_HOLD);
                yield exited();
            }
            case GhcbMsr.Answer.Terminate _ -> terminate(msr);
        };
    }

    private Optional<RunResult> terminate(long data) {
        vcpu.kvmRun().systemEvent(SYSTEM_EVENT_SEV_TERM, data);
        return exited();
    }

    private Optional<RunResult> mapGpaRange(long gpa, long pages, long attributes) {
        vcpu.kvmRun().hypercall(HC_MAP_GPA_RANGE, gpa, pages, attributes, true);
        return exited();
    }

    // ---- page protocol

    /** sev_es_validate_vmgexit: 0, or what SW_EXITINFO2 says of the malformed request. */
    private long validate(Ghcb ghcb) {
        if (ghcb.usage() != 0) {
            return ERR_INVALID_USAGE;
        }
        if (!ghcb.valid(Ghcb.SW_EXITCODE) || !ghcb.valid(Ghcb.SW_EXITINFO1) || !ghcb.valid(Ghcb.SW_EXITINFO2)) {
            return ERR_MISSING_INPUT;
        }
        long code = ghcb.exitCode();
        boolean complete = code >>> 32 == 0
                && switch ((int) code) {
                    case DR7_READ,
                            RDTSC,
                            RDTSCP,
                            INVD,
                            WBINVD,
                            NMI_COMPLETE,
                            AP_RESET_HOLD,
                            AP_JUMP_TABLE,
                            HYPERVISOR_FEATURES,
                            TERMINATION,
                            UNSUPPORTED_EVENT -> true;
                    case DR7_WRITE -> ghcb.valid(Ghcb.RAX);
                    case RDPMC -> ghcb.valid(Ghcb.RCX);
                    case CPUID ->
                        ghcb.valid(Ghcb.RAX)
                                && ghcb.valid(Ghcb.RCX)
                                && ((int) ghcb.rax() != 0xd || ghcb.valid(Ghcb.XCR0));
                    case IOIO -> {
                        boolean in = (ghcb.exitInfo1() & 1) != 0;
                        boolean string = (ghcb.exitInfo1() & 4) != 0;
                        yield string ? ghcb.valid(Ghcb.SW_SCRATCH) : in || ghcb.valid(Ghcb.RAX);
                    }
                    case MSR ->
                        ghcb.valid(Ghcb.RCX) && (ghcb.exitInfo1() == 0 || ghcb.valid(Ghcb.RAX) && ghcb.valid(Ghcb.RDX));
                    case VMMCALL -> ghcb.valid(Ghcb.RAX) && ghcb.valid(Ghcb.CPL);
                    case MONITOR -> ghcb.valid(Ghcb.RAX) && ghcb.valid(Ghcb.RCX) && ghcb.valid(Ghcb.RDX);
                    case MWAIT -> ghcb.valid(Ghcb.RAX) && ghcb.valid(Ghcb.RCX);
                    case MMIO_READ, MMIO_WRITE, PAGE_STATE_CHANGE -> ghcb.valid(Ghcb.SW_SCRATCH);
                    case GUEST_REQUEST, EXTENDED_GUEST_REQUEST ->
                        ((ghcb.exitInfo1() | ghcb.exitInfo2()) & 4095) == 0
                                && ghcb.exitInfo1() != ghcb.exitInfo2()
                                && ((int) code == GUEST_REQUEST || ghcb.valid(Ghcb.RAX) && ghcb.valid(Ghcb.RBX));
                    case AP_CREATION -> (int) ghcb.exitInfo1() == AP_DESTROY || ghcb.valid(Ghcb.RAX);
                    default -> false;
                };
        if (complete) {
            return NO_ERROR;
        }
        return known(code) ? ERR_MISSING_INPUT : ERR_INVALID_EVENT;
    }

    private static boolean known(long code) {
        return code >>> 32 == 0
                && switch ((int) code) {
                    case DR7_WRITE,
                            RDPMC,
                            CPUID,
                            IOIO,
                            MSR,
                            VMMCALL,
                            MONITOR,
                            MWAIT,
                            MMIO_READ,
                            MMIO_WRITE,
                            PAGE_STATE_CHANGE,
                            GUEST_REQUEST,
                            EXTENDED_GUEST_REQUEST,
                            AP_CREATION -> true;
                    default -> false;
                };
    }

    private Optional<RunResult> event(Ghcb ghcb, SnpProcessor processor) {
        return switch ((int) ghcb.exitCode()) {
            case DR7_READ -> {
                ghcb.setRax(0x400);
                yield Optional.empty();
            }
            case RDTSC -> {
                ghcb.setPair(vcpu.cpu().msr(0x10).orElseThrow());
                yield Optional.empty();
            }
            case RDTSCP -> {
                ghcb.setPair(vcpu.cpu().msr(0x10).orElseThrow());
                ghcb.setRcx(vcpu.cpu().msr(MSR_TSC_AUX).orElseThrow());
                yield Optional.empty();
            }
            case RDPMC -> {
                ghcb.inject(VECTOR_GP);
                yield Optional.empty();
            }
            case CPUID -> {
                int[] out = SnpCpuid.values(vcpu.cpu(), (int) ghcb.rax(), (int) ghcb.rcx());
                ghcb.setRax(Integer.toUnsignedLong(out[0]));
                ghcb.setRbx(Integer.toUnsignedLong(out[1]));
                ghcb.setRcx(Integer.toUnsignedLong(out[2]));
                ghcb.setRdx(Integer.toUnsignedLong(out[3]));
                yield Optional.empty();
            }
            case IOIO -> io(ghcb);
            case MSR -> msr(ghcb);
            case VMMCALL -> vmmcall(ghcb);
            case MMIO_READ, MMIO_WRITE -> mmio(ghcb);
            case AP_RESET_HOLD -> {
                vcpu.kvmRun().setExitReason(ExitReason.AP_RESET_HOLD);
                ghcb.noAction(1);
                yield exited();
            }
            case AP_JUMP_TABLE -> {
                jumpTable(ghcb);
                yield Optional.empty();
            }
            case PAGE_STATE_CHANGE -> pageStateChange(ghcb);
            case GUEST_REQUEST -> guestRequest(ghcb);
            case EXTENDED_GUEST_REQUEST -> extendedGuestRequest(ghcb);
            case AP_CREATION -> {
                if (!createAp(ghcb)) {
                    ghcb.malformed(ERR_INVALID_INPUT);
                }
                yield Optional.empty();
            }
            case HYPERVISOR_FEATURES -> {
                ghcb.noAction(FEATURES);
                yield Optional.empty();
            }
            case TERMINATION -> terminate(processor.ghcb());
            case UNSUPPORTED_EVENT ->
                refused(
                        Errno.EINVAL,
                        "sev_handle_vmgexit: the guest met an unsupported event 0x%x".formatted(ghcb.exitInfo1()));
            default -> Optional.empty(); // DR7 write, INVD, WBINVD, MONITOR, MWAIT, NMI complete: nothing to do
        };
    }

    private void jumpTable(Ghcb ghcb) {
        if (ghcb.exitInfo1() == 0) {
            jumpTable = ghcb.exitInfo2();
        } else if (ghcb.exitInfo1() == 1) {
            ghcb.noAction(jumpTable);
        } else {
            ghcb.malformed(ERR_INVALID_INPUT);
        }
    }

    private Optional<RunResult> msr(Ghcb ghcb) {
        int index = (int) ghcb.rcx();
        if (ghcb.exitInfo1() == 0) {
            OptionalLong kept = vcpu.cpu().msr(index);
            OptionalLong value = kept.isPresent() ? kept : msrs.value(index);
            if (value.isPresent()) {
                ghcb.setPair(value.getAsLong());
            } else {
                ghcb.inject(VECTOR_GP);
            }
            return Optional.empty();
        }
        long value = ghcb.rdx() << 32 | ghcb.rax() & 0xffff_ffffL;
        boolean done = index != MSR_EFER && (vcpu.cpu().msr(index).isPresent() || msrs.write(index, value));
        if (!done) {
            ghcb.inject(VECTOR_GP);
        }
        return Optional.empty();
    }

    // ---- port I/O

    private Optional<RunResult> io(Ghcb ghcb) {
        long info = ghcb.exitInfo1();
        int bytes = (int) (info >>> 4) & 7;
        int port = (int) (info >>> 16) & 0xffff;
        boolean in = (info & 1) != 0;
        if ((info & 4) == 0) {
            pending = in ? Pending.IN : Pending.DONE;
            elementBytes = bytes;
            vcpu.kvmRun().io(in, bytes, port, in ? 0 : (int) (ghcb.rax() & -1L >>> (64 - 8 * bytes)));
            return exited();
        }
        if (ghcb.exitInfo2() < 0 || ghcb.exitInfo2() > Integer.MAX_VALUE / Math.max(1, bytes)) {
            return refused(Errno.EINVAL, "sev_es_string_io: the repeat count is too large");
        }
        int count = (int) ghcb.exitInfo2();
        if (count == 0 || bytes == 0) {
            return Optional.empty();
        }
        if (!openScratch(ghcb, (long) count * bytes)) {
            return Optional.empty();
        }
        elementBytes = bytes;
        elements = Math.min(count, LARGEST_PIO / bytes);
        var data = new byte[elements * bytes];
        if (!in) {
            memory.read(scratch, data, 0, data.length);
        }
        pending = in ? Pending.STRING_IN : Pending.DONE;
        vcpu.kvmRun().io(in, bytes, port, elements, data);
        return exited();
    }

    /** setup_vmgexit_scratch: the buffer is in the GHCB, or with version 1 of the protocol elsewhere in shared memory. */
    private boolean openScratch(Ghcb ghcb, long bytes) {
        long begin = ghcb.scratch();
        long end = begin + bytes;
        boolean good = begin != 0 && Long.compareUnsigned(end, begin) >= 0;
        if (good && (begin & -4096L) == ghcb.gpa()) {
            good = begin >= ghcb.gpa() + Ghcb.SHARED_BUFFER && end <= ghcb.gpa() + Ghcb.SHARED_BUFFER_END;
            scratch = ghcb.at(begin & 4095);
        } else if (good) {
            boolean elsewhere = !vm.kvm().version().atLeast(7, 1) || snp.ghcbVersion() < 2;
            boolean onePage = (begin & -4096L) == (end - 1 & -4096L);
            Optional<Long> found = elsewhere && onePage && bytes <= SCRATCH_LIMIT ? host(begin) : Optional.empty();
            good = found.isPresent();
            scratch = found.orElse(0L);
        }
        if (!good) {
            ghcb.malformed(ERR_INVALID_SCRATCH);
        }
        return good;
    }

    // ---- MMIO

    private Optional<RunResult> mmio(Ghcb ghcb) {
        boolean write = (int) ghcb.exitCode() == MMIO_WRITE;
        long bytes = ghcb.exitInfo2();
        boolean strict = vm.kvm().version().atLeast(7, 1);
        if (bytes == 0 && strict) {
            return Optional.empty();
        }
        if (bytes <= 0 || bytes > SCRATCH_LIMIT || strict && bytes > FRAGMENT) {
            if (strict && bytes > FRAGMENT) {
                ghcb.malformed(ERR_INVALID_INPUT);
                return Optional.empty();
            }
            return refused(Errno.EINVAL, "kvm_sev_es_mmio: %d bytes".formatted(bytes));
        }
        if (!openScratch(ghcb, bytes)) {
            return Optional.empty();
        }
        mmioGpa = ghcb.exitInfo1();
        mmioLeft = (int) bytes;
        return nextMmio(write);
    }

    private Optional<RunResult> nextMmio(boolean write) {
        int bytes = Math.min(FRAGMENT, mmioLeft);
        pending = write ? Pending.MMIO_WRITE : Pending.MMIO_READ;
        vcpu.exits().count(kvasir.kvm.ExitCounters.Cause.MMIO);
        vcpu.kvmRun().mmio(mmioGpa, bytes, write);
        vcpu.kvmRun().setMmioData(write ? readScratch(bytes) : 0);
        return exited();
    }

    private long readScratch(int bytes) {
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << 8 | memory.read8(scratch + i) & 0xff;
        }
        return value;
    }

    private Optional<RunResult> mmioDone(boolean write) {
        int bytes = Math.min(FRAGMENT, mmioLeft);
        if (!write) {
            long value = vcpu.kvmRun().mmioData();
            for (int i = 0; i < bytes; i++) {
                memory.write8(scratch + i, (byte) (value >>> (8 * i)));
            }
        }
        scratch += bytes;
        mmioGpa += bytes;
        mmioLeft -= bytes;
        return mmioLeft > 0 ? nextMmio(write) : Optional.empty();
    }

    // ---- page state, hypercalls

    private Optional<RunResult> pageStateChange(Ghcb ghcb) {
        if (!openScratch(ghcb, ghcb.exitInfo2())) {
            return Optional.empty();
        }
        if (!vm.exitsOnMapGpaRange()) {
            ghcb.noAction(PageStateChangeList.GENERIC_ERROR);
            return Optional.empty();
        }
        int room = (int) (ghcb.at(Ghcb.SHARED_BUFFER_END) - scratch - 8) / 8;
        boolean bounded = vm.kvm().version().atLeast(7, 1);
        var changes = new PageStateChangeList(
                memory,
                scratch,
                bounded ? Math.min(room, PageStateChangeList.MAX_ENTRIES) : PageStateChangeList.MAX_ENTRIES);
        list = Optional.of(changes);
        return step(changes.next());
    }

    private Optional<RunResult> step(PageStateChangeList.Step step) {
        return switch (step) {
            case PageStateChangeList.Step.MapGpaRange(long gpa, long pages, long attributes) -> {
                pending = Pending.PAGE_STATE_LIST;
                yield mapGpaRange(gpa, pages, attributes);
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
        long pages = ghcb.rcx();
        if (ghcb.cpl() != 0) {
            ghcb.setRax(-Errno.EPERM.number());
        } else if (ghcb.rax() != HC_MAP_GPA_RANGE || !vm.exitsOnMapGpaRange()) {
            ghcb.setRax(-KVM_ENOSYS);
        } else if ((gpa & 4095) != 0 || pages == 0 || Long.compareUnsigned((gpa >>> 12) + pages, gpa >>> 12) <= 0) {
            ghcb.setRax(-Errno.EINVAL.number());
        } else {
            pending = Pending.HYPERCALL;
            return mapGpaRange(gpa, pages, ghcb.rdx());
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
            Optional<Long> at = (data & 4095) == 0 ? host(data) : Optional.empty();
            if (at.isEmpty()) {
                ghcb.malformed(ERR_INVALID_INPUT);
                return Optional.empty();
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
            case AP_DESTROY -> target.get().setNextVmsa(-1, true);
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
            case NOTHING, DONE -> Optional.empty();
            case IN -> {
                long mask = -1L >>> (64 - 8 * elementBytes);
                page.ifPresent(g -> g.setRax(Integer.toUnsignedLong(run.ioData()) & mask));
                yield Optional.empty();
            }
            case STRING_IN -> {
                for (int i = 0; i < elements * elementBytes; i++) {
                    memory.write8(scratch + i, run.ioByte(i));
                }
                yield Optional.empty();
            }
            case MMIO_READ -> mmioDone(false);
            case MMIO_WRITE -> mmioDone(true);
            case MSR_PAGE_STATE -> {
                snp.runOf(vcpu.id())
                        .ifPresent(r -> r.processor().setGhcb(GhcbMsr.pageStateChanged(run.hypercallRet())));
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
        long savedRegistered = registered;
        long savedJump = jumpTable;
        long savedScratch = scratch;
        int savedElements = elements;
        int savedElementBytes = elementBytes;
        long savedGpa = mmioGpa;
        int savedLeft = mmioLeft;
        Optional<PageStateChangeList> savedList = list;
        Optional<Runnable> listPart = list.map(PageStateChangeList::checkpoint);
        Runnable msrPart = msrs.checkpoint();
        return () -> {
            page = savedPage;
            pending = savedPending;
            registered = savedRegistered;
            jumpTable = savedJump;
            scratch = savedScratch;
            elements = savedElements;
            elementBytes = savedElementBytes;
            mmioGpa = savedGpa;
            mmioLeft = savedLeft;
            list = savedList;
            listPart.ifPresent(Runnable::run);
            msrPart.run();
        };
    }
}
