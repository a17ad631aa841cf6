package kvasir.metal.memory;

/**
 * The JVM gives no more memory for frames that guests have written. No outcome: nothing of the emulated machine went
 * wrong, and it cannot go on.
 */
public final class HostMemoryExhausted extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long bytes;

    HostMemoryExhausted(long bytes, OutOfMemoryError cause) {
        super(cause);
        this.bytes = bytes;
    }

    /** In words for users. */
    public String said() {
        return "the memory that guests have written takes %d MiB, and Java gives no more".formatted(bytes >> 20);
    }

    /** What a user can do about it. */
    public String help() {
        return "KVS_JAVA_OPTS=-XX:MaxDirectMemorySize=16g lets it have 16 GiB";
    }
}
