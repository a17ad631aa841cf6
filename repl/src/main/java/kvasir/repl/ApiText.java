package kvasir.repl;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import kvasir.registry.Api;
import kvasir.scripts.binding.ArgumentPlan;

/** Declarations of the registry as text for a person; the Markdown is plain enough for a terminal. */
final class ApiText {
    private ApiText() {}

    /** A chapter of the reference manual. */
    static String page(Api<?> api) {
        var text = new StringBuilder("## " + api.name() + "\n\n" + api.doc() + "\n");
        api.operations().forEach(operation -> text.append("\n").append(operation(api, operation)));
        api.properties().forEach(property -> text.append("\n").append(property(api, property)));
        api.index()
                .ifPresent(index -> text.append("\n### " + api.name() + "[key]\n\n" + index.doc() + "\n")
                        .append(example(index.example())));
        return text.toString().stripTrailing();
    }

    /** Everything about members called {@code name}, in any of {@code apis}, or about the one {@code object.name}. */
    static List<String> members(List<Api<?>> apis, String name) {
        int dot = name.indexOf('.');
        String object = dot < 0 ? "" : name.substring(0, dot);
        String member = name.substring(dot + 1);
        var found = new ArrayList<String>();
        // What a VM type has from the one it extends is told once.
        var said = new HashSet<String>();
        for (Api<?> api : apis) {
            if (!object.isEmpty() && !object.equals(api.name())) {
                continue;
            }
            for (Api.Operation<?> operation : api.operations()) {
                if (operation.name().equals(member) && said.add(operation.doc() + operation.parameters())) {
                    found.add(operation(api, operation).stripTrailing());
                }
            }
            for (Api.Property<?> property : api.properties()) {
                if (property.name().equals(member) && said.add(property.doc() + property.type())) {
                    found.add(property(api, property).stripTrailing());
                }
            }
        }
        return found;
    }

    private static String operation(Api<?> api, Api.Operation<?> operation) {
        var text = new StringBuilder("### " + api.name() + "." + ArgumentPlan.signature(operation) + "\n\n");
        text.append(operation.doc()).append('\n');
        for (Api.Parameter parameter : operation.parameters()) {
            String kind = ArgumentPlan.kindName(parameter.kind());
            String unit = parameter.unit().isEmpty() ? "" : ", in " + parameter.unit();
            String words = parameter.words().isEmpty() ? "" : " (" + String.join(", ", parameter.words()) + ")";
            text.append("- " + parameter.name() + ": " + kind + unit + words
                    + (parameter.optional() ? ", optional" : "")
                    + (parameter.doc().isEmpty() ? "" : ". " + parameter.doc()) + "\n");
        }
        return text.append(example(operation.example())).toString();
    }

    private static String property(Api<?> api, Api.Property<?> property) {
        return "### " + api.name() + "." + property.name() + ": " + property.type()
                + (property.setter().isPresent() ? ", may be assigned" : "") + "\n\n"
                + property.doc() + "\n"
                + example(property.example());
    }

    private static String example(String example) {
        return example.isEmpty() ? "" : "\n    " + example.replace("\n", "\n    ") + "\n";
    }
}
