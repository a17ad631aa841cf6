package kvasir.scripts;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import kvasir.scripts.explore.Bounds;
import kvasir.scripts.explore.Schedule;
import kvasir.scripts.explore.Shard;

/**
 * How races are explored.
 *
 * @param preemptions instead of what the race says
 * @param states instead of what the race says
 * @param shard the part of each search that is done here
 * @param replay the one schedule to run instead of a search
 * @param onlyRaces leave out what is no race
 * @param off of {@link kvasir.scripts.explore.Bounds#SWITCHES} those that are off, whatever the race says
 */
public record ExploreOptions(
        OptionalInt preemptions,
        OptionalInt states,
        Shard shard,
        Optional<Schedule> replay,
        boolean onlyRaces,
        List<String> off) {
    /** As the races say, and everything else too. */
    public static final ExploreOptions DEFAULT =
            new ExploreOptions(OptionalInt.empty(), OptionalInt.empty(), Shard.ALL, Optional.empty(), false, List.of());

    public ExploreOptions {
        off = List.copyOf(off);
    }

    /** The same, of the whole search. */
    public ExploreOptions whole() {
        return new ExploreOptions(preemptions, states, Shard.ALL, replay, onlyRaces, off);
    }

    /** What a race says, but for what is said here. */
    public Bounds over(Bounds race) {
        Bounds bounds = race.with(preemptions, states);
        for (String name : off) {
            bounds = bounds.with(name, 0).orElseThrow();
        }
        return bounds;
    }
}
