package kvasir.kvm.tdx;

/**
 * What struct kvm_tdx_cmd says beside the command and its data.
 *
 * @param flags of the command
 * @param hwError must be 0: the kernel fills it
 */
public record TdxCmd(int flags, long hwError) {
    /** As user space sets it without a wish of its own. */
    public static final TdxCmd PLAIN = new TdxCmd(0, 0);

    /** A command with {@code flags}. */
    public static TdxCmd flags(int flags) {
        return new TdxCmd(flags, 0);
    }
}
