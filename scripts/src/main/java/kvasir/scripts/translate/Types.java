package kvasir.scripts.translate;

import java.util.HashMap;
import java.util.Map;
import kvasir.registry.Api;
import kvasir.scripts.Machines;
import kvasir.scripts.binding.Members;
import org.jspecify.annotations.Nullable;

/** Types from the words with which the registry describes them. */
final class Types {
    private final Machines machines;
    private @Nullable Map<String, Api<?>> apis;

    Types(Machines machines) {
        this.machines = machines;
    }

    /** Read when first asked for: a script that holds no machine starts without the declarations of one. */
    private Map<String, Api<?>> apis() {
        Map<String, Api<?>> known = apis;
        if (known == null) {
            known = new HashMap<>();
            for (Api<?> api : machines.apis()) {
                known.put(api.name(), api);
            }
            apis = known;
        }
        return known;
    }

    /** The type that the words of a property say, or unknown. */
    Type of(String words) {
        if (words.startsWith("list of ")) {
            String item = words.substring("list of ".length());
            Type known = of(item);
            return new Type.ListOf(
                    known == Type.Plain.UNKNOWN && item.endsWith("s")
                            ? of(item.substring(0, item.length() - 1))
                            : known);
        }
        return switch (words) {
            case "u64" -> Type.Plain.U64;
            case "bool" -> Type.Plain.BOOL;
            case "string" -> Type.Plain.STRING;
            case "bytes" -> Type.Plain.BYTES;
            case "range" -> Type.Plain.RANGE;
            case "outcome" -> Type.Plain.OUTCOME;
            case "state" -> Type.Plain.STATE;
            default -> {
                Api<?> api = apis().get(words);
                yield api == null ? Type.Plain.UNKNOWN : new Type.Handle(api);
            }
        };
    }

    /** The type of {@code object.name} where {@code name} is known to exist; an operation's is unknown. */
    Type member(Api<?> api, String name) {
        var property = Members.property(api, name);
        if (property.isPresent()) {
            return of(property.get().type());
        }
        return Members.numbered(api, name)
                .map(numbered ->
                        of(numbered.list().type()) instanceof Type.ListOf(var item) ? item : Type.Plain.UNKNOWN)
                .orElse(Type.Plain.UNKNOWN);
    }
}
