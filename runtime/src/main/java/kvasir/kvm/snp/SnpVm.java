package kvasir.kvm.snp;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import kvasir.kvm.Errno;
import kvasir.kvm.GfnRange;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Memslot;
import kvasir.kvm.RunResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.VendorOps;
import kvasir.kvm.Vm;
import kvasir.kvm.mm.HostPages;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.ReturnCode;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.RmpUpdate;
import kvasir.metal.snp.RmpVerdict;
import kvasir.metal.snp.SnpProcessor;
import kvasir.metal.snp.psp.CommandBuffer;
import kvasir.metal.snp.psp.FirmwareCommand;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.registry.Bytes;

/** One SNP VM as KVM holds it (struct kvm_sev_info): its KVM_SEV_* commands and the hooks of its memory. */
public final class SnpVm implements VendorOps {
    private static final long POLICY_SMT = 1L << 16;
    private static final long POLICY_MUST_BE_ONE = 1L << 17;
    private static final long POLICY_DEBUG = 1L << 19;
    private static final long POLICY_SINGLE_SOCKET = 1L << 20;
    private static final long POLICY_MASK =
            0xffff | POLICY_SMT | POLICY_MUST_BE_ONE | POLICY_DEBUG | POLICY_SINGLE_SOCKET;
    private static final long FEATURE_SNP = 1;
    private static final long FEATURE_DEBUG_SWAP = 1L << 5;
    private static final int GHCB_VERSION_MAX = 2;
    private static final long DR7_DEFAULT = 0x400;
    /** SW_EXITINFO2 of a guest request whose pages the host could not access. */
    static final long VMM_ERROR_GENERIC = -1L << 32;

    private final Vm vm;
    private final SnpHost host;
    private Optional<SnpGuest> guest = Optional.empty();
    private long features;
    private int ghcbVersion;
    private boolean mmioIgnoresCBit;
    private int protectedVcpus;
    private long psmashes;
    private TreeMap<Integer, SnpRun> runs = new TreeMap<>();

    /** The vendor part of a VM of type SNP; the caller attaches it. */
    public SnpVm(Vm vm, SnpHost host) {
        this.vm = vm;
        this.host = host;
    }

    public Vm vm() {
        return vm;
    }

    /** The host's SNP. */
    public SnpHost host() {
        return host;
    }

    /** SEV_FEATURES of its VMSAs; 0 before KVM_SEV_INIT2. */
    public long features() {
        return features;
    }

    /** The GHCB protocol version it offers, from KVM_SEV_INIT2. */
    public int ghcbVersion() {
        return ghcbVersion;
    }

    /**
     * Lets a private access to a gpa without memory be MMIO, as the host patches for SNP did before they were merged;
     * KVM since 6.11 tells user space of a memory fault. Firmware before edk2-stable202405 needs it for the local APIC.
     */
    public void letMmioIgnoreCBit() {
        mmioIgnoresCBit = true;
    }

    /** Whether an access to {@code gpa} with C=1 is to private memory. */
    boolean privateAccess(long gpa) {
        return !mmioIgnoresCBit || vm.memslots(0).lookup(gpa >>> 12).exists();
    }

    /** 0 before KVM_SEV_INIT2 and after the end. */
    public int asid() {
        return guest.map(SnpGuest::asid).orElse(0);
    }

    /** PSMASH instructions executed for nested faults. */
    public long psmashes() {
        return psmashes;
    }

    /** The guest behind the commands; only after KVM_SEV_INIT2. */
    public SnpGuest guest() {
        return guest.orElseThrow(() -> new IllegalStateException("KVM_SEV_INIT2 was not done"));
    }

    /** UNINITIALIZED, INITIALIZED (ASID), STARTED (context), LAUNCHED. */
    public String state() {
        if (guest.isEmpty()) {
            return "UNINITIALIZED";
        }
        if (guest.get().launched()) {
            return "LAUNCHED";
        }
        return guest.get().context() == 0 ? "INITIALIZED" : "STARTED";
    }

