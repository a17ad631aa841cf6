package kvasir.scripts.binding;

import java.util.List;
import java.util.Optional;
import kvasir.registry.Api;
import kvasir.registry.Bytes;

/** Whether a value may be assigned to a property, and as what. */
public final class Assignment {
    private Assignment() {}

    /**
     * What the setter of {@code property} is given for {@code value}: a {@link Refusal} if the type does not fit. A
     * property of type bool takes 0 and 1 too, for most stand for a byte of a struct of KVM's.
     *
     * @param owner the object that has the property, as it is called in messages
     */
    public static Object settled(String owner, Api.Property<?> property, Object value) {
        boolean bit = property.type().equals("bool");
        if (bit && value instanceof Long number && (number == 0 || number == 1)) {
            return number == 1;
        }
        if (accepts(property.type(), value)) {
            return value;
        }
        return Refusal.of(
                        "E0302",
                        "%s.%s wants %s".formatted(owner, property.name(), wanted(property.type())),
                        "this is " + Values.kind(value))
                .help(bit ? Optional.of("write true or false, or 1 or 0") : Optional.empty());
    }

    private static String wanted(String type) {
        return switch (type) {
            case "u64" -> "an integer";
            case "bytes" -> "a byte string";
            default -> Values.article(type);
        };
    }

    private static boolean accepts(String type, Object value) {
        return switch (type) {
            case "bool" -> value instanceof Boolean;
            case "u64" -> value instanceof Long;
            case "bytes" -> value instanceof Bytes;
            case "string" -> value instanceof String;
            default -> !type.startsWith("list of") || value instanceof List<?>;
        };
    }
}
