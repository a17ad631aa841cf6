package kvasir.scripts.translate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.Span;
import kvasir.grammar.Statement;
import kvasir.scripts.Machines;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.nodes.StatementNode;

/** What the translation of one file knows and collects. */
final class Context {
    private final Machines machines;
    private final Types types;
    private final FileScope scope;
    private final Path folder;
    private final List<Machines.Custom> customs = new ArrayList<>();
    private final List<Diagnostic> diagnostics = new ArrayList<>();
    private final Importer importer;
    private final boolean conversation;
    private boolean history;
    private boolean alternative;

    /** Reads an imported file. */
    @FunctionalInterface
    interface Importer {
        /** Gives the names of the file to {@code importing}; the node runs its top level. */
        StatementNode read(Context importing, Statement.Import statement);
    }

    /**
     * @param folder of the file
     * @param conversation whether it is one input of many, which may declare names again
     */
    Context(Machines machines, Types types, FileScope scope, Path folder, Importer importer, boolean conversation) {
        this.importer = importer;
        this.conversation = conversation;
        this.machines = machines;
        this.types = types;
        this.scope = scope;
        this.folder = folder;
    }

    Machines machines() {
        return machines;
    }

    Types types() {
        return types;
    }

    FileScope scope() {
        return scope;
    }

    Path folder() {
        return folder;
    }

    /** All semantics that the script may name here. */
    List<String> semantics() {
        var names = new ArrayList<>(machines.semantics());
        customs.forEach(custom -> names.add(custom.name()));
        return names;
    }

    void declare(Machines.Custom custom) {
        customs.add(custom);
    }

    /** Semantics that the file has put together so far. */
    List<Machines.Custom> customs() {
        return customs;
    }

    boolean conversation() {
        return conversation;
    }

    StatementNode importing(Statement.Import statement) {
        return importer.read(this, statement);
    }

    /** Whether the declarations now read are alternatives, of which one runs under each semantics. */
    boolean alternative() {
        return alternative;
    }

    <T> T alternatively(Supplier<T> body) {
        boolean outer = alternative;
        alternative = true;
        try {
            return body.get();
        } finally {
            alternative = outer;
        }
    }

    void report(Span span, Refusal refusal) {
        diagnostics.add(new Diagnostic(refusal.code(), span, refusal.message(), refusal.reason(), refusal.help()));
    }

    List<Diagnostic> diagnostics() {
        return diagnostics;
    }

    /** The file asks for the story of something, so events must be kept from the start. */
    void wantHistory() {
        history = true;
    }

    boolean history() {
        return history;
    }
}
