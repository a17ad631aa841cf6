package kvasir.kvm;

/** Dirty bits of one slot, one per page, rounded up to 64 (struct kvm_memory_slot, dirty_bitmap). */
public final class DirtyBitmap {
    private final long[] words;

    /** @param npages pages of the slot */
    DirtyBitmap(long npages) {
        words = new long[(int) ((npages + 63) >>> 6)];
    }

    /** Number of 64-bit words. */
    public int length() {
        return words.length;
    }

    /** Sets the bit of the page at {@code offset} from the slot's first. */
    public void set(long offset) {
        words[(int) (offset >>> 6)] |= 1L << offset;
    }

    /** Whether the page's bit is set. */
    public boolean get(long offset) {
        return (words[(int) (offset >>> 6)] >>> offset & 1) != 0;
    }

    /** 64 bits from page {@code 64 * index}. */
    public long word(int index) {
        return words[index];
    }

    /** Clears {@code mask} in a word (atomic and-not) and returns which of its bits were set. */
    public long clear(int index, long mask) {
        long reaped = words[index] & mask;
        words[index] &= ~mask;
        return reaped;
    }

    /** Sets all bits, also those past the last page (KVM_DIRTY_LOG_INITIALLY_SET). */
    void fill() {
        java.util.Arrays.fill(words, -1L);
    }

    long fingerprint() {
        return java.util.Arrays.hashCode(words);
    }

    Runnable checkpoint() {
        long[] saved = words.clone();
        return () -> System.arraycopy(saved, 0, words, 0, saved.length);
    }
}
