package kvasir.scripts.js;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;
import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.nodes.RootNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.Span;
import kvasir.scripts.Failure;
import kvasir.scripts.Machines;
import kvasir.scripts.nodes.Execution;
import kvasir.scripts.nodes.Fault;
import kvasir.scripts.nodes.ScriptException;
import org.graalvm.polyglot.PolyglotException;

/** A function of a JavaScript module as KVS calls it: {@code import { f } from "x.mjs"}. */
public final class JavaScriptFunction extends RootNode {
    private final Machines machines;
    private final Path module;
    private final String name;
    private final Span imported;

    /**
     * @param module the file
     * @param name of its export
     * @param imported where the script asks for it
     */
    public JavaScriptFunction(Machines machines, Path module, String name, Span imported) {
        super(null);
        this.machines = machines;
        this.module = module;
        this.name = name;
        this.imported = imported;
    }

    /** Whether {@code file} is one that JavaScript is imported from. */
    public static boolean isModule(Path file) {
        return file.toString().endsWith(".mjs") || file.toString().endsWith(".js");
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object[] arguments = frame.getArguments();
        return call((Execution) arguments[0], Arrays.asList(arguments).subList(1, arguments.length));
    }

    @TruffleBoundary
    private Object call(Execution execution, List<Object> arguments) {
        try {
            return execution
                    .otherLanguage(Realm.class, () -> new Realm(machines, execution, 1, module, Exploring.DEFAULT))
                    .call(module, name, arguments);
        } catch (PolyglotException e) {
            Failure failure = new Uncaught(module, e).failure();
            var notes =
                    new ArrayList<>(List.of("at: " + failure.file() + ":" + failure.line() + ":" + failure.column()));
            failure.text()
                    .lines()
                    .map(String::strip)
                    .filter(line -> line.startsWith("= "))
                    .forEach(line -> notes.add(line.substring(2)));
            throw ScriptException.of(
                    new Fault(
                            failure.kind(),
                            Diagnostic.of("E0510", imported, failure.title(), "thrown by JavaScript"),
                            notes),
                    this);
        }
    }

    @Override
    public String getName() {
        return name;
    }
}
