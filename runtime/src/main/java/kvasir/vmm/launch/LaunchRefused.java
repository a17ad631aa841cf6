package kvasir.vmm.launch;

/** An image or a combination of options that no VMM would launch. */
public final class LaunchRefused extends Exception {
    private static final long serialVersionUID = 1;

    private final String reason;

    /** @param reason one sentence for a person */
    public LaunchRefused(String reason) {
        super(reason);
        this.reason = reason;
    }

    /** Why, in one sentence. */
    public String reason() {
        return reason;
    }
}
