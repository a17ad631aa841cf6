package kvasir.vmm.boot;

/** A file that cannot be booted; the message says why, in words for the person who gave it. */
public final class BootException extends Exception {
    private static final long serialVersionUID = 1;

    public BootException(String message) {
        super(message);
    }
}
