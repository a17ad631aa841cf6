package kvasir.scripts;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.scripts.Session.Candidate;
import kvasir.scripts.binding.ArgumentPlan;
import kvasir.scripts.binding.Members;
import kvasir.scripts.binding.ValueMembers;
import kvasir.scripts.binding.Values;
import kvasir.scripts.nodes.Execution;
import kvasir.scripts.nodes.Invocation;
import kvasir.scripts.translate.FileScope;
import kvasir.scripts.translate.Vocabulary;

/** Ways to go on, and help, for a text that is being typed. */
final class Completer {
    private static final Pattern PATH_AT_END = Pattern.compile("([A-Za-z_]\\w*(?:\\.[A-Za-z_]\\w*)*\\.)?(\\w*)$");
    private static final Pattern CALL_AT_END =
            Pattern.compile("([A-Za-z_]\\w*(?:\\.[A-Za-z_]\\w*)*)\\.(\\w+)[ \\t]+(?:[^\\n]*[ \\t])?(\\w*)$");
    private static final Pattern OPEN_VM = Pattern.compile("\\bvm\\s+\\w+\\s*=\\s*(\\w+)\\s*\\{[^}]*$");
    private static final Pattern VM_TYPE = Pattern.compile("\\bvm\\s+\\w+\\s*=\\s*(\\w*)$");
    private static final Pattern BUILDER_CALL =
            Pattern.compile("(?:^|[\\n{])[ \\t]*(\\w+)[ \\t]+(?:[^\\n]*[ \\t])?(\\w*)$");

    private final Machines machines;
    private final Machines.World world;
    private final FileScope scope;
    private final Execution execution;

    Completer(Machines machines, Machines.World world, FileScope scope, Execution execution) {
        this.machines = machines;
        this.world = world;
        this.scope = scope;
        this.execution = execution;
    }

    Session.Completion complete(String text, int cursor) {
        String before = text.substring(0, cursor);
        Matcher path = PATH_AT_END.matcher(before);
        String prefix = path.find() ? path.group(2) : "";
        String owner = path.group(1) == null
                ? ""
                : path.group(1).substring(0, path.group(1).length() - 1);
        List<Candidate> all =
                owner.isEmpty() ? free(before) : value(owner).map(this::members).orElse(List.of());
        return new Session.Completion(
                cursor - prefix.length(),
                all.stream().filter(c -> c.text().startsWith(prefix)).toList());
    }

    /** What may stand where no dot precedes. */
    private List<Candidate> free(String before) {
        Matcher type = VM_TYPE.matcher(before);
        if (type.find()) {
            return machines.vmTypes().stream()
                    .map(name -> new Candidate(
                            name,
                            "word",
                            "type of a VM",
                            sentence(machines.vmApi(name).doc())))
                    .toList();
        }
        Matcher vm = OPEN_VM.matcher(before);
        if (vm.find() && machines.vmTypes().contains(vm.group(1))) {
            return inDeclaration(machines.builderApi(vm.group(1)), before);
        }
        var candidates = new ArrayList<Candidate>();
        Matcher call = CALL_AT_END.matcher(before);
        if (call.find()) {
            value(call.group(1))
                    .filter(Described.class::isInstance)
                    .flatMap(object -> Members.operation(((Described) object).api(), call.group(2)))
                    .ifPresent(operation -> candidates.addAll(parameters(operation)));
        } else {
            Vocabulary.statements().forEach(word -> candidates.add(new Candidate(word, "keyword", "", "")));
        }
        scope.names().forEach(name -> candidates.add(new Candidate(name, "name", describe(name), "")));
        machines.globals()
                .forEach(global -> candidates.add(new Candidate(
                        global.name(),
                        "name",
                        Values.article(global.api().name()),
                        sentence(global.api().doc()))));
        Vocabulary.functions().forEach(word -> candidates.add(new Candidate(word, "name", word + "(...)", "")));
        return candidates;
    }

    private static List<Candidate> inDeclaration(Api<?> builder, String before) {
        Matcher call = BUILDER_CALL.matcher(before);
        if (call.find()) {
            var operation = Members.operation(builder, call.group(1));
            if (operation.isPresent()) {
                return parameters(operation.get());
            }
        }
        return operations(builder);
    }

