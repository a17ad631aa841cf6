package kvasir.kvm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** struct kvm_run and the PIO page after it, as bytes at the offsets of the ABI (6.1, 6.2). */
public final class KvmRun {
    /** Bytes mapped by mmap of the vCPU fd (KVM_GET_VCPU_MMAP_SIZE). */
    public static final int MMAP_BYTES = 12288;

    private static final int EXIT_REASON = 8;
    private static final int UNION = 32;

    private final byte[] bytes = new byte[MMAP_BYTES];
    private final ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);

    /** exit_reason. */
    public int exitReason() {
        return view.getInt(EXIT_REASON);
    }

    /** Writes exit_reason. */
    public void setExitReason(int reason) {
        view.putInt(EXIT_REASON, reason);
    }

    /** immediate_exit, byte 1. */
    public boolean immediateExit() {
        return bytes[1] != 0;
    }

    /** kvm_prepare_memory_fault_exit: exit_reason 39, flags, gpa, size. */
    public void memoryFault(long gpa, long size, boolean isPrivate) {
        setExitReason(39);
        put64(UNION, isPrivate ? MemoryAttributes.PRIVATE : 0);
        put64(UNION + 8, gpa);
        put64(UNION + 16, size);
    }

    /** One byte at an offset of the ABI, 0 to 255. */
    public int get8(int offset) {
        return bytes[offset] & 0xff;
    }

    public void put8(int offset, int value) {
        bytes[offset] = (byte) value;
    }

    public int get16(int offset) {
        return view.getShort(offset) & 0xffff;
    }

    public void put16(int offset, int value) {
        view.putShort(offset, (short) value);
    }

    public int get32(int offset) {
        return view.getInt(offset);
    }

    public void put32(int offset, int value) {
        view.putInt(offset, value);
    }

    public long get64(int offset) {
        return view.getLong(offset);
    }

    public void put64(int offset, long value) {
        view.putLong(offset, value);
    }

    byte[] snapshot() {
        return bytes.clone();
    }

    void restore(byte[] saved) {
        System.arraycopy(saved, 0, bytes, 0, bytes.length);
    }
}
