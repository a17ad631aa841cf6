package kvasir.metal.tdx;

/** What runs the code of a TD between TDH.VP.ENTER and the TD exit. */
@FunctionalInterface
public interface TdGuest {
    /** A guest that is interrupted before its first instruction. */
    TdGuest NONE = (module, vcpu) -> new TdExit.Asynchronous(1, 0, 0);

    /**
     * Runs until a TD exit.
     *
     * @param vcpu whose registers are loaded from the TDVPS and stored back
     */
    TdExit run(TdxModule module, Tdvps vcpu);

    /** Drops every cached translation of the vCPU's TD on its LP. */
    default void flush(Tdvps vcpu) {}
}
