package kvasir.scripts.js;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import kvasir.scripts.KvasirMachines;
import org.junit.jupiter.api.Test;

/** What editors are told is what the engine does. */
class TypeDeclarationsTest {
    private static final Pattern EXPORT = Pattern.compile("(?m)^export (?:const|function|class|namespace) (\\w+)");

    private static Set<String> exports(String resource) throws IOException {
        try (var stream = TypeDeclarations.class.getResourceAsStream(resource)) {
            return EXPORT.matcher(new String(stream.readAllBytes(), StandardCharsets.UTF_8))
                    .results()
                    .map(match -> match.group(1))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    @Test
    void theLibraryHasNoExportThatIsNotDeclaredAndNoOther() throws IOException {
        Set<String> library = exports("kvs.mjs");
        // These are declared for each VM type, from the registry.
        library.remove("vm");
        assertEquals(library, exports("kvs.d.ts"));
    }

    @Test
    void declarationsComeFromTheRegistry() {
        String text = TypeDeclarations.of(new KvasirMachines());
        for (String line : List.of(
                "export function vm(declaration: { type: \"tdx\"; name?: string } & TdDeclaration): Td;",
                "readonly vcpus: readonly Vcpu[];",
                "readonly [vcpu: `vcpu${bigint}`]: Vcpu;",
                "get rip(): bigint;",
                "set rip(value: Quantity);",
                "export const machine: Machine;",
                "export type Semantics = \"rfc\" | \"rfc-v2\" | \"sean\"")) {
            assertTrue(text.contains(line), line);
        }
    }
}
