package kvasir.vmm.device;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A split virtqueue (Virtual I/O Device Version 1.2, 2.7), the device's side. */
public final class VirtQueue {
    /** Descriptors that a queue may have. */
    static final int MOST = 256;

    private static final int NEXT = 1;
    private static final int WRITE = 2;
    private static final int DESCRIPTOR_BYTES = 16;

    private final GuestRam ram;
    int size = MOST;
    boolean ready;
    long descriptors;
    long available;
    long used;
    private int taken;
    private int given;
    private boolean interrupts;

    VirtQueue(GuestRam ram) {
        this.ram = ram;
    }

    /** Buffers that the driver offers together. */
    public static final class Chain {
        private final int head;
        private final byte[] out;
        private final List<Segment> in;

        private Chain(int head, byte[] out, List<Segment> in) {
            this.head = head;
            this.out = out;
            this.in = in;
        }

        /** Index of the first descriptor. */
        int head() {
            return head;
        }

        /** What the driver has written, in order. */
        byte[] out() {
            return out;
        }

        /** Where the device may write. */
        List<Segment> in() {
            return in;
        }

        /** Bytes that the device may write. */
        int room() {
            return in.stream().mapToInt(Segment::bytes).sum();
        }
    }

    /** A piece of guest memory. */
    public record Segment(long gpa, int bytes) {}

    private int read16(long gpa) {
        return ByteBuffer.wrap(ram.read(gpa, 2)).order(ByteOrder.LITTLE_ENDIAN).getShort() & 0xffff;
    }

    private void write16(long gpa, int value) {
        ram.write(gpa, new byte[] {(byte) value, (byte) (value >>> 8)});
    }

    /** The next chain that the driver has made available. */
    Optional<Chain> take() {
        if (!ready || read16(available + 2) == taken) {
            return Optional.empty();
        }
        int head = read16(available + 4 + 2L * (taken % size));
        taken = taken + 1 & 0xffff;
        var out = new ByteArrayOutputStream();
        var in = new ArrayList<Segment>();
        int index = head;
        // a chain has at most as many descriptors as the queue; what loops is cut off there
        for (int i = 0; i < size; i++) {
            ByteBuffer descriptor = ByteBuffer.wrap(
                            ram.read(descriptors + (long) DESCRIPTOR_BYTES * index, DESCRIPTOR_BYTES))
                    .order(ByteOrder.LITTLE_ENDIAN);
            long gpa = descriptor.getLong();
            int bytes = descriptor.getInt() & 0xff_ffff;
            int flags = descriptor.getShort();
            if ((flags & WRITE) != 0) {
                in.add(new Segment(gpa, bytes));
            } else {
                out.writeBytes(ram.read(gpa, bytes));
            }
            if ((flags & NEXT) == 0) {
                break;
            }
            index = descriptor.getShort() & 0xffff;
        }
        return Optional.of(new Chain(head, out.toByteArray(), List.copyOf(in)));
    }

    /** Gives a chain back with what the device has to say; what does not fit is cut off. */
    void give(Chain chain, byte[] answer) {
        int done = 0;
        for (Segment segment : chain.in) {
            int bytes = Math.min(segment.bytes, answer.length - done);
            ram.write(segment.gpa, Arrays.copyOfRange(answer, done, done + bytes));
            done += bytes;
        }
        var element = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(chain.head)
                .putInt(done);
        ram.write(used + 4 + 8L * (given % size), element.array());
        given = given + 1 & 0xffff;
        write16(used + 2, given);
        // VIRTQ_AVAIL_F_NO_INTERRUPT
        interrupts |= (read16(available) & 1) == 0;
    }

    /** Whether the driver wants to hear of what was given back since the last call. */
    boolean takeInterrupt() {
        boolean wanted = interrupts;
        interrupts = false;
        return wanted;
    }

    void reset() {
        size = MOST;
        ready = false;
        descriptors = 0;
        available = 0;
        used = 0;
        taken = 0;
        given = 0;
        interrupts = false;
    }

    Runnable checkpoint() {
        int savedSize = size;
        boolean savedReady = ready;
        long[] saved = {descriptors, available, used, taken, given};
        return () -> {
            size = savedSize;
            ready = savedReady;
            descriptors = saved[0];
            available = saved[1];
            used = saved[2];
            taken = (int) saved[3];
            given = (int) saved[4];
        };
    }
}