    /** sev_mem_enc_ioctl: what every command meets before its own checks. */
    private IoctlResult command(long id, Supplier<IoctlResult> body) {
        if (vm.dead()) {
            return IoctlResult.err(Errno.EIO, "kvm_vm_ioctl: the VM is dead");
        }
        if (vm.copyFaults()) {
            return IoctlResult.err(Errno.EFAULT, "sev_mem_enc_ioctl: struct kvm_sev_cmd cannot be read");
        }
        vm.kvmLock().lock();
        try {
            return guest.isPresent() && id < SevCommand.SNP_LAUNCH_START.id()
                    ? IoctlResult.err(Errno.EPERM, "sev_mem_enc_ioctl: an SNP VM takes SNP commands only")
                    : body.get();
        } finally {
            vm.kvmLock().unlock();
        }
    }

    private static IoctlResult unreadable(String function) {
        return IoctlResult.err(Errno.EFAULT, function + ": the command's struct cannot be read");
    }

    private static IoctlResult firmwareError(Errno errno, String reason, FirmwareStatus status) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("fw_error", (long) status.code());
        details.put("fw_status", status.name());
        return new IoctlResult.Err(errno, reason, details);
    }

    /**
     * KVM_SEV_INIT2 (sev_guest_init2).
     *
     * @param vmsaFeatures DebugSwap (0x20) or 0; bit 0 is KVM's own
     * @param flags must be 0
     * @param version of the GHCB protocol, 0 for KVM's default
     */
    public IoctlResult init2(long vmsaFeatures, int flags, int version) {
        return command(SevCommand.INIT2.id(), () -> {
            if (vm.copyFaults()) {
                return unreadable("sev_guest_init2");
            }
            if (!vm.vcpus().isEmpty()) {
                return IoctlResult.err(Errno.EINVAL, "sev_guest_init2: there are vCPUs");
            }
            if (flags != 0) {
                return IoctlResult.err(Errno.EINVAL, "sev_guest_init2: flags");
            }
            if ((vmsaFeatures & ~FEATURE_DEBUG_SWAP) != 0) {
                return IoctlResult.err(Errno.EINVAL, "sev_guest_init2: vmsa_features that KVM does not support");
            }
            boolean tooOld = version == 1 && vm.kvm().version().atLeast(6, 18);
            if (Integer.compareUnsigned(version, GHCB_VERSION_MAX) > 0 || tooOld) {
                return IoctlResult.err(Errno.EINVAL, "sev_guest_init2: ghcb_version");
            }
            int asid = host.allocateAsid();
            if (asid == 0) {
                return host.asids() == 0
                        ? IoctlResult.err(Errno.ENOTTY, "sev_asid_new: the platform has no ASID for SNP")
                        : IoctlResult.err(Errno.EBUSY, "sev_asid_new: no ASID is free");
            }
            FirmwareStatus status = host.initialise();
            if (status != FirmwareStatus.SUCCESS) {
                host.freeAsid(asid);
                return firmwareError(Errno.EIO, "sev_platform_init: " + status, status);
            }
            features = vmsaFeatures | FEATURE_SNP;
            ghcbVersion = version == 0 ? GHCB_VERSION_MAX : version;
            guest = Optional.of(new SnpGuest(host, asid));
            return IoctlResult.done();
        });
    }

    /** A command of plain SEV, or none at all (sev_mem_enc_ioctl). */
    public IoctlResult otherCommand(long id) {
        return command(
                id,
                () -> SevCommand.of(id)
                        .map(command -> command.initialises()
                                ? IoctlResult.err(Errno.EINVAL, "sev_guest_init: not a VM of the default type")
                                : IoctlResult.err(Errno.ENOTTY, "KVM_SEV_" + command + ": the VM is not initialised"))
                        .orElseGet(() -> SevCommand.unknown(id)));
    }

    /**
     * KVM_SEV_SNP_LAUNCH_START (snp_launch_start): GCTX_CREATE, LAUNCH_START, ACTIVATE.
     *
     * @param gosvw 16 bytes
     * @param flags must be 0
     */
    public IoctlResult launchStart(long policy, Bytes gosvw, int flags) {
        return command(SevCommand.SNP_LAUNCH_START.id(), () -> {
            if (guest.isEmpty()) {
                return IoctlResult.err(Errno.ENOTTY, "snp_launch_start: not an initialised SNP VM");
            }
            if (vm.copyFaults()) {
                return unreadable("snp_launch_start");
            }
            if (guest.get().context() != 0) {
                return IoctlResult.err(Errno.EINVAL, "snp_launch_start: there is a context already");
            }
            if (flags != 0) {
                return IoctlResult.err(Errno.EINVAL, "snp_launch_start: flags");
            }
            if ((policy & ~POLICY_MASK) != 0 || (policy & POLICY_MUST_BE_ONE) == 0) {
                return IoctlResult.err(
                        Errno.EINVAL, "snp_launch_start: policy 0x%x has unknown bits or not bit 17".formatted(policy));
            }
            if (guest.get().createContext() != FirmwareStatus.SUCCESS) {
                return IoctlResult.err(Errno.ENOTTY, "snp_context_create failed");
            }
            FirmwareStatus status = guest.get().start(policy, gosvw);
            return status == FirmwareStatus.SUCCESS
                    ? IoctlResult.done()
                    : firmwareError(Errno.EIO, "snp_launch_start: firmware returned " + status, status);
        });
    }

    /** KVM_SEV_SNP_LAUNCH_UPDATE; what is left is in the details. */
    public IoctlResult launchUpdate(LaunchUpdate params) {
        return command(SevCommand.SNP_LAUNCH_UPDATE.id(), () -> {
            if (guest.isEmpty() || guest.get().context() == 0) {
                return IoctlResult.err(Errno.EINVAL, "snp_launch_update: there is no context");
            }
            return vm.copyFaults() ? unreadable("snp_launch_update") : new LaunchUpdateCommand(this, params).run();
        });
    }

    /** KVM_SEV_SNP_LAUNCH_FINISH (snp_launch_finish): a VMSA for each vCPU, then the firmware's command. */
    public IoctlResult launchFinish(LaunchFinish params) {
        return command(SevCommand.SNP_LAUNCH_FINISH.id(), () -> {
            if (guest.isEmpty()) {
                return IoctlResult.err(Errno.ENOTTY, "snp_launch_finish: not an initialised SNP VM");
            }
            if (guest.get().context() == 0) {
                return IoctlResult.err(Errno.EINVAL, "snp_launch_finish: there is no context");
            }
            if (vm.copyFaults()) {
                return unreadable("snp_launch_finish");
            }
            if (params.flags() != 0) {
                return IoctlResult.err(Errno.EINVAL, "snp_launch_finish: flags");
            }
            Optional<IoctlResult> refused = addVmsas();
            if (refused.isPresent()) {
                return refused.get();
            }
            if (params.idBlock().isPresent() && vm.copyFaults()) {
                return IoctlResult.err(Errno.EFAULT, "psp_copy_user_blob: the ID block cannot be read");
            }
            FirmwareStatus status = guest.get()
                    .finish(
                            params.idBlock(),
                            params.idAuthentication(),
                            params.authorKey(),
                            params.vcekDisabled(),
                            params.hostData());
            if (status != FirmwareStatus.SUCCESS) {
                return firmwareError(Errno.EIO, "snp_launch_finish: firmware returned " + status, status);
            }
            vm.allowPreFault();
            return IoctlResult.done();
        });
    }

    /**
     * snp_launch_update_vmsa. A second LAUNCH_FINISH meets vCPUs whose state is encrypted already: kernels before 7.1
     * measure them again.
     */
    private Optional<IoctlResult> addVmsas() {
        if (!locksVcpus()) {
            return syncVmsas(false);
        }
        if (vm.vcpuCreationInProgress()) {
            return Optional.of(IoctlResult.err(Errno.EBUSY, "snp_launch_update_vmsa: a vCPU is being created"));
        }
        List<Vcpu> vcpus = vm.vcpus();
        vcpus.forEach(vcpu -> vcpu.mutex().lock());
        try {
            return syncVmsas(true);
        } finally {
            vcpus.reversed().forEach(vcpu -> vcpu.mutex().unlock());
        }
    }

    /** 7.1: every vCPU is locked while its registers become a VMSA, and no vCPU is being created. */
    private boolean locksVcpus() {
        return vm.kvm().version().atLeast(7, 1);
    }

    private Optional<IoctlResult> syncVmsas(boolean fixed) {
        for (int i = 0; i < vm.vcpus().size(); i++) {
            Vcpu vcpu = vm.vcpus().get(i);
            if (fixed && stateProtected(vcpu)) {
                return Optional.of(IoctlResult.err(
                        Errno.EINVAL, "sev_es_sync_vmsa: vCPU %d is protected already".formatted(vcpu.id())));
            }
            vcpu.goesByRegisters();
            if (vcpu.cpu().dr(7) != DR7_DEFAULT) {
                return Optional.of(
                        IoctlResult.err(Errno.EINVAL, "sev_es_sync_vmsa: vCPU %d uses DR7".formatted(vcpu.id())));
            }
            SnpGuest.Added added = guest().addVmsa(VmsaSync.build(vcpu.cpu(), features));
            if (added.result() != SnpGuest.PageResult.ADDED) {
                return Optional.of(firmwareError(
                        Errno.EIO,
                        "snp_launch_update_vmsa: vCPU %d, firmware returned %s".formatted(vcpu.id(), added.status()),
                        added.status()));
            }
            protectedVcpus = Math.max(protectedVcpus, i + 1);
            runs.put(vcpu.id(), new SnpRun(this, vcpu, guest().vmsaPages().getLast()));
        }
        return Optional.empty();
    }

    /** The running part of a vCPU, by its id; empty before LAUNCH_FINISH. */
    Optional<SnpRun> runOf(int id) {
        return Optional.ofNullable(runs.get(id));
    }

    /** The vCPU's SNP as its processor has it: VMPL, GHCB MSR; empty before LAUNCH_FINISH. */
    public Optional<SnpProcessor> processor(int id) {
        return runOf(id).map(SnpRun::processor);
    }

    /** Host address of the VMSA that a vCPU runs on; -1 if the guest took it away, 0 before LAUNCH_FINISH. */
    public long vmsaOf(int id) {
        return runOf(id).map(SnpRun::vmsa).orElse(0L);
    }

    /** EXITINFO2 of a vCPU's last nested page fault: its gpa; 0 before the first. */
    public long faultGpaOf(int id) {
        return runOf(id).map(SnpRun::faultGpa).orElse(0L);
    }

    /** EXITINFO1 of a vCPU's last nested page fault: its error code (bits of {@link RmpVerdict}); 0 before the first. */
    public long faultInfoOf(int id) {
        return runOf(id).map(SnpRun::faultInfo).orElse(0L);
    }

    /** GPA of the GHCB that a vCPU registered; -1 before. */
    public long ghcbOf(int id) {
        return runOf(id).map(SnpRun::registeredGhcb).orElse(-1L);
    }

    /** EAX, EBX, ECX, EDX as KVM answers a vCPU of this guest. */
    public int[] cpuid(Vcpu vcpu, int leaf, int subleaf) {
        return SnpCpuid.values(vcpu.cpu(), leaf, subleaf);
    }

    /** INIT of a vCPU: a VMSA that AP creation left waiting for it is used from now on. */
    public void init(int id) {
        runOf(id).ifPresent(SnpRun::reset);
    }

    /** vCPUs whose registers are encrypted (guest_state_protected). */
    public int protectedVcpus() {
        return protectedVcpus;
    }

    /** The VM ends: firmware's context and the VMSA pages go, the ASID waits for a flush (sev_vm_destroy). */
    public void destroy() {
        guest.ifPresent(g -> {
            if (g.destroy() == FirmwareStatus.SUCCESS) {
                host.freeAsid(g.asid());
            }
        });
        guest = Optional.empty();
        runs.clear();
    }

    /**
     * NAE event 0x80000011 (snp_handle_guest_req): the guest's request page is copied into the host, given to firmware,
     * and the answer copied back.
     *
     * @param request gpa of a shared page
     * @param response gpa of another shared page
     * @return SW_EXITINFO2: a VMM error in the upper half, the firmware's status in the lower; -1 for addresses that are
     *     not two different pages, which the guest gets as malformed input
     */
    public long guestRequest(long request, long response) {
        if (((request | response) & 4095) != 0 || request == response) {
            return -1;
        }
        var page = new byte[4096];
        if (!userAccess(request, page, false)) {
            return VMM_ERROR_GENERIC;
        }
        long input = host.pages().allocate(HostPages.Use.UNMOVABLE) << 12;
        long output = host.allocateFirmwarePage();
        host.memory().write(input, page, 0, page.length);
        FirmwareStatus status = host.command(
                FirmwareCommand.SNP_GUEST_REQUEST, CommandBuffer.guestRequest(guest().context(), input, output));
        host.memory().read(output, page, 0, page.length);
        host.freeFirmwarePage(output);
        host.pages().free(input >>> 12, 1, HostPages.Use.UNMOVABLE);
        return userAccess(response, page, true) ? status.code() : VMM_ERROR_GENERIC;
    }

    /** kvm_read_guest, kvm_write_guest of one page. */
    private boolean userAccess(long gpa, byte[] page, boolean write) {
        Memslot slot = vm.memslots(0).lookup(gpa >>> 12);
        if (!slot.exists()) {
            return false;
        }
        long hva = slot.hva(gpa >>> 12);
        return write ? vm.mm().write(hva, page, 0, page.length) : vm.mm().read(hva, page, 0, page.length);
    }

    @Override
    public boolean stateProtected(Vcpu vcpu) {
        return runs.containsKey(vcpu.id());
    }

    @Override
    public void vcpuReset(Vcpu vcpu) {
        runOf(vcpu.id()).ifPresentOrElse(SnpRun::reset, () -> vcpu.cpu().init());
    }

    @Override
    public void vcpuDeliverSipiVector(Vcpu vcpu, int vector) {
        runOf(vcpu.id()).ifPresentOrElse(SnpRun::deliverSipi, () -> vcpu.cpu().startup(vector));
    }

    @Override
    public Optional<RunResult> run(Vcpu vcpu, long budget) {
        Optional<SnpRun> run = state().equals("LAUNCHED") ? runOf(vcpu.id()) : Optional.empty();
        if (run.isEmpty()) {
            return Optional.of(new RunResult.Refused(
                    Errno.EINVAL, "svm_vcpu_pre_run: the guest is not launched, or not this vCPU"));
        }
        return Optional.of(run.get().run(budget));
    }

    // ---- hooks of guest memory

    /** sev_gmem_prepare: an unassigned page becomes Guest-Invalid; an assigned one is left alone, whoever owns it. */
    @Override
    public int gmemPrepare(long pfn, long gfn, int maxOrder) {
        Optional<RmpEntry> entry = host.lookup(pfn << 12);
        if (entry.isEmpty()) {
            return -Errno.ENOENT.number();
        }
        if (entry.get().assigned()) {
            return 0;
        }
        PageSize size = maxOrder >= 9 && frameIsFree(pfn) ? PageSize.SIZE_2M : PageSize.SIZE_4K;
        long frames = size.frames();
        ReturnCode code =
                host.rmpupdate((pfn & -frames) << 12, RmpUpdate.toGuest((gfn & -frames) << 12, size, asid(), false));
        if (code == ReturnCode.FAIL_OVERLAP) {
            vm.bug("rmpupdate: FAIL_OVERLAP for pfn 0x%x for ever: Linux would spin here".formatted(pfn));
        }
        return code == ReturnCode.SUCCESS ? 0 : -Errno.EINVAL.number();
    }

    private boolean frameIsFree(long pfn) {
        long first = pfn & -512L;
        for (long i = first; i < first + 512; i++) {
            if (host.lookup(i << 12).map(RmpEntry::assigned).orElse(true)) {
                return false;
            }
        }
        return true;
    }

    /** sev_private_max_mapping_level: not above the size of the RMP entry. */
    @Override
    public int gmemMaxMappingLevel(long pfn, boolean isPrivate) {
        if (!isPrivate) {
            return 3;
        }
        boolean large = host.lookup(pfn << 12)
                .map(e -> e.assigned() && e.size() == PageSize.SIZE_2M)
                .orElse(false);
        return large ? 2 : 1;
    }

    /** sev_gmem_invalidate: the pages become the hypervisor's before the host gets them back. */
    @Override
    public void gmemInvalidate(long startPfn, long endPfn) {
        long pfn = startPfn;
        while (pfn < endPfn) {
            Optional<RmpEntry> entry = host.lookup(pfn << 12);
            if (entry.isEmpty() || !entry.get().assigned()) {
                pfn++;
                continue;
            }
            boolean large = entry.get().size() == PageSize.SIZE_2M;
            boolean whole = large && (pfn & 511) == 0 && pfn + 512 <= endPfn;
            if (large && !whole && host.psmash((pfn & -512L) << 12) != ReturnCode.SUCCESS) {
                vm.bug("sev_gmem_invalidate: PSMASH of pfn 0x%x failed".formatted(pfn));
                return;
            }
            PageSize size = whole ? PageSize.SIZE_2M : PageSize.SIZE_4K;
            if (host.rmpupdate(pfn << 12, RmpUpdate.shared(size)) != ReturnCode.SUCCESS) {
                host.leak(pfn << 12);
            }
            pfn += size.frames();
        }
    }

    /** How a nested fault with the RMP bit was dealt with. */
    public enum RmpFault {
        NOT_PRIVATE,
        NOT_ASSIGNED,
        /** The entry is 4K already: somebody else was quicker. */
        SPURIOUS,
        SMASHED,
        FAILED
    }

    /**
     * sev_handle_rmp_fault, after the page fault itself was handled: a 4K access to a 2M entry smashes the entry and zaps
     * the 512 gfns.
     *
     * @param errorCode EXITINFO1
     */
    public RmpFault handleRmpFault(long gpa, long errorCode) {
        long gfn = gpa >>> 12;
        var slot = vm.memslots(0).lookup(gfn);
        if ((errorCode & RmpVerdict.NPF_RMP) == 0
                || !slot.exists()
                || slot.gmem().isEmpty()
                || !vm.attributes().isPrivate(gfn)) {
            return RmpFault.NOT_PRIVATE;
        }
        long pfn = slot.gmem().get().pageAt(slot.gmemIndex(gfn));
        Optional<RmpEntry> entry = pfn < 0 ? Optional.empty() : host.lookup(pfn << 12);
        if (entry.isEmpty() || !entry.get().assigned()) {
            return RmpFault.NOT_ASSIGNED;
        }
        if (entry.get().size() == PageSize.SIZE_4K) {
            return RmpFault.SPURIOUS;
        }
        if (host.psmash((pfn & -512L) << 12) != ReturnCode.SUCCESS) {
            return RmpFault.FAILED;
        }
        psmashes++;
        vm.mmuLock().lock();
        boolean flush = vm.mmu()
                .unmap(new GfnRange(
                        slot,
                        gfn & -512L,
                        Math.min((gfn & -512L) + 512, slot.endGfn()),
                        GfnRange.Filter.PRIVATE,
                        false));
        if (flush) {
            vm.flushRemoteTlbs(gfn & -512L, (gfn & -512L) + 512);
        }
        vm.mmuLock().unlock();
        return RmpFault.SMASHED;
    }

    @Override
    public long fingerprint() {
        long hash = ((features * 31 + ghcbVersion) * 31 + protectedVcpus) * 31
                + runs.keySet().hashCode();
        return (hash * 31 + guest.map(SnpGuest::fingerprint).orElse(0L)) * 31 + host.fingerprint();
    }

    @Override
    public Runnable checkpoint() {
        Optional<SnpGuest> savedGuest = guest;
        Optional<Runnable> savedFields = guest.map(SnpGuest::checkpoint);
        long savedFeatures = features;
        int savedVersion = ghcbVersion;
        int savedProtected = protectedVcpus;
        long savedPsmashes = psmashes;
        Runnable savedHost = host.checkpoint();
        var savedRuns = new TreeMap<>(runs);
        var runParts = runs.values().stream().map(SnpRun::checkpoint).toList();
        return () -> {
            runs = new TreeMap<>(savedRuns);
            runParts.forEach(Runnable::run);
            guest = savedGuest;
            savedFields.ifPresent(Runnable::run);
            features = savedFeatures;
            ghcbVersion = savedVersion;
            protectedVcpus = savedProtected;
            psmashes = savedPsmashes;
            savedHost.run();
        };
    }
}
