package kvasir.kvm;

import java.util.Map;
import java.util.Optional;
import kvasir.registry.Outcome;

/** What an ioctl returned (design decision D3). */
public sealed interface IoctlResult {
    /**
     * Success.
     *
     * @param value what the ioctl returned, not negative
     * @param details facts for scripts, in a fixed order: {@code left}, {@code fd} ...
     */
    record Ok(long value, Map<String, ?> details) implements IoctlResult {
        @Override
        public Outcome outcome() {
            return new Outcome.Ok(details);
        }
    }

    /**
     * -1 with errno set.
     *
     * @param errno the errno
     * @param reason which check refused, in one sentence, with the kernel function it lives in
     * @param details facts for scripts, in a fixed order
     * @param check the row of the errno table, where there is a table
     */
    record Err(Errno errno, String reason, Map<String, ?> details, Optional<Check> check) implements IoctlResult {
        /** A refusal outside the tables of {@link Check}. */
        public Err(Errno errno, String reason, Map<String, ?> details) {
            this(errno, reason, details, Optional.empty());
        }

        @Override
        public Outcome outcome() {
            return new Outcome.Failed(errno.name(), reason, details);
        }
    }

    /**
     * The call would never return.
     *
     * @param reason what it repeats for ever
     */
    record Endless(String reason) implements IoctlResult {
        @Override
        public Outcome outcome() {
            return new Outcome.Failed("livelock", reason, Map.of());
        }
    }

    /** The same as a value of the registry. */
    Outcome outcome();

    /** Whether the ioctl succeeded. */
    default boolean succeeded() {
        return this instanceof Ok;
    }

    /** The answer of an ioctl that returns 0. */
    static IoctlResult done() {
        return new Ok(0, Map.of());
    }

    /** Success with a return value. */
    static IoctlResult ok(long value) {
        return new Ok(value, Map.of("value", value));
    }

    /** Not an answer of KVM's: what was asked for is not modelled. */
    record Unsupported(String what) implements IoctlResult {
        @Override
        public Outcome outcome() {
            return new Outcome.Failed("unsupported", "unsupported: " + what, Map.of());
        }
    }

    /** What was asked for is not modelled. */
    static IoctlResult unsupported(String what) {
        return new Unsupported(what);
    }

    /** A refusal. */
    static IoctlResult err(Errno errno, String reason) {
        return new Err(errno, reason, Map.of());
    }
}
