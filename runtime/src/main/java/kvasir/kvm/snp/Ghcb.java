package kvasir.kvm.snp;

import kvasir.metal.memory.PhysicalMemory;

/**
 * The GHCB page (GHCB specification, "GHCB layout"), as KVM reads it once and writes its answers (sev.c,
 * sev_es_sync_from_ghcb). Nothing of the save area is read again from guest memory after {@link #Ghcb}.
 */
final class Ghcb {
    static final int RAX = 0x1f8;
    static final int RCX = 0x308;
    static final int RDX = 0x310;
    static final int RBX = 0x318;
    static final int RSI = 0x330;
    static final int CPL = 0x0cb;
    static final int SW_EXITCODE = 0x390;
    static final int SW_EXITINFO1 = 0x398;
    static final int SW_EXITINFO2 = 0x3a0;
    static final int SW_SCRATCH = 0x3a8;
    static final int XCR0 = 0x3e8;

    /** Where the shared buffer begins and ends. */
    static final int SHARED_BUFFER = 0x800;

    static final int SHARED_BUFFER_END = 0xff0;
    /** SW_EXITINFO2 of a malformed request. */
    static final long INVALID_USAGE = 2;

    static final long INVALID_SCRATCH = 3;
    static final long MISSING_INPUT = 4;
    static final long INVALID_INPUT = 5;
    static final long INVALID_EVENT = 6;

    private static final int VALID_BITMAP = 0x3f0;
    private static final int USAGE = 0xffc;
    private static final int PAGE_BYTES = 4096;

    /** SW_EXITINFO1: what the guest is to do. */
    private static final long NO_ACTION = 0;

    private static final long INJECT_EXCEPTION = 1;
    private static final long MALFORMED_INPUT = 2;
    private static final long EVENT_EXCEPTION = 3 << 8;
    private static final long EVENT_VALID = 1L << 31;

    private final PhysicalMemory memory;
    private final long hpa;
    private final long gpa;
    private final byte[] snapshot = new byte[PAGE_BYTES];
    private long rax;
    private long rcx;
    private long rdx;
    private long rbx;

    /**
     * Reads the page and clears the guest's valid bitmap.
     *
     * @param hpa of the page
     * @param gpa where the guest has it
     */
    Ghcb(PhysicalMemory memory, long hpa, long gpa) {
        this.memory = memory;
        this.hpa = hpa;
        this.gpa = gpa;
        memory.read(hpa, snapshot, 0, snapshot.length);
        memory.write64(hpa + VALID_BITMAP, 0);
        memory.write64(hpa + VALID_BITMAP + 8, 0);
        rax = ifValid(RAX);
        rcx = ifValid(RCX);
        rdx = ifValid(RDX);
        rbx = ifValid(RBX);
    }

    long gpa() {
        return gpa;
    }

    /** Host address of an offset in the page. */
    long at(long offset) {
        return hpa + offset;
    }

    private long get(int offset) {
        long value = 0;
        for (int i = 7; i >= 0; i--) {
            value = value << 8 | snapshot[offset + i] & 0xff;
        }
        return value;
    }

    /** Whether the guest said that it filled a field in. */
    boolean valid(int offset) {
        return (snapshot[VALID_BITMAP + (offset >>> 6)] >>> (offset >>> 3 & 7) & 1) != 0;
    }

    /** A field, or 0 if the guest did not fill it in. */
    long ifValid(int offset) {
        return valid(offset) ? get(offset) : 0;
    }

    int cpl() {
        return valid(CPL) ? snapshot[CPL] & 0xff : 0;
    }

    /** ghcb_usage; 0 is standard. */
    int usage() {
        return snapshot[USAGE] & 0xff
                | (snapshot[USAGE + 1] & 0xff) << 8
                | (snapshot[USAGE + 2] & 0xff) << 16
                | snapshot[USAGE + 3] << 24;
    }

    long exitCode() {
        return get(SW_EXITCODE);
    }

    long exitInfo1() {
        return get(SW_EXITINFO1);
    }

    long exitInfo2() {
        return get(SW_EXITINFO2);
    }

    long scratch() {
        return ifValid(SW_SCRATCH);
    }

    long rax() {
        return rax;
    }

    long rcx() {
        return rcx;
    }

    long rdx() {
        return rdx;
    }

    long rbx() {
        return rbx;
    }

    void setRax(long value) {
        rax = value;
    }

    void setRbx(long value) {
        rbx = value;
    }

    void setRcx(long value) {
        rcx = value;
    }

    void setRdx(long value) {
        rdx = value;
    }

    /** EDX:EAX. */
    void setPair(long value) {
        rax = value & 0xffff_ffffL;
        rdx = value >>> 32;
    }

    private void put(int offset, long value) {
        memory.write64(hpa + offset, value);
        long at = hpa + VALID_BITMAP + (offset >>> 6);
        memory.write8(at, (byte) (memory.read8(at) | 1 << (offset >>> 3 & 7)));
    }

    /** The guest goes on. */
    void noAction(long info2) {
        put(SW_EXITINFO1, NO_ACTION);
        put(SW_EXITINFO2, info2);
    }

    /** The guest is to raise an exception without error code, as KVM tells it. */
    void inject(int vector) {
        put(SW_EXITINFO1, INJECT_EXCEPTION);
        put(SW_EXITINFO2, EVENT_VALID | EVENT_EXCEPTION | vector);
    }

    /** The request makes no sense. */
    void malformed(long reason) {
        put(SW_EXITINFO1, MALFORMED_INPUT);
        put(SW_EXITINFO2, reason);
    }

    /** The event that tells what the guest will find. */
    GhcbAnswered answered(String vcpu) {
        return new GhcbAnswered(vcpu, gpa, memory.read64(hpa + VALID_BITMAP), memory.read64(hpa + VALID_BITMAP + 8));
    }

    /** sev_es_sync_to_ghcb: the registers that an exit handler may have changed. */
    void writeBack() {
        put(RAX, rax);
        put(RBX, rbx);
        put(RCX, rcx);
        put(RDX, rdx);
    }
}
