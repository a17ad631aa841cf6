package kvasir.scripts.runner;

import java.util.List;
import kvasir.kvm.Seams;
import kvasir.metal.memory.MemoryWatch;
import kvasir.scripts.Machines;
import kvasir.scripts.nodes.Execution;

/** The one machine of a conversation, put back to where it stands before each schedule, and when the race is over. */
final class StandingGround implements RaceGround, AutoCloseable {
    private final Machines.World world;
    private final Execution execution;
    private final Runnable putBack;

    StandingGround(Machines.World world, Execution execution) {
        this.world = world;
        this.execution = execution.unheard();
        this.putBack = world.checkpoint();
    }

    @Override
    public Ready ready() {
        close();
        return new Ready(world, execution, () -> world.memory().watch(MemoryWatch.NONE));
    }

    @Override
    public String semantics() {
        return execution.semantics();
    }

    @Override
    public List<RaceGround> elsewhere() {
        return List.of();
    }

    @Override
    public void close() {
        world.memory().watch(MemoryWatch.NONE);
        world.seams(Seams.SEQUENTIAL);
        putBack.run();
    }
}
