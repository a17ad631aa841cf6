package kvasir.scripts.js;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import kvasir.scripts.ExploreOptions;
import kvasir.scripts.RaceReport;

/**
 * How the races of a module are explored.
 *
 * @param options what the user wants instead of what a race says
 * @param invariants whether invariants are watched in every race
 * @param found is told of each search
 * @param reached hears now and then how far a search is
 * @param elsewhere what the race of that title does under other semantics, a line each; asked when it goes wrong here
 */
record Exploring(
        ExploreOptions options,
        boolean invariants,
        Consumer<RaceReport> found,
        Consumer<String> reached,
        Function<String, List<String>> elsewhere) {
    /** As the races say, and nobody is told. */
    static final Exploring DEFAULT =
            new Exploring(ExploreOptions.DEFAULT, false, report -> {}, how -> {}, title -> List.of());
}
