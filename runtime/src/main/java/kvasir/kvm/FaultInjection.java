package kvasir.kvm;

/**
 * The kernel's fault injection (fault-inject.c): a chosen allocation or copy from user space fails once, so that errors
 * that need an exhausted host or a bad pointer can be seen. A SEAMCALL may find its operand busy in the same way.
 */
public final class FaultInjection {
    private static final long OFF = -1;

    private final long[] remaining = {OFF, OFF, OFF, OFF};
    private boolean allocation;

    /** What can be made to fail. */
    public enum Kind {
        /** failslab: kmalloc and its kin. */
        SLAB,
        /** fail_page_alloc: a page. */
        PAGE,
        /** fail_usercopy: copy_from_user and copy_to_user. */
        USERCOPY,
        /** A SEAMCALL that locks a TDR, and finds it held by somebody outside of these threads. */
        SEAMCALL
    }

    /** The call after {@code successes} more of that kind fails, once. */
    public void arm(Kind kind, long successes) {
        remaining[kind.ordinal()] = successes;
    }

    /** The next allocation fails, once: of a page or from a slab, whichever comes first. */
    public void armAllocation() {
        allocation = true;
    }

    /** should_fail: whether this call fails. */
    public boolean strikes(Kind kind) {
        if (allocation && (kind == Kind.SLAB || kind == Kind.PAGE)) {
            allocation = false;
            return true;
        }
        long left = remaining[kind.ordinal()];
        if (left == OFF) {
            return false;
        }
        remaining[kind.ordinal()] = left - 1;
        return left == 0;
    }

    long fingerprint() {
        long hash = allocation ? 1 : 0;
        for (long left : remaining) {
            // Long.hashCode is the same of 0 and of -1
            hash = hash * 0x9e3779b97f4a7c15L + left;
        }
        return hash;
    }

    Runnable checkpoint() {
        long[] saved = remaining.clone();
        boolean savedAllocation = allocation;
        return () -> {
            System.arraycopy(saved, 0, remaining, 0, saved.length);
            allocation = savedAllocation;
        };
    }
}
