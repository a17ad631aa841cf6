package kvasir.metal.snp.psp;

import kvasir.metal.memory.PhysicalMemory;
import kvasir.registry.Bytes;

/**
 * A view of a guest context page. The layout is this emulation's own: nobody but firmware ever reads it.
 *
 * @param memory that holds it
 * @param spa its address, the guest's name in commands
 */
record GuestContext(PhysicalMemory memory, long spa) {
    private static final int STATE = 0x000;
    private static final int ASID = 0x004;
    private static final int POLICY = 0x008;
    private static final int DIGEST = 0x010;
    private static final int VMPCK = 0x040;
    private static final int MESSAGES = 0x0c0;
    private static final int REPORT_ID = 0x0e0;
    private static final int REPORT_ID_MA = 0x100;
    private static final int HOST_DATA = 0x120;
    private static final int FAMILY_ID = 0x140;
    private static final int IMAGE_ID = 0x150;
    private static final int GUEST_SVN = 0x160;
    private static final int FLAGS = 0x164;
    private static final int ID_KEY_DIGEST = 0x168;
    private static final int AUTHOR_KEY_DIGEST = 0x198;
    private static final int LAUNCH_TCB = 0x1c8;
    private static final int GOSVW = 0x1d0;
    private static final int VMRK = 0x1e0;
    private static final int RECORDS = 0x200;
    private static final int CORES = 0x208;
    private static final int OFFLINE_KEY = 0x220;
    private static final int SWAPS = 0x240;
    private static final int ROOT_ENTRY = 0x280;
    private static final int MAGIC = 0xff8;
    private static final long MAGIC_VALUE = 0x5854_4347_504e_5356L;

    /** Where a guest stands (SNP ABI, guest context). */
    enum State {
        INIT(1),
        LAUNCH(2),
        RUNNING(3);

        final int code;

        State(int code) {
            this.code = code;
        }
    }

    /** Bits of the flags word. */
    enum Flag {
        ID_BLOCK(1),
        AUTHOR_KEY(2),
        VCEK_DISABLED(4),
        IMI(8),
        MIGRATION_AGENT(16);

        final int bit;

        Flag(int bit) {
            this.bit = bit;
        }
    }

    /** Makes the page a fresh context in INIT. */
    void create() {
        memory.discard(spa >>> 12);
        memory.write64(spa + MAGIC, MAGIC_VALUE);
        state(State.INIT);
    }

    void destroy() {
        memory.discard(spa >>> 12);
    }

    boolean valid() {
        return memory.read64(spa + MAGIC) == MAGIC_VALUE;
    }

    State state() {
        int code = memory.read32(spa + STATE);
        return code == State.INIT.code ? State.INIT : code == State.LAUNCH.code ? State.LAUNCH : State.RUNNING;
    }

    void state(State state) {
        memory.write32(spa + STATE, state.code);
    }

    /** 0 while not active. */
    int asid() {
        return memory.read32(spa + ASID);
    }

    void asid(int asid) {
        memory.write32(spa + ASID, asid);
    }

    GuestPolicy policy() {
        return new GuestPolicy(memory.read64(spa + POLICY));
    }

    void policy(long bits) {
        memory.write64(spa + POLICY, bits);
    }

    Bytes digest() {
        return get(DIGEST, 48);
    }

    void digest(Bytes value) {
        put(DIGEST, value);
    }

    Bytes vmpck(int vmpl) {
        return get(VMPCK + 32 * vmpl, 32);
    }

    void vmpck(int vmpl, Bytes key) {
        put(VMPCK + 32 * vmpl, key);
    }

    /** Number of messages exchanged under a VMPCK, requests and responses. */
    long messages(int vmpck) {
        return memory.read64(spa + MESSAGES + 8L * vmpck);
    }

    void messages(int vmpck, long count) {
        memory.write64(spa + MESSAGES + 8L * vmpck, count);
    }

    Bytes reportId() {
        return get(REPORT_ID, 32);
    }

    void reportId(Bytes value) {
        put(REPORT_ID, value);
    }

    Bytes reportIdMa() {
        return get(REPORT_ID_MA, 32);
    }

    void reportIdMa(Bytes value) {
        put(REPORT_ID_MA, value);
    }

    Bytes hostData() {
        return get(HOST_DATA, 32);
    }

    void hostData(Bytes value) {
        put(HOST_DATA, value);
    }

    Bytes familyId() {
        return get(FAMILY_ID, 16);
    }

    Bytes imageId() {
        return get(IMAGE_ID, 16);
    }

    int guestSvn() {
        return memory.read32(spa + GUEST_SVN);
    }

    Bytes idKeyDigest() {
        return get(ID_KEY_DIGEST, 48);
    }

    Bytes authorKeyDigest() {
        return get(AUTHOR_KEY_DIGEST, 48);
    }

    void identity(IdBlock block, Bytes idKeyDigest, Bytes authorKeyDigest) {
        put(FAMILY_ID, block.familyId());
        put(IMAGE_ID, block.imageId());
        memory.write32(spa + GUEST_SVN, block.guestSvn());
        put(ID_KEY_DIGEST, idKeyDigest);
        put(AUTHOR_KEY_DIGEST, authorKeyDigest);
    }

    boolean has(Flag flag) {
        return (memory.read32(spa + FLAGS) & flag.bit) != 0;
    }

    void set(Flag flag) {
        memory.write32(spa + FLAGS, memory.read32(spa + FLAGS) | flag.bit);
    }

    long launchTcb() {
        return memory.read64(spa + LAUNCH_TCB);
    }

    void launchTcb(long version) {
        memory.write64(spa + LAUNCH_TCB, version);
    }

    Bytes gosvw() {
        return get(GOSVW, 16);
    }

    void gosvw(Bytes value) {
        put(GOSVW, value);
    }

    Bytes vmrk() {
        return get(VMRK, 32);
    }

    void vmrk(Bytes value) {
        put(VMRK, value);
    }

    /** The key that seals pages that are swapped out (OEK). */
    Bytes offlineKey() {
        return get(OFFLINE_KEY, 32);
    }

    void offlineKey(Bytes value) {
        put(OFFLINE_KEY, value);
    }

    /** Pages swapped out so far: the next IV. */
    long swaps() {
        return memory.read64(spa + SWAPS);
    }

    void swaps(long count) {
        memory.write64(spa + SWAPS, count);
    }

    /** Address of the metadata entry in the context at {@code context} (RootMDEntry). */
    static long rootEntry(long context) {
        return context + ROOT_ENTRY;
    }

    /** Cores on which the guest is activated, one bit each. */
    long cores() {
        return memory.read64(spa + CORES);
    }

    void cores(long bits) {
        memory.write64(spa + CORES, bits);
    }

    /** Number of pages in the digest. */
    int records() {
        return memory.read32(spa + RECORDS);
    }

    void records(int count) {
        memory.write32(spa + RECORDS, count);
    }

    private Bytes get(int offset, int bytes) {
        var content = new byte[bytes];
        memory.read(spa + offset, content, 0, bytes);
        return Bytes.of(content);
    }

    private void put(int offset, Bytes value) {
        memory.write(spa + offset, value.toArray(), 0, value.length());
    }
}
