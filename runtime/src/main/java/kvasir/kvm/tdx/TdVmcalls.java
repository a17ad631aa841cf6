package kvasir.kvm.tdx;

import static kvasir.metal.tdx.Operand.R10;
import static kvasir.metal.tdx.Operand.R11;
import static kvasir.metal.tdx.Operand.R12;
import static kvasir.metal.tdx.Operand.R13;
import static kvasir.metal.tdx.Operand.R14;
import static kvasir.metal.tdx.Operand.R15;
import static kvasir.metal.tdx.Operand.RBP;
import static kvasir.metal.tdx.Operand.RSP;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import kvasir.kvm.Errno;
import kvasir.kvm.ExitReason;
import kvasir.kvm.KvmRun;
import kvasir.kvm.RunResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.metal.tdx.SeamcallRegs;

/** TDVMCALLs of the guest (GHCI) and what the host answers (handle_tdvmcall). */
final class TdVmcalls {
    private static final long SUCCESS = 0;
    private static final long RETRY = 1;
    private static final long INVALID_OPERAND = 1L << 63;
    private static final long ALIGN_ERROR = INVALID_OPERAND | 2;
    private static final long SUBFUNC_UNSUPPORTED = INVALID_OPERAND | 3;
    private static final long ENOSYS = 1000;

    private static final int GET_TD_VMCALL_INFO = 0x10000;
    private static final int MAP_GPA = 0x10001;
    private static final int GET_QUOTE = 0x10002;
    private static final int REPORT_FATAL_ERROR = 0x10003;
    private static final int SETUP_EVENT_NOTIFY = 0x10004;
    private static final int CPUID = 10;
    private static final int HLT = 12;
    private static final int IO = 30;
    private static final int RDMSR = 31;
    private static final int WRMSR = 32;
    private static final int REQUEST_MMIO = 48;

    private static final int HC_MAP_GPA_RANGE = 12;
    private static final long CHUNK = 2 << 20;
    private static final long ENCRYPTED = 1 << 4;
    private static final int SYSTEM_EVENT_TDX_FATAL = 7;

    private final TdxVm td;
    private final Vm vm;
    private final Vcpu vcpu;
    private final TdMsrService msrs;
    private Pending pending = Pending.NOTHING;
    /** Registers of the last TD exit, which the next entry hands back: the guest finds what nobody has changed. */
    private SeamcallRegs args = SeamcallRegs.leaf(0);

    /** Bytes of the pending access. */
    private int bytes;

    private boolean interruptedBefore;
    private long mapAt;
    private long mapEnd;

    /** What the next KVM_RUN must finish first. */
    private enum Pending {
        NOTHING,
        IN,
        MMIO_READ,
        DONE,
        MAP_GPA,
        /** A hypercall of KVM's own: user space's ret is the guest's R10. */
        HYPERCALL,
        /** GetQuote, SetupEventNotifyInterrupt: user space's ret. */
        USER,
        /** GetTdVmCallInfo: user space's ret and R11 to R14. */
        INFO
    }

    TdVmcalls(TdxVm td, Vcpu vcpu, TdMsrService msrs) {
        this.msrs = msrs;
        this.td = td;
        this.vm = td.vm();
        this.vcpu = vcpu;
    }

    /** The registers of the next TDH.VP.ENTER. */
    SeamcallRegs reply() {
        return args;
    }

    /** Keeps the registers of a TD exit. */
    void exited(SeamcallRegs regs) {
        args = regs;
    }

    /** The completion callback of the previous exit; a result if user space is asked again. */
    Optional<RunResult> complete() {
        KvmRun run = vcpu.kvmRun();
        Pending what = pending;
        pending = Pending.NOTHING;
        return switch (what) {
            case NOTHING, DONE -> Optional.empty();
            case IN -> value(low(run.ioData(), bytes));
            case MMIO_READ -> value(low(run.mmioData(), bytes));
            case USER -> answered(run.tdxRet());
            case HYPERCALL -> answered(run.hypercallRet());
            case INFO -> {
                args = args.with(R11, run.tdxData(1))
                        .with(R12, run.tdxData(2))
                        .with(R13, run.tdxData(3))
                        .with(R14, run.tdxData(4));
                yield answered(run.tdxRet());
            }
            case MAP_GPA -> mapped(run.hypercallRet());
        };
    }

    /** tdx_complete_vmcall_map_gpa: whatever user space refuses is an invalid operand; an interrupt ends the loop. */
    private Optional<RunResult> mapped(long ret) {
        if (ret != 0) {
            return notMapped(INVALID_OPERAND, mapAt);
        }
        mapAt += CHUNK;
        if (mapAt >= mapEnd) {
            return Optional.empty();
        }
        return msrs.interrupted() && !interruptedBefore ? notMapped(RETRY, mapAt) : mapChunk();
    }

