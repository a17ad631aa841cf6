package kvasir.scripts.explore;

/**
 * One of several searches that together do the work of one. All search the states of the first few steps; behind them
 * each follows its own share of the states, told by their hashes, which are the same on every machine.
 *
 * @param index from 0
 * @param count how many there are
 */
public record Shard(int index, int count) {
    /** The whole search. */
    public static final Shard ALL = new Shard(0, 1);

    static final int SPLIT_DEPTH = 6;

    /** @param depth times that a task was chosen on the way to the state */
    boolean expands(int depth, long key) {
        return count == 1 || depth != SPLIT_DEPTH || Long.remainderUnsigned(key, count) == index;
    }

    /** Whether an end that every shard finds is to be told by this one. */
    boolean owns(int depth) {
        return index == 0 || depth > SPLIT_DEPTH;
    }

    @Override
    public String toString() {
        return (index + 1) + "/" + count;
    }
}
