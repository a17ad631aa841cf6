package kvasir.metal.tdx;

import kvasir.metal.memory.PhysicalMemory;

/** A lock that is taken at once or not at all. */
sealed interface TryLock {
    /** What a guest attempt can find besides success. */
    enum Attempt {
        TAKEN,
        BUSY,
        /** Free, but a host attempt failed before and has not come back: the guest yields. */
        HOST_PRIORITY
    }

    /** Takes the lock for the host side; a failure leaves the host-priority bit set. */
    boolean tryHost(boolean exclusive);

    /** Takes the lock for the guest side. */
    Attempt tryGuest(boolean exclusive);

    /** Gives back what was taken in that mode. */
    void release(boolean exclusive);

    /**
     * Shared/exclusive lock: bit 0 exclusive, bit 1 host priority, bits 15:2 number of readers (layout of PAMT entry
     * bytes 0 and 1).
     */
    record Sharex(LockWord word) implements TryLock {
        private static final int EXCLUSIVE = 1;
        private static final int HOST_PRIORITY = 2;
        private static final int READER = 4;

        @Override
        public boolean tryHost(boolean exclusive) {
            int value = word.load();
            if (!available(value, exclusive)) {
                word.store(value | HOST_PRIORITY);
                return false;
            }
            word.store((exclusive ? value | EXCLUSIVE : value + READER) & ~HOST_PRIORITY);
            return true;
        }

        @Override
        public Attempt tryGuest(boolean exclusive) {
            int value = word.load();
            if (!available(value, exclusive)) {
                return Attempt.BUSY;
            }
            if ((value & HOST_PRIORITY) != 0) {
                return Attempt.HOST_PRIORITY;
            }
            word.store(exclusive ? value | EXCLUSIVE : value + READER);
            return Attempt.TAKEN;
        }

        @Override
        public void release(boolean exclusive) {
            int value = word.load();
            word.store(exclusive ? value & ~EXCLUSIVE : value - READER);
        }

        private static boolean available(int value, boolean exclusive) {
            return (value & EXCLUSIVE) == 0 && (!exclusive || value < READER);
        }
    }

    /** Lock of one S-EPT entry: TDEL, bit 11, with host priority TDHP, bit 52. Always exclusive. */
    record Entry(PhysicalMemory memory, long entryHpa) implements TryLock {
        @Override
        public boolean tryHost(boolean exclusive) {
            long raw = memory.read64(entryHpa);
            if ((raw & SeptEntry.TDEL) != 0) {
                memory.write64(entryHpa, raw | SeptEntry.TDHP);
                return false;
            }
            memory.write64(entryHpa, (raw | SeptEntry.TDEL) & ~SeptEntry.TDHP);
            return true;
        }

        @Override
        public Attempt tryGuest(boolean exclusive) {
            long raw = memory.read64(entryHpa);
            if ((raw & SeptEntry.TDEL) != 0) {
                return Attempt.BUSY;
            }
            if ((raw & SeptEntry.TDHP) != 0) {
                return Attempt.HOST_PRIORITY;
            }
            memory.write64(entryHpa, raw | SeptEntry.TDEL);
            return Attempt.TAKEN;
        }

        @Override
        public void release(boolean exclusive) {
            memory.write64(entryHpa, memory.read64(entryHpa) & ~SeptEntry.TDEL);
        }
    }
}
