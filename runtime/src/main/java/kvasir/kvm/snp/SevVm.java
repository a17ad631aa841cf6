package kvasir.kvm.snp;

import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.function.Supplier;
import kvasir.kvm.Errno;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.RunResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.VendorOps;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.metal.snp.psp.SevLaunch;
import kvasir.registry.Bytes;

/**
 * A plain SEV or SEV-ES VM as KVM holds it: the commands of its launch and the launch digest that follows from them
 * (sev.c, sev_launch_start to sev_launch_finish). Its memory is not encrypted and it does not run here.
 */
public final class SevVm implements VendorOps {
    private static final long FEATURE_DEBUG_SWAP = 1L << 5;
    private static final int GHCB_VERSION_MAX = 2;

    private final Vm vm;
    private Optional<SevLaunch> launch = Optional.empty();
    private Optional<Bytes> digest = Optional.empty();
    private State state = State.UNINITIALIZED;
    private boolean initialised;

    /** The guest's state in the firmware (SEV ABI, GSTATE). */
    public enum State {
        UNINITIALIZED,
        LAUNCH,
        SECRET,
        RUNNING
    }

    /** The vendor part of a VM of type SEV or SEV-ES; the caller attaches it. */
    public SevVm(Vm vm) {
        this.vm = vm;
    }

    public Vm vm() {
        return vm;
    }

    public State state() {
        return state;
    }

    /** GCTX.LD, 32 bytes; empty before LAUNCH_MEASURE. */
    public Optional<Bytes> digest() {
        return digest;
    }

    /**
     * KVM_SEV_INIT2 (sev_guest_init2).
     *
     * @param vmsaFeatures for SEV-ES DebugSwap (0x20) or 0
     * @param flags must be 0
     * @param version of the GHCB protocol, of SEV-ES only
     */
    public IoctlResult init2(long vmsaFeatures, int flags, int version) {
        Optional<IoctlResult> fault = entry();
        if (fault.isPresent()) {
            return fault.get();
        }
        boolean es = vm.type() == VmType.SEV_ES;
        if (initialised) {
            return IoctlResult.err(Errno.EINVAL, "sev_guest_init2: the VM is initialised");
        }
        if (vm.copyFaults()) {
            return IoctlResult.err(Errno.EFAULT, "sev_guest_init2: the command's struct cannot be read");
        }
        boolean legal = vm.vcpus().isEmpty()
                && flags == 0
                && (vmsaFeatures & ~(es ? FEATURE_DEBUG_SWAP : 0)) == 0
                && Integer.compareUnsigned(version, es ? GHCB_VERSION_MAX : 0) <= 0;
        initialised = legal;
        return legal
                ? IoctlResult.done()
                : IoctlResult.err(Errno.EINVAL, "sev_guest_init2: vCPUs, flags, vmsa_features or ghcb_version");
    }

    /** A command that no other method is: those of SNP, those that are not modelled, and what is none. */
    public IoctlResult otherCommand(long id) {
        return entry().orElseGet(() -> SevCommand.of(id)
                .map(command -> switch (command) {
                    case INIT, ES_INIT -> IoctlResult.err(Errno.EINVAL, "sev_guest_init: not a VM of the default type");
                    case SNP_LAUNCH_UPDATE -> IoctlResult.err(Errno.EINVAL, "snp_launch_update: not an SNP VM");
                    case SNP_LAUNCH_START, SNP_LAUNCH_FINISH ->
                        IoctlResult.err(Errno.ENOTTY, "KVM_SEV_" + command + ": not an SNP VM");
                    default ->
                        IoctlResult.unsupported(
                                "KVM_SEV_" + command + ": only launch and digest of plain SEV are modelled");
                })
                .orElseGet(() -> SevCommand.unknown(id)));
    }

    /** sev_mem_enc_ioctl: what every command meets first. */
    private Optional<IoctlResult> entry() {
        if (vm.dead()) {
            return Optional.of(IoctlResult.err(Errno.EIO, "kvm_vm_ioctl: the VM is dead"));
        }
        return vm.copyFaults()
                ? Optional.of(IoctlResult.err(Errno.EFAULT, "sev_mem_enc_ioctl: struct kvm_sev_cmd cannot be read"))
                : Optional.empty();
    }

