package kvasir.kvm.mm;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The VMM process's file descriptor table. */
public final class Descriptors {
    private static final int FIRST = 3;

    /** systemd's hard limit. */
    private static final int DEFAULT_LIMIT = 1 << 19;

    private int limit = DEFAULT_LIMIT;
    private TreeMap<Integer, Object> open = new TreeMap<>();

    /** Opens {@code file} under the lowest free descriptor. */
    public int open(Object file) {
        int fd = nextFree();
        open.put(fd, file);
        return fd;
    }

    /** The descriptor that {@link #open} would give. */
    public int nextFree() {
        int fd = FIRST;
        while (open.containsKey(fd)) {
            fd++;
        }
        return fd;
    }

    /** RLIMIT_NOFILE: descriptors are below it. */
    public int limit() {
        return limit;
    }

    /** setrlimit of RLIMIT_NOFILE. */
    public void setLimit(int descriptors) {
        limit = descriptors;
    }

    /** Whether opening would fail with EMFILE. */
    public boolean full() {
        return nextFree() >= limit;
    }

    /** What is open under {@code fd}. */
    public Optional<Object> get(int fd) {
        return Optional.ofNullable(open.get(fd));
    }

    /** What is open under {@code fd}, if it is a {@code type}. */
    public <T> Optional<T> get(int fd, Class<T> type) {
        return get(fd).filter(type::isInstance).map(type::cast);
    }

    /**
     * Closes {@code fd}.
     *
     * @return whether that was the last descriptor of its file; false also if nothing was open
     */
    public boolean close(int fd) {
        Object file = open.remove(fd);
        return file != null && !open.containsValue(file);
    }

    /** All open descriptors in order. */
    public Map<Integer, Object> all() {
        return java.util.Collections.unmodifiableMap(open);
    }

    Runnable checkpoint() {
        var saved = new TreeMap<>(open);
        int savedLimit = limit;
        return () -> {
            open = new TreeMap<>(saved);
            limit = savedLimit;
        };
    }
}
