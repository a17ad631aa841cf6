package kvasir.kvm.irqchip;

import java.util.function.ObjLongConsumer;
import java.util.function.ToLongFunction;

/**
 * The 8254 interval timer and the speaker port: ports 40h to 43h and 61h (Intel 8254 data sheet; KVM's i8254.c).
 * Channel 0 drives GSI 0; channel 2 is gated by port 61h.
 */
final class Pit {
    /** Input clock in hertz. */
    private static final long HERTZ = 1_193_182;

    private static final int FULL = 0x10000;

    private static final long SPEAKER_DATA_ON = 1 << 1;

    private final Channel[] channels = {new Channel(), new Channel(), new Channel()};
    private boolean speakerData;

    /** One counter. */
    private static final class Channel {
        int mode;
        int access = 3;
        boolean bcd;
        boolean gate = true;
        boolean loaded;
        int count = FULL;
        long loadedAt;
        long edgesDelivered;
        int writtenLow;
        boolean writeHighNext;
        boolean readHighNext;
        int latchedCount;
        int latchedBytes;
        boolean statusLatched;
        int status;

        void copyFrom(Channel other) {
            mode = other.mode;
            access = other.access;
            bcd = other.bcd;
            gate = other.gate;
            loaded = other.loaded;
            count = other.count;
            loadedAt = other.loadedAt;
            edgesDelivered = other.edgesDelivered;
            writtenLow = other.writtenLow;
            writeHighNext = other.writeHighNext;
            readHighNext = other.readHighNext;
            latchedCount = other.latchedCount;
            latchedBytes = other.latchedBytes;
            statusLatched = other.statusLatched;
            status = other.status;
        }

        long elapsed(long now) {
            return ticks(now - loadedAt);
        }

        boolean periodic() {
            return mode == 2 || mode == 3;
        }

        int counter(long now) {
            long elapsed = elapsed(now);
            return (int)
                            switch (mode) {
                                case 2 -> count - elapsed % count;
                                case 3 -> count - 2 * elapsed % count;
                                default -> count - elapsed & 0xffff;
                            }
                    & 0xffff;
        }

        boolean output(long now) {
            if (!loaded) {
                return mode != 0;
            }
            long elapsed = elapsed(now);
            return switch (mode) {
                case 0 -> elapsed >= count;
                case 1 -> elapsed >= count;
                case 2 -> elapsed % count != count - 1;
                case 3 -> elapsed % count < (count + 1) >> 1;
                default -> elapsed != count;
            };
        }

        /** Rising edges of the output from the load to {@code now}. */
        long edges(long now) {
            if (!loaded) {
                return 0;
            }
            long elapsed = elapsed(now);
            return periodic() ? elapsed / count : elapsed >= count ? 1 : 0;
        }

        void load(int value, long now) {
            count = value == 0 ? (bcd ? 10_000 : FULL) : bcd ? fromBcd(value) : value;
            loaded = true;
            loadedAt = now;
            edgesDelivered = 0;
        }
    }

    Pit() {
        channels[2].gate = false;
    }

    static boolean owns(int port) {
        return (port >= 0x40 && port <= 0x43) || port == 0x61;
    }

    private static long ticks(long nanoseconds) {
        long second = IrqChip.TSC_HERTZ;
        return nanoseconds / second * HERTZ + nanoseconds % second * HERTZ / second;
    }

    /** The first nanosecond at which {@code ticks} have passed. */
    private static long nanoseconds(long ticks) {
        long second = IrqChip.TSC_HERTZ;
        return ticks / HERTZ * second + (ticks % HERTZ * second + HERTZ - 1) / HERTZ;
    }

    /** When channel 0 next raises GSI 0; {@link Long#MAX_VALUE} if never. */
    long deadline() {
        Channel channel = channels[0];
        if (!channel.loaded || (!channel.periodic() && channel.edgesDelivered > 0)) {
            return Long.MAX_VALUE;
        }
        return channel.loadedAt + nanoseconds((channel.edgesDelivered + 1) * channel.count);
    }