    private Optional<RunResult> notMapped(long status, long gpa) {
        args = args.with(R11, gpa);
        return answered(status);
    }

    /** A TDVMCALL; a result if it goes to user space. */
    Optional<RunResult> handle(SeamcallRegs regs) {
        if (regs.get(R10) != 0) {
            return vendor(regs);
        }
        long function = regs.get(R11);
        if (function >>> 32 != 0) {
            return answered(SUBFUNC_UNSUPPORTED);
        }
        return switch ((int) function) {
            case GET_TD_VMCALL_INFO -> info(regs.get(R12));
            case MAP_GPA -> mapGpa(regs.get(R12), regs.get(R13));
            case GET_QUOTE -> quote(regs.get(R12), regs.get(R13));
            case REPORT_FATAL_ERROR -> fatal(regs);
            case SETUP_EVENT_NOTIFY ->
                regs.get(R12) < 32 || regs.get(R12) > 255
                        ? answered(INVALID_OPERAND)
                        : user(Pending.USER, function, SUBFUNC_UNSUPPORTED, regs.get(R12));
            case CPUID -> {
                int[] out = vcpu.cpu().model().answer((int) regs.get(R12), (int) regs.get(R13));
                args = args.with(R12, Integer.toUnsignedLong(out[0]))
                        .with(R13, Integer.toUnsignedLong(out[1]))
                        .with(R14, Integer.toUnsignedLong(out[2]))
                        .with(R15, Integer.toUnsignedLong(out[3]));
                yield Optional.empty();
            }
            case HLT -> {
                if (msrs.sleep(regs.get(R12) == 0)) {
                    yield answered(SUCCESS);
                }
                pending = Pending.DONE;
                vcpu.kvmRun().setExitReason(ExitReason.HLT);
                yield exited();
            }
            case IO -> io(regs);
            case RDMSR -> {
                OptionalLong value = msrs.read((int) regs.get(R12));
                yield value.isPresent() ? value(value.getAsLong()) : answered(INVALID_OPERAND);
            }
            case WRMSR -> answered(msrs.write((int) regs.get(R12), regs.get(R13)) ? SUCCESS : INVALID_OPERAND);
            case REQUEST_MMIO -> mmio(regs);
            default -> answered(SUBFUNC_UNSUPPORTED);
        };
    }

    /** A hypercall of KVM's own, R10 its number and R11 to R14 its operands (tdx_emulate_vmcall). */
    private Optional<RunResult> vendor(SeamcallRegs regs) {
        long number = regs.get(R10);
        if (number != HC_MAP_GPA_RANGE || !vm.exitsOnMapGpaRange()) {
            return answered(-ENOSYS);
        }
        long gpa = regs.get(R11);
        long pages = regs.get(R12);
        boolean overflows = pages == 0
                || Long.compareUnsigned((gpa >>> 12) + pages, gpa >>> 12) <= 0
                || Long.compareUnsigned(pages, 1L << 52) > 0;
        if ((gpa & 4095) != 0 || overflows) {
            return answered(-Errno.EINVAL.number());
        }
        vcpu.kvmRun().hypercall(number, gpa, pages, regs.get(R13), true);
        pending = Pending.HYPERCALL;
        return exited();
    }

    private Optional<RunResult> answered(long status) {
        args = args.with(R10, status);
        return Optional.empty();
    }

    private Optional<RunResult> value(long r11) {
        args = args.with(R11, r11);
        return Optional.empty();
    }

    /** tdx_get_td_vm_call_info. */
    private Optional<RunResult> info(long leaf) {
        if (leaf == 1) {
            return user(Pending.INFO, GET_TD_VMCALL_INFO, SUCCESS, leaf, 0, 0, 0, 0);
        }
        if (leaf != 0) {
            return answered(INVALID_OPERAND);
        }
        args = args.with(R11, 0).with(R12, 0).with(R13, 0).with(R14, 0);
        return answered(SUCCESS);
    }

    /** tdx_map_gpa: whole chunks of 2 MiB, each an exit KVM_HC_MAP_GPA_RANGE. */
    private Optional<RunResult> mapGpa(long gpa, long size) {
        long shared = td.gfnDirectBits() << 12;
        long end = gpa + size;
        boolean oneKind = ((gpa ^ end - 1) & shared) == 0;
        boolean inWidth = gpa >>> 1 < shared && end - 1 >>> 1 < shared;
        if (!vm.exitsOnMapGpaRange()) {
            return notMapped(SUBFUNC_UNSUPPORTED, gpa);
        }
        if (Long.compareUnsigned(end, gpa) <= 0 || !oneKind || !inWidth) {
            return notMapped(INVALID_OPERAND, gpa);
        }
        if (((gpa | size) & 4095) != 0) {
            return notMapped(ALIGN_ERROR, gpa);
        }
        mapAt = gpa;
        mapEnd = end;
        interruptedBefore = msrs.interrupted();
        return mapChunk();
    }

