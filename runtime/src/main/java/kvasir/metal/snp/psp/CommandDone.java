package kvasir.metal.snp.psp;

import kvasir.event.Event;
import kvasir.event.Topic;

/**
 * Firmware executed a command.
 *
 * @param command its name, or {@code 0x..} when there is none with the number
 * @param operand the first quadword of the command buffer, for most commands the guest context
 */
public record CommandDone(String command, long operand, FirmwareStatus status) implements Event {
    @Override
    public Topic topic() {
        return Topic.of("psp", operand & -4096L, 4096);
    }

    @Override
    public String describe() {
        return "psp %s(0x%x) -> %s".formatted(command, operand, status);
    }
}
