package kvasir.kvm;

import java.util.BitSet;
import java.util.function.LongSupplier;
import kvasir.event.Event;
import kvasir.event.Events;
import kvasir.event.Topic;

/** A named lock of the kernel that may be held by readers or by one writer; a mutex or spinlock is only ever written. */
public final class KernelLock {
    private final String name;
    private final Seams seams;
    private final Events events;
    private final BitSet readers = new BitSet();
    private final LongSupplier guarded;
    private final boolean fair;
    private final String guardedCell;
    private final String writerCell;
    private final String readersCell;
    private final String waitersCell;
    private final String queueCell;
    private int writer = -1;
    private int waiters;
    private int waitingWriters;
    private long guardedBefore;

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
        this(name, seams, events, () -> 0, false);
    }

    /** A lock (rw_semaphore) behind whose waiting writer new readers queue up. */
    public static KernelLock fair(String name, Seams seams, Events events) {
        return new KernelLock(name, seams, events, () -> 0, true);
    }

    /**
     * @param name the kernel's name with the VM's before it
     * @param guarded what only the writer looks at, as a number that is the same for the same state in every run
     */
    KernelLock(String name, Seams seams, Events events, LongSupplier guarded) {
        this(name, seams, events, guarded, false);
    }

    private KernelLock(String name, Seams seams, Events events, LongSupplier guarded, boolean fair) {
        this.name = name;
        this.fair = fair;
        this.guarded = guarded;
        guardedCell = name + ".guarded";
        this.seams = seams;
        this.events = events;
        writerCell = name + ".writer";
        readersCell = name + ".readers";
        waitersCell = name + ".waiters";
        queueCell = name + ".queue.waiters";
    }

    /** The name. */
    public String name() {
        return name;
    }

    /** Takes the lock, waiting while it is held in a way that excludes {@code mode}. */
    public void lock(Mode mode) {
        seams.at(Seam.LOCK, this);
        if (!passes(mode)) {
            seams.footprint().added(waitersCell, waiters, 1);
            waiters++;
            queue(mode, 1);
            seams.await(this, () -> passes(mode));
            queue(mode, -1);
            seams.footprint().added(waitersCell, waiters, -1);
            waiters--;
        }
        take(mode);
    }

    private void queue(Mode mode, int change) {
        if (fair && mode == Mode.WRITE) {
            seams.footprint().added(queueCell, waitingWriters, change);
            waitingWriters += change;
        }
    }

    /** Takes the lock if that needs no waiting. */
    public boolean tryLock(Mode mode) {
        seams.at(Seam.LOCK, this);
        seams.footprint().read(writerCell, writer);
        if (mode == Mode.WRITE) {
            seams.footprint().read(readersCell, readersWord());
        } else if (fair) {
            seams.footprint().read(queueCell, waitingWriters);
        }
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
            seams.footprint().wrote(writerCell, writer, -1);
            if (seams.footprint().listening()) {
                seams.footprint().wrote(guardedCell, guardedBefore, guarded.getAsLong());
            }
            writer = -1;
        } else {
            if (!readers.get(seams.task())) {
                throw new IllegalStateException(name + " is not held for reading by task " + seams.task());
            }
            seams.footprint().added(readersCell, readersWord(), -(1L << seams.task()));
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
        seams.footprint().read(waitersCell, waiters);
        return waiters != 0;
    }

    /** Who holds and awaits the lock, as an action that puts it back. */
    public Runnable checkpoint() {
        var savedReaders = (BitSet) readers.clone();
        int savedWriter = writer;
        int savedWaiters = waiters;
        int savedQueue = waitingWriters;
        return () -> {
            readers.clear();
            readers.or(savedReaders);
            writer = savedWriter;
            waiters = savedWaiters;
            waitingWriters = savedQueue;
        };
    }

    @Override
    public String toString() {
        return name;
    }

    private boolean free(Mode mode) {
        return writer < 0 && (mode == Mode.READ ? waitingWriters == 0 : readers.isEmpty());
    }

    /** Whether the lock is free, told as what {@link #lock} waits for: who got it does not know how long that took. */
    private boolean passes(Mode mode) {
        seams.footprint().passed(writerCell, writer);
        if (mode == Mode.WRITE) {
            seams.footprint().passed(readersCell, readersWord());
        } else if (fair) {
            seams.footprint().passed(queueCell, waitingWriters);
        }
        return free(mode);
    }

    /** The readers as one number. */
    private long readersWord() {
        long[] words = readers.toLongArray();
        return words.length == 0 ? 0 : words[0];
    }

    private void take(Mode mode) {
        if (mode == Mode.WRITE) {
            seams.footprint().wrote(writerCell, writer, seams.task());
            writer = seams.task();
            if (seams.footprint().listening()) {
                guardedBefore = guarded.getAsLong();
                seams.footprint().read(guardedCell, guardedBefore);
            }
        } else {
            seams.footprint().added(readersCell, readersWord(), 1L << seams.task());
            readers.set(seams.task());
        }
        if (events.listening()) {
            events.emit(new Changed(name, mode, true, seams.task()));
        }
    }
}
