package kvasir.metal.snp.psp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.event.Events;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.PageState;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.Rule;
import kvasir.metal.snp.Rules;
import kvasir.registry.Bytes;

/**
 * The platform's state, as bytes in its firmware memory: +0x00 state, +0x08 cores that executed WBINVD, +0x10 random
 * numbers drawn, +0x18 reported TCB, +0x20 committed TCB, +0x28 configuration bits, +0x2c RMP initialised, +0x30 RAPL disabled, +0x34
 * current and +0x38 committed version, +0x3c VLEK loaded, +0x40 its seed, +0x60 current TCB; from +0x1000
 * one u64 for each ASID: 0 free, 1 waits for a flush, 2 flushed too early, else the owner's context page.
 *
 * <p>Only the ledgers are objects. A context page counts its records, so that after a restore a ledger is cut to what
 * the bytes say.
 */
final class Platform {
    static final long FIRMWARE_BYTES = 0x4000;
    private static final int STATE = 0x00;
    private static final int WBINVD = 0x08;
    private static final int DRAWN = 0x10;
    private static final int REPORTED_TCB = 0x18;
    private static final int COMMITTED_TCB = 0x20;
    private static final int CONFIG = 0x28;
    private static final int RMP_INITIALISED = 0x2c;
    private static final int RAPL_DISABLED = 0x30;
    private static final int VERSION = 0x34;
    private static final int COMMITTED_VERSION = 0x38;
    private static final int VLEK_LOADED = 0x3c;
    private static final int VLEK = 0x40;
    private static final int TCB = 0x60;
    private static final int ASIDS = 0x1000;
    private static final long WAITS_FOR_FLUSH = 1;

    private final Map<Long, List<LedgerRecord>> ledgers = new LinkedHashMap<>();
    final PhysicalMemory memory;
    final Rmp rmp;
    final Rules rules;
    final Events events;
    final PlatformConfig config;
    final long firmwareBase;

    /** Whether AMD's published firmware decides where it differs from the ABI document. */
    boolean asPublished() {
        return !rules.holds(Rule.ABI_DOCUMENT_OVER_PUBLISHED_FIRMWARE);
    }

    /** A command whose length field is wrong. */
    FirmwareStatus badLength() {
        return asPublished() ? FirmwareStatus.INVALID_PARAM : FirmwareStatus.INVALID_LENGTH;
    }

    Platform(Rmp rmp, Rules rules, Events events, PlatformConfig config, long firmwareBase) {
        this.memory = rmp.memory();
        this.rmp = rmp;
        this.rules = rules;
        this.events = events;
        this.config = config;
        this.firmwareBase = firmwareBase;
        reportedTcb(config.tcb().version());
        currentTcb(config.tcb().version());
        currentVersion(FirmwareImage.version(config.apiMajor(), config.apiMinor(), config.build()));
        commit();
    }

    /** The ledgers; what they count is in memory too. */
    long fingerprint() {
        long hash = 0;
        for (Map.Entry<Long, List<LedgerRecord>> each : ledgers.entrySet()) {
            hash = hash * 31 + each.getKey();
            for (LedgerRecord record : each.getValue()) {
                hash = hash * 31 + record.digest().hashCode();
            }
        }
        return hash;
    }

    boolean initialised() {
        return memory.read32(firmwareBase + STATE) == 1;
    }

    void initialised(boolean value) {
        memory.write32(firmwareBase + STATE, value ? 1 : 0);
    }

    boolean rmpInitialised() {
        return memory.read32(firmwareBase + RMP_INITIALISED) == 1;
    }

    void rmpInitialised(boolean value) {
        memory.write32(firmwareBase + RMP_INITIALISED, value ? 1 : 0);
    }

    /** Major, minor and build of the firmware that runs, from the third byte down. */
    int currentVersion() {
        return memory.read32(firmwareBase + VERSION);
    }

    void currentVersion(int version) {
        memory.write32(firmwareBase + VERSION, version);
    }

    /** The version below which no image is taken any more. */
    int committedVersion() {
        return memory.read32(firmwareBase + COMMITTED_VERSION);
    }

    long currentTcb() {
        return memory.read64(firmwareBase + TCB);
    }

    void currentTcb(long version) {
        memory.write64(firmwareBase + TCB, version);
    }

    /** What runs is committed: there is no way back behind it. */
    void commit() {
        memory.write32(firmwareBase + COMMITTED_VERSION, currentVersion());
        committedTcb(currentTcb());
    }

    /** Seed of the VLEK, if SNP_VLEK_LOAD has brought one. */
    Optional<Bytes> vlek() {
        var seed = new byte[32];
        memory.read(firmwareBase + VLEK, seed, 0, seed.length);
        return memory.read32(firmwareBase + VLEK_LOADED) == 1 ? Optional.of(Bytes.of(seed)) : Optional.empty();
    }

    void vlek(Bytes seed) {
        memory.write(firmwareBase + VLEK, seed.toArray(), 0, seed.length());
        memory.write32(firmwareBase + VLEK_LOADED, 1);
    }

    /** SNP_INIT_EX turned RAPL off, so that nobody learns of a guest by its power. */
    boolean raplDisabled() {
        return memory.read32(firmwareBase + RAPL_DISABLED) == 1;
    }

    void raplDisabled(boolean value) {
        memory.write32(firmwareBase + RAPL_DISABLED, value ? 1 : 0);
    }

    /** The highest ASID that an SNP guest may have. */
    int highestAsid() {
        return config.asids();
    }

