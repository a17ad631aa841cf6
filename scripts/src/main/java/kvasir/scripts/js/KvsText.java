package kvasir.scripts.js;

import com.oracle.truffle.api.CallTarget;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.SourceFile;
import kvasir.scripts.Failure;
import kvasir.scripts.Machines;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.nodes.Execution;
import kvasir.scripts.nodes.Fault;
import kvasir.scripts.nodes.ScriptException;
import kvasir.scripts.translate.FileScope;
import kvasir.scripts.translate.Loader;

/**
 * KVS said from JavaScript, in the machine of its realm: patterns, guest programs and imported {@code .kvs} files go
 * through the one interpreter, so both languages understand them alike.
 */
final class KvsText {
    /** The name under which a value of JavaScript is known to a pattern. */
    private static final String VALUE = "value";

    /** A parameter of a function may be anything, so a name that holds its result may too. */
    private static final String ANYTHING = "fn js_anything(x) { return x }\n";

    private final Loader loader;
    private final Execution execution;
    private final Path folder;
    private final FileScope names;
    private final Map<String, Invocation> invocations = new HashMap<>();
    private int inputs;

    /** What a name of an imported file is. */
    sealed interface Imported {
        /** A value, known once the file has run. */
        record Value(Object value) implements Imported {}

        /** A function. */
        record Function(int parameters) implements Imported {}
    }

    /** The call of a function, made once. */
    private record Invocation(CallTarget body, List<Integer> arguments, int result) {}

    /** @param folder what files are relative to */
    KvsText(Execution execution, Machines machines, Path folder) {
        this.execution = execution;
        this.folder = folder;
        this.loader = new Loader(machines);
        this.names = loader.conversation();
    }

    /** Why {@code value} does not match the pattern, or with {@code negated} why it does; empty if all is well. */
    Optional<List<String>> mismatch(Bridge bridge, Object value, String pattern, boolean negated) {
        if (names.index(VALUE).isEmpty()) {
            say(bridge, ANYTHING + "let " + VALUE + " = js_anything(0)");
        }
        execution.setGlobal(names.index(VALUE).orElseThrow(), value);
        // In an assertion a bare `or` would join two conditions.
        String whole = pattern.contains(" or ") && !pattern.startsWith("(") ? "(" + pattern + ")" : pattern;
        CallTarget claim = translated(bridge, "assert " + VALUE + " is " + (negated ? "not " : "") + whole);
        try {
            claim.call(execution);
            return Optional.empty();
        } catch (ScriptException e) {
            Fault fault = e.fault();
            if (fault.kind() != Failure.Kind.ASSERTION) {
                throw raise(bridge, fault);
            }
            var notes = new ArrayList<String>();
            fault.notes().stream().filter(note -> !note.startsWith("where: ")).forEach(notes::add);
            if (!fault.diagnostic().reason().isEmpty()) {
                notes.addFirst(fault.diagnostic().reason());
            }
            return Optional.of(notes);
        }
    }

    /** The guest program that {@code assembly} is. */
    Object guest(Bridge bridge, String name, int bits, String assembly) {
        say(bridge, "guest " + name + " = asm" + bits + " {\n" + assembly + "\n}");
        return known(name);
    }

    /** Runs the file unless it has run, and gives its names. */
    Map<String, Imported> imported(Bridge bridge, Path file) {
        FileScope own = loader.conversation();
        say(bridge, "import \"" + file + "\"", own);
        say(bridge, "import \"" + file + "\"");
        var found = new LinkedHashMap<String, Imported>();
        for (String name : own.names()) {
            found.put(
                    name,
                    own.index(name)
                            .<Imported>map(index -> new Imported.Value(value(index)))
                            .orElseGet(() ->
                                    new Imported.Function(own.parameters(name).orElseThrow())));
        }
        return found;
    }

    /** What the KVS function {@code name} gives. */
    Object call(Bridge bridge, String name, List<Object> arguments) {
        Invocation invocation = invocations.computeIfAbsent(
                name + "/" + arguments.size(), _ -> invocation(bridge, name, arguments.size()));
        for (int i = 0; i < arguments.size(); i++) {
            execution.setGlobal(invocation.arguments.get(i), arguments.get(i));
        }
        run(bridge, invocation.body);
        return value(invocation.result);
    }

    private Invocation invocation(Bridge bridge, String name, int count) {
        List<String> arguments =
                IntStream.range(0, count).mapToObj(i -> "js_argument" + i).toList();
        say(
                bridge,
                ANYTHING
                        + arguments.stream()
                                .map(argument -> "let " + argument + " = js_anything(0)")
                                .collect(Collectors.joining("\n")));
        CallTarget body = translated(bridge, "let js_result = " + name + "(" + String.join(", ", arguments) + ")");
        return new Invocation(
                body,
                arguments.stream()
                        .map(argument -> names.index(argument).orElseThrow())
                        .toList(),
                names.index("js_result").orElseThrow());
    }

    private Object known(String name) {
        return value(names.index(name).orElseThrow());
    }

    private Object value(int index) {
        Object value = execution.global(index);
        if (value == null) {
            throw new IllegalStateException("a name without a value");
        }
        return value;
    }

    private void say(Bridge bridge, String text) {
        say(bridge, text, names);
    }

    private void say(Bridge bridge, String text, FileScope scope) {
        run(bridge, translated(bridge, text, scope));
    }

    private void run(Bridge bridge, CallTarget body) {
        try {
            body.call(execution);
        } catch (ScriptException e) {
            throw raise(bridge, e.fault());
        }
    }

    private CallTarget translated(Bridge bridge, String text) {
        return translated(bridge, text, names);
    }

    private CallTarget translated(Bridge bridge, String text, FileScope scope) {
        Loader.Input input = loader.input(new SourceFile("kvs text " + ++inputs, text), folder, scope);
        if (!input.diagnostics().isEmpty()) {
            Diagnostic first = input.diagnostics().getFirst();
            throw bridge.raise(new Refusal(
                    first.code(), first.message() + ": `" + first.span().text() + "`", first.reason(), first.help()));
        }
        return input.body();
    }

    private static RuntimeException raise(Bridge bridge, Fault fault) {
        Diagnostic diagnostic = fault.diagnostic();
        if (fault.kind() == Failure.Kind.ASSERTION) {
            var notes = new ArrayList<>(List.of("in KVS: " + diagnostic.span() + ": " + diagnostic.reason()));
            notes.addAll(fault.notes());
            return bridge.refuse(diagnostic.message(), notes);
        }
        return bridge.raise(new Refusal(
                diagnostic.code(),
                diagnostic.span() + ": " + diagnostic.message(),
                diagnostic.reason(),
                diagnostic.help()));
    }
}
