package kvasir.metal.tdx;

/**
 * The list of GPAs at which a vCPU faults again and again without getting on (TDH.VP.ENTER). Six faults at one RIP arm
 * it.
 *
 * @param vcpu whose TDVPS holds the list
 */
record ZeroStepFilter(Tdvps vcpu) {
    private static final int THRESHOLD = 6;
    private static final int CAPACITY = 32;

    /** RIP at the entry, to see at the exit whether the vCPU got on. */
    void entering() {
        vcpu.setU64(Tdvps.ZERO_STEP_RIP, vcpu.u64(Tdvps.RIP));
    }

    /** An EPT violation TD exit at a private GPA. */
    void faulted(long gpa) {
        if (vcpu.u64(Tdvps.RIP) != vcpu.u64(Tdvps.ZERO_STEP_RIP)) {
            vcpu.setU32(Tdvps.ZERO_STEP_COUNT, 0);
            vcpu.setU32(Tdvps.ZERO_STEP_ENTRIES, 0);
            return;
        }
        int count = vcpu.u32(Tdvps.ZERO_STEP_COUNT);
        if (count < THRESHOLD) {
            vcpu.setU32(Tdvps.ZERO_STEP_COUNT, count + 1);
            return;
        }
        int entries = vcpu.u32(Tdvps.ZERO_STEP_ENTRIES);
        if (entries < CAPACITY && !listed(gpa, entries)) {
            vcpu.setU64(Tdvps.ZERO_STEP_GPAS + 8 * entries, gpa & ~0xfffL);
            vcpu.setU32(Tdvps.ZERO_STEP_ENTRIES, entries + 1);
        }
    }

    boolean armed() {
        return vcpu.u32(Tdvps.ZERO_STEP_ENTRIES) != 0;
    }

    private boolean listed(long gpa, int entries) {
        for (int i = 0; i < entries; i++) {
            if (at(i) == (gpa & ~0xfffL)) {
                return true;
            }
        }
        return false;
    }

    private long at(int index) {
        return vcpu.u64(Tdvps.ZERO_STEP_GPAS + 8 * index);
    }

    /** The first listed GPA whose S-EPT entry does not let the guest read, write and execute, or −1; a pending one does not. */
    long stillFaulting(Tdcs tdcs) {
        for (int i = 0; i < vcpu.u32(Tdvps.ZERO_STEP_ENTRIES); i++) {
            if (!SeptWalk.to(vcpu.memory(), tdcs, at(i), 0).state().guestWritable()) {
                return at(i);
            }
        }
        return -1;
    }
}
