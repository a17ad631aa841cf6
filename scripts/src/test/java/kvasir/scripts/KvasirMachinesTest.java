package kvasir.scripts;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import kvasir.grammar.Kvs;
import kvasir.grammar.SourceFile;
import kvasir.registry.Api;
import org.junit.jupiter.api.Test;

/** What the registry says about itself: checks before running, completion and the manual rely on it. */
final class KvasirMachinesTest {
    private static final Set<String> PLAIN =
            Set.of("u64", "bool", "string", "bytes", "range", "outcome", "state", "record", "word", "list", "any");

    private final List<Api<?>> apis = new KvasirMachines().apis();

    @Test
    void namesAreUnique() {
        var seen = new HashSet<String>();
        apis.forEach(api -> assertEquals(true, seen.add(api.name()), api.name()));
    }

    @Test
    void everyTypeOfAPropertyIsDeclared() {
        var known = new HashSet<>(PLAIN);
        apis.forEach(api -> known.add(api.name()));
        var unknown = new TreeSet<String>();
        for (Api<?> api : apis) {
            api.properties().forEach(property -> {
                String type = property.type().replaceFirst("^list of ", "");
                if (!known.contains(type) && !known.contains(type.replaceFirst("s$", ""))) {
                    unknown.add(api.name() + "." + property.name() + ": " + property.type());
                }
            });
        }
        assertEquals(new TreeSet<String>(), unknown);
    }

    @Test
    void everyExampleIsKvs() {
        var wrong = new ArrayList<String>();
        for (Api<?> api : apis) {
            api.operations().forEach(operation -> example(operation.example(), wrong));
            api.properties().forEach(property -> example(property.example(), wrong));
            api.index().ifPresent(index -> example(index.example(), wrong));
        }
        assertEquals(List.of(), wrong);
    }

    /** A line of a declaration is no statement, but it reads like an operation. */
    private static void example(String example, List<String> wrong) {
        String inside = "vm v = default {\n" + example + "\n}\n";
        if (!example.isEmpty()
                && !Kvs.parse(new SourceFile("example", example)).ok()
                && !Kvs.parse(new SourceFile("example", inside)).ok()) {
            wrong.add(example);
        }
    }
}