    private IoctlResult command(String name, State wanted, Supplier<FirmwareStatus> body) {
        Optional<IoctlResult> fault = entry();
        if (fault.isPresent()) {
            return fault.get();
        }
        if (!initialised) {
            return IoctlResult.err(Errno.ENOTTY, name + ": KVM_SEV_INIT2 was not done");
        }
        FirmwareStatus status = state == wanted ? body.get() : FirmwareStatus.INVALID_GUEST_STATE;
        if (status == FirmwareStatus.SUCCESS) {
            return IoctlResult.done();
        }
        var details = new LinkedHashMap<String, Object>();
        details.put("fw_error", (long) status.code());
        details.put("fw_status", status.name());
        return new IoctlResult.Err(Errno.EIO, name + ": firmware returned " + status, details);
    }

    /** KVM_SEV_LAUNCH_START. */
    public IoctlResult launchStart() {
        return command("sev_launch_start", State.UNINITIALIZED, () -> {
            launch = Optional.of(new SevLaunch());
            state = State.LAUNCH;
            return FirmwareStatus.SUCCESS;
        });
    }

    /** KVM_SEV_LAUNCH_UPDATE_DATA of user memory. */
    public IoctlResult launchUpdateData(long uaddr, long bytes) {
        if (bytes <= 0 || bytes > Integer.MAX_VALUE) {
            return IoctlResult.err(Errno.EINVAL, "sev_launch_update_data: len");
        }
        var content = new byte[(int) bytes];
        if (!vm.mm().read(uaddr, content, 0, content.length)) {
            return IoctlResult.err(Errno.EFAULT, "sev_pin_memory: the source cannot be read");
        }
        return command(
                "sev_launch_update_data",
                State.LAUNCH,
                () -> launch.orElseThrow().updateData(Bytes.of(content)));
    }

    /** KVM_SEV_LAUNCH_UPDATE_VMSA: each vCPU in order. */
    public IoctlResult launchUpdateVmsa() {
        if (vm.type() != VmType.SEV_ES) {
            return IoctlResult.err(Errno.ENOTTY, "sev_launch_update_vmsa: not a SEV-ES VM");
        }
        return command("sev_launch_update_vmsa", State.LAUNCH, () -> {
            for (Vcpu vcpu : vm.vcpus()) {
                launch.orElseThrow().updateVmsa(VmsaSync.build(vcpu.cpu(), 0));
            }
            return FirmwareStatus.SUCCESS;
        });
    }

    /** KVM_SEV_LAUNCH_MEASURE: nothing is added from now on. */
    public IoctlResult launchMeasure() {
        return command("sev_launch_measure", State.LAUNCH, () -> {
            digest = Optional.of(launch.orElseThrow().finish());
            state = State.SECRET;
            return FirmwareStatus.SUCCESS;
        });
    }

    /** KVM_SEV_LAUNCH_FINISH. */
    public IoctlResult launchFinish() {
        return command("sev_launch_finish", State.SECRET, () -> {
            state = State.RUNNING;
            return FirmwareStatus.SUCCESS;
        });
    }

    @Override
    public Optional<RunResult> run(Vcpu vcpu, long budget) {
        return Optional.of(
                state == State.RUNNING
                        ? new RunResult.Unsupported(
                                "running a guest of plain SEV or SEV-ES: only its launch is modelled; `snp` guests run")
                        : new RunResult.Refused(Errno.EINVAL, "svm_vcpu_pre_run: the guest is not launched"));
    }

    @Override
    public Runnable checkpoint() {
        Optional<SevLaunch> savedLaunch = launch.map(SevLaunch::copy);
        Optional<Bytes> savedDigest = digest;
        State savedState = state;
        boolean savedInitialised = initialised;
        return () -> {
            initialised = savedInitialised;
            launch = savedLaunch.map(SevLaunch::copy);
            digest = savedDigest;
            state = savedState;
        };
    }
}
