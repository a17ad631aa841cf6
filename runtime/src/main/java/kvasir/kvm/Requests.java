package kvasir.kvm;

/** KVM_REQ_*: bits that other tasks set and a vCPU services before it enters the guest. */
public final class Requests {
    /** KVM_REQ_MMU_FREE_OBSOLETE_ROOTS. */
    public static final int FREE_OBSOLETE_ROOTS = 1;

    /** KVM_REQ_VM_DEAD. */
    public static final int VM_DEAD = 1 << 1;

    /** KVM_REQ_TLB_FLUSH. */
    public static final int TLB_FLUSH = 1 << 2;

    /** KVM_REQ_UPDATE_CPU_DIRTY_LOGGING. */
    public static final int UPDATE_CPU_DIRTY_LOGGING = 1 << 3;

    /** KVM_REQ_UPDATE_PROTECTED_GUEST_STATE. */
    public static final int UPDATE_PROTECTED_GUEST_STATE = 1 << 4;

    /** KVM_REQ_SMI. */
    public static final int SMI = 1 << 5;

    private final String owner;
    private final Seams seams;
    private int bits;

    /** @param owner the vCPU's name */
    Requests(String owner, Seams seams) {
        this.owner = owner;
        this.seams = seams;
    }

    private long bit(int request) {
        return (bits & request) == 0 ? 0 : 1;
    }

    private String cell(int request) {
        return owner + ".request" + request;
    }

    /** kvm_make_request. */
    public void make(int request) {
        if (seams.footprint().listening()) {
            seams.footprint().wrote(cell(request), bit(request), 1);
        }
        bits |= request;
    }

    /** Whether the request is pending (kvm_test_request). */
    public boolean test(int request) {
        if (seams.footprint().listening()) {
            seams.footprint().read(cell(request), bit(request));
        }
        return (bits & request) != 0;
    }

    /** Whether the request was pending; it no longer is (kvm_check_request). */
    public boolean check(int request) {
        boolean pending = test(request);
        if (pending && seams.footprint().listening()) {
            seams.footprint().wrote(cell(request), 1, 0);
        }
        bits &= ~request;
        return pending;
    }

    int bits() {
        return bits;
    }

    void restore(int saved) {
        bits = saved;
    }
}
