package kvasir.kvm.mm;

/** A pfn lookup's answer in one word: a pfn with {@link #WRITABLE}, or one of KVM's error pfns (3.5). */
public final class Pfn {
    /** The host page may be written through the mapping. */
    public static final long WRITABLE = 1L << 48;

    private static final long ERROR_MASK = 0x7ffL << 52;

    /** KVM_PFN_ERR_FAULT. */
    public static final long FAULT = ERROR_MASK;

    /** KVM_PFN_ERR_HWPOISON. */
    public static final long HWPOISON = ERROR_MASK + 1;

    /** KVM_PFN_ERR_RO_FAULT: a write to memory the VMM may only read. */
    public static final long RO_FAULT = ERROR_MASK + 2;

    /** KVM_PFN_ERR_SIGPENDING. */
    public static final long SIGPENDING = ERROR_MASK + 3;

    /** KVM_PFN_NOSLOT. */
    public static final long NOSLOT = 1L << 63;

    private Pfn() {}

    /** Whether {@code word} is an error, {@link #NOSLOT} not counted. */
    public static boolean isError(long word) {
        return (word & ERROR_MASK) != 0;
    }

    /** The pfn without the flag. */
    public static long pfn(long word) {
        return word & ~WRITABLE;
    }

    /** Whether the page may be written. */
    public static boolean writable(long word) {
        return (word & WRITABLE) != 0;
    }
}
