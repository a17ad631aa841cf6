package kvasir.metal.tdx;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.registry.Bytes;

/**
 * The TD control structure, as a view on the bytes of its TDCX pages: pages 0 and 1 hold the fields, 2 the MSR bitmaps,
 * 3 the S-EPT root, 4 other tables, 5 the migration stream links. The offsets in pages 0 and 1 are this module's own.
 */
public record Tdcs(PhysicalMemory memory, Tdr tdr) {
    static final int MSR_BITMAPS_PAGE = 2;
    static final int SEPT_ROOT_PAGE = 3;

    static final int OP_STATE = 0x000;
    static final int NUM_VCPUS = 0x004;
    static final int NUM_ASSOC_VCPUS = 0x008;
    static final int NUM_L2_VMS = 0x00c;
    static final int OP_STATE_LOCK = 0x010;
    static final int SEPT_LOCK = 0x012;
    static final int EPOCH_LOCK = 0x014;
    static final int RTMR_LOCK = 0x016;
    static final int TD_EPOCH = 0x018;
    static final int REFCOUNT = 0x020;
    static final int ATTRIBUTES = 0x040;
    static final int XFAM = 0x048;
    static final int MAX_VCPUS = 0x050;
    static final int GPAW = 0x054;
    static final int EPTP = 0x058;
    static final int CONFIG_FLAGS = 0x060;
    static final int TD_CTLS = 0x068;
    static final int TSC_OFFSET = 0x070;
    static final int TSC_MULTIPLIER = 0x078;
    static final int TSC_FREQUENCY = 0x080;
    static final int VIRTUAL_TSC = 0x088;
    static final int NOTIFY_ENABLES = 0x090;
    static final int HP_LOCK_TIMEOUT = 0x098;
    static final int VM_CTLS = 0x0a0;
    static final int ARCH_CAPABILITIES = 0x0c0;
    static final int MRTD = 0x100;
    static final int MRCONFIGID = 0x130;
    static final int MROWNER = 0x160;
    static final int MROWNERCONFIG = 0x190;
    static final int RTMR = 0x1c0;
    static final int SERVTD_HASH = 0x280;
    static final int MRTD_CONTEXT = 0x300;
    static final int CPUID_VALUES = 0x400;

    /** The bit of a lock that a host attempt in vain leaves behind. */
    private static final int HOST_PRIORITY = 2;

    /** ATTRIBUTES.DEBUG. */
    static final long ATTRIBUTE_DEBUG = 1;
    /** ATTRIBUTES.SEPT_VE_DISABLE. */
    public static final long ATTRIBUTE_SEPT_VE_DISABLE = 1L << 28;
    /** CONFIG_FLAGS.NO_RBP_MOD. */
    static final long CONFIG_NO_RBP_MOD = 4;
    /** CONFIG_FLAGS.FLEXIBLE_PENDING_VE. */
    static final long CONFIG_FLEXIBLE_PENDING_VE = 2;
    /** TD_CTLS.PENDING_VE_DISABLE. */
    static final long PENDING_VE_DISABLE = 1;

    /** HPA of the field at {@code offset}. */
    long at(int offset) {
        return tdr.tdcxPa(offset >>> 12) + (offset & 0xfff);
    }

    long u64(int offset) {
        return memory.read64(at(offset));
    }

    void setU64(int offset, long value) {
        memory.write64(at(offset), value);
    }

    int u32(int offset) {
        return memory.read32(at(offset));
    }

    void setU32(int offset, int value) {
        memory.write32(at(offset), value);
    }

    public OpState opState() {
        return OpState.of(u32(OP_STATE));
    }

    void setOpState(OpState state) {
        setU32(OP_STATE, state.number());
    }

    TryLock lock(int offset) {
        return new TryLock.Sharex(new LockWord.InMemory(memory, at(offset)));
    }

