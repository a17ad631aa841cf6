package kvasir.scripts.translate;

import java.util.HashMap;
import java.util.Map;
import kvasir.registry.Api;
import kvasir.scripts.Machines;
import kvasir.scripts.binding.Members;

/** Types from the words with which the registry describes them. */
final class Types {
    private final Map<String, Api<?>> apis = new HashMap<>();

    Types(Machines machines) {
        machines.apis().forEach(api -> apis.put(api.name(), api));
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
                Api<?> api = apis.get(words);
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
