package kvasir.scripts;

import java.util.ArrayList;
import java.util.Optional;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.scripts.binding.ArgumentPlan;
import kvasir.scripts.binding.Members;
import kvasir.scripts.binding.Values;

/** Help for one name, from the registry. */
final class HelpText {
    private HelpText() {}

    static String value(Object value) {
        return value instanceof Described object
                ? object.label() + ": " + api(object.api())
                : Values.kind(value) + ": " + Values.show(value);
    }

    static String api(Api<?> api) {
        var lines = new ArrayList<String>();
        lines.add(api.name() + ". " + api.doc());
        if (!api.operations().isEmpty()) {
            lines.add("operations:");
            api.operations().forEach(operation -> lines.add("  " + ArgumentPlan.signature(operation)));
        }
        if (!api.properties().isEmpty()) {
            lines.add("properties:");
            api.properties().forEach(property -> lines.add("  " + property.name() + ": " + property.type()));
        }
        api.index().ifPresent(index -> lines.add("[key]: " + index.doc()));
        return String.join("\n", lines);
    }

    static Optional<String> member(Api<?> api, String name) {
        return Members.operation(api, name)
                .map(HelpText::operation)
                .or(() -> Members.property(api, name).map(HelpText::property));
    }

    private static String operation(Api.Operation<?> operation) {
        var lines = new ArrayList<String>();
        lines.add(ArgumentPlan.signature(operation));
        lines.add(operation.doc());
        for (Api.Parameter parameter : operation.parameters()) {
            String unit = parameter.unit().isEmpty() ? "" : " in " + parameter.unit();
            lines.add("  " + parameter.name() + ": " + ArgumentPlan.kindName(parameter.kind()) + unit + ". "
                    + parameter.doc());
        }
        if (!operation.example().isEmpty()) {
            lines.add("example: " + operation.example());
        }
        return String.join("\n", lines);
    }

    private static String property(Api.Property<?> property) {
        var lines = new ArrayList<String>();
        lines.add(
                property.name() + ": " + property.type() + (property.setter().isPresent() ? ", may be assigned" : ""));
        lines.add(property.doc());
        if (!property.example().isEmpty()) {
            lines.add("example: " + property.example());
        }
        return String.join("\n", lines);
    }
}
