package kvasir.vmm.device;

import java.util.Arrays;

/** The register window of a virtio device over MMIO, version 2 (Virtual I/O Device Version 1.2, 4.2.2). */
public final class VirtioMmio implements MmioDevice {
    /** Bytes of a window. */
    public static final int BYTES = 0x200;

    /** Windows that there can be; each has a GSI of the I/O APIC's upper pins. */
    public static final int MOST = 8;

    private static final long FIRST = 0xd000_0000L;
    private static final int FIRST_GSI = 16;
    private static final int CONFIG = 0x100;
    private static final int MAGIC = 0x7472_6976;
    private static final int VERSION = 2;
    private static final int VENDOR = 0x5352_564b;
    private static final int VERSION_1 = 1;
    private static final int USED_BUFFER = 1;

    private final long base;
    private final Line line;
    private final VirtioDevice device;
    private final VirtQueue[] queues;
    private int featuresSelect;
    private int queueSelect;
    private int interruptStatus;
    private int status;

    /**
     * @param slot 0 to 7
     * @param line its interrupt, that of {@link #gsi}
     */
    VirtioMmio(int slot, Line line, GuestRam ram, VirtioDevice device) {
        base = address(slot);
        this.line = line;
        this.device = device;
        queues = new VirtQueue[device.queues()];
        Arrays.setAll(queues, _ -> new VirtQueue(ram));
    }

    /** First guest physical address of a slot's window. */
    public static long address(int slot) {
        return FIRST + (long) slot * BYTES;
    }

    /** The interrupt of a slot, level-triggered. */
    public static int gsi(int slot) {
        return FIRST_GSI + slot;
    }

    @Override
    public boolean ownsAddress(long gpa) {
        return gpa >= base && gpa < base + BYTES;
    }

    @Override
    public long readMemory(long gpa, int bytes) {
        int offset = (int) (gpa - base);
        if (offset >= CONFIG) {
            byte[] config = device.config();
            long value = 0;
            for (int i = 0; i < bytes && offset - CONFIG + i < config.length; i++) {
                value |= (config[offset - CONFIG + i] & 0xffL) << 8 * i;
            }
            return value;
        }
        return Integer.toUnsignedLong(register(offset));
    }

    private int register(int offset) {
        return switch (offset) {
            case 0x000 -> MAGIC;
            case 0x004 -> VERSION;
            case 0x008 -> device.id();
            case 0x00c -> VENDOR;
            case 0x010 ->
                featuresSelect == 0
                        ? (int) device.features()
                        : featuresSelect == 1 ? VERSION_1 | (int) (device.features() >>> 32) : 0;
            case 0x034 -> queueSelect < queues.length ? VirtQueue.MOST : 0;
            case 0x044 -> queueSelect < queues.length && queues[queueSelect].ready ? 1 : 0;
            case 0x060 -> interruptStatus;
            case 0x070 -> status;
            // no shared memory: its length reads as -1
            case 0x0b0, 0x0b4, 0x0b8, 0x0bc -> -1;
            default -> 0;
        };
    }

    @Override
    public void writeMemory(long gpa, int bytes, long value) {
        int offset = (int) (gpa - base);
        int word = (int) value;
        switch (offset) {
            case 0x014 -> featuresSelect = word;
            case 0x030 -> queueSelect = Integer.compareUnsigned(word, queues.length) < 0 ? word : queues.length;
            case 0x050 -> notified(word);
            case 0x064 -> {
                interruptStatus &= ~word;
                line.set(interruptStatus != 0);
            }
            case 0x070 -> setStatus(word);
            default -> {
                if (queueSelect < queues.length) {
                    queue(queues[queueSelect], offset, word);
                }
            }
        }
    }

    private static void queue(VirtQueue queue, int offset, int word) {
        long low = Integer.toUnsignedLong(word);
        switch (offset) {
            case 0x038 -> queue.size = Math.clamp(word, 1, VirtQueue.MOST);
            case 0x044 -> queue.ready = (word & 1) != 0;
            case 0x080 -> queue.descriptors = queue.descriptors & -1L << 32 | low;
            case 0x084 -> queue.descriptors = queue.descriptors & 0xffff_ffffL | low << 32;
            case 0x090 -> queue.available = queue.available & -1L << 32 | low;
            case 0x094 -> queue.available = queue.available & 0xffff_ffffL | low << 32;
            case 0x0a0 -> queue.used = queue.used & -1L << 32 | low;
            case 0x0a4 -> queue.used = queue.used & 0xffff_ffffL | low << 32;
            default -> {}
        }
    }

    /** Something has come from outside: the device looks whether the driver has room for it. */
    void arrived() {
        notified(0);
    }

    private void notified(int index) {
        if (Integer.compareUnsigned(index, queues.length) >= 0) {
            return;
        }
        device.notified(queues, index);
        for (VirtQueue queue : queues) {
            interruptStatus |= queue.takeInterrupt() ? USED_BUFFER : 0;
        }
        line.set(interruptStatus != 0);
    }

    private void setStatus(int wanted) {
        status = wanted & 0xff;
        if (status == 0) {
            Arrays.stream(queues).forEach(VirtQueue::reset);
            interruptStatus = 0;
            line.set(false);
        }
    }

    /** The window and its device as they are, as an action that puts them back. */
    Runnable checkpoint() {
        int[] saved = {featuresSelect, queueSelect, interruptStatus, status};
        var parts = Arrays.stream(queues).map(VirtQueue::checkpoint).toList();
        Runnable savedDevice = device.checkpoint();
        return () -> {
            featuresSelect = saved[0];
            queueSelect = saved[1];
            interruptStatus = saved[2];
            status = saved[3];
            parts.forEach(Runnable::run);
            savedDevice.run();
        };
    }
}
