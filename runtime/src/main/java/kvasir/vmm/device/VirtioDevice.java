package kvasir.vmm.device;

/** What stands behind a virtio transport (Virtual I/O Device Version 1.2, chapter 5). */
public interface VirtioDevice {
    /** The device ID of section 5. */
    int id();

    /** Number of virtqueues. */
    int queues();

    /** Feature bits besides VIRTIO_F_VERSION_1. */
    default long features() {
        return 0;
    }

    /** The configuration space. */
    default byte[] config() {
        return new byte[0];
    }

    /**
     * The driver has added buffers to a queue.
     *
     * @param queues all of them
     * @param index the one
     */
    void notified(VirtQueue[] queues, int index);

    /** The device as it is, as an action that puts it back. */
    default Runnable checkpoint() {
        return () -> {};
    }
}
