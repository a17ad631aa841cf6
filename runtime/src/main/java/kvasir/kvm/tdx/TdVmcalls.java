package kvasir.kvm.tdx;

import static kvasir.metal.tdx.Operand.R10;
import static kvasir.metal.tdx.Operand.R11;
import static kvasir.metal.tdx.Operand.R12;
import static kvasir.metal.tdx.Operand.R13;
import static kvasir.metal.tdx.Operand.R14;
import static kvasir.metal.tdx.Operand.R15;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import kvasir.kvm.ExitReason;
import kvasir.kvm.KvmRun;
import kvasir.kvm.RunResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.metal.tdx.SeamcallRegs;

/** TDVMCALLs of the guest (GHCI) and what the host answers (handle_tdvmcall). */
final class TdVmcalls {
    private static final long SUCCESS = 0;
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
    private static final int[] FATAL_REGISTERS = {0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    private final TdxVm td;
    private final Vm vm;
    private final Vcpu vcpu;
    private final TdMsrService msrs;
    private Pending pending = Pending.NOTHING;
    private Answer answer = Answer.NONE;
    private long mapAt;
    private long mapEnd;

    /** What the next KVM_RUN must finish first. */
    private enum Pending {
        NOTHING,
        IN,
        MMIO_READ,
        DONE,
        MAP_GPA,
        USER
    }

    /** R10 to R15 at the next entry. */
    private record Answer(long r10, long r11, long r12, long r13, long r14, long r15) {
        static final Answer NONE = new Answer(0, 0, 0, 0, 0, 0);

        static Answer of(long status, long value) {
            return new Answer(status, value, 0, 0, 0, 0);
        }
    }

    TdVmcalls(TdxVm td, Vcpu vcpu, TdMsrService msrs) {
        this.msrs = msrs;
        this.td = td;
        this.vm = td.vm();
        this.vcpu = vcpu;
    }

    /** The registers of the next TDH.VP.ENTER. */
    SeamcallRegs reply(SeamcallRegs in) {
        return in.with(R10, answer.r10)
                .with(R11, answer.r11)
                .with(R12, answer.r12)
                .with(R13, answer.r13)
                .with(R14, answer.r14)
                .with(R15, answer.r15);
    }

    /** The completion callback of the previous exit; a result if user space is asked again. */
    Optional<RunResult> complete() {
        KvmRun run = vcpu.kvmRun();
        Pending what = pending;
        pending = Pending.NOTHING;
        switch (what) {
            case NOTHING -> {}
            case IN -> answer = Answer.of(SUCCESS, Integer.toUnsignedLong(run.ioData()));
            case MMIO_READ -> answer = Answer.of(SUCCESS, run.mmioData());
            case DONE -> answer = Answer.of(SUCCESS, 0);
            case USER -> answer = Answer.of(SUBFUNC_UNSUPPORTED, 0);
            case MAP_GPA -> {
                if (run.hypercallRet() != 0) {
                    answer = Answer.of(INVALID_OPERAND, mapAt);
                    return Optional.empty();
                }
                mapAt = Math.min(mapAt + CHUNK, mapEnd);
                if (mapAt < mapEnd) {
                    return mapChunk();
                }
                answer = Answer.of(SUCCESS, 0);
            }
        }
        return Optional.empty();
    }

    /** A TDVMCALL; a result if it goes to user space. */
    Optional<RunResult> handle(SeamcallRegs regs) {
        answer = Answer.NONE;
        if (regs.get(R10) != 0) {
            answer = Answer.of(-ENOSYS, 0);
            return Optional.empty();
        }
        long function = regs.get(R11);
        return switch ((int) function) {
            case GET_TD_VMCALL_INFO -> info(regs);
            case MAP_GPA -> mapGpa(regs.get(R12), regs.get(R13));
            case GET_QUOTE -> quote(regs.get(R12), regs.get(R13));
            case REPORT_FATAL_ERROR -> fatal(regs);
            case SETUP_EVENT_NOTIFY ->
                regs.get(R12) < 32 || regs.get(R12) > 255
                        ? answered(INVALID_OPERAND)
                        : user(function, Map.of("vector", regs.get(R12)));
            case CPUID -> {
                int[] out = vcpu.cpu().model().answer((int) regs.get(R12), (int) regs.get(R13));
                answer = new Answer(
                        SUCCESS,
                        0,
                        Integer.toUnsignedLong(out[0]),
                        Integer.toUnsignedLong(out[1]),
                        Integer.toUnsignedLong(out[2]),
                        Integer.toUnsignedLong(out[3]));
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
                answer = Answer.of(value.isPresent() ? SUCCESS : INVALID_OPERAND, value.orElse(0));
                yield Optional.empty();
            }
            case WRMSR -> answered(msrs.write((int) regs.get(R12), regs.get(R13)) ? SUCCESS : INVALID_OPERAND);
            case REQUEST_MMIO -> mmio(regs);
            default -> answered(SUBFUNC_UNSUPPORTED);
        };
    }

    private Optional<RunResult> answered(long status) {
        answer = Answer.of(status, 0);
        return Optional.empty();
    }

    private Optional<RunResult> info(SeamcallRegs regs) {
        return switch ((int) regs.get(R12)) {
            case 0 -> answered(SUCCESS);
            case 1 -> user(GET_TD_VMCALL_INFO, Map.of("leaf", 1L));
            default -> answered(INVALID_OPERAND);
        };
    }

    /** tdx_map_gpa: whole chunks of 2 MiB, each an exit KVM_HC_MAP_GPA_RANGE. */
    private Optional<RunResult> mapGpa(long gpa, long size) {
        long shared = td.gfnDirectBits() << 12;
        long end = gpa + size;
        boolean oneKind = ((gpa ^ end - 1) & shared) == 0;
        boolean inWidth = (gpa & ~(shared * 2 - 1)) == 0 && (end - 1 & ~(shared * 2 - 1)) == 0;
        if (((gpa | size) & 4095) != 0) {
            answer = Answer.of(ALIGN_ERROR, gpa);
        } else if (size == 0 || Long.compareUnsigned(end, gpa) <= 0 || !oneKind || !inWidth) {
            answer = Answer.of(INVALID_OPERAND, gpa);
        } else if (!vm.exitsOnMapGpaRange()) {
            answer = Answer.of(SUBFUNC_UNSUPPORTED, gpa);
        } else {
            mapAt = gpa;
            mapEnd = end;
            return mapChunk();
        }
        return Optional.empty();
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
        if (td.privateGpa(gpa) || ((gpa | size) & 4095) != 0 || size == 0) {
            return answered(INVALID_OPERAND);
        }
        return user(GET_QUOTE, Map.of("gpa", gpa & ~(td.gfnDirectBits() << 12), "size", size));
    }

    private Optional<RunResult> fatal(SeamcallRegs regs) {
        var data = new long[16];
        for (int register : FATAL_REGISTERS) {
            data[register] = regs.get(register);
        }
        vcpu.kvmRun().systemEvent(SYSTEM_EVENT_TDX_FATAL, data);
        return exited();
    }

    private Optional<RunResult> io(SeamcallRegs regs) {
        long size = regs.get(R12);
        long direction = regs.get(R13);
        if (size != 1 && size != 2 && size != 4 || direction >>> 1 != 0) {
            return answered(INVALID_OPERAND);
        }
        pending = direction == 0 ? Pending.IN : Pending.DONE;
        vcpu.kvmRun().io(direction == 0, (int) size, (int) regs.get(R14) & 0xffff, (int) regs.get(R15));
        return exited();
    }

    private Optional<RunResult> mmio(SeamcallRegs regs) {
        long size = regs.get(R12);
        long gpa = regs.get(R14);
        boolean legal = size == 1 || size == 2 || size == 4 || size == 8;
        if (!legal || regs.get(R13) >>> 1 != 0 || td.privateGpa(gpa)) {
            return answered(INVALID_OPERAND);
        }
        boolean write = regs.get(R13) == 1;
        pending = write ? Pending.DONE : Pending.MMIO_READ;
        vcpu.kvmRun().mmio(gpa & ~(td.gfnDirectBits() << 12), (int) size, write);
        vcpu.kvmRun().setMmioData(write ? regs.get(R15) : 0);
        return exited();
    }

    /** KVM_EXIT_TDX. Without an answer in kvm_run the guest gets SUBFUNC_UNSUPPORTED, the preset. */
    private Optional<RunResult> user(long function, Map<String, ?> fields) {
        pending = Pending.USER;
        vcpu.kvmRun().setExitReason(ExitReason.TDX);
        var all = new LinkedHashMap<String, Object>();
        all.put("nr", function);
        all.putAll(fields);
        return Optional.of(new RunResult.Exited(ExitReason.TDX, all));
    }

    private Optional<RunResult> exited() {
        return Optional.of(
                new RunResult.Exited(vcpu.kvmRun().reason(), vcpu.kvmRun().fields()));
    }

    Runnable checkpoint() {
        Pending savedPending = pending;
        Answer savedAnswer = answer;
        long savedAt = mapAt;
        long savedEnd = mapEnd;
        return () -> {
            pending = savedPending;
            answer = savedAnswer;
            mapAt = savedAt;
            mapEnd = savedEnd;
        };
    }
}
