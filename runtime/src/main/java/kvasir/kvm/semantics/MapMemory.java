package kvasir.kvm.semantics;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.Check;
import kvasir.kvm.Errno;
import kvasir.kvm.Ioctl;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Seam;
import kvasir.kvm.Seams;
import kvasir.kvm.Vcpu;
import kvasir.kvm.VcpuEvent;
import kvasir.kvm.VcpuMmu;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Level;
import kvasir.kvm.mmu.Pferr;

/**
 * One call of KVM_MAP_MEMORY or KVM_PRE_FAULT_MEMORY (kvm_main.c, kvm_vcpu_pre_fault_memory; mmu.c,
 * kvm_arch_vcpu_pre_fault_memory), steered by the policies of its semantics.
 */
final class MapMemory {
    private final Policies policies;
    private final Vcpu vcpu;
    private final Vm vm;
    private final MemoryMapping request;
    private String reason = "";
    private Optional<Check> check = Optional.empty();

    MapMemory(Semantics semantics, Vcpu vcpu, MemoryMapping request) {
        policies = semantics.policies();
        this.vcpu = vcpu;
        vm = vcpu.vm();
        this.request = request;
    }

    /** The ioctl, from kvm_vcpu_ioctl on. */
    IoctlResult ioctl() {
        vm.issued(Ioctl.PRE_FAULT_MEMORY);
        if (vm.dead()) {
            return vm.answered(Check.PRE_FAULT_DEAD.refuse("kvm_vcpu_ioctl: the VM is dead"));
        }
        long asked = request.size();
        vcpu.mutex().lock();
        try {
            vm.seams().at(Seam.USER_COPY, vcpu.mutex());
            int result = vm.copyFaults()
                    ? refuse(Check.PRE_FAULT_COPY_IN, "kvm_vcpu_ioctl: the struct cannot be read")
                    : copiedIn();
            tell(asked, result);
            return result < 0
                    ? vm.answered(new IoctlResult.Err(Errno.of(result), reason, details(), check))
                    : new IoctlResult.Ok(0, details());
        } catch (Seams.Livelock livelock) {
            String why = livelock.getMessage() + ": " + reason;
            if (vm.events().listening()) {
                vm.events().emit(new VcpuEvent.Endless(name(), why));
            }
            return new IoctlResult.Endless(why);
        } finally {
            vcpu.mutex().unlock();
        }
    }

    /** Proposals have other rules of what a result and what is left say together. */
    private void tell(long asked, int result) {
        if (vm.events().listening()
                && policies.progress() == Policies.Progress.SUCCESS_ON_PARTIAL
                && policies.arithmetic() == Policies.Arithmetic.MIN
                && check.filter(Check.PRE_FAULT_COPY_OUT::equals).isEmpty()) {
            vm.events()
                    .emit(new VcpuEvent.PreFaulted(
                            name(),
                            asked,
                            request.size(),
                            result < 0 ? Optional.of(Errno.of(result)) : Optional.empty()));
        }
    }

    private String name() {
        return vm.name() + ".vcpu" + vcpu.id();
    }

    private int copiedIn() {
        int result = checked();
        vm.seams().at(Seam.USER_COPY, vcpu.mutex());
        return vm.copyFaults()
                ? refuse(Check.PRE_FAULT_COPY_OUT, "kvm_vcpu_ioctl: the struct cannot be written back")
                : result;
    }

    private Map<String, ?> details() {
        var details = new LinkedHashMap<String, Object>();
        details.put("left", request.size());
        details.put("gpa", request.gpa());
        return details;
    }

    private int refuse(Check row, String why) {
        check = Optional.of(row);
        reason = why;
        return -row.errno().number();
    }

    /** An errno that only proposals have. */
    private int refuse(Errno errno, String why) {
        check = Optional.empty();
        reason = why;
        return -errno.number();
    }

    private int checked() {
        int bad = policies.flags() == Policies.Flags.ACCESS ? checkRfc() : checkBytes();
        if (bad < 0) {
            return bad;
        }
        int section = vm.srcu().readLock();
        try {
            return loop();
        } finally {
            vm.srcu().readUnlock(section);
        }
    }

