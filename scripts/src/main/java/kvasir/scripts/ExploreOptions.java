package kvasir.scripts;

import java.util.Optional;
import java.util.OptionalInt;
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
 */
public record ExploreOptions(
        OptionalInt preemptions, OptionalInt states, Shard shard, Optional<Schedule> replay, boolean onlyRaces) {
    /** As the races say, and everything else too. */
    public static final ExploreOptions DEFAULT =
            new ExploreOptions(OptionalInt.empty(), OptionalInt.empty(), Shard.ALL, Optional.empty(), false);
}
