package kvasir.metal.tdx;

import java.util.Set;
import java.util.function.Consumer;

/**
 * One row of the TDCALL table.
 *
 * @param number leaf number, RAX bits 15:0
 * @param name as in the ABI
 * @param maxVersion highest version in RAX bits 23:16
 * @param body the leaf
 * @param statuses what it can answer, beside OPERAND_INVALID|RAX
 */
record GuestLeaf(int number, String name, int maxVersion, Consumer<GuestCall> body, Set<Status> statuses) {
    GuestLeaf {
        statuses = Set.copyOf(statuses);
    }
}
