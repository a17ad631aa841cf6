package kvasir.scripts.translate;

import com.oracle.truffle.api.CallTarget;
import com.oracle.truffle.api.TruffleLanguage;
import com.oracle.truffle.api.source.Source;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.Identifier;
import kvasir.grammar.Kvs;
import kvasir.grammar.Parsed;
import kvasir.grammar.SourceFile;
import kvasir.grammar.Statement;
import kvasir.scripts.Machines;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Spelling;
import kvasir.scripts.js.JavaScriptFunction;
import kvasir.scripts.nodes.FunctionSlot;
import kvasir.scripts.nodes.ImportNode;
import kvasir.scripts.nodes.StatementNode;
import org.jspecify.annotations.Nullable;

/** Reads a script and all it imports. One loader makes one program. */
public final class Loader {
    private final Machines machines;
    private final Types types;
    private final @Nullable TruffleLanguage<?> language;
    private final @Nullable Source hosted;
    private final FileScope.Counter indices = new FileScope.Counter();
    private final Map<Path, Unit> units = new HashMap<>();
    private final Set<Path> loading = new LinkedHashSet<>();
    private final List<Diagnostic> diagnostics = new ArrayList<>();

    /** A loader for runs without an engine. */
    public Loader(Machines machines) {
        this(machines, null, null);
    }

    /**
     * @param language the hosting language; none when run without an engine
     * @param hosted the text of the script as the engine knows it; none when run without an engine
     */
    public Loader(Machines machines, @Nullable TruffleLanguage<?> language, @Nullable Source hosted) {
        this.machines = machines;
        this.hosted = hosted;
        this.types = new Types(machines);
        this.language = language;
    }

    /** The program that {@code text} is; {@code file} gives it a name and its imports a folder. */
    public Program load(Path file, String text) {
        SourceFile source = new SourceFile(file.toString(), text);
        Path folder = folder(file);
        loading.add(identity(file));
        Unit unit = unit(source, folder, new FileScope(indices));
        return new Program(
                source,
                unit.topLevel(),
                unit.setups(),
                unit.tests(),
                unit.semantics(),
                unit.customs(),
                unit.history(),
                inOrder(diagnostics));
    }

    /**
     * One input of a conversation, ready to run.
     *
     * @param races explored behind the statements
     * @param diagnostics what is wrong; an input with any is not run
     */
    public record Input(CallTarget body, List<Program.Test> races, List<Diagnostic> diagnostics) {}

    /** A scope for the names of a conversation. */
    public FileScope conversation() {
        return new FileScope(indices);
    }

    /** The next input of a conversation; names declared in it go to {@code scope} unless something is wrong with it. */
    public Input input(SourceFile source, Path folder, FileScope scope) {
        diagnostics.clear();
        Parsed parsed = Kvs.parse(source);
        FileScope attempt = scope.copy();
        var context = new Context(machines, types, attempt, folder, this::importInto, true);
        UnitTranslator.Talk talk = new UnitTranslator(context, language, context.conversation() ? null : hosted(source))
                .conversation(parsed.script());
        var wrong = new ArrayList<>(parsed.diagnostics());
        wrong.addAll(diagnostics);
        wrong.addAll(context.diagnostics());
        if (wrong.isEmpty()) {
            scope.become(attempt);
        }
        return new Input(talk.body(), talk.races(), inOrder(wrong));
    }

    /** Each once; files as they were finished, positions within a file rising. */
    private static List<Diagnostic> inOrder(List<Diagnostic> diagnostics) {
        Map<SourceFile, List<Diagnostic>> byFile = new LinkedHashMap<>();
        diagnostics.stream()
                .distinct()
                .forEach(diagnostic -> byFile.computeIfAbsent(diagnostic.span().source(), file -> new ArrayList<>())
                        .add(diagnostic));
        return byFile.values().stream()
                .flatMap(list -> list.stream()
                        .sorted(Comparator.comparingInt(
                                diagnostic -> diagnostic.span().start())))
                .toList();
    }

    private static Path folder(Path file) {
        Path parent = file.getParent();
        return parent == null ? Path.of("") : parent;
    }

    private static Path identity(Path file) {
        return file.toAbsolutePath().normalize();
    }