    /** One bit for each core. */
    long allCores() {
        return config.cores() == 64 ? -1L : (1L << config.cores()) - 1;
    }

    long reportedTcb() {
        return memory.read64(firmwareBase + REPORTED_TCB);
    }

    void reportedTcb(long version) {
        memory.write64(firmwareBase + REPORTED_TCB, version);
    }

    long committedTcb() {
        return memory.read64(firmwareBase + COMMITTED_TCB);
    }

    void committedTcb(long version) {
        memory.write64(firmwareBase + COMMITTED_TCB, version);
    }

    /** Bit 0 mask the chip id, bit 1 mask the chip key (SNP_CONFIG). */
    int configuration() {
        return memory.read32(firmwareBase + CONFIG);
    }

    void configuration(int bits) {
        memory.write32(firmwareBase + CONFIG, bits);
    }

    /** One core wrote back its caches. */
    void wbinvd(int core) {
        memory.write64(firmwareBase + WBINVD, memory.read64(firmwareBase + WBINVD) | 1L << core);
    }

    boolean allCoresWroteBack() {
        return (memory.read64(firmwareBase + WBINVD) & allCores()) == allCores();
    }

    /** The context page of the guest that is active under {@code asid}; 0 if none is. */
    long owner(int asid) {
        long word = memory.read64(firmwareBase + ASIDS + 8L * asid);
        return word == WAITS_FOR_FLUSH ? 0 : word;
    }

    boolean waitsForFlush(int asid) {
        return memory.read64(firmwareBase + ASIDS + 8L * asid) == WAITS_FOR_FLUSH;
    }

    void bind(int asid, long context) {
        memory.write64(firmwareBase + ASIDS + 8L * asid, context);
    }

    /** Takes the ASID from its guest: it may be used again after WBINVD on all cores and SNP_DF_FLUSH. */
    void unbind(int asid) {
        memory.write64(firmwareBase + ASIDS + 8L * asid, WAITS_FOR_FLUSH);
        memory.write64(firmwareBase + WBINVD, 0);
    }

    void flushAsids() {
        for (int asid = 1; asid <= config.asids(); asid++) {
            if (waitsForFlush(asid)) {
                memory.write64(firmwareBase + ASIDS + 8L * asid, 0);
            }
        }
    }

    boolean anyWaitsForFlush() {
        for (int asid = 1; asid <= config.asids(); asid++) {
            if (waitsForFlush(asid)) {
                return true;
            }
        }
        return false;
    }

    /** 32 fresh bytes that look random and follow from the seed. */
    Bytes random(String purpose) {
        long drawn = memory.read64(firmwareBase + DRAWN);
        memory.write64(firmwareBase + DRAWN, drawn + 1);
        return Bytes.of(Digests.hmac256(
                config.seed().toArray(),
                purpose.getBytes(StandardCharsets.US_ASCII),
                ByteBuffer.allocate(8).putLong(drawn).array()));
    }

    /** Whether a page may be named in a command: aligned, covered, not the firmware's own memory. */
    boolean addressable(long spa) {
        return (spa & 0xfff) == 0
                && spa >= 0
                && Long.compareUnsigned(spa, memory.size()) < 0
                && rmp.covered(spa)
                && !firmwareOwn(spa);
    }

    /** Whether all of a page of this size may be named in a command. */
    boolean addressable(long spa, PageSize size) {
        return size.aligned(spa) && addressable(spa) && addressable(spa + size.bytes() - 4096);
    }

    private boolean firmwareOwn(long spa) {
        boolean own = spa >= firmwareBase && spa < firmwareBase + FIRMWARE_BYTES;
        boolean table = !rmp.registers().segmented()
                && spa >= rmp.registers().base()
                && spa <= rmp.registers().end();
        return own || table;
    }

    /** The context at {@code spa}, if the page holds one. */
    Optional<GuestContext> context(long spa) {
        if (!rmp.covered(spa)) {
            return Optional.empty();
        }
        var context = new GuestContext(memory, spa);
        PageState expected = rules.holds(Rule.CONTEXT_PAGE_HAS_VMSA) ? PageState.CONTEXT : PageState.FIRMWARE;
        return rmp.state(spa) == expected && context.valid() ? Optional.of(context) : Optional.empty();
    }

    /** Whether firmware may write its answer there. */
    boolean writable(long spa) {
        return rmp.state(spa) == PageState.FIRMWARE || !initialised() && rmp.state(spa) == PageState.HYPERVISOR;
    }

    /** An entry of firmware itself: assigned, immutable, ASID 0. */
    static RmpEntry firmwareEntry() {
        return new RmpEntry(true, PageSize.SIZE_4K, true, 0, 0, false, false, RmpEntry.DEFAULT_PERMISSIONS, 0);
    }

    List<LedgerRecord> records(GuestContext context) {
        List<LedgerRecord> records = ledgers.computeIfAbsent(context.spa(), _ -> new ArrayList<>());
        if (records.size() > context.records()) {
            records.subList(context.records(), records.size()).clear();
        }
        return records;
    }

    /** Adds one page to the guest's digest. */
    void measure(GuestContext context, PageType type, long gpa, Bytes contents, boolean imi, int permissions) {
        Bytes after = LaunchDigest.extend(context.digest(), contents, type, imi, permissions, gpa);
        List<LedgerRecord> records = records(context);
        var record = new LedgerRecord(records.size() + 1, type, gpa, contents, imi, permissions, after);
        records.add(record);
        context.records(records.size());
        context.digest(after);
        if (events.listening()) {
            events.emit(new Measured(context.spa(), record));
        }
    }
}