    /** RFC v1's checks. */
    private int checkRfc() {
        long known = MemoryMapping.WRITE | MemoryMapping.EXEC | MemoryMapping.USER | MemoryMapping.PRIVATE;
        if ((request.flags() & ~known) != 0) {
            return refuse(Errno.EINVAL, "kvm_vcpu_map_memory: unknown flag (RFC v1)");
        }
        if ((request.flags() & MemoryMapping.PRIVATE) != 0 && !vm.type().hasPrivateMemory()) {
            return refuse(Errno.EINVAL, "kvm_vcpu_map_memory: PRIVATE, but the VM has no private memory (RFC v1)");
        }
        if ((request.source() & 0xfff) != 0) {
            return refuse(Errno.EINVAL, "kvm_vcpu_map_memory: source is not page aligned (RFC v1)");
        }
        return checkRange("kvm_vcpu_map_memory", "RFC v1");
    }

    private int checkBytes() {
        if (request.flags() != 0) {
            return refuse(Check.PRE_FAULT_FLAGS, "kvm_vcpu_pre_fault_memory: flags must be 0");
        }
        if (request.source() != 0) {
            return refuse(Errno.EINVAL, "this struct has no source: its bytes are reserved here");
        }
        return checkRange("kvm_vcpu_pre_fault_memory", "kvm_main.c");
    }

    private int checkRange(String function, String source) {
        if ((request.gpa() & 0xfff) != 0 || (request.size() & 0xfff) != 0) {
            return refuse(
                    Check.PRE_FAULT_RANGE, "%s: gpa and size must be page aligned (%s)".formatted(function, source));
        }
        if (Long.compareUnsigned(request.gpa() + request.size(), request.gpa()) <= 0) {
            return refuse(Check.PRE_FAULT_RANGE, "%s: the range is empty or wraps (%s)".formatted(function, source));
        }
        return 0;
    }

    /** The loop over the range; a result below 0 is the errno user space sees. */
    private int loop() {
        int result = policies.flags() == Policies.Flags.ACCESS || policies.arithmetic() == Policies.Arithmetic.UNDERFLOW
                ? vcpu.mmu().load()
                : 0;
        boolean advanced = false;
        int standing = 0;
        while (result >= 0 && request.size() != 0) {
            if (vcpu.signalPending()) {
                result = refuse(Check.PRE_FAULT_SIGNAL, "kvm_vcpu_pre_fault_memory: a signal is pending");
                break;
            }
            long mapped = step();
            if (mapped < 0) {
                result = (int) mapped;
                break;
            }
            if (mapped == 0) {
                if (policies.progress() == Policies.Progress.SUCCESS_ON_PARTIAL) {
                    reason = "kvm_vcpu_pre_fault_memory: a step mapped nothing (WARN)";
                    break;
                }
                reason = "the range does not advance from an aligned address";
                vm.seams().spin(this, standing++);
                continue;
            }
            advanced = true;
            request.advance(mapped);
            mapFollowing();
        }
        if (!advanced || result >= 0 && request.size() == 0) {
            return Math.min(result, 0);
        }
        return switch (policies.progress()) {
            case SUCCESS_ON_PARTIAL -> 0;
            case EAGAIN_ON_PARTIAL -> refuse(Errno.EAGAIN, "partial progress, stopped by: " + reason);
        };
    }

    /** The 4 KiB pages that follow, all at once where nobody can tell. */
    private void mapFollowing() {
        if (request.source() == 0 && policies.arithmetic() != Policies.Arithmetic.ALIGN) {
            long pages = vcpu.mmu().mapFollowing(request.gpa(), request.size() >>> 12, !policies.accessed());
            request.advance(pages << 12);
        }
    }

    private static long unsignedMin(long a, long b) {
        return Long.compareUnsigned(a, b) < 0 ? a : b;
    }

