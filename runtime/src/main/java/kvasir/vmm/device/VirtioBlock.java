package kvasir.vmm.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** A block device whose disk is an array (Virtual I/O Device Version 1.2, 5.2). */
public final class VirtioBlock implements VirtioDevice {
    private static final int SECTOR = 512;
    private static final int HEADER = 16;
    private static final long FLUSH = 1 << 9;
    private static final int READ_SECTORS = 0;
    private static final int WRITE_SECTORS = 1;
    private static final int FLUSH_CACHE = 4;
    private static final int GET_ID = 8;
    private static final byte OK = 0;
    private static final byte ERROR = 1;
    private static final byte UNSUPPORTED = 2;

    private final byte[] disk;

    /** @param image what the disk holds; filled up to whole sectors */
    public VirtioBlock(byte[] image) {
        disk = Arrays.copyOf(image, (image.length + SECTOR - 1) / SECTOR * SECTOR);
    }

    @Override
    public int id() {
        return 2;
    }

    @Override
    public int queues() {
        return 1;
    }

    @Override
    public long features() {
        return FLUSH;
    }

    @Override
    public byte[] config() {
        return ByteBuffer.allocate(24)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(disk.length / SECTOR)
                .array();
    }

    @Override
    public void notified(VirtQueue[] queues, int index) {
        for (Optional<VirtQueue.Chain> next = queues[0].take(); next.isPresent(); next = queues[0].take()) {
            queues[0].give(next.get(), answer(next.get()));
        }
    }

    /** What was read, then the status byte, which is the last that the device may write. */
    private byte[] answer(VirtQueue.Chain chain) {
        int room = Math.max(0, chain.room() - 1);
        if (chain.out().length < HEADER) {
            return status(new byte[room], ERROR);
        }
        ByteBuffer header = ByteBuffer.wrap(chain.out()).order(ByteOrder.LITTLE_ENDIAN);
        int type = header.getInt();
        long sector = header.getLong(8);
        int written = chain.out().length - HEADER;
        int bytes = type == READ_SECTORS ? room : written;
        boolean inside = sector >= 0 && sector <= disk.length / SECTOR && bytes <= disk.length - sector * SECTOR;
        return switch (type) {
            case READ_SECTORS, WRITE_SECTORS -> {
                if (!inside) {
                    yield status(new byte[room], ERROR);
                }
                int at = (int) sector * SECTOR;
                if (type == READ_SECTORS) {
                    yield status(Arrays.copyOfRange(disk, at, at + room), OK);
                }
                System.arraycopy(chain.out(), HEADER, disk, at, written);
                yield status(new byte[room], OK);
            }
            case FLUSH_CACHE -> status(new byte[room], OK);
            case GET_ID -> status(Arrays.copyOf("kvasir".getBytes(StandardCharsets.US_ASCII), room), OK);
            default -> status(new byte[room], UNSUPPORTED);
        };
    }

    private static byte[] status(byte[] data, byte status) {
        byte[] answer = Arrays.copyOf(data, data.length + 1);
        answer[data.length] = status;
        return answer;
    }

    @Override
    public Runnable checkpoint() {
        byte[] saved = disk.clone();
        return () -> System.arraycopy(saved, 0, disk, 0, disk.length);
    }
}
