package kvasir.scripts.explore;

/**
 * One of several searches that together do the work of one. Schedules and walks are dealt out as they are. Where states
 * are searched with invariants each shard follows them all, by steps that it has learnt, and runs the kernel's code for its
 * share of them, which is what costs. A search of states without invariants would be done over and over, since all ways of
 * a race meet again; it goes wholly to one shard. Shares are told by hashes that are the same on every machine.
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

    /** Which of the shards gets a search that is not divided; {@code race} is the search's name. */
    Shard ownerOf(String race) {
        return new Shard((int) Long.remainderUnsigned(Cells.hash(race), count), count);
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
