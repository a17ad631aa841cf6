package kvasir.kvm.mm;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.registry.Bytes;

/**
 * userfaultfd (fs/userfaultfd.c) with a thread that answers every fault at once: it is told of a page and resolves it, by
 * UFFDIO_COPY where the page was missing, by UFFDIO_CONTINUE where only its entry was.
 */
final class UserFaults {
    /** What is registered. */
    enum Mode {
        /** UFFDIO_REGISTER_MODE_MISSING: there is no page. */
        MISSING,
        /** UFFDIO_REGISTER_MODE_MINOR: the file has the page, and nothing maps it. */
        MINOR
    }

    /**
     * One registration.
     *
     * @param start first page number
     * @param end behind the last
     * @param content what the thread copies into a missing page; repeated to fill it
     */
    record Registration(long start, long end, Mode mode, Bytes content) {}

    private List<Registration> registrations = List.of();
    private long faults;

    void register(Registration registration) {
        var more = new ArrayList<>(registrations);
        more.add(registration);
        registrations = List.copyOf(more);
    }

    void unregister(long start, long end) {
        registrations = registrations.stream()
                .filter(each -> each.end <= start || each.start >= end)
                .toList();
    }

    Optional<Registration> at(long page, Mode mode) {
        return registrations.stream()
                .filter(each -> each.mode == mode && page >= each.start && page < each.end)
                .findFirst();
    }

    /** The thread was told of one more page. */
    void told() {
        faults++;
    }

    long faults() {
        return faults;
    }

    Runnable checkpoint() {
        List<Registration> saved = registrations;
        long savedFaults = faults;
        return () -> {
            registrations = saved;
            faults = savedFaults;
        };
    }
}
