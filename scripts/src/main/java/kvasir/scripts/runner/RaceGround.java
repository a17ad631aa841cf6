package kvasir.scripts.runner;

import java.util.List;
import kvasir.scripts.Machines;
import kvasir.scripts.nodes.Execution;

/** Where the schedules of a race run: each finds a machine as it is before the race. */
interface RaceGround {
    /**
     * A machine before the race.
     *
     * @param execution what its tasks run in
     * @param leave is called when nothing is asked of it any more
     */
    record Ready(Machines.World world, Execution execution, Runnable leave) {}

    /** The next machine before the race. */
    Ready ready();

    /** What it behaves as. */
    String semantics();

    /** The same under other semantics of a kernel, as far as there are any. */
    List<RaceGround> elsewhere();
}
