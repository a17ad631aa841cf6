package kvasir.kvm;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import kvasir.metal.cpu.MmioBus;

/**
 * The emulator's accesses to gpas that the second stage does not map: KVM makes them itself through the slot's hva, or, where
 * it cannot, user space answers them in pieces of at most 8 bytes (x86.c, emulator_read_write_onepage, vcpu_mmio_read and
 * complete_emulated_mmio).
 */
final class Mmio implements MmioBus {
    private static final int FRAGMENT = 8;

    private final Vcpu vcpu;
    private final Deque<Write> writes = new ArrayDeque<>();
    /** Reads of the present instruction that user space has answered (struct read_cache). */
    private List<Read> answered = List.of();

    private byte[] read = {};
    private int readDone;
    private long readGpa;
    private int readBytes;

    @SuppressWarnings("ArrayRecordComponent") // never compared, never changed
    private record Read(long gpa, byte[] data) {}

    private record Write(long gpa, int bytes, long data) {}

    Mmio(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    @Override
    public boolean claims(long gpa, int bytes, boolean write) {
        Memslot slot = slot(gpa);
        return !slot.exists() || slot.invalid() || write && slot.readonly() || usesHva(slot, gpa >>> 12);
    }

    private Memslot slot(long gpa) {
        return vcpu.vm().memslots(vcpu.addressSpace()).lookup(gpa >>> 12);
    }

    /** Whether the guest's page is the VMM's; private pages and those of a guest_memfd are mapped instead. */
    private boolean usesHva(Memslot slot, long gfn) {
        return !slot.gmemOnly()
                && switch (vcpu.vm().type()) {
                    case DEFAULT -> true;
                    case SW_PROTECTED -> !vcpu.vm().attributes().isPrivate(gfn);
                    default -> false;
                };
    }

    private boolean copy(long gpa, byte[] data, int bytes, boolean write) {
        return usesHva(slot(gpa), gpa >>> 12) && GuestCopy.copy(vcpu, gpa, data, bytes, write);
    }

    @Override
    public boolean read(long gpa, byte[] data, int bytes) {
        if (copy(gpa, data, bytes, false)) {
            return true;
        }
        if (vcpu.lapic().isPresent() && vcpu.lapic().get().ownsAddress(gpa)) {
            long value = vcpu.lapic().get().readMmio(gpa);
            for (int i = 0; i < bytes; i++) {
                data[i] = i < 8 ? (byte) (value >>> 8 * i) : 0;
            }
            return true;
        }
        for (Read before : answered) {
            if (before.gpa == gpa && before.data.length == bytes) {
                System.arraycopy(before.data, 0, data, 0, bytes);
                return true;
            }
        }
        readGpa = gpa;
        readBytes = bytes;
        readDone = 0;
        read = new byte[bytes];
        return false;
    }

    @Override
    public void write(long gpa, byte[] data, int bytes) {
        if (copy(gpa, data, bytes, true)) {
            return;
        }
        for (int at = 0; at < bytes; at += FRAGMENT) {
            int length = Math.min(FRAGMENT, bytes - at);
            long value = 0;
            for (int i = 0; i < length; i++) {
                value |= (data[at + i] & 0xffL) << (8 * i);
            }
            writes.add(new Write(gpa + at, length, value));
        }
    }

    /** Whether a read waits for user space; the next piece is in kvm_run. */
    boolean exitForRead() {
        if (readDone >= readBytes) {
            return false;
        }
        vcpu.kvmRun().mmio(readGpa + readDone, Math.min(FRAGMENT, readBytes - readDone), false);
        vcpu.kvmRun().setMmioData(0);
        return true;
    }

    /** Takes the piece that user space wrote. */
    void takeRead() {
        long data = vcpu.kvmRun().mmioData();
        int bytes = Math.min(FRAGMENT, readBytes - readDone);
        for (int i = 0; i < bytes; i++) {
            read[readDone + i] = (byte) (data >>> (8 * i));
        }
        readDone += bytes;
        if (readDone == readBytes) {
            var more = new ArrayList<>(answered);
            more.add(new Read(readGpa, read));
            answered = more;
        }
    }

    /** Whether the emulated instruction wrote something that user space has not seen; the next piece is in kvm_run. */
    boolean exitForWrite() {
        while (true) {
            Write write = writes.poll();
            if (write == null) {
                return false;
            }
            if (vcpu.lapic().isEmpty() || !vcpu.lapic().get().ownsAddress(write.gpa)) {
                if (vcpu.vm().platform().eventFds().write(write.gpa, write.bytes, write.data, false)
                        || vcpu.vm().coalescedMmio().write(write.gpa, write.bytes, write.data, false)) {
                    continue;
                }
                vcpu.kvmRun().mmio(write.gpa, write.bytes, true);
                vcpu.kvmRun().setMmioData(write.data);
                return true;
            }
            vcpu.lapic().get().writeMmio(write.gpa, write.bytes, write.data);
        }
    }

    /** The instruction that read is over. */
    void forget() {
        readBytes = 0;
        readDone = 0;
        answered = List.of();
    }

    Runnable checkpoint() {
        var savedWrites = List.copyOf(writes);
        byte[] savedRead = read.clone();
        List<Read> savedAnswered = List.copyOf(answered);
        int savedDone = readDone;
        long savedGpa = readGpa;
        int savedBytes = readBytes;
        return () -> {
            writes.clear();
            writes.addAll(savedWrites);
            read = savedRead.clone();
            answered = savedAnswered;
            readDone = savedDone;
            readGpa = savedGpa;
            readBytes = savedBytes;
        };
    }
}
