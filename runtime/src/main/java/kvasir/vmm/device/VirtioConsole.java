package kvasir.vmm.device;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.IntConsumer;

/** A console with one port (Virtual I/O Device Version 1.2, 5.3). */
public final class VirtioConsole implements VirtioDevice {
    private static final int RECEIVE = 0;
    private static final int TRANSMIT = 1;

    private final IntConsumer output;

    /** What was typed and the driver has no buffer for yet. */
    private byte[] typed = new byte[0];

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

    /** Bytes are typed; the guest has them at the next {@link #notified}. */
    public void type(byte[] text) {
        byte[] all = Arrays.copyOf(typed, typed.length + text.length);
        System.arraycopy(text, 0, all, typed.length, text.length);
        typed = all;
    }

    @Override
    public void notified(VirtQueue[] queues, int index) {
        deliver(queues[RECEIVE]);
        VirtQueue queue = queues[TRANSMIT];
        for (Optional<VirtQueue.Chain> next = queue.take(); next.isPresent(); next = queue.take()) {
            for (byte octet : next.get().out()) {
                output.accept(octet & 0xff);
            }
            queue.give(next.get(), new byte[0]);
        }
    }

    private void deliver(VirtQueue receive) {
        while (typed.length > 0) {
            Optional<VirtQueue.Chain> buffer = receive.take();
            if (buffer.isEmpty()) {
                return;
            }
            int bytes = Math.min(typed.length, buffer.get().room());
            receive.give(buffer.get(), Arrays.copyOf(typed, bytes));
            typed = Arrays.copyOfRange(typed, bytes, typed.length);
        }
    }

    @Override
    public Runnable checkpoint() {
        byte[] saved = typed;
        return () -> typed = saved;
    }
}
