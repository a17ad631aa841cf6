package kvasir.scripts.runner;

import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import kvasir.event.Events;
import kvasir.scripts.Machines;
import kvasir.scripts.nodes.Execution;
import kvasir.scripts.translate.Program;

/** A machine of its own for each schedule, made by a script's declarations and setups. */
final class FreshGround implements RaceGround {
    private final Program program;
    private final Machines machines;
    private final Machines.Choice choice;
    private final Optional<Events.Listener> trace;
    private final BooleanSupplier interrupted;
    private boolean begun;

    FreshGround(
            Program program,
            Machines machines,
            Machines.Choice choice,
            Optional<Events.Listener> trace,
            BooleanSupplier interrupted) {
        this.program = program;
        this.machines = machines;
        this.choice = choice;
        this.trace = trace;
        this.interrupted = interrupted;
    }

    @Override
    public Ready ready() {
        Machines.World world = machines.create(choice);
        trace.ifPresent(world.events()::add);
        // a search that is interrupted ends by itself, with what it found; only its first machine may take long
        var execution = new Execution(
                world, choice.semantics(), Optional.empty(), false, text -> {}, begun ? () -> false : interrupted);
        program.topLevel().call(execution);
        program.setups().forEach(setup -> setup.call(execution));
        begun = true;
        return new Ready(world, execution, world::close);
    }

    @Override
    public String semantics() {
        return choice.semantics();
    }

    @Override
    public List<RaceGround> elsewhere() {
        if (choice.custom().isPresent()) {
            return List.of();
        }
        return machines.semantics().stream()
                .filter(semantics -> !semantics.equals(choice.semantics()) && semantics.startsWith("v"))
                .<RaceGround>map(semantics -> new FreshGround(
                        program,
                        machines,
                        new Machines.Choice(semantics, choice.seed(), choice.instructionBudget()),
                        Optional.empty(),
                        interrupted))
                .toList();
    }
}
