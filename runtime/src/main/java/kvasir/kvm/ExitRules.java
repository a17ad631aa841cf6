package kvasir.kvm;

import java.util.Optional;

/** What a VM's user space has asked by KVM_ENABLE_CAP to be told of (x86.c, kvm_vm_ioctl_enable_cap). */
public final class ExitRules {
    private static final long HC_MAP_GPA_RANGE = 1L << 12;
    private static final long MSR_REASONS = 7;
    private static final long BUS_LOCK_OFF = 1;
    private static final long BUS_LOCK_EXIT = 1 << 1;
    private static final long NOTIFY_ENABLED = 1;
    private static final long NOTIFY_USER = 1 << 1;

    private final Vm vm;
    private long hypercalls;
    private long msrReasons;
    private boolean busLocks;
    private boolean notifyWindow;
    private boolean notifyUser;
    private boolean exceptionPayload;
    private boolean tripleFaultEvent;
    private boolean emulationFailures;
    private MsrFilter msrFilter = MsrFilter.OPEN;

    ExitRules(Vm vm) {
        this.vm = vm;
    }

    /** KVM_ENABLE_CAP; empty if the capability is not one of these. */
    Optional<IoctlResult> enable(int cap, long arg) {
        return switch (cap) {
            case Cap.EXIT_HYPERCALL -> Optional.of(hypercalls(arg));
            case Cap.X86_USER_SPACE_MSR -> Optional.of(msrs(arg));
            case Cap.X86_BUS_LOCK_EXIT -> Optional.of(busLocks(arg));
            case Cap.X86_NOTIFY_VMEXIT -> Optional.of(notifyWindow(arg));
            case Cap.EXCEPTION_PAYLOAD -> {
                exceptionPayload = arg != 0;
                yield Optional.of(IoctlResult.done());
            }
            case Cap.EXIT_ON_EMULATION_FAILURE -> {
                if ((arg & ~1) != 0) {
                    yield Optional.of(
                            Check.CAP_EMULATION.refuse("KVM_CAP_EXIT_ON_EMULATION_FAILURE: args[0] is 0 or 1"));
                }
                emulationFailures = arg != 0;
                yield Optional.of(IoctlResult.done());
            }
            case Cap.X86_TRIPLE_FAULT_EVENT -> {
                tripleFaultEvent = arg != 0;
                yield Optional.of(IoctlResult.done());
            }
            default -> Optional.empty();
        };
    }

    private IoctlResult hypercalls(long arg) {
        if ((arg & ~HC_MAP_GPA_RANGE) != 0) {
            return Check.CAP_HYPERCALL.refuse("KVM_CAP_EXIT_HYPERCALL: only bit 12 is valid");
        }
        hypercalls = arg;
        return IoctlResult.done();
    }

    private IoctlResult msrs(long arg) {
        if ((arg & ~MSR_REASONS) != 0) {
            return Check.CAP_MSR.refuse("KVM_CAP_X86_USER_SPACE_MSR: reasons are 1, 2 and 4");
        }
        msrReasons = arg;
        return IoctlResult.done();
    }

    private IoctlResult busLocks(long arg) {
        if ((arg & ~(BUS_LOCK_OFF | BUS_LOCK_EXIT)) != 0) {
            return Check.CAP_BUS_LOCK.refuse("KVM_CAP_X86_BUS_LOCK_EXIT: modes are 1 OFF and 2 EXIT");
        }
        if (arg == (BUS_LOCK_OFF | BUS_LOCK_EXIT)) {
            return Check.CAP_BUS_LOCK_BOTH.refuse("KVM_CAP_X86_BUS_LOCK_EXIT: OFF and EXIT at once");
        }
        if ((arg & BUS_LOCK_EXIT) != 0 && !vm.kvm().host().npt()) {
            busLocks = true;
        }
        return IoctlResult.done();
    }

    private IoctlResult notifyWindow(long arg) {
        if ((arg & 0xffff_ffffL & ~(NOTIFY_ENABLED | NOTIFY_USER)) != 0
                || vm.kvm().host().npt()) {
            return Check.CAP_NOTIFY_FLAGS.refuse(
                    "KVM_CAP_X86_NOTIFY_VMEXIT: flags are 1 ENABLED and 2 USER, on an Intel host");
        }
        if ((arg & NOTIFY_ENABLED) == 0) {
            return Check.CAP_NOTIFY_OFF.refuse("KVM_CAP_X86_NOTIFY_VMEXIT: without ENABLED");
        }
        if (!vm.vcpus().isEmpty()) {
            return Check.CAP_NOTIFY_VCPU.refuse("KVM_CAP_X86_NOTIFY_VMEXIT: a vCPU exists");
        }
        notifyWindow = true;
        notifyUser = (arg & NOTIFY_USER) != 0;
        return IoctlResult.done();
    }

    /** KVM_CAP_EXIT_HYPERCALL was enabled for KVM_HC_MAP_GPA_RANGE. */
    boolean mapGpaRange() {
        return hypercalls != 0;
    }

    /** KVM_CAP_X86_USER_SPACE_MSR: which refused MSR accesses exit, 1 invalid, 2 unknown, 4 filtered. */
    long msrReasons() {
        return msrReasons;
    }

    /** KVM_CAP_X86_BUS_LOCK_EXIT; it counts for vCPUs created later. */
    boolean busLocks() {
        return busLocks;
    }

    /** KVM_CAP_X86_NOTIFY_VMEXIT. */
    boolean notifyWindow() {
        return notifyWindow;
    }

    /** KVM_X86_NOTIFY_VMEXIT_USER: every such exit goes to user space, not only those that cost the guest its state. */
    boolean notifyUser() {
        return notifyUser;
    }

    /** KVM_CAP_EXCEPTION_PAYLOAD. */
    boolean exceptionPayload() {
        return exceptionPayload;
    }

    /** KVM_CAP_X86_TRIPLE_FAULT_EVENT. */
    boolean tripleFaultEvent() {
        return tripleFaultEvent;
    }

    /** KVM_CAP_EXIT_ON_EMULATION_FAILURE. */
    boolean emulationFailures() {
        return emulationFailures;
    }

    /** What KVM_X86_SET_MSR_FILTER set last. */
    public MsrFilter msrFilter() {
        return msrFilter;
    }

    void setMsrFilter(MsrFilter filter) {
        msrFilter = filter;
    }

    long fingerprint() {
        return hypercalls;
    }

    Runnable checkpoint() {
        long savedHypercalls = hypercalls;
        long savedReasons = msrReasons;
        boolean savedLocks = busLocks;
        boolean savedWindow = notifyWindow;
        boolean savedUser = notifyUser;
        boolean savedPayload = exceptionPayload;
        boolean savedTriple = tripleFaultEvent;
        boolean savedEmulation = emulationFailures;
        MsrFilter savedFilter = msrFilter;
        return () -> {
            hypercalls = savedHypercalls;
            msrReasons = savedReasons;
            busLocks = savedLocks;
            notifyWindow = savedWindow;
            notifyUser = savedUser;
            exceptionPayload = savedPayload;
            tripleFaultEvent = savedTriple;
            emulationFailures = savedEmulation;
            msrFilter = savedFilter;
        };
    }
}