    private String describe(String name) {
        return scope.index(name)
                .map(execution::global)
                .map(value -> Values.kind(value))
                .orElse("a function");
    }

    private static <T> List<Candidate> parameters(Api.Operation<T> operation) {
        var candidates = new ArrayList<Candidate>();
        for (Api.Parameter parameter : operation.parameters()) {
            if (parameter.keyword()) {
                candidates.add(new Candidate(
                        parameter.name(), "parameter", ArgumentPlan.kindName(parameter.kind()), parameter.doc()));
            }
            parameter
                    .words()
                    .forEach(word -> candidates.add(new Candidate(word, "word", parameter.name(), parameter.doc())));
        }
        return candidates;
    }

    private List<Candidate> members(Object value) {
        if (value instanceof Described object) {
            Api<?> api = object.api();
            var candidates = new ArrayList<>(operations(api));
            api.properties()
                    .forEach(property -> candidates.add(
                            new Candidate(property.name(), "property", property.type(), sentence(property.doc()))));
            api.properties().forEach(property -> candidates.addAll(numbered(object, property)));
            return candidates;
        }
        return ValueMembers.names(value).stream()
                .map(name -> new Candidate(name, "property", "", ""))
                .toList();
    }

    private static List<Candidate> operations(Api<?> api) {
        return api.operations().stream()
                .map(operation -> new Candidate(
                        operation.name(), "operation", ArgumentPlan.signature(operation), sentence(operation.doc())))
                .toList();
    }

    private static List<Candidate> numbered(Described object, Api.Property<?> property) {
        if (!property.type().startsWith("list of") || !property.name().endsWith("s")) {
            return List.of();
        }
        String stem = property.name().substring(0, property.name().length() - 1);
        return Invocation.read(object, property.name())
                .filter(List.class::isInstance)
                .map(list -> {
                    var candidates = new ArrayList<Candidate>();
                    for (int i = 0; i < ((List<?>) list).size(); i++) {
                        candidates.add(new Candidate(stem + i, "property", stem, ""));
                    }
                    return (List<Candidate>) candidates;
                })
                .orElse(List.of());
    }

    /** The value behind {@code a.b.c}, by reading properties only. */
    private Optional<Object> value(String path) {
        String[] names = path.split("\\.", -1);
        Optional<Object> value = scope.index(names[0])
                .map(execution::global)
                .map(Object.class::cast)
                .or(() -> world.global(names[0]).map(Object.class::cast));
        for (int i = 1; i < names.length && value.isPresent(); i++) {
            String name = names[i];
            value = value.flatMap(object -> object instanceof Described described
                    ? Invocation.read(described, name)
                    : ValueMembers.get(object, name));
        }
        return value;
    }

    Optional<String> help(String text, int cursor) {
        int end = cursor;
        while (end < text.length() && Character.isJavaIdentifierPart(text.charAt(end))) {
            end++;
        }
        Matcher path = PATH_AT_END.matcher(text.substring(0, end));
        if (!path.find() || path.group(2).isEmpty()) {
            return Optional.empty();
        }
        String name = path.group(2);
        if (path.group(1) == null) {
            Matcher vm = OPEN_VM.matcher(text.substring(0, end));
            if (vm.find() && machines.vmTypes().contains(vm.group(1))) {
                return HelpText.member(machines.builderApi(vm.group(1)), name);
            }
            return value(name)
                    .map(HelpText::value)
                    .or(() -> machines.vmTypes().contains(name)
                            ? Optional.of(HelpText.api(machines.builderApi(name)))
                            : machines.apis().stream()
                                    .filter(api -> api.name().equals(name))
                                    .findFirst()
                                    .map(HelpText::api));
        }
        String owner = path.group(1).substring(0, path.group(1).length() - 1);
        return value(owner)
                .filter(Described.class::isInstance)
                .flatMap(object -> HelpText.member(((Described) object).api(), name))
                .or(() -> value(owner + "." + name).map(HelpText::value));
    }

    private static String sentence(String doc) {
        int end = doc.indexOf(". ");
        return end < 0 ? doc : doc.substring(0, end + 1);
    }
}
