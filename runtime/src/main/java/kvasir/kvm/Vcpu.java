package kvasir.kvm;

/** One virtual processor (struct kvm_vcpu). */
public final class Vcpu {
    private final Vm vm;
    private final int id;
    private final KernelLock mutex;
    private final Requests requests = new Requests();
    private final KvmRun run = new KvmRun();
    private final VcpuMmu mmu;
    private boolean signalPending;
    private boolean smm;
    private boolean guestMode;
    private boolean nestedTdp;

    /** @param id KVM_CREATE_VCPU's argument */
    Vcpu(Vm vm, int id) {
        this.vm = vm;
        this.id = id;
        mutex = new KernelLock(vm.name() + ".vcpu" + id + ".mutex", vm.seams(), vm.events());
        mmu = vm.mmu().createVcpu(this);
    }

    public Vm vm() {
        return vm;
    }

    public int id() {
        return id;
    }

    /** vcpu-&gt;mutex. */
    public KernelLock mutex() {
        return mutex;
    }

    public Requests requests() {
        return requests;
    }

    /** The page shared with user space. */
    public KvmRun kvmRun() {
        return run;
    }

    public VcpuMmu mmu() {
        return mmu;
    }

    /** signal_pending(current) of the thread that uses this vCPU. */
    public boolean signalPending() {
        return signalPending;
    }

    /** A signal is sent to, or taken by, the thread. */
    public void setSignalPending(boolean pending) {
        signalPending = pending;
    }

    /** In system-management mode: address space 1 and the SMM root are in use. */
    public boolean smm() {
        return smm;
    }

    /** The address space of the current mode. */
    public int addressSpace() {
        return smm && vm.type().addressSpaces() > 1 ? 1 : 0;
    }

    /** L2 is active. */
    public boolean guestMode() {
        return guestMode;
    }

    /** L2 is active and L1 uses stage-2 paging for it: the current MMU is not the TDP one. */
    public boolean nestedTdp() {
        return guestMode && nestedTdp;
    }

    /** Enters or leaves SMM. */
    public void setSmm(boolean active) {
        smm = active;
    }

    /** Enters or leaves guest mode. */
    public void setGuestMode(boolean active, boolean tdp) {
        guestMode = active;
        nestedTdp = tdp;
    }
}
