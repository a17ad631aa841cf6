package kvasir.scripts;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import kvasir.event.Events;
import kvasir.kvm.HostConfig;
import kvasir.kvm.Seams;
import kvasir.kvm.Vm;
import kvasir.kvm.invariant.Invariants;
import kvasir.kvm.semantics.Semantics;
import kvasir.metal.cpu.Engine;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.vmm.Declarations;
import kvasir.vmm.InjectedFault;
import kvasir.vmm.Machine;
import kvasir.vmm.VmBuilder;
import kvasir.vmm.VmHandle;
import kvasir.vmm.VmKinds;

/** The machines of this house. */
public final class KvasirMachines implements Machines {
    private final Engine engine;

    /** Machines whose processors translate hot code. */
    public KvasirMachines() {
        this(Engine.TRANSLATOR);
    }

    private KvasirMachines(Engine engine) {
        this.engine = engine;
    }

    /** The words of {@link #executedBy}. */
    public static List<String> engines() {
        return List.of("translator", "interpreter", "both");
    }

    /** Machines whose processors execute with the engine of that name, one of {@link #engines()}. */
    public static KvasirMachines executedBy(String name) {
        return new KvasirMachines(engine(name).orElseThrow());
    }

    static Optional<Engine> engine(String name) {
        return switch (name) {
            case "translator" -> Optional.of(Engine.TRANSLATOR);
            case "interpreter" -> Optional.of(Engine.INTERPRETER);
            case "both" -> Optional.of(Engine.BOTH);
            default -> Optional.empty();
        };
    }

    @Override
    public List<String> semantics() {
        return Semantics.all().stream().map(Semantics::name).toList();
    }

    @Override
    public String defaultSemantics() {
        return Semantics.newest().name();
    }

    @Override
    public List<String> vmTypes() {
        return VmKinds.words();
    }

    @Override
    public Api<?> builderApi(String vmType) {
        return VmKinds.of(vmType).builderApi();
    }

    @Override
    public Api<?> vmApi(String vmType) {
        return VmKinds.of(vmType).vmApi();
    }

    @Override
    public List<Global> globals() {
        return Declarations.globals().entrySet().stream()
                .map(entry -> new Global(entry.getKey(), entry.getValue()))
                .toList();
    }

    @Override
    public List<String> faults() {
        return InjectedFault.words();
    }

    @Override
    public List<Api<?>> apis() {
        return Declarations.all();
    }

    @Override
    public List<String> problems(Custom custom) {
        var problems = new ArrayList<String>();
        Semantics.custom(custom.name(), named(custom.base()), custom.policies(), problems);
        return problems;
    }

    @Override
    public World create(Choice choice) {
        Semantics semantics = choice.custom()
                .map(custom ->
                        Semantics.custom(custom.name(), named(custom.base()), custom.policies(), new ArrayList<>()))
                .orElseGet(() -> named(choice.semantics()));
        return new MachineWorld(new Machine(
                new Machine.Config(semantics, HostConfig.intel(), choice.seed(), choice.instructionBudget(), engine)));
    }

    private static Semantics named(String name) {
        return Semantics.named(name).orElseThrow(() -> new IllegalArgumentException("no semantics " + name));
    }

    private static final class MachineWorld implements World {
        private final Machine machine;
        private Optional<Invariants> watching = Optional.empty();

        MachineWorld(Machine machine) {
            this.machine = machine;
        }

        @Override
        public void watchInvariants(boolean on) {
            watching.ifPresent(machine.events()::remove);
            watching = on
                    ? Optional.of(new Invariants(
                            () -> machine.hostRuns() ? machine.kvm().vms() : List.of()))
                    : Optional.empty();
            watching.ifPresent(machine.events()::add);
        }

        @Override
        public Optional<String> brokenInvariant() {
            return watching.flatMap(Invariants::check);
        }

        @Override
        public Optional<String> brokenInvariantAtEnd() {
            return watching.flatMap(Invariants::checkAll);
        }

        @Override
        public Events events() {
            return machine.events();
        }

        @Override
        public Optional<Described> global(String name) {
            return machine.global(name);
        }

        @Override
        public Described builder(String type, String name) {
            return machine.declare(name, type);
        }

        @Override
        public Object build(Described builder) {
            return machine.build((VmBuilder) builder);
        }

        @Override
        public void seams(Seams seams) {
            machine.seams().use(seams);
        }

        @Override
        public Optional<String> violation() {
            return new Invariants(machine.kvm()).firstViolation();
        }

        @Override
        public Outcome inject(String fault) {
            return machine.inject(fault);
        }

        @Override
        public boolean kernelBug() {
            return machine.kvm().vms().stream().anyMatch(Vm::dead);
        }

        @Override
        public void divide(int tasks, IntSupplier running) {
            machine.kvm().pages().divide(tasks, running, machine.kvm().seams()::footprint);
        }

        @Override
        public boolean fingerprinted() {
            return machine.kvm().fingerprinted();
        }

        @Override
        public long fingerprint() {
            return machine.kvm().fingerprint() * 31 + machine.mm().fingerprint();
        }

        @Override
        public Runnable checkpoint() {
            return machine.checkpoint();
        }

        @Override
        public Optional<SerialConsole> console(String name) {
            return machine.vms().stream()
                    .filter(vm -> vm.label().equals(name))
                    .findFirst()
                    .flatMap(VmHandle::pc)
                    .map(pc -> new SerialConsole(pc, machine::interrupt));
        }

        @Override
        public PhysicalMemory memory() {
            return machine.memory();
        }

        @Override
        public void interrupt() {
            machine.interrupt();
        }

        /** The host's memory is reclaimed with the machine. */
        @Override
        public void close() {}
    }
}
