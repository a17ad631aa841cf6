package kvasir.kvm;

/**
 * The kernel's fault injection (fault-inject.c): a chosen allocation or copy from user space fails once, so that errors
 * that need an exhausted host or a bad pointer can be seen.
 */
public final class FaultInjection {
    private static final long OFF = -1;

    private final long[] remaining = {OFF, OFF, OFF};

    /** What can be made to fail. */
    public enum Kind {
        /** failslab: kmalloc and its kin. */
        SLAB,
        /** fail_page_alloc: a page. */
        PAGE,
        /** fail_usercopy: copy_from_user and copy_to_user. */
        USERCOPY
    }

    /** The call after {@code successes} more of that kind fails, once. */
    public void arm(Kind kind, long successes) {
        remaining[kind.ordinal()] = successes;
    }

    /** should_fail: whether this call fails. */
    public boolean strikes(Kind kind) {
        long left = remaining[kind.ordinal()];
        if (left == OFF) {
            return false;
        }
        remaining[kind.ordinal()] = left - 1;
        return left == 0;
    }

    long fingerprint() {
        return java.util.Arrays.hashCode(remaining);
    }

    Runnable checkpoint() {
        long[] saved = remaining.clone();
        return () -> System.arraycopy(saved, 0, remaining, 0, saved.length);
    }
}
