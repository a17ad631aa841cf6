package kvasir.kvm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import kvasir.kvm.irqchip.IrqChip;
import kvasir.metal.cpu.Injection;
import kvasir.registry.Bytes;

/**
 * ioctls of the vCPU descriptor that read or write its state, with the kernel's checks in the kernel's order (x86.c,
 * kvm_arch_vcpu_ioctl; kvm_main.c, kvm_vcpu_ioctl). Each takes the vCPU's mutex. What is read comes as details of the
 * result, by the names of the ABI.
 */
public final class VcpuIoctls {
    private static final int MOST_MSRS = 256;
    private static final long CR4_MCE = 1 << 6;
    private static final int MACHINE_CHECK = 18;
    static final long KHZ = IrqChip.TSC_HERTZ / 1000;

    /** tsc_tolerance_ppm. */
    private static final long TOLERANCE_PPM = 250;

    private final Vcpu vcpu;

    VcpuIoctls(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    /** One of the structs that {@link #get} and {@link #set} move. */
    public enum Kind {
        REGS(Ioctl.GET_REGS, Ioctl.SET_REGS),
        SREGS(Ioctl.GET_SREGS, Ioctl.SET_SREGS),
        SREGS2(Ioctl.GET_SREGS2, Ioctl.SET_SREGS2),
        VCPU_EVENTS(Ioctl.GET_VCPU_EVENTS, Ioctl.SET_VCPU_EVENTS),
        FPU(Ioctl.GET_FPU, Ioctl.SET_FPU),
        XCRS(Ioctl.GET_XCRS, Ioctl.SET_XCRS),
        DEBUGREGS(Ioctl.GET_DEBUGREGS, Ioctl.SET_DEBUGREGS),
        LAPIC(Ioctl.GET_LAPIC, Ioctl.SET_LAPIC);

        private final Ioctl get;
        private final Ioctl set;

        Kind(Ioctl get, Ioctl set) {
            this.get = get;
            this.set = set;
        }
    }

    private IoctlResult ioctl(Ioctl which, Supplier<IoctlResult> body) {
        Vm vm = vcpu.vm();
        vm.issued(which);
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

    /** KVM_GET_* of one struct. */
    public IoctlResult get(Kind kind) {
        return ioctl(
                kind.get,
                () -> refusal(kind)
                        .orElseGet(() -> new IoctlResult.Ok(0, current(kind).record())));
    }

    /**
     * KVM_SET_* of one struct.
     *
     * @param fields values by field of the struct; what is not named stays as the ioctl that reads gives it
     */
    public IoctlResult set(Kind kind, Map<?, ?> fields) {
        return ioctl(kind.set, () -> {
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
        if (kind == Kind.LAPIC && vcpu.lapic().isEmpty()) {
            return Optional.of(Check.LAPIC_NONE.refuse("kvm_arch_vcpu_ioctl: no local APIC in the kernel"));
        }
        if (kind == Kind.VCPU_EVENTS || !vcpu.vm().vendor().stateProtected(vcpu)) {
            return Optional.empty();
        }
        Check row = switch (kind) {
            case REGS -> Check.REGS_PROTECTED;
            case SREGS, SREGS2 -> Check.SREGS_PROTECTED;
            default -> Check.FPU_PROTECTED;
        };
        return Optional.of(row.refuse("kvm_arch_vcpu_ioctl: guest_state_protected"));
    }

    private AbiStruct current(Kind kind) {
        var images = new VcpuImages(vcpu);
        return switch (kind) {
            case REGS -> vcpu.registers().regs();
            case SREGS -> vcpu.registers().sregs();
            case SREGS2 -> vcpu.registers().sregs2();
            case VCPU_EVENTS -> vcpu.events().get();
            case FPU -> images.fpu(VcpuImages.FPU);
            case XCRS -> images.xcrs(VcpuImages.XCRS);
            case DEBUGREGS -> images.debugregs(VcpuImages.DEBUGREGS);
            case LAPIC -> images.lapic(vcpu.lapic().orElseThrow().apic());
        };
    }

    /** What KVM_SET_* does with a whole struct, mutex held. */
    static IoctlResult apply(Vcpu vcpu, Kind kind, AbiStruct struct) {
        var images = new VcpuImages(vcpu);
        return switch (kind) {
            case REGS -> {
                vcpu.registers().setRegs(struct);
                yield IoctlResult.done();
            }
            case SREGS -> vcpu.registers().setSregs(struct);
            case SREGS2 -> vcpu.registers().setSregs2(struct);
            case VCPU_EVENTS -> vcpu.events().set(struct);
            case FPU -> images.setFpu(struct);
            case XCRS -> images.setXcrs(struct);
            case DEBUGREGS -> images.setDebugregs(struct);
            case LAPIC -> images.setLapic(vcpu.lapic().orElseThrow().apic(), struct);
        };
    }

    private Optional<IoctlResult> protectedState() {
        return vcpu.vm().vendor().stateProtected(vcpu)
                ? Optional.of(Check.FPU_PROTECTED.refuse("kvm_arch_vcpu_ioctl: guest_state_protected"))
                : Optional.empty();
    }

    /**
     * KVM_GET_XSAVE, or KVM_GET_XSAVE2; detail {@code region} has the bytes.
     *
     * @param second whether it is the second version
     */
    public IoctlResult getXsave(boolean second) {
        return ioctl(
                second ? Ioctl.GET_XSAVE2 : Ioctl.GET_XSAVE,
                () -> protectedState()
                        .orElseGet(() -> new IoctlResult.Ok(0, Map.of("region", new VcpuImages(vcpu).xsave()))));
    }

    /** KVM_SET_XSAVE. */
    public IoctlResult setXsave(Bytes region) {
        return ioctl(Ioctl.SET_XSAVE, () -> protectedState().orElseGet(() -> new VcpuImages(vcpu).setXsave(region)));
    }

    /** KVM_TRANSLATE. */
    public IoctlResult translate(long linear) {
        return ioctl(Ioctl.TRANSLATE, () -> {
            OptionalLong gpa = new GuestTables(vcpu).gpa(linear);
            var details = new LinkedHashMap<String, Object>();
            details.put("physical_address", gpa.orElse(-1));
            details.put("valid", gpa.isPresent() ? 1L : 0L);
            details.put("writeable", 1L);
            details.put("usermode", 0L);
            return new IoctlResult.Ok(0, details);
        });
    }

    /** KVM_TPR_ACCESS_REPORTING. */
    public IoctlResult reportTprAccess(boolean enabled, long flags) {
        return ioctl(Ioctl.TPR_ACCESS_REPORTING, () -> {
            if (flags != 0) {
                return Check.TPR_FLAGS.refuse("vcpu_ioctl_tpr_access_reporting: flags must be 0");
            }
            vcpu.lapic().ifPresent(apic -> apic.reportTpr(enabled));
            return IoctlResult.done();
        });
    }

    /** KVM_SET_VAPIC_ADDR. */
    public IoctlResult setVapicAddr(long address) {
        return ioctl(
                Ioctl.SET_VAPIC_ADDR,
                () -> vcpu.lapic().isEmpty()
                        ? Check.VAPIC_NONE.refuse("kvm_arch_vcpu_ioctl: no local APIC in the kernel")
                        : address == 0
                                ? IoctlResult.done()
                                : IoctlResult.unsupported("a page to which KVM copies the task priority"));
    }

    /** KVM_KVMCLOCK_CTRL: no guest can switch the paravirtual clock on, as CPUID does not tell of it. */
    public IoctlResult kvmclockCtrl() {
        return ioctl(
                Ioctl.KVMCLOCK_CTRL,
                () -> Check.CLOCK_CTRL.refuse("kvm_set_guest_paused: the guest has not switched its clock on"));
    }

    /** KVM_GET_NESTED_STATE, or KVM_SET_NESTED_STATE. */
    public IoctlResult nestedState(boolean set) {
        return ioctl(
                set ? Ioctl.SET_NESTED_STATE : Ioctl.GET_NESTED_STATE,
                () -> Check.NESTED_STATE.refuse("kvm_arch_vcpu_ioctl: no nested virtualisation (nested=0)"));
    }

    /** KVM_X86_SET_MCE. */
    public IoctlResult setMce(long bank, long status, long addr, long misc, long mcgStatus) {
        return ioctl(Ioctl.X86_SET_MCE, () -> {
            boolean enabled = (vcpu.cpu().cr(4) & CR4_MCE) != 0;
            switch (vcpu.machineCheck().set(bank, status, addr, misc, mcgStatus, enabled)) {
                case REFUSED -> {
                    return Check.SET_MCE_BANK.refuse("kvm_vcpu_ioctl_x86_set_mce: no such bank, or without VAL");
                }
                case NOTHING -> {}
                case MACHINE_CHECK -> vcpu.cpu().inject(new Injection.GuestException(MACHINE_CHECK, 0));
                case TRIPLE_FAULT -> vcpu.events().raiseTripleFault();
            }
            return IoctlResult.done();
        });
    }

    /**
     * KVM_GET_CPUID2.
     *
     * @param nent room for entries
     */
    public IoctlResult getCpuid2(long nent) {
        return ioctl(Ioctl.GET_CPUID2, () -> {
            CpuidTable table = vcpu.hasCpuid()
                    ? vcpu.cpuidTable()
                            .orElseGet(() -> CpuidTable.supported(vcpu.cpu().model()))
                    : new CpuidTable(List.of());
            if (Long.compareUnsigned(nent, table.entries().size()) < 0) {
                return Check.CPUID_SMALL.refuse("kvm_vcpu_ioctl_get_cpuid2: there are %d entries"
                        .formatted(table.entries().size()));
            }
            var details = new LinkedHashMap<String, Object>();
            details.put("nent", (long) table.entries().size());
            details.put(
                    "entries",
                    table.entries().stream().map(CpuidTable.Entry::record).toList());
            return new IoctlResult.Ok(0, details);
        });
    }

    /** KVM_SET_CPUID2. */
    public IoctlResult setCpuid2(CpuidTable table) {
        return ioctl(Ioctl.SET_CPUID2, () -> vcpu.setCpuid2(table));
    }

    /** KVM_GET_MP_STATE; detail {@code value}. */
    public IoctlResult getMpState() {
        return ioctl(Ioctl.GET_MP_STATE, () -> IoctlResult.ok(vcpu.mpState().number()));
    }

    /** KVM_GET_MSRS; {@code count} is how many were read before the first that does not exist, {@code values} are theirs. */
    public IoctlResult getMsrs(List<Long> indexes) {
        return ioctl(Ioctl.GET_MSRS, () -> {
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
        return ioctl(Ioctl.SET_MSRS, () -> {
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
        return ioctl(Ioctl.INTERRUPT, () -> vcpu.events().interrupt(vector));
    }

    /** KVM_NMI. */
    public IoctlResult nmi() {
        return ioctl(Ioctl.NMI, () -> vcpu.events().nmi());
    }

    /** KVM_SET_MP_STATE. */
    public IoctlResult setMpState(long number) {
        return ioctl(Ioctl.SET_MP_STATE, () -> vcpu.events().setMpState(number));
    }

    /** KVM_GET_TSC_KHZ. */
    public IoctlResult getTscKhz() {
        return ioctl(Ioctl.GET_TSC_KHZ, () -> IoctlResult.ok(KHZ));
    }

    /**
     * KVM_SET_TSC_KHZ on a host that cannot scale the TSC (kvm_set_tsc_khz, set_tsc_khz).
     *
     * @param khz 0 is the host's own rate
     */
    public IoctlResult setTscKhz(long khz) {
        return ioctl(Ioctl.SET_TSC_KHZ, () -> checkTscKhz(khz));
    }

    private static IoctlResult checkTscKhz(long khz) {
        long low = KHZ - KHZ * TOLERANCE_PPM / 1_000_000;
        long high = KHZ + KHZ * TOLERANCE_PPM / 1_000_000;
        if (khz == 0 || khz >= low && khz <= high) {
            return IoctlResult.done();
        }
        return Long.compareUnsigned(khz, low) < 0
                ? Check.TSC_SLOWER.refuse("set_tsc_khz: slower than the host's %d kHz".formatted(KHZ))
                : IoctlResult.unsupported("a TSC that has to catch up with a rate above the host's");
    }

    /**
     * The checks of KVM_SET_CPUID2's table that need no vCPU.
     *
     * @param entries how many it has
     * @param linearBits EAX bits 15:8 of leaf 0x80000008
     * @return why it is refused, if it is
     */
    static Optional<IoctlResult> cpuidRefusal(long entries, long linearBits) {
        if (Long.compareUnsigned(entries, CpuidTable.MOST_ENTRIES) > 0) {
            return Optional.of(Check.SET_CPUID_ENTRIES.refuse("kvm_vcpu_ioctl_set_cpuid2: more than 256 entries"));
        }
        return linearBits == 48 || linearBits == 57 || linearBits == 0
                ? Optional.empty()
                : Optional.of(Check.SET_CPUID_WIDTH.refuse("kvm_check_cpuid: linear addresses have 48 or 57 bits"));
    }
}
