package kvasir.vmm.device;

import java.util.Optional;
import java.util.function.IntConsumer;

/** A console port that prints, and has no input (Virtual I/O Device Version 1.2, 5.3). */
public final class VirtioConsole implements VirtioDevice {
    private static final int TRANSMIT = 1;

    private final IntConsumer output;

    /** @param output receives each byte sent, 0 to 255 */
    public VirtioConsole(IntConsumer output) {
        this.output = output;
    }

    @Override
    public int id() {
        return 3;
    }

    @Override
    public int queues() {
        return 2;
    }

    @Override
    public void notified(VirtQueue[] queues, int index) {
        if (index != TRANSMIT) {
            return;
        }
        VirtQueue queue = queues[TRANSMIT];
        for (Optional<VirtQueue.Chain> next = queue.take(); next.isPresent(); next = queue.take()) {
            for (byte octet : next.get().out()) {
                output.accept(octet & 0xff);
            }
            queue.give(next.get(), new byte[0]);
        }
    }
}
