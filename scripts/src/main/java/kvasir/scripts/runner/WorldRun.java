package kvasir.scripts.runner;

import java.util.function.IntSupplier;
import kvasir.metal.memory.MemoryWatch;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.scripts.Machines;
import kvasir.scripts.explore.Scenario;

/** A run on a machine of scripts: what the search asks of the machine itself, whichever language wrote the race. */
public abstract class WorldRun implements Scenario.Run {
    private final Machines.World world;

    protected WorldRun(Machines.World world) {
        this.world = world;
    }

    @Override
    public final void divide(int tasks, IntSupplier running) {
        world.divide(tasks, running);
    }

    @Override
    public final boolean fingerprinted() {
        return world.fingerprinted();
    }

    @Override
    public final long fingerprint() {
        return world.fingerprint();
    }

    @Override
    public final PhysicalMemory memory() {
        return world.memory();
    }

    @Override
    public final void watch(MemoryWatch watch) {
        world.memory().watch(watch);
    }
}
