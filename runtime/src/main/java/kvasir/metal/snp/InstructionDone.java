package kvasir.metal.snp;

import kvasir.event.Event;
import kvasir.event.Topic;

/**
 * An instruction on the RMP ended.
 *
 * @param instruction mnemonic
 * @param address its operand in RAX
 * @param outcome a return code, {@code CF=1}, {@code #UD}, {@code #GP}, {@code #VC} or {@code NPF}
 */
public record InstructionDone(String instruction, long address, String outcome) implements Event {
    @Override
    public Topic topic() {
        return Topic.of("rmp instruction", address & -4096L, 4096);
    }

    @Override
    public String describe() {
        return "%s 0x%x -> %s".formatted(instruction, address, outcome);
    }
}