    /** Names of the locks that somebody holds. */
    public List<String> heldLocks() {
        return Stream.of(
                        Map.entry("OP_STATE", OP_STATE_LOCK),
                        Map.entry("SEPT_TREE", SEPT_LOCK),
                        Map.entry("TD_EPOCH", EPOCH_LOCK),
                        Map.entry("RTMR", RTMR_LOCK))
                .filter(lock -> (memory.read16(at(lock.getValue())) & ~HOST_PRIORITY) != 0)
                .map(Map.Entry::getKey)
                .toList();
    }

    public int numVcpus() {
        return u32(NUM_VCPUS);
    }

    public int numAssocVcpus() {
        return u32(NUM_ASSOC_VCPUS);
    }

    void addAssociated(int count) {
        setU32(NUM_ASSOC_VCPUS, numAssocVcpus() + count);
    }

    int numL2Vms() {
        return memory.read8(at(NUM_L2_VMS));
    }

    public long tdEpoch() {
        return u64(TD_EPOCH);
    }

    /** Number of vCPUs inside that entered in an epoch of that parity. */
    public int refcount(int parity) {
        return memory.read16(at(REFCOUNT) + 2L * parity) & 0xffff;
    }

    void addReference(long epoch, int count) {
        int parity = (int) epoch & 1;
        memory.write16(at(REFCOUNT) + 2L * parity, (short) (refcount(parity) + count));
    }

    /** Whether no processor can still hold a translation that was cached before the block at {@code bepoch}. */
    boolean tracked(long bepoch) {
        long previous = tdEpoch() - 1;
        return bepoch == previous
                ? refcount((int) bepoch & 1) == 0
                : bepoch >= 0 && Long.compareUnsigned(bepoch, previous) < 0;
    }

    public long attributes() {
        return u64(ATTRIBUTES);
    }

    public boolean debug() {
        return (attributes() & ATTRIBUTE_DEBUG) != 0;
    }

    public long xfam() {
        return u64(XFAM);
    }

    public int maxVcpus() {
        return u32(MAX_VCPUS);
    }

    /** 0 for 48-bit, 1 for 52-bit guest physical addresses. */
    public int gpaw() {
        return memory.read8(at(GPAW));
    }

    /** Guest physical address width in bits. */
    public int gpaWidth() {
        return gpaw() == 0 ? 48 : 52;
    }

    /** The SHARED bit of a GPA. */
    public long sharedBit() {
        return 1L << gpaWidth() - 1;
    }

    /** Whether SHARED is 0 and no bit at or above the width is set. */
    public boolean privateGpa(long gpa) {
        return gpa >>> gpaWidth() - 1 == 0;
    }

    /** Level of the entries in the S-EPT root: 3 or 4. */
    public int topLevel() {
        return (int) (u64(EPTP) >>> 3 & 7);
    }

    public boolean pendingVeDisable() {
        return (u64(TD_CTLS) & PENDING_VE_DISABLE) != 0;
    }

    long septRoot() {
        return tdr.tdcxPa(SEPT_ROOT_PAGE);
    }

    Bytes bytes(int offset, int length) {
        var content = new byte[length];
        memory.read(at(offset), content, 0, length);
        return Bytes.of(content);
    }

    void setBytes(int offset, byte[] content) {
        memory.write(at(offset), content, 0, content.length);
    }

    /** The MRTD field: zeros before TDH.MR.FINALIZE. */
    public Bytes mrtd() {
        return bytes(MRTD, Sha384.DIGEST_BYTES);
    }

    /** What MRTD would be if the TD were finalized now; the field itself afterwards. */
    public Bytes runningMrtd() {
        return switch (opState()) {
            case UNINITIALIZED -> bytes(MRTD, Sha384.DIGEST_BYTES);
            case INITIALIZED -> Bytes.of(measurement().digest());
            default -> mrtd();
        };
    }

    Sha384 measurement() {
        return Sha384.load(memory, at(MRTD_CONTEXT));
    }

    /** An RTMR.
     * @param index 0 to 3 */
    public Bytes rtmr(int index) {
        return bytes(RTMR + Sha384.DIGEST_BYTES * index, Sha384.DIGEST_BYTES);
    }
}
