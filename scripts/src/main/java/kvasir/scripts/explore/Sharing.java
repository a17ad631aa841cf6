package kvasir.scripts.explore;

import java.util.Arrays;

/**
 * Which tasks touch which cells, as far as runs have shown. A step is local if it goes by nothing that another task
 * changes and changes nothing that another task touches; additions of several tasks to a cell by which none goes do not
 * touch each other. When a local step happens makes no difference to other tasks.
 */
final class Sharing {
    private final Cells cells;

    /** By cell, a bit for each task: it went by the value, gave it a value, added to it. */
    private int[] readers = new int[64];

    private int[] setters = new int[64];
    private int[] adders = new int[64];
    private int version;

    Sharing(Cells cells) {
        this.cells = cells;
    }

    /** Changes whenever a task touches a cell in a way in which it did not before. */
    int version() {
        return version;
    }

    void read(int cell, int task) {
        room(cell);
        readers[cell] = with(readers[cell], task);
        readBase(cell, task);
    }

    /** Tells the effects of a step. */
    void changed(Iterable<StepTrees.Effect> effects, int task) {
        for (StepTrees.Effect effect : effects) {
            int cell = effect.target();
            room(cell);
            if (effect.kind() == StepTrees.ADD) {
                adders[cell] = with(adders[cell], task);
            } else {
                setters[cell] = with(setters[cell], task);
            }
            readBase(cell, task);
        }
    }

    /** Who touches an element of an array goes by what the array was filled with. */
    private void readBase(int cell, int task) {
        int fill = cells.fillOf(cell);
        if (fill >= 0) {
            room(fill);
            readers[fill] = with(readers[fill], task);
        }
    }

    private int with(int tasks, int task) {
        version += (tasks >> task & 1) == 0 ? 1 : 0;
        return tasks | 1 << task;
    }

    private void room(int cell) {
        if (cell >= readers.length) {
            int length = Math.max(2 * readers.length, cell + 1);
            readers = Arrays.copyOf(readers, length);
            setters = Arrays.copyOf(setters, length);
            adders = Arrays.copyOf(adders, length);
        }
    }

    /**
     * Whether a step is local.
     *
     * @param unseen whether it must also change nothing that an invariant could depend on
     */
    boolean local(StepTrees.Node leaf, int task, boolean unseen) {
        int others = ~(1 << task);
        for (int cell : leaf.observed) {
            if (((setters[cell] | adders[cell]) & others) != 0 || filledByOthers(cell, others)) {
                return false;
            }
        }
        for (StepTrees.Effect effect : leaf.effects) {
            int cell = effect.target();
            int against = readers[cell] | setters[cell] | (effect.kind() == StepTrees.ADD ? 0 : adders[cell]);
            if ((against & others) != 0 || filledByOthers(cell, others) || unseen && !cells.bookkeeping(cell)) {
                return false;
            }
        }
        return true;
    }

    private boolean filledByOthers(int cell, int others) {
        int fill = cells.fillOf(cell);
        return fill >= 0 && (setters[fill] & others) != 0;
    }
}
