package kvasir.metal.tdx;

import java.util.Set;
import java.util.function.Consumer;

/**
 * One row of the SEAMCALL table.
 *
 * @param number leaf number, RAX bits 15:0
 * @param name as in the ABI
 * @param maxVersion highest version in RAX bits 23:16
 * @param gate what the module and the LP must be through before the leaf runs
 * @param body the leaf
 * @param statuses what it can answer, beside OPERAND_INVALID|RAX and the statuses of the gate
 */
record HostLeaf(int number, String name, int maxVersion, Gate gate, Consumer<HostCall> body, Set<Status> statuses) {
    /** What must be done before a leaf may run. */
    enum Gate {
        ANY,
        LP_INITIALISED,
        READY
    }

    HostLeaf {
        statuses = Set.copyOf(statuses);
    }
}
