package kvasir.metal.tdx;

import kvasir.metal.memory.PhysicalMemory;

/**
 * The state of a TD vCPU, as a view on its TDVPR page and the TDCX pages behind it. The offsets are this module's own.
 *
 * @param hpa of the TDVPR page
 */
public record Tdvps(PhysicalMemory memory, long hpa) {
    /** Pages of a TDVPS without L2 VMs: TDVPR and 5 TDCX. */
    public static final int PAGES = 6;

    static final int PAGES_MAX = 15;
    /** ASSOC_LPID of a vCPU that is associated with no LP. */
    static final int NOT_ASSOCIATED = -1;

    static final int VCPU_STATE = 0x000;
    static final int LAST_TD_EXIT = 0x001;
    static final int ASSOC_LPID = 0x004;
    static final int VCPU_INDEX = 0x008;
    static final int NUM_PAGES = 0x00c;
    static final int CPUIDVE = 0x00d;
    static final int PEND_NMI = 0x00e;
    static final int INSIDE_TDVMCALL = 0x00f;
    static final int VCPU_EPOCH = 0x010;
    static final int X2APIC_ID = 0x018;
    static final int VCPU_STATE_DETAILS = 0x020;
    static final int VMCALL_MASK = 0x028;
    static final int VE_INFO = 0x040;
    static final int TDVPS_PA = 0x080;
    static final int GPR = 0x100;
    static final int RIP = 0x180;
    static final int RFLAGS = 0x188;
    static final int CR0 = 0x190;
    static final int CR3 = 0x198;
    static final int CR4 = 0x1a0;
    static final int EFER = 0x1a8;
    static final int XCR0 = 0x1b0;
    static final int DR6 = 0x1b8;
    static final int DR7 = 0x1c0;
    static final int PAT = 0x1c8;
    static final int FMASK = 0x1d0;
    static final int APIC_BASE = 0x1d8;
    static final int ZERO_STEP_COUNT = 0x400;
    static final int ZERO_STEP_ENTRIES = 0x404;
    static final int ZERO_STEP_RIP = 0x408;
    static final int ZERO_STEP_GPAS = 0x410;

    long u64(int offset) {
        return memory.read64(hpa + offset);
    }

    void setU64(int offset, long value) {
        memory.write64(hpa + offset, value);
    }

    int u32(int offset) {
        return memory.read32(hpa + offset);
    }

    void setU32(int offset, int value) {
        memory.write32(hpa + offset, value);
    }

    int u8(int offset) {
        return memory.read8(hpa + offset) & 0xff;
    }

    void setU8(int offset, int value) {
        memory.write8(hpa + offset, (byte) value);
    }

    public VcpuState state() {
        return VcpuState.of(u8(VCPU_STATE));
    }

    void setState(VcpuState state) {
        setU8(VCPU_STATE, state.number());
    }

    /** The LP it is associated with, or −1. */
    public int assocLpid() {
        return u32(ASSOC_LPID);
    }

    void setAssocLpid(int lp) {
        setU32(ASSOC_LPID, lp);
    }

    public int index() {
        return u32(VCPU_INDEX);
    }

    public long vcpuEpoch() {
        return u64(VCPU_EPOCH);
    }

    /** Pages of the TDVPS so far, TDVPR included. */
    public int pages() {
        return u8(NUM_PAGES);
    }

    void addPage(long page) {
        int index = pages();
        setU64(TDVPS_PA + 8 * index, page);
        setU8(NUM_PAGES, index + 1);
    }

    /** A guest general register, x86 order. */
    public long gpr(int register) {
        return u64(GPR + 8 * register);
    }

    /** The guest's RIP at its last TD exit. */
    public long rip() {
        return u64(RIP);
    }

    /** The guest's CR0 at its last TD exit. */
    public long cr0() {
        return u64(CR0);
    }

    /** The guest's CR3 at its last TD exit. */
    public long cr3() {
        return u64(CR3);
    }

    /** The guest's CR4 at its last TD exit, as in hardware. */
    public long cr4() {
        return u64(CR4);
    }

    void setGpr(int register, long value) {
        setU64(GPR + 8 * register, value);
    }

    /** HPA of one of its TDCX pages.
     * @param index 1 to {@link #pages()} − 1 */
    public long tdcxPa(int index) {
        return u64(TDVPS_PA + 8 * index);
    }

    /** HPA of the VMCS page: the first TDCX page. */
    long vmcs() {
        return u64(TDVPS_PA + 8);
    }
}
