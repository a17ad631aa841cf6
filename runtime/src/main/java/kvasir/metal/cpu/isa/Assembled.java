package kvasir.metal.cpu.isa;

import java.util.List;
import java.util.Map;
import kvasir.registry.Bytes;

/**
 * What the assembler gives back.
 *
 * @param code the bytes; empty if there are errors
 * @param labels address of each label, in the order of the source
 * @param errors in the order of the source
 */
public record Assembled(Bytes code, Map<String, Long> labels, List<AssemblyError> errors) {
    /** Whether it assembled. */
    public boolean ok() {
        return errors.isEmpty();
    }
}
