package kvasir.scripts.translate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.grammar.Span;
import kvasir.scripts.nodes.FunctionSlot;

/** The top-level names of one file, its own and the imported ones. */
public final class FileScope {
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Counter indices;

    /** Gives every top-level name of a program an index of its own. */
    static final class Counter {
        private int next;

        int take() {
            return next++;
        }
    }

    /** What a top-level name stands for. */
    sealed interface Entry {
        /** Where it was declared. */
        Span span();

        /** A value, at {@code index} in the execution. */
        record Variable(Span span, int index, Type type) implements Entry {}

        /** A function. */
        record Function(Span span, FunctionSlot slot) implements Entry {}
    }

    FileScope(Counter indices) {
        this.indices = indices;
    }

    FileScope copy() {
        var copy = new FileScope(indices);
        copy.entries.putAll(entries);
        return copy;
    }

    void become(FileScope other) {
        entries.putAll(other.entries);
    }

    Optional<Entry> find(String name) {
        return Optional.ofNullable(entries.get(name));
    }

    /** Declares a value; an older one of that name is hidden. */
    Entry.Variable declare(String name, Span span, Type type) {
        var entry = new Entry.Variable(span, indices.take(), type);
        entries.put(name, entry);
        return entry;
    }

    void declare(String name, Entry entry) {
        entries.put(name, entry);
    }

    /** All names in order of declaration. */
    public List<String> names() {
        return new ArrayList<>(entries.keySet());
    }

    /** How many parameters the function called {@code name} has, if it is one. */
    public Optional<Integer> parameters(String name) {
        return entries.get(name) instanceof Entry.Function function
                ? Optional.of(function.slot().parameters())
                : Optional.empty();
    }

    /** The index of the value called {@code name} in the execution, if it is one. */
    public Optional<Integer> index(String name) {
        return entries.get(name) instanceof Entry.Variable variable ? Optional.of(variable.index()) : Optional.empty();
    }
}
