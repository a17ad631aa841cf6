package kvasir.metal.tdx;

/**
 * Where a leaf may be overtaken by one on another LP: right after it took a lock. The explorer and tests run other
 * SEAMCALLs from here; the default lets every leaf run through.
 */
@FunctionalInterface
public interface ModuleSeams {
    /** Nothing happens in between. */
    ModuleSeams NONE = (lp, object, exclusive) -> {};

    /** LP {@code lp} has just taken a lock on such an object and still holds it. */
    void taken(int lp, LockObject object, boolean exclusive);
}
