package kvasir.vmm.device;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;

/**
 * A network card (Virtual I/O Device Version 1.2, 5.1) whose only peer is {@link EchoPeer}: what the guest sends is
 * answered at once.
 */
public final class VirtioNet implements VirtioDevice {
    private static final int RECEIVE = 0;
    private static final int TRANSMIT = 1;
    private static final int HEADER = 12;
    private static final long MAC = 1 << 5;
    private static final byte[] ADDRESS = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

    private final EchoPeer peer = new EchoPeer();
    private final Deque<byte[]> waiting = new ArrayDeque<>();

    @Override
    public int id() {
        return 1;
    }

    @Override
    public int queues() {
        return 2;
    }

    @Override
    public long features() {
        return MAC;
    }

    @Override
    public byte[] config() {
        return Arrays.copyOf(ADDRESS, 8);
    }

    @Override
    public void notified(VirtQueue[] queues, int index) {
        VirtQueue transmit = queues[TRANSMIT];
        for (Optional<VirtQueue.Chain> next = transmit.take(); next.isPresent(); next = transmit.take()) {
            byte[] packet = next.get().out();
            if (packet.length > HEADER) {
                peer.answer(Arrays.copyOfRange(packet, HEADER, packet.length)).ifPresent(waiting::addLast);
            }
            transmit.give(next.get(), new byte[0]);
        }
        deliver(queues[RECEIVE]);
    }

    private void deliver(VirtQueue receive) {
        while (!waiting.isEmpty()) {
            Optional<VirtQueue.Chain> buffer = receive.take();
            if (buffer.isEmpty()) {
                return;
            }
            byte[] frame = waiting.removeFirst();
            byte[] packet = new byte[HEADER + frame.length];
            // num_buffers
            packet[10] = 1;
            System.arraycopy(frame, 0, packet, HEADER, frame.length);
            receive.give(buffer.get(), packet);
        }
    }

    @Override
    public Runnable checkpoint() {
        var saved = new ArrayDeque<>(waiting);
        return () -> {
            waiting.clear();
            waiting.addAll(saved);
        };
    }
}
