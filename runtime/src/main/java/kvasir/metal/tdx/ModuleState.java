package kvasir.metal.tdx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/**
 * The module's global data: everything it knows that is not in host physical memory. A machine snapshot keeps a
 * {@link #copy()} beside the frames.
 */
final class ModuleState {
    final Platform platform;
    SysState sysState = SysState.SYSINIT_PENDING;
    final boolean[] lpInitialised;
    long packagesKeyConfigured;
    List<Tdmr> tdmrs = List.of();
    /** For each TDMR, the end of what TDMR.INIT has initialised. */
    long[] tdmrInitialised = {};

    final HkidState[] kot;
    final long[] wbinvdBitmap;
    /** For each package, whether CACHE.WB was interrupted and may be resumed. */
    final boolean[] cacheWbInterrupted;

    final LockWord.InModule sysLock = new LockWord.InModule();
    final LockWord.InModule kotLock = new LockWord.InModule();
    final LockWord.InModule ketLock = new LockWord.InModule();
    final LockWord.InModule[] tdmrLocks = locks(TdhSysConfig.MAX_TDMRS);
    final LockWord.InModule[] wbcacheLocks;

    /** Secret of the platform behind report MACs. */
    final byte[] reportKey = new byte[32];

    /** State of the seeded generator behind UUIDs and keys. */
    long random;
    /** For each LP, the TDVPR that ran last; 0 if none. */
    final long[] lastVcpu;
    /** By HPA of the TDR. */
    final TreeMap<Long, Ledger> ledgers = new TreeMap<>();

    ModuleState(Platform platform, long seed) {
        this.platform = platform;
        this.random = seed;
        for (int i = 0; i < reportKey.length; i++) {
            reportKey[i] = (byte) nextRandom();
        }
        lpInitialised = new boolean[platform.lps()];
        kot = new HkidState[1 << platform.keyIdBits()];
        Arrays.fill(kot, HkidState.HKID_FREE);
        wbinvdBitmap = new long[kot.length];
        cacheWbInterrupted = new boolean[platform.packages()];
        wbcacheLocks = locks(platform.packages());
        lastVcpu = new long[platform.lps()];
    }

    ModuleState copy() {
        var copy = new ModuleState(platform, random);
        copy.become(this);
        return copy;
    }

    /** Takes over all values of {@code other}. */
    void become(ModuleState other) {
        sysState = other.sysState;
        packagesKeyConfigured = other.packagesKeyConfigured;
        tdmrs = new ArrayList<>(other.tdmrs);
        tdmrInitialised = other.tdmrInitialised.clone();
        random = other.random;
        System.arraycopy(other.reportKey, 0, reportKey, 0, reportKey.length);
        ledgers.clear();
        ledgers.putAll(other.ledgers);
        System.arraycopy(other.lpInitialised, 0, lpInitialised, 0, lpInitialised.length);
        System.arraycopy(other.kot, 0, kot, 0, kot.length);
        System.arraycopy(other.wbinvdBitmap, 0, wbinvdBitmap, 0, kot.length);
        System.arraycopy(other.cacheWbInterrupted, 0, cacheWbInterrupted, 0, cacheWbInterrupted.length);
        sysLock.store(other.sysLock.load());
        kotLock.store(other.kotLock.load());
        ketLock.store(other.ketLock.load());
        for (int i = 0; i < tdmrLocks.length; i++) {
            tdmrLocks[i].store(other.tdmrLocks[i].load());
        }
        for (int i = 0; i < wbcacheLocks.length; i++) {
            wbcacheLocks[i].store(other.wbcacheLocks[i].load());
        }
        System.arraycopy(other.lastVcpu, 0, lastVcpu, 0, lastVcpu.length);
    }

    long fingerprint() {
        long hash = sysState.ordinal() * 31L + random;
        for (HkidState key : kot) {
            hash = hash * 31 + key.ordinal();
        }
        hash = (hash * 31 + Arrays.hashCode(wbinvdBitmap)) * 31 + Arrays.hashCode(lastVcpu);
        hash = ((hash * 31 + sysLock.load()) * 31 + kotLock.load()) * 31 + ketLock.load();
        for (LockWord.InModule lock : tdmrLocks) {
            hash = hash * 31 + lock.load();
        }
        for (LockWord.InModule lock : wbcacheLocks) {
            hash = hash * 31 + lock.load();
        }
        for (Ledger ledger : ledgers.values()) {
            hash = hash * 31 + ledger.size();
            if (ledger.size() != 0) {
                hash = hash * 31 + ledger.newest().digest().hashCode();
            }
        }
        return hash;
    }

    private static LockWord.InModule[] locks(int count) {
        var locks = new LockWord.InModule[count];
        Arrays.setAll(locks, i -> new LockWord.InModule());
        return locks;
    }

    /** The next 64 random bits (SplitMix64). */
    long nextRandom() {
        random += 0x9e37_79b9_7f4a_7c15L;
        long z = random;
        z = (z ^ z >>> 30) * 0xbf58_476d_1ce4_e5b9L;
        z = (z ^ z >>> 27) * 0x94d0_49bb_1331_11ebL;
        return z ^ z >>> 31;
    }
}