    private Unit unit(SourceFile source, Path folder, FileScope scope) {
        Parsed parsed = Kvs.parse(source);
        diagnostics.addAll(parsed.diagnostics());
        var context = new Context(machines, types, scope, folder, this::importInto, false);
        Unit unit = new UnitTranslator(context, language, context.conversation() ? null : hosted(source))
                .translate(parsed.script());
        diagnostics.addAll(context.diagnostics());
        return unit;
    }

    /** What the engine knows {@code source} as: only the script itself was given to it. */
    private @Nullable Source hosted(SourceFile source) {
        return hosted != null && hosted.getCharacters().toString().equals(source.text()) ? hosted : null;
    }

    /** Reads the file that {@code statement} names and gives its names to the importing file. */
    private StatementNode importInto(Context importing, Statement.Import statement) {
        String name = statement.file().value();
        Path file = importing.folder().resolve(name);
        Path identity = identity(file);
        if (JavaScriptFunction.isModule(file)) {
            javaScript(importing, statement, file);
            return new ImportNode(statement.span(), null, List.of());
        }
        if (loading.contains(identity)) {
            importing.report(
                    statement.file().span(),
                    Refusal.of("E0315", "imports go round in a circle", name + " is being imported already"));
            return new ImportNode(statement.span(), null, List.of());
        }
        boolean first = !units.containsKey(identity);
        Unit unit = units.get(identity);
        if (unit == null) {
            try {
                SourceFile source = new SourceFile(file.normalize().toString(), Files.readString(file));
                loading.add(identity);
                unit = unit(source, folder(file), new FileScope(indices));
                loading.remove(identity);
                units.put(identity, unit);
            } catch (IOException exception) {
                String reason = exception instanceof CharacterCodingException
                        ? "it is no UTF-8 text"
                        : Files.isDirectory(file) ? "this is a folder" : "no such file";
                importing.report(
                        statement.file().span(), Refusal.of("E0314", "cannot read " + file.normalize(), reason));
                return new ImportNode(statement.span(), null, List.of());
            }
        }
        names(importing, statement, unit.scope());
        if (unit.history()) {
            importing.wantHistory();
        }
        return new ImportNode(statement.span(), first ? unit.topLevel() : null, first ? unit.setups() : List.of());
    }

    /** Functions of a JavaScript module; whether the module has them is known when it runs. */
    private void javaScript(Context importing, Statement.Import statement, Path file) {
        if (!Files.isRegularFile(file)) {
            importing.report(
                    statement.file().span(), Refusal.of("E0314", "cannot read " + file.normalize(), "no such file"));
        } else if (statement.names().isEmpty()) {
            importing.report(
                    statement.span(),
                    Refusal.of("E0314", "JavaScript is imported by name", "which functions?")
                            .help("write import { name } from \""
                                    + statement.file().value() + "\""));
        }
        for (Statement.ImportedName each : statement.names()) {
            var slot = new FunctionSlot(each.local().text(), FunctionSlot.ANY);
            var function = new JavaScriptFunction(
                    machines, file, each.name().text(), each.name().span());
            slot.define(function.getCallTarget());
            bind(
                    importing,
                    each.local(),
                    new FileScope.Entry.Function(each.local().span(), slot));
        }
    }

    private static void names(Context importing, Statement.Import statement, FileScope from) {
        if (statement.names().isEmpty()) {
            for (String name : from.names()) {
                bind(
                        importing,
                        new Identifier(statement.file().span(), name),
                        from.find(name).orElseThrow());
            }
        }
        for (Statement.ImportedName each : statement.names()) {
            var entry = from.find(each.name().text());
            if (entry.isPresent()) {
                bind(importing, each.local(), entry.get());
            } else {
                importing.report(
                        each.name().span(),
                        Refusal.of(
                                        "E0306",
                                        "`" + each.name().text() + "` is not declared in "
                                                + statement.file().value(),
                                        "nothing is called so there")
                                .help(Spelling.help(each.name().text(), from.names())));
            }
        }
    }

    private static void bind(Context importing, Identifier name, FileScope.Entry entry) {
        var older = importing.scope().find(name.text());
        if (older.isPresent() && !older.get().equals(entry)) {
            importing.report(
                    name.span(),
                    Refusal.of(
                            "E0310",
                            "`" + name.text() + "` is declared twice",
                            "first at " + older.get().span()));
        }
        importing.scope().declare(name.text(), entry);
    }
}
