package kvasir.vmm.device;

import java.util.Optional;

/** An entropy source with a seed, the same bytes in every run (Virtual I/O Device Version 1.2, 5.4; SplitMix64). */
public final class VirtioRng implements VirtioDevice {
    private long state;

    /** @param seed of the sequence */
    public VirtioRng(long seed) {
        state = seed;
    }

    @Override
    public int id() {
        return 4;
    }

    @Override
    public int queues() {
        return 1;
    }

    @Override
    public void notified(VirtQueue[] queues, int index) {
        for (Optional<VirtQueue.Chain> next = queues[0].take(); next.isPresent(); next = queues[0].take()) {
            byte[] bytes = new byte[next.get().room()];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) step();
            }
            queues[0].give(next.get(), bytes);
        }
    }

    private long step() {
        state += 0x9e37_79b9_7f4a_7c15L;
        long z = (state ^ state >>> 30) * 0xbf58_476d_1ce4_e5b9L;
        z = (z ^ z >>> 27) * 0x94d0_49bb_1331_11ebL;
        return z ^ z >>> 31;
    }

    @Override
    public Runnable checkpoint() {
        long saved = state;
        return () -> state = saved;
    }
}
