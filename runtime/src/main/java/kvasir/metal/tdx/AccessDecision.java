package kvasir.metal.tdx;

/** What becomes of a guest access to a private GPA (TDX ABI, EPT violations in a TD). */
public sealed interface AccessDecision {
    /**
     * The access goes through.
     *
     * @param hpa address of the byte accessed
     * @param level of the leaf: 0 = 4K, 1 = 2M, 2 = 1G
     * @param writable whether a write would go through too
     */
    record Allowed(long hpa, int level, boolean writable) implements AccessDecision {}

    /** #VE with exit reason 48 is delivered to the guest. */
    record VirtualizationException(long gpa, long qualification) implements AccessDecision {}

    /** The vCPU leaves. */
    record Exit(TdExit.EptViolation exit) implements AccessDecision {}
}