    /** Whether GSI 0 had an edge since the last call. Edges that were missed are coalesced into one. */
    boolean takeEdge(long now) {
        Channel channel = channels[0];
        long edges = channel.edges(now);
        boolean edge = edges > channel.edgesDelivered;
        channel.edgesDelivered = edges;
        return edge;
    }

    int read(int port, long now) {
        if (port == 0x61) {
            Channel speaker = channels[2];
            boolean refresh = (ticks(now) / 18 & 1) != 0;
            return (speaker.gate ? 1 : 0)
                    | (speakerData ? 2 : 0)
                    | (refresh ? 0x10 : 0)
                    | (speaker.output(now) ? 0x20 : 0);
        }
        if (port == 0x43) {
            return 0;
        }
        Channel channel = channels[port - 0x40];
        if (channel.statusLatched) {
            channel.statusLatched = false;
            return channel.status;
        }
        if (channel.latchedBytes > 0) {
            int value = channel.readHighNext ? channel.latchedCount >>> 8 : channel.latchedCount & 0xff;
            channel.readHighNext = channel.access == 3 && !channel.readHighNext;
            channel.latchedBytes--;
            return value;
        }
        int counter = channel.bcd ? toBcd(channel.counter(now)) : channel.counter(now);
        boolean high = channel.access == 2 || (channel.access == 3 && channel.readHighNext);
        channel.readHighNext = channel.access == 3 && !channel.readHighNext;
        return high ? counter >>> 8 : counter & 0xff;
    }

    void write(int port, int value, long now) {
        if (port == 0x61) {
            Channel speaker = channels[2];
            boolean gate = (value & 1) != 0;
            if (gate && !speaker.gate && speaker.loaded && speaker.mode != 0 && speaker.mode != 4) {
                speaker.loadedAt = now;
            }
            speaker.gate = gate;
            speakerData = (value & 2) != 0;
        } else if (port == 0x43) {
            control(value & 0xff, now);
        } else {
            data(channels[port - 0x40], value & 0xff, now);
        }
    }

    private void control(int value, long now) {
        int select = value >>> 6;
        if (select == 3) {
            for (int i = 0; i < 3; i++) {
                if ((value & 2 << i) != 0) {
                    if ((value & 0x20) == 0) {
                        latchCount(channels[i], now);
                    }
                    if ((value & 0x10) == 0) {
                        latchStatus(channels[i], now);
                    }
                }
            }
            return;
        }
        Channel channel = channels[select];
        int access = value >>> 4 & 3;
        if (access == 0) {
            latchCount(channel, now);
            return;
        }
        channel.access = access;
        channel.mode = (value >>> 1 & 7) > 5 ? value >>> 1 & 3 : value >>> 1 & 7;
        channel.bcd = (value & 1) != 0;
        channel.loaded = false;
        channel.writeHighNext = false;
        channel.readHighNext = false;
        channel.latchedBytes = 0;
        channel.statusLatched = false;
    }

    private static void latchCount(Channel channel, long now) {
        if (channel.latchedBytes == 0) {
            channel.latchedCount = channel.bcd ? toBcd(channel.counter(now)) : channel.counter(now);
            channel.latchedBytes = channel.access == 3 ? 2 : 1;
            channel.readHighNext = channel.access == 2;
        }
    }

    private static void latchStatus(Channel channel, long now) {
        if (!channel.statusLatched) {
            channel.statusLatched = true;
            channel.status = (channel.output(now) ? 0x80 : 0)
                    | (channel.loaded ? 0 : 0x40)
                    | channel.access << 4
                    | channel.mode << 1
                    | (channel.bcd ? 1 : 0);
        }
    }

