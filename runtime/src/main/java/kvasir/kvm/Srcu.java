package kvasir.kvm;

/**
 * kvm-&gt;srcu: readers of the slots, and the updater's wait for all who were reading when it published
 * (synchronize_srcu). Updaters are serialised by slots_lock.
 */
public final class Srcu {
    private final String name;
    private final Seams seams;
    private final int[] readers = new int[2];
    private final String indexCell;
    private final String[] readersCells;
    private int index;

    Srcu(String name, Seams seams) {
        this.name = name;
        this.seams = seams;
        indexCell = name + ".index";
        readersCells = new String[] {name + ".readers0", name + ".readers1"};
    }

    /**
     * Starts a read-side section.
     *
     * @return what {@link #readUnlock} wants back
     */
    public int readLock() {
        seams.footprint().read(indexCell, index);
        seams.footprint().added(readersCells[index], readers[index], 1);
        readers[index]++;
        return index;
    }

    /** Ends a read-side section. */
    public void readUnlock(int section) {
        seams.footprint().added(readersCells[section], readers[section], -1);
        readers[section]--;
        seams.at(Seam.UNLOCK, this);
    }

    /** Waits until every section that was open at the call has ended. */
    void synchronize() {
        int old = index;
        seams.footprint().read(indexCell, index);
        seams.footprint().wrote(indexCell, index, index ^ 1);
        index ^= 1;
        seams.at(Seam.LOCK, this);
        if (!quiet(old)) {
            seams.await(this, () -> quiet(old));
        }
    }

    private boolean quiet(int section) {
        seams.footprint().passed(readersCells[section], readers[section]);
        return readers[section] == 0;
    }

    Runnable checkpoint() {
        int[] savedReaders = readers.clone();
        int savedIndex = index;
        return () -> {
            System.arraycopy(savedReaders, 0, readers, 0, readers.length);
            index = savedIndex;
        };
    }

    @Override
    public String toString() {
        return name;
    }
}
