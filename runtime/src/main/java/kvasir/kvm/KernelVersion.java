package kvasir.kvm;

/** A Linux release, as far as a behaviour depends on it. */
public record KernelVersion(int major, int minor) {
    /** Whether this release has what {@code major.minor} introduced. */
    public boolean atLeast(int major, int minor) {
        return this.major > major || (this.major == major && this.minor >= minor);
    }

    @Override
    public String toString() {
        return "v" + major + "." + minor;
    }
}
