package kvasir.kvm;

/**
 * kvm-&gt;srcu: readers of the slots, and the updater's wait for all who were reading when it published
 * (synchronize_srcu). Updaters are serialised by slots_lock.
 */
public final class Srcu {
    private final String name;
    private final Seams seams;
    private final int[] readers = new int[2];
    private int index;

    Srcu(String name, Seams seams) {
        this.name = name;
        this.seams = seams;
    }

    /**
     * Starts a read-side section.
     *
     * @return what {@link #readUnlock} wants back
     */
    public int readLock() {
        readers[index]++;
        return index;
    }

    /** Ends a read-side section. */
    public void readUnlock(int section) {
        readers[section]--;
        seams.at(Seam.UNLOCK, this);
    }

    /** Waits until every section that was open at the call has ended. */
    void synchronize() {
        int old = index;
        index ^= 1;
        seams.at(Seam.LOCK, this);
        if (readers[old] != 0) {
            seams.await(this, () -> readers[old] == 0);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