    private Optional<RunResult> mapChunk() {
        long shared = td.gfnDirectBits() << 12;
        long pages = Math.min(CHUNK, mapEnd - mapAt) >>> 12;
        boolean isPrivate = (mapAt & shared) == 0;
        vcpu.kvmRun().hypercall(HC_MAP_GPA_RANGE, mapAt & ~shared, pages, isPrivate ? ENCRYPTED : 0, true);
        pending = Pending.MAP_GPA;
        return exited();
    }

    private Optional<RunResult> quote(long gpa, long size) {
        return td.privateGpa(gpa)
                ? answered(INVALID_OPERAND)
                : user(Pending.USER, GET_QUOTE, SUBFUNC_UNSUPPORTED, gpa & ~(td.gfnDirectBits() << 12), size);
    }

    /** tdx_report_fatal_error: the registers in their order, with RSP and RBP as 0. */
    private Optional<RunResult> fatal(SeamcallRegs regs) {
        SeamcallRegs shown = regs.with(RSP, 0).with(RBP, 0);
        long[] data = LongStream.range(0, 16).map(i -> shown.get((int) i)).toArray();
        vcpu.kvmRun().systemEvent(SYSTEM_EVENT_TDX_FATAL, data);
        return exited();
    }

    private Optional<RunResult> io(SeamcallRegs regs) {
        long size = regs.get(R12);
        long direction = regs.get(R13);
        if (size != 1 && size != 2 && size != 4 || direction >>> 1 != 0) {
            return answered(INVALID_OPERAND);
        }
        int port = (int) regs.get(R14) & 0xffff;
        if (direction == 1 && taken(port, (int) size, regs.get(R15), true)) {
            return answered(SUCCESS);
        }
        pending = direction == 0 ? Pending.IN : Pending.DONE;
        bytes = (int) size;
        vcpu.kvmRun().io(direction == 0, (int) size, port, (int) regs.get(R15));
        return exited();
    }

    private Optional<RunResult> mmio(SeamcallRegs regs) {
        long size = regs.get(R12);
        long gpa = regs.get(R14);
        boolean legal = size == 1 || size == 2 || size == 4 || size == 8;
        if (!legal || regs.get(R13) >>> 1 != 0 || td.privateGpa(gpa) || td.privateGpa(gpa + size - 1)) {
            return answered(INVALID_OPERAND);
        }
        boolean write = regs.get(R13) == 1;
        long address = gpa & ~(td.gfnDirectBits() << 12);
        if (write
                && (vm.platform().eventFds().fastWrite(address) || taken(address, (int) size, regs.get(R15), false))) {
            return answered(SUCCESS);
        }
        pending = write ? Pending.DONE : Pending.MMIO_READ;
        bytes = (int) size;
        vcpu.kvmRun().mmio(address, (int) size, write);
        vcpu.kvmRun().setMmioData(write ? low(regs.get(R15), bytes) : 0);
        return exited();
    }

    /** Whether an ioeventfd or a coalesced zone takes a write, so that user space does not see it now. */
    private boolean taken(long address, int size, long value, boolean port) {
        long data = low(value, size);
        return vm.platform().eventFds().write(address, size, data, port)
                || vm.coalescedMmio().write(address, size, data, port);
    }

    private static long low(long value, int size) {
        return size == 8 ? value : value & (1L << 8 * size) - 1;
    }

    /** KVM_EXIT_TDX.
     * @param preset what ret is if user space leaves it alone */
    private Optional<RunResult> user(Pending next, long function, long preset, long... data) {
        pending = next;
        vcpu.kvmRun().tdx(function, preset, data);
        return exited();
    }

    private Optional<RunResult> exited() {
        return Optional.of(
                new RunResult.Exited(vcpu.kvmRun().reason(), vcpu.kvmRun().fields()));
    }

    Runnable checkpoint() {
        Pending savedPending = pending;
        SeamcallRegs savedArgs = args;
        boolean savedInterrupted = interruptedBefore;
        int savedBytes = bytes;
        long savedAt = mapAt;
        long savedEnd = mapEnd;
        return () -> {
            pending = savedPending;
            args = savedArgs;
            interruptedBefore = savedInterrupted;
            bytes = savedBytes;
            mapAt = savedAt;
            mapEnd = savedEnd;
        };
    }
}
