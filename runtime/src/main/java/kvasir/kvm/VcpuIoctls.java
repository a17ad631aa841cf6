package kvasir.kvm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import kvasir.kvm.irqchip.IrqChip;

/**
 * ioctls of the vCPU descriptor that read or write its state, with the kernel's checks in the kernel's order (x86.c,
 * kvm_arch_vcpu_ioctl; kvm_main.c, kvm_vcpu_ioctl). Each takes the vCPU's mutex. What is read comes as details of the
 * result, by the names of the ABI.
 */
public final class VcpuIoctls {
    private static final int MOST_MSRS = 256;
    private static final int MOST_CPUID_ENTRIES = 256;
    private static final long KHZ = IrqChip.TSC_HERTZ / 1000;

    /** tsc_tolerance_ppm. */
    private static final long TOLERANCE_PPM = 250;

    private final Vcpu vcpu;

    VcpuIoctls(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    /** One of the structs that {@link #get} and {@link #set} move. */
    public enum Kind {
        REGS,
        SREGS,
        SREGS2,
        VCPU_EVENTS
    }

    private IoctlResult ioctl(Supplier<IoctlResult> body) {
        Vm vm = vcpu.vm();
        if (vm.dead()) {
            return vm.answered(IoctlResult.err(Errno.EIO, "kvm_vcpu_ioctl: the VM is dead"));
        }
        vcpu.mutex().lock();
        try {
            return vm.answered(body.get());
        } finally {
            vcpu.mutex().unlock();
        }
    }

    /** KVM_GET_REGS, KVM_GET_SREGS, KVM_GET_SREGS2 or KVM_GET_VCPU_EVENTS. */
    public IoctlResult get(Kind kind) {
        return ioctl(() -> refusal(kind)
                .orElseGet(() -> new IoctlResult.Ok(0, current(kind).record())));
    }

    /**
     * KVM_SET_REGS, KVM_SET_SREGS, KVM_SET_SREGS2 or KVM_SET_VCPU_EVENTS.
     *
     * @param fields values by field of the struct; what is not named stays as the ioctl that reads gives it
     */
    public IoctlResult set(Kind kind, Map<?, ?> fields) {
        return ioctl(() -> {
            Optional<IoctlResult> refusal = refusal(kind);
            if (refusal.isPresent()) {
                return refusal.get();
            }
            AbiStruct struct = current(kind);
            Optional<String> wrong = struct.merge(fields);
            return wrong.isPresent() ? IoctlResult.err(Errno.EINVAL, wrong.get()) : apply(vcpu, kind, struct);
        });
    }

    private Optional<IoctlResult> refusal(Kind kind) {
        if (kind == Kind.VCPU_EVENTS || !vcpu.vm().vendor().stateProtected(vcpu)) {
            return Optional.empty();
        }
        Check row = kind == Kind.REGS ? Check.REGS_PROTECTED : Check.SREGS_PROTECTED;
        return Optional.of(row.refuse("kvm_arch_vcpu_ioctl: guest_state_protected"));
    }

    private AbiStruct current(Kind kind) {
        return switch (kind) {
            case REGS -> vcpu.registers().regs();
            case SREGS -> vcpu.registers().sregs();
            case SREGS2 -> vcpu.registers().sregs2();
            case VCPU_EVENTS -> vcpu.events().get();
        };
    }

    /** What KVM_SET_* does with a whole struct, mutex held. */
    static IoctlResult apply(Vcpu vcpu, Kind kind, AbiStruct struct) {
        return switch (kind) {
            case REGS -> {
                vcpu.registers().setRegs(struct);
                yield IoctlResult.done();
            }
            case SREGS -> vcpu.registers().setSregs(struct);
            case SREGS2 -> vcpu.registers().setSregs2(struct);
            case VCPU_EVENTS -> vcpu.events().set(struct);
        };
    }

    /** KVM_GET_MSRS; {@code count} is how many were read before the first that does not exist, {@code values} are theirs. */
    public IoctlResult getMsrs(List<Long> indexes) {
        return ioctl(() -> {
            if (indexes.size() >= MOST_MSRS) {
                return Check.MSRS_COUNT.refuse("msr_io: at most 255 entries");
            }
            var values = new ArrayList<Long>();
            for (long index : indexes) {
                OptionalLong value = accessible(index) ? vcpu.msr((int) index) : OptionalLong.empty();
                if (value.isEmpty()) {
                    break;
                }
                values.add(value.getAsLong());
            }
            var details = new LinkedHashMap<String, Object>();
            details.put("count", (long) values.size());
            details.put("values", List.copyOf(values));
            return new IoctlResult.Ok(values.size(), details);
        });
    }

    /** KVM_SET_MSRS; {@code value} is how many were written before the first that was refused. */
    public IoctlResult setMsrs(List<Map.Entry<Long, Long>> entries) {
        return ioctl(() -> {
            if (entries.size() >= MOST_MSRS) {
                return Check.MSRS_COUNT.refuse("msr_io: at most 255 entries");
            }
            long done = 0;
            for (Map.Entry<Long, Long> entry : entries) {
                if (!accessible(entry.getKey()) || !vcpu.setMsr(entry.getKey().intValue(), entry.getValue())) {
                    break;
                }
                done++;
            }
            return IoctlResult.ok(done);
        });
    }

    private boolean accessible(long index) {
        return index >>> 32 == 0 && !vcpu.vm().vendor().stateProtected(vcpu);
    }

    /** KVM_INTERRUPT. */
    public IoctlResult interrupt(long vector) {
        return ioctl(() -> vcpu.events().interrupt(vector));
    }

    /** KVM_NMI. */
    public IoctlResult nmi() {
        return ioctl(() -> vcpu.events().nmi());
    }

    /** KVM_SET_MP_STATE. */
    public IoctlResult setMpState(long number) {
        return ioctl(() -> vcpu.events().setMpState(number));
    }

    /** KVM_GET_TSC_KHZ. */
    public IoctlResult getTscKhz() {
        return ioctl(() -> IoctlResult.ok(KHZ));
    }

    /**
     * KVM_SET_TSC_KHZ on a host that cannot scale the TSC (kvm_set_tsc_khz, set_tsc_khz).
     *
     * @param khz 0 is the host's own rate
     */
    public IoctlResult setTscKhz(long khz) {
        return ioctl(() -> {
            long low = KHZ - KHZ * TOLERANCE_PPM / 1_000_000;
            long high = KHZ + KHZ * TOLERANCE_PPM / 1_000_000;
            if (khz == 0 || khz >= low && khz <= high) {
                return IoctlResult.done();
            }
            return Long.compareUnsigned(khz, low) < 0
                    ? Check.TSC_SLOWER.refuse("set_tsc_khz: slower than the host's %d kHz".formatted(KHZ))
                    : IoctlResult.unsupported("a TSC that has to catch up with a rate above the host's");
        });
    }

    /**
     * The checks of KVM_SET_CPUID2's table that need no vCPU.
     *
     * @param entries how many it has
     * @param linearBits EAX bits 15:8 of leaf 0x80000008
     * @return why it is refused, if it is
     */
    static Optional<IoctlResult> cpuidRefusal(long entries, long linearBits) {
        if (Long.compareUnsigned(entries, MOST_CPUID_ENTRIES) > 0) {
            return Optional.of(Check.SET_CPUID_ENTRIES.refuse("kvm_vcpu_ioctl_set_cpuid2: more than 256 entries"));
        }
        return linearBits == 48 || linearBits == 57 || linearBits == 0
                ? Optional.empty()
                : Optional.of(Check.SET_CPUID_WIDTH.refuse("kvm_check_cpuid: linear addresses have 48 or 57 bits"));
    }
}
