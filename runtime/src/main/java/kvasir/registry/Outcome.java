package kvasir.registry;

import java.util.Map;

/**
 * How an operation ended (design decision D3). A script may assert any outcome; one that is not {@link Ok} and not
 * asserted ends the test.
 */
public sealed interface Outcome {
    /** The word a script uses for it: {@code ok}, {@code EINVAL}, {@code HLT}, {@code TDX_OPERAND_BUSY}. */
    String name();

    /** Further facts a script may compare, in a fixed order: {@code left}, {@code gpa}, {@code port} ... */
    Map<String, ?> details();

    /**
     * Success.
     *
     * @param details for example {@code left} for a call with partial progress
     */
    record Ok(Map<String, ?> details) implements Outcome {
        @Override
        public String name() {
            return "ok";
        }
    }

    /**
     * Refusal by the layer that was called.
     *
     * @param name the errno or status by its own name
     * @param reason one sentence for a person: which check refused, and the source of the rule
     * @param details facts that came with it
     */
    record Failed(String name, String reason, Map<String, ?> details) implements Outcome {}

    /**
     * A vCPU came back to user space.
     *
     * @param name exit reason without its prefix: {@code HLT}, {@code IO}, {@code MMIO}, {@code MEMORY_FAULT}
     * @param details the fields of the exit
     */
    record Exit(String name, Map<String, ?> details) implements Outcome {}

    /** Success with nothing more to say. */
    static Outcome ok() {
        return new Ok(Map.of());
    }
}
