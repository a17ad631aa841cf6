package kvasir.metal.tdx;

import kvasir.metal.memory.PhysicalMemory;

/** Where the 16 bits of a lock live. */
sealed interface LockWord {
    int load();

    void store(int value);

    /** A lock in host physical memory: PAMT entries, locks of a TDCS. */
    record InMemory(PhysicalMemory memory, long hpa) implements LockWord {
        @Override
        public int load() {
            return memory.read16(hpa) & 0xffff;
        }

        @Override
        public void store(int value) {
            memory.write16(hpa, (short) value);
        }
    }

    /** A lock in the module's global data. */
    final class InModule implements LockWord {
        private int word;

        @Override
        public int load() {
            return word;
        }

        @Override
        public void store(int value) {
            word = value;
        }
    }
}