    /**
     * One page or huge page (kvm_arch_vcpu_pre_fault_memory).
     *
     * @return bytes to advance, or a negative errno
     */
    private long step() {
        if (policies.beforeFinalise() == Policies.BeforeFinalise.EOPNOTSUPP && !vm.preFaultAllowed()) {
            return refuse(
                    Check.PRE_FAULT_NOT_ALLOWED,
                    "kvm_arch_vcpu_pre_fault_memory: the VM's launch is not finished (pre_fault_allowed)");
        }
        if (request.source() != 0 && !vm.type().hasProtectedState()) {
            return refuse(Errno.EINVAL, "kvm_arch_vcpu_map_memory: this VM type takes no source page (RFC v1)");
        }
        long direct = vm.vendor().gfnDirectBits();
        if ((request.gpa() >>> 12 & direct) != 0) {
            return refuse(Check.PRE_FAULT_SHARED_BIT, "kvm_arch_vcpu_pre_fault_memory: gpa has the shared bit");
        }
        vm.seams().footprint().begins();
        int loaded = policies.rootReload() ? vcpu.mmu().reload() : vcpu.mmu().load();
        vm.seams().footprint().ends(loaded * 31L + vcpu.mmu().fingerprint());
        if (loaded < 0) {
            return refuse(Check.PRE_FAULT_ROOT, "kvm_mmu_reload: no root could be made");
        }
        boolean isPrivate = isPrivate();
        long errorCode = errorCode(isPrivate);
        long address = request.gpa() | (isPrivate ? 0 : direct << 12);
        boolean kernelRetries = policies.retry() == Policies.Retry.KERNEL;
        if (kernelRetries) {
            reason = "kvm_tdp_map_page: the fault asks to be retried";
        }
        int result = vcpu.mmu().tdpMapPage(address, errorCode, maxLevel(), kernelRetries, !policies.accessed());
        int error = outcome(result);
        if (error < 0) {
            return error;
        }
        int level = vcpu.mmu().mappedLevel();
        if (policies.whoAdds() == Policies.WhoAdds.HOOK_WITH_SOURCE && request.source() != 0) {
            error = vm.vendor().mapMemorySource(vcpu, request.gpa() >>> 12, level, request.source());
            if (error < 0) {
                return refuse(
                        Errno.of(error), "the VM type takes no source page, or the vendor's hook refused it (RFC v1)");
            }
        }
        return advance(level);
    }

    private boolean isPrivate() {
        if (policies.flags() == Policies.Flags.ACCESS) {
            return (request.flags() & MemoryMapping.PRIVATE) != 0;
        }
        return vm.type().hasPrivateMemory() && vm.attributes().isPrivate(request.gpa() >>> 12);
    }

    private long errorCode(boolean isPrivate) {
        long code = Pferr.GUEST_FINAL | (isPrivate ? Pferr.PRIVATE_ACCESS : 0);
        if (policies.flags() == Policies.Flags.ACCESS) {
            code |= (request.flags() & MemoryMapping.WRITE) != 0 ? Pferr.WRITE : 0;
            code |= (request.flags() & MemoryMapping.EXEC) != 0 ? Pferr.FETCH : 0;
            code |= (request.flags() & MemoryMapping.USER) != 0 ? Pferr.USER : 0;
        }
        return code;
    }

    private int maxLevel() {
        if (policies.maxLevel() == Policies.MaxLevel.FREE) {
            return Level.PG_1G;
        }
        int level = Level.PG_1G;
        while (level > Level.PG_4K
                && ((request.gpa() & (Level.bytes(level) - 1)) != 0
                        || Long.compareUnsigned(request.size(), Level.bytes(level)) < 0)) {
            level--;
        }
        return level;
    }

    /** What a fault's end means to the caller: 0, or a negative errno. */
    private int outcome(int result) {
        if (result < 0) {
            check = vcpu.mmu().refusal();
            reason = "kvm_tdp_map_page: " + why(Errno.of(result));
            return result;
        }
        return switch (result) {
            case VcpuMmu.FIXED, VcpuMmu.SPURIOUS, VcpuMmu.WRITE_PROTECTED -> 0;
            case VcpuMmu.EMULATE ->
                policies.noSlot() == Errno.ENOENT
                        ? refuse(Check.PRE_FAULT_NO_SLOT, "kvm_tdp_map_page: no slot has this gpa")
                        : refuse(policies.noSlot(), "kvm_tdp_map_page: no slot has this gpa");
            case VcpuMmu.RETRY -> refuse(Errno.EAGAIN, "kvm_tdp_map_page: the fault asks to be retried");
            default -> refuse(Errno.EIO, "kvm_tdp_map_page: unexpected result " + result);
        };
    }

    private static String why(Errno errno) {
        return switch (errno) {
            case EINTR -> "a signal is pending";
            case EIO -> "the VM is dead";
            case EAGAIN -> "the slot is being deleted or moved";
            case EOPNOTSUPP -> "the vCPU's current MMU is not the TDP MMU";
            case EFAULT -> "the page cannot be had, or its attribute does not fit";
            case ENOMEM -> "no host memory for page tables";
            case EHWPOISON -> "the guest_memfd page is poisoned";
            default -> errno.name();
        };
    }

    private long advance(int level) {
        long block = Level.bytes(level);
        long end = (request.gpa() & -block) + block;
        return switch (policies.arithmetic()) {
            case MIN -> unsignedMin(request.size(), end - request.gpa());
            case UNDERFLOW -> end - request.gpa();
            case ALIGN -> unsignedMin(request.size(), (request.gpa() + block - 1 & -block) - request.gpa());
        };
    }

    @Override
    public String toString() {
        return vcpu.vm().name() + ".vcpu" + vcpu.id() + " pre-fault";
    }
}
