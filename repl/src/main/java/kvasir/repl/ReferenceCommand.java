package kvasir.repl;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import kvasir.registry.Api;
import kvasir.scripts.Machines;
import kvasir.scripts.binding.Spelling;
import kvasir.scripts.guest.InstructionManual;
import kvasir.scripts.guest.MsrManual;
import kvasir.scripts.js.TypeDeclarations;

/** {@code kvs reference}: the manual, printed from the declarations that the engine itself runs on. */
final class ReferenceCommand {
    private ReferenceCommand() {}

    static int run(CommandLine line, Console console) {
        Machines machines = Engine.machines();
        if (line.has("--types")) {
            console.out().print(TypeDeclarations.of(machines));
            return 0;
        }
        if (line.operands().isEmpty()) {
            console.out().println(manual(machines));
            return 0;
        }
        String name = line.operands().getFirst();
        if (name.equals("instructions")) {
            console.out().print(InstructionManual.page());
            return 0;
        }
        if (name.equals("msrs")) {
            console.out().print(MsrManual.page());
            return 0;
        }
        for (Api<?> api : machines.apis()) {
            if (api.name().equals(name)) {
                console.out().println(ApiText.page(api));
                return 0;
            }
        }
        Optional<String> instruction = InstructionManual.page(name).or(() -> MsrManual.page(name));
        if (instruction.isPresent()) {
            console.out().print(instruction.get());
            return 0;
        }
        List<String> names = machines.apis().stream().map(Api::name).toList();
        console.err()
                .println("kvs: no chapter `" + name + "`"
                        + Spelling.help(name, names).map(help -> "; " + help).orElse(""));
        return 1;
    }

    private static String manual(Machines machines) {
        String globals = machines.globals().stream()
                .map(global -> "- `" + global.name() + "`: " + global.api().name())
                .collect(Collectors.joining("\n"));
        String types = machines.vmTypes().stream()
                .map(type -> "- `vm NAME = " + type + "`")
                .collect(Collectors.joining("\n"));
        return "# What scripts may say\n\nSemantics: " + String.join(", ", machines.semantics()) + " (default "
                + machines.defaultSemantics() + ")\n\nVM types:\n" + types + "\n\nNames every script sees:\n" + globals
                + "\n\n"
                + machines.apis().stream().map(ApiText::page).collect(Collectors.joining("\n\n"));
    }
}
