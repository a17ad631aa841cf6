package kvasir.kvm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kvasir.metal.cpu.CpuidModel;

/** ioctls of /dev/kvm (kvm_main.c, kvm_dev_ioctl; x86.c, kvm_arch_dev_ioctl). */
public final class SystemIoctls {
    /** KVM_X86_GRP_SEV. */
    private static final long SEV_GROUP = 1;

    /** SVM_SEV_FEAT_DEBUG_SWAP. */
    private static final long DEBUG_SWAP = 1L << 5;

    private static final long API_VERSION = 12;
    private static final long MCG_CTL_P = 1 << 8;
    private static final long MCG_SER_P = 1 << 24;
    private static final long MCG_CMCI_P = 1 << 10;
    private static final long MCG_LMCE_P = 1 << 27;

    private final Kvm kvm;

    /** The ioctls of one host. */
    public SystemIoctls(Kvm kvm) {
        this.kvm = kvm;
    }

    private CpuidModel model() {
        String name = kvm.host().npt() ? "EPYC-Milan" : "SapphireRapids";
        return CpuidModel.named(name).orElseThrow().withPhysicalBits(kvm.host().maxPhyAddr());
    }

    private IoctlResult answered(Ioctl which, IoctlResult result) {
        kvm.issued(which);
        return told(result);
    }

    private IoctlResult told(IoctlResult result) {
        if (kvm.events().listening() && result instanceof IoctlResult.Err err) {
            kvm.events().emit(new VmEvent.Refused("kvm", err.errno(), err.reason(), err.check()));
        }
        return result;
    }

    private static IoctlResult constant(long arg, long value) {
        return arg != 0 ? Check.SYSTEM_ARG.refuse("kvm_dev_ioctl: the argument must be 0") : IoctlResult.ok(value);
    }

    /** KVM_GET_API_VERSION. */
    public IoctlResult version(long arg) {
        return answered(Ioctl.GET_API_VERSION, constant(arg, API_VERSION));
    }

    /** KVM_GET_VCPU_MMAP_SIZE. */
    public IoctlResult mmapSize(long arg) {
        return answered(Ioctl.GET_VCPU_MMAP_SIZE, constant(arg, KvmRun.MMAP_BYTES));
    }

    /** KVM_CHECK_EXTENSION. */
    public long checkExtension(int cap) {
        kvm.issued(Ioctl.CHECK_EXTENSION);
        return Cap.onSystem(kvm, cap);
    }

    /**
     * KVM_GET_MSR_INDEX_LIST, or KVM_GET_MSR_FEATURE_INDEX_LIST.
     *
     * @param room entries that the caller's list has room for
     * @param features whether registers are wanted that tell features
     */
    public IoctlResult msrs(long room, boolean features) {
        List<Long> indices = MsrTable.rows().stream()
                .filter(row -> row.in(model()))
                .filter(row -> features == tellsFeatures(row.index()))
                .map(row -> Integer.toUnsignedLong(row.index()))
                .toList();
        var details = new LinkedHashMap<String, Object>();
        details.put("nmsrs", (long) indices.size());
        Ioctl which = features ? Ioctl.GET_MSR_FEATURE_INDEX_LIST : Ioctl.GET_MSR_INDEX_LIST;
        if (Long.compareUnsigned(room, indices.size()) < 0) {
            String reason = "kvm_arch_dev_ioctl: there are %d registers".formatted(indices.size());
            return answered(which, Check.MSR_LIST_SMALL.refuse(reason, details));
        }
        details.put("indices", indices);
        return answered(which, new IoctlResult.Ok(0, details));
    }

    /** Bit fields that tell what the processor can do: IA32_ARCH_CAPABILITIES, PLATFORM_INFO, UCODE_REV, DE_CFG ... */
    private static boolean tellsFeatures(int index) {
        return index == 0x8b || index == 0x10a || index == 0xcd || index == 0x345 || index == 0xc001_1029;
    }

    /**
     * KVM_GET_SUPPORTED_CPUID, or KVM_GET_EMULATED_CPUID, which has nothing to tell.
     *
     * @param room entries that the caller's table has room for; more than 256 count as 256
     */
    public IoctlResult cpuid(long room, boolean emulated) {
        Ioctl which = emulated ? Ioctl.GET_EMULATED_CPUID : Ioctl.GET_SUPPORTED_CPUID;
        var table = emulated ? new CpuidTable(List.of()) : CpuidTable.supported(model());
        if (room == 0 || Long.compareUnsigned(room, table.entries().size()) < 0) {
            return answered(
                    which,
                    Check.SUPPORTED_CPUID_SMALL.refuse("kvm_dev_ioctl_get_cpuid: there are %d entries"
                            .formatted(table.entries().size())));
        }
        var details = new LinkedHashMap<String, Object>();
        details.put("nent", (long) table.entries().size());
        details.put(
                "entries",
                table.entries().stream().map(CpuidTable.Entry::record).toList());
        return answered(which, new IoctlResult.Ok(0, details));
    }

    /** KVM_X86_GET_MCE_CAP_SUPPORTED. */
    public IoctlResult mceCap() {
        long vendor = kvm.host().npt() ? 0 : MCG_CMCI_P | MCG_LMCE_P;
        return answered(Ioctl.X86_GET_MCE_CAP_SUPPORTED, IoctlResult.ok(MCG_CTL_P | MCG_SER_P | vendor));
    }

    /**
     * KVM_GET_DEVICE_ATTR, or KVM_HAS_DEVICE_ATTR, of the XCR0 that KVM supports, or on an AMD host of the vmsa_features
     * (KVM_X86_GRP_SEV, KVM_X86_SEV_VMSA_FEATURES; sev.c, sev_dev_get_attr).
     *
     * @param get whether the value is wanted
     */
    public IoctlResult attribute(long group, long attribute, boolean get) {
        Ioctl which = get ? Ioctl.SYSTEM_GET_DEVICE_ATTR : Ioctl.SYSTEM_HAS_DEVICE_ATTR;
        if (group == SEV_GROUP && attribute == 0 && kvm.host().npt()) {
            long features = kvm.host().cBit() != 0 ? DEBUG_SWAP : 0;
            return answered(which, get ? new IoctlResult.Ok(0, Map.of("value", features)) : IoctlResult.done());
        }
        if (group != 0 || attribute != 0) {
            return answered(which, Check.DEVICE_ATTR.refuse("kvm_x86_dev_get_attr: no such attribute"));
        }
        return answered(which, get ? new IoctlResult.Ok(0, Map.of("value", model().xcr0Mask())) : IoctlResult.done());
    }

    /** An ioctl by its number, of which there is no verb. */
    public IoctlResult other(long request) {
        return told(Kvm.other(Ioctl.Fd.SYSTEM, request, kvm::issued));
    }
}
