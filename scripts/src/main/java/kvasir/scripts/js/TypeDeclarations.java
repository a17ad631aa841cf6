package kvasir.scripts.js;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.scripts.Machines;

/**
 * {@code kvs-api.d.ts}: the machine's objects for editors of JavaScript and for {@code tsc}, from the declarations
 * that the engine runs on. What an operation gives is not declared, so it is {@code any}.
 */
public final class TypeDeclarations {
    private final Map<String, Api<?>> byName = new LinkedHashMap<>();
    private final StringBuilder text = new StringBuilder();

    private TypeDeclarations(Machines machines) {
        machines.apis().forEach(api -> byName.put(api.name(), api));
    }

    /** The whole file, one module {@code "kvs"}. */
    public static String of(Machines machines) {
        var declarations = new TypeDeclarations(machines);
        declarations.write(machines);
        return "declare module \"kvs\" {\n"
                + declarations.text.toString().indent(4).replaceAll("(?m)^ +$", "") + "}\n";
    }

    private void write(Machines machines) {
        text.append(library());
        text.append("\nexport type Semantics = ")
                .append(alternatives(machines.semantics()))
                .append(" | (string & {});\n");
        Set<Api<?>> builders = new LinkedHashSet<>();
        for (String type : machines.vmTypes()) {
            builders.add(machines.builderApi(type));
            text.append("\n/** Declares a VM; the fields are the lines of `vm name = ")
                    .append(type)
                    .append(" { ... }`. */\nexport function vm(declaration: { type: \"")
                    .append(type)
                    .append("\"; name?: string } & ")
                    .append(typeName(machines.builderApi(type)))
                    .append("): ")
                    .append(typeName(machines.vmApi(type)))
                    .append(";\n");
        }
        machines.globals()
                .forEach(global -> text.append("\nexport const ")
                        .append(global.name())
                        .append(": ")
                        .append(typeName(global.api()))
                        .append(";\n"));
        for (Api<?> api : byName.values()) {
            if (builders.contains(api)) {
                declaration(api);
            } else {
                object(api);
            }
        }
    }

