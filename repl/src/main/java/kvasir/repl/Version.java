package kvasir.repl;

/** Which Kvasir this is. */
final class Version {
    /** As in the POM. */
    static final String TEXT = "0.1.0";

    private Version() {}
}
