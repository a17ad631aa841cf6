package kvasir.vmm;

import java.util.List;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Described;
import kvasir.registry.Outcome;

/** The name {@code machine} of scripts. */
final class MachineHandle implements Described {
    static final Api<MachineHandle> API = Api.of(
                    "machine", MachineHandle.class, "The whole machine: host, kernel, and the VMs declared on it.")
            .operation(
                    "snapshot",
                    List.of(),
                    "The machine as it is now: every byte of memory, every page table, every register. Cheap: memory is "
                            + "shared until someone writes.",
                    "let before = machine.snapshot",
                    (machine, _) -> machine.machine.snapshot("snapshot"))
            .operation(
                    "restore",
                    List.of(Parameter.of("snapshot", Kind.HANDLE, "", "what `snapshot` gave")),
                    "Makes the machine what it was. A snapshot may be restored any number of times.",
                    "machine.restore before",
                    (machine, arguments) -> {
                        arguments.get("snapshot", MachineSnapshot.class).restore();
                        return Outcome.ok();
                    })
            .property(
                    "semantics",
                    "string",
                    "The semantics in force.",
                    "show machine.semantics",
                    m -> m.machine.config().semantics().name())
            .property(
                    "kernel",
                    "string",
                    "The Linux release whose behaviour is modelled.",
                    "show machine.kernel",
                    m -> m.machine.config().semantics().kernel().toString())
            .build();

    private final Machine machine;

    MachineHandle(Machine machine) {
        this.machine = machine;
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return "machine";
    }
}
