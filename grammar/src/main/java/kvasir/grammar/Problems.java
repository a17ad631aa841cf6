package kvasir.grammar;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Collects diagnostics of one parse: at most one a line, since a second one is mostly the echo of the first. */
final class Problems {
    /** More than this nobody reads; it also bounds what a file full of garbage costs. */
    private static final int LIMIT = 50;

    private final SourceFile source;
    private final List<Diagnostic> diagnostics = new ArrayList<>();
    private final Set<Integer> lines = new HashSet<>();

    Problems(SourceFile source) {
        this.source = source;
    }

    SourceFile source() {
        return source;
    }

    void add(Diagnostic diagnostic) {
        if (diagnostics.size() < LIMIT && lines.add(diagnostic.span().line())) {
            diagnostics.add(diagnostic);
        }
    }

    /** Whether a bracket is missing, so that what stands within what cannot be told. */
    boolean unbalanced() {
        return diagnostics.stream().anyMatch(each -> each.code().equals("E0202"));
    }

    boolean isEmpty() {
        return diagnostics.isEmpty();
    }

    List<Diagnostic> inSourceOrder() {
        return diagnostics.stream()
                .sorted(Comparator.comparingInt((Diagnostic each) -> each.span().start()))
                .toList();
    }
}
