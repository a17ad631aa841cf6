package kvasir.metal.tdx;

import java.util.EnumMap;
import java.util.Map;

/**
 * What the world around the module does to it: the knobs for everything that hardware or other processors decide. All
 * off in a new machine.
 */
public final class Conditions {
    private final Map<LockObject, Integer> busy = new EnumMap<>(LockObject.class);
    private int entropyShortages;
    private int keyGenerationFailures;
    private int pendingInterrupts;
    private boolean limitCpuidMaxval;
    private boolean tscAdjustChanged;
    private boolean tscRolledBack;
    private int interruptedWritebacks;

    long fingerprint() {
        long hash = (entropyShortages * 31L + keyGenerationFailures) * 31 + pendingInterrupts;
        for (Map.Entry<LockObject, Integer> entry : busy.entrySet()) {
            hash = (hash * 31 + entry.getKey().ordinal()) * 31 + entry.getValue();
        }
        int flags = (limitCpuidMaxval ? 1 : 0) | (tscAdjustChanged ? 2 : 0) | (tscRolledBack ? 4 : 0);
        return (hash * 31 + flags) * 31 + interruptedWritebacks;
    }

    /** The {@code nth} attempt (1 = the next) to take a lock on such an object finds it taken. */
    public void busy(LockObject object, int nth) {
        busy.put(object, nth);
    }

    /** The next {@code count} requests for random numbers fail. */
    public void entropyShortage(int count) {
        entropyShortages = count;
    }

    /** The next {@code count} key generations of TDH.MNG.KEY.CONFIG fail. */
    public void keyGenerationFailure(int count) {
        keyGenerationFailures = count;
    }

    /** The next {@code count} polls for a host interrupt by an interruptible leaf find one. */
    public void pendingInterrupt(int count) {
        pendingInterrupts = count;
    }

    /** The next {@code count} runs of TDH.PHYMEM.CACHE.WB are interrupted. */
    public void interruptWriteback(int count) {
        interruptedWritebacks = count;
    }

    /** IA32_MISC_ENABLE limit-CPUID bit. */
    public void limitCpuidMaxval(boolean set) {
        limitCpuidMaxval = set;
    }

    /** IA32_TSC_ADJUST differs from its value at the module's start. */
    public void tscAdjustChanged(boolean changed) {
        tscAdjustChanged = changed;
    }

    /** The time stamp counter reads less than at the last TD exit. */
    public void tscRolledBack(boolean rolledBack) {
        tscRolledBack = rolledBack;
    }

    boolean takeBusy(LockObject object) {
        Integer left = busy.get(object);
        if (left == null) {
            return false;
        }
        if (left > 1) {
            busy.put(object, left - 1);
            return false;
        }
        busy.remove(object);
        return true;
    }

    boolean takeEntropyShortage() {
        return entropyShortages > 0 && entropyShortages-- > 0;
    }

    boolean takeKeyGenerationFailure() {
        return keyGenerationFailures > 0 && keyGenerationFailures-- > 0;
    }

    boolean takePendingInterrupt() {
        return pendingInterrupts > 0 && pendingInterrupts-- > 0;
    }

    boolean takeInterruptedWriteback() {
        return interruptedWritebacks > 0 && interruptedWritebacks-- > 0;
    }

    boolean limitCpuidMaxval() {
        return limitCpuidMaxval;
    }

    boolean tscAdjustChanged() {
        return tscAdjustChanged;
    }

    boolean tscRolledBack() {
        return tscRolledBack;
    }
}