    private static void data(Channel channel, int value, long now) {
        switch (channel.access) {
            case 1 -> channel.load(value, now);
            case 2 -> channel.load(value << 8, now);
            default -> {
                if (channel.writeHighNext) {
                    channel.load(value << 8 | channel.writtenLow, now);
                } else {
                    channel.writtenLow = value;
                }
                channel.writeHighNext = !channel.writeHighNext;
            }
        }
    }

    private static int fromBcd(int value) {
        return (value >>> 12) * 1000 + (value >>> 8 & 15) * 100 + (value >>> 4 & 15) * 10 + (value & 15);
    }

    private static int toBcd(int value) {
        int decimal = value % 10_000;
        return decimal / 1000 << 12 | decimal / 100 % 10 << 8 | decimal / 10 % 10 << 4 | decimal % 10;
    }

    /** struct kvm_pit_state2, field by field. */
    void save(ObjLongConsumer<String> state) {
        for (int i = 0; i < channels.length; i++) {
            Channel channel = channels[i];
            String name = "channel" + i + ".";
            boolean word = channel.access == 3;
            state.accept(name + "count", channel.count);
            state.accept(name + "latched_count", channel.latchedCount);
            state.accept(name + "count_latched", channel.latchedBytes == 0 ? 0 : channel.access);
            state.accept(name + "status_latched", channel.statusLatched ? 1 : 0);
            state.accept(name + "status", channel.status);
            state.accept(name + "read_state", word ? channel.readHighNext ? 4 : 3 : channel.access);
            state.accept(name + "write_state", word ? channel.writeHighNext ? 4 : 3 : channel.access);
            state.accept(name + "write_latch", channel.writtenLow);
            state.accept(name + "rw_mode", channel.access);
            state.accept(name + "mode", channel.mode);
            state.accept(name + "bcd", channel.bcd ? 1 : 0);
            state.accept(name + "gate", channel.gate ? 1 : 0);
            state.accept(name + "count_load_time", channel.loadedAt);
        }
        state.accept("flags", speakerData ? SPEAKER_DATA_ON : 0);
    }

    /** kvm_vm_ioctl_set_pit2: the counters begin anew, now. */
    void load(ToLongFunction<String> state, long now) {
        for (int i = 0; i < channels.length; i++) {
            Channel channel = channels[i];
            String name = "channel" + i + ".";
            channel.access = Math.clamp(state.applyAsLong(name + "rw_mode"), 1, 3);
            channel.mode = (int) state.applyAsLong(name + "mode") % 6;
            channel.bcd = state.applyAsLong(name + "bcd") != 0;
            channel.gate = state.applyAsLong(name + "gate") != 0;
            channel.latchedCount = (int) state.applyAsLong(name + "latched_count");
            channel.latchedBytes = state.applyAsLong(name + "count_latched") == 0 ? 0 : channel.access == 3 ? 2 : 1;
            channel.statusLatched = state.applyAsLong(name + "status_latched") != 0;
            channel.status = (int) state.applyAsLong(name + "status");
            channel.readHighNext = state.applyAsLong(name + "read_state") == 4;
            channel.writeHighNext = state.applyAsLong(name + "write_state") == 4;
            channel.writtenLow = (int) state.applyAsLong(name + "write_latch");
            long count = state.applyAsLong(name + "count");
            channel.count = count == 0 || count > FULL ? FULL : (int) count;
            channel.loaded = true;
            channel.loadedAt = now;
            channel.edgesDelivered = 0;
        }
        speakerData = (state.applyAsLong("flags") & SPEAKER_DATA_ON) != 0;
    }

    Runnable checkpoint() {
        var saved = new Channel[channels.length];
        for (int i = 0; i < saved.length; i++) {
            saved[i] = new Channel();
            saved[i].copyFrom(channels[i]);
        }
        boolean savedSpeaker = speakerData;
        return () -> {
            for (int i = 0; i < saved.length; i++) {
                channels[i].copyFrom(saved[i]);
            }
            speakerData = savedSpeaker;
        };
    }
}