    private static String library() {
        try (var stream = TypeDeclarations.class.getResourceAsStream("kvs.d.ts")) {
            if (stream == null) {
                throw new IllegalStateException("kvs.d.ts is not in the jar");
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("kvs.d.ts cannot be read", e);
        }
    }

    private void object(Api<?> api) {
        open(api);
        for (Api.Operation<?> operation : api.operations()) {
            doc(operation.doc());
            for (String parameters : forms(operation.parameters())) {
                text.append("    ")
                        .append(operation.name())
                        .append('(')
                        .append(parameters)
                        .append("): any;\n");
            }
        }
        for (Api.Property<?> property : api.properties()) {
            doc(property.doc());
            text.append(member(property));
            if (property.type().startsWith("list of ") && property.name().endsWith("s")) {
                String one = property.name().substring(0, property.name().length() - 1);
                text.append("    readonly [")
                        .append(one)
                        .append(": `")
                        .append(one)
                        .append("${bigint}`]: ");
                text.append(valueType(property.type().substring("list of ".length())));
                text.append(";\n");
            }
        }
        api.index().ifPresent(index -> {
            doc(index.doc());
            text.append("    readonly [address: number]: any;\n");
            text.append("    readonly [range: `${string}..${string}`]: any;\n");
        });
        text.append("}\n");
    }

    private String member(Api.Property<?> property) {
        String type = valueType(property.type());
        if (property.setter().isEmpty()) {
            return "    readonly " + property.name() + ": " + type + ";\n";
        }
        String given = type.equals("bigint") ? "Quantity" : type;
        return "    get " + property.name() + "(): " + type + ";\n    set " + property.name() + "(value: " + given
                + ");\n";
    }

    /** The braces of a VM declaration: each line a field, all of them optional. */
    private void declaration(Api<?> api) {
        open(api);
        for (Api.Operation<?> operation : api.operations()) {
            doc(operation.doc());
            text.append("    ").append(operation.name()).append("?: ");
            text.append(field(operation.parameters())).append(";\n");
        }
        text.append("}\n");
    }

    private void open(Api<?> api) {
        text.append("\n/** ").append(comment(api.doc())).append(" */\nexport interface ");
        text.append(typeName(api)).append(" {\n");
    }

    private void doc(String doc) {
        text.append("    /** ").append(comment(doc)).append(" */\n");
    }

    private static String comment(String doc) {
        return doc.replace("*/", "* /").replace('\n', ' ');
    }

    /** The parameter lists that a call may have: a first range may be given as its start and end. */
    private static List<String> forms(List<Parameter> parameters) {
        List<Parameter> positional =
                parameters.stream().filter(each -> !each.keyword()).toList();
        List<Parameter> keywords =
                parameters.stream().filter(Parameter::keyword).toList();
        var forms = new ArrayList<String>();
        forms.add(list(positional.stream().map(TypeDeclarations::parameter), keywords));
        if (!positional.isEmpty() && positional.getFirst().kind() == Kind.RANGE) {
            Stream<String> rest = positional.stream().skip(1).map(TypeDeclarations::parameter);
            forms.add(list(Stream.concat(Stream.of("start: Quantity", "end: Quantity"), rest), keywords));
        }
        return forms;
    }

    private static String list(Stream<String> positional, List<Parameter> keywords) {
        if (keywords.isEmpty()) {
            return positional.collect(Collectors.joining(", "));
        }
        String optional = keywords.stream().allMatch(Parameter::optional) ? "?" : "";
        return Stream.concat(positional, Stream.of("options" + optional + ": " + options(keywords)))
                .collect(Collectors.joining(", "));
    }

    private static String options(List<Parameter> parameters) {
        return parameters.stream().map(TypeDeclarations::parameter).collect(Collectors.joining("; ", "{ ", " }"));
    }

    private static String parameter(Parameter parameter) {
        // A keyword that is a flag may be left out, which means false.
        boolean optional = parameter.optional() || parameter.keyword() && parameter.kind() == Kind.BOOL;
        return parameter.name() + (optional ? "?: " : ": ") + type(parameter);
    }

    private static String field(List<Parameter> parameters) {
        if (parameters.isEmpty()) {
            return "boolean";
        }
        var forms = new LinkedHashSet<String>();
        List<Parameter> required =
                parameters.stream().filter(each -> !each.optional()).toList();
        if (required.size() <= 1) {
            forms.add(type(parameters.getFirst()));
        }
        forms.add("readonly any[]");
        // Here words may be switched on by their own names, and a range be named by its parts.
        forms.add("{ [parameter: string]: any }");
        return String.join(" | ", forms);
    }

    private static String type(Parameter parameter) {
        return switch (parameter.kind()) {
            case U64 -> "Quantity";
            case RANGE -> "RangeLike";
            case BOOL -> "boolean";
            case STRING -> "string";
            case BYTES -> "BytesLike";
            case WORD -> parameter.words().isEmpty() ? "string" : alternatives(parameter.words());
            case GUEST -> "Guest";
            case HANDLE -> "object";
            case LIST -> "readonly any[]";
            case RECORD -> "{ readonly [field: string]: any }";
        };
    }

    private static String alternatives(List<String> words) {
        return words.stream().map(word -> "\"" + word + "\"").collect(Collectors.joining(" | "));
    }

    private String valueType(String words) {
        if (words.startsWith("list of ")) {
            return "readonly " + valueType(words.substring("list of ".length())) + "[]";
        }
        return switch (words) {
            case "u64" -> "bigint";
            case "bool" -> "boolean";
            case "string" -> "string";
            case "bytes" -> "Bytes";
            case "range" -> "Range";
            case "record" -> "Readonly<Record<string, any>>";
            default -> byName.containsKey(words) ? typeName(byName.get(words)) : "any";
        };
    }

    /** {@code td vcpu} is {@code TdVcpu}. */
    private static String typeName(Api<?> api) {
        return Stream.of(api.name().split("[ _]"))
                .map(word -> Character.toUpperCase(word.charAt(0)) + word.substring(1))
                .collect(Collectors.joining());
    }
}
