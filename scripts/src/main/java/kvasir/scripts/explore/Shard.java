package kvasir.scripts.explore;

/**
 * One of several searches that together do the work of one. Where states are searched each shard follows them all, by
 * steps that it has learnt, and runs the kernel's code for its share of them: to ask for invariants, and to see how an end
 * looks. Schedules and walks are dealt out as they are. Shares are told by hashes that are the same on every machine.
 *
 * @param index from 0
 * @param count how many there are
 */
public record Shard(int index, int count) {
    /** The whole search. */
    public static final Shard ALL = new Shard(0, 1);

    /** Whether the state with that hash is of this shard. */
    boolean takes(long key) {
        return count == 1 || Long.remainderUnsigned(Cells.mix(key), count) == index;
    }

    /** Whether this shard tells what every shard finds. */
    boolean first() {
        return index == 0;
    }

    @Override
    public String toString() {
        return (index + 1) + "/" + count;
    }
}
