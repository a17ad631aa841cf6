package kvasir.kvm;

import java.util.BitSet;
import kvasir.event.Event;
import kvasir.event.Events;
import kvasir.event.Topic;

/** A named lock of the kernel that may be held by readers or by one writer; a mutex or spinlock is only ever written. */
public final class KernelLock {
    private final String name;
    private final Seams seams;
    private final Events events;
    private final BitSet readers = new BitSet();
    private int writer = -1;
    private int waiters;

    /** How a lock is held. */
    public enum Mode {
        READ,
        WRITE
    }

    /**
     * A lock was taken or dropped.
     *
     * @param taken false when it was dropped
     * @param task number of the task
     */
    public record Changed(String lock, Mode mode, boolean taken, int task) implements Event {
        @Override
        public Topic topic() {
            return Topic.of(lock, 0, 1);
        }

        @Override
        public String describe() {
            return (taken ? "lock " : "unlock ") + lock + (mode == Mode.READ ? " read" : " write");
        }
    }

    /** @param name the kernel's name with the VM's before it: {@code td.mmu_lock} */
    public KernelLock(String name, Seams seams, Events events) {
        this.name = name;
        this.seams = seams;
        this.events = events;
    }

    /** The name. */
    public String name() {
        return name;
    }

    /** Takes the lock, waiting while it is held in a way that excludes {@code mode}. */
    public void lock(Mode mode) {
        seams.at(Seam.LOCK, this);
        if (!free(mode)) {
            waiters++;
            seams.await(this, () -> free(mode));
            waiters--;
        }
        take(mode);
    }

    /** Takes the lock if that needs no waiting. */
    public boolean tryLock(Mode mode) {
        seams.at(Seam.LOCK, this);
        if (!free(mode)) {
            return false;
        }
        take(mode);
        return true;
    }

    /** Drops the lock. */
    public void unlock(Mode mode) {
        if (mode == Mode.WRITE) {
            if (writer != seams.task()) {
                throw new IllegalStateException(name + " is not held for writing by task " + seams.task());
            }
            writer = -1;
        } else {
            if (!readers.get(seams.task())) {
                throw new IllegalStateException(name + " is not held for reading by task " + seams.task());
            }
            readers.clear(seams.task());
        }
        if (events.listening()) {
            events.emit(new Changed(name, mode, false, seams.task()));
        }
        seams.at(Seam.UNLOCK, this);
    }

    /** {@link #lock} for writing. */
    public void lock() {
        lock(Mode.WRITE);
    }

    /** {@link #unlock} after writing. */
    public void unlock() {
        unlock(Mode.WRITE);
    }

    /** Whether any task holds the lock for writing. */
    public boolean heldForWriting() {
        return writer >= 0;
    }

    /** Whether any task holds the lock in any mode. */
    public boolean held() {
        return writer >= 0 || !readers.isEmpty();
    }

    /** Whether {@code task} holds the lock in any mode. */
    public boolean heldBy(int task) {
        return writer == task || readers.get(task);
    }

    /** Whether another task waits for the lock (rwlock_needbreak). */
    public boolean contended() {
        return waiters != 0;
    }

    @Override
    public String toString() {
        return name;
    }

    private boolean free(Mode mode) {
        return writer < 0 && (mode == Mode.READ || readers.isEmpty());
    }

    private void take(Mode mode) {
        if (mode == Mode.WRITE) {
            writer = seams.task();
        } else {
            readers.set(seams.task());
        }
        if (events.listening()) {
            events.emit(new Changed(name, mode, true, seams.task()));
        }
    }
}
