package kvasir.repl;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunSummary;

/** Keeps what a run came to, file by file in the order of the run, for reports that are written at its end. */
final class Results implements RunListener {
    private final Map<Path, List<CaseResult>> cases = new LinkedHashMap<>();
    private final Map<Path, Failure> rejected = new LinkedHashMap<>();
    private Optional<RunSummary> summary = Optional.empty();

    @Override
    public void rejected(Path file, Failure failure) {
        cases.putIfAbsent(file, new ArrayList<>());
        rejected.putIfAbsent(file, failure);
    }

    @Override
    public void finished(CaseResult result) {
        cases.computeIfAbsent(result.file(), _ -> new ArrayList<>()).add(result);
    }

    @Override
    public void ended(RunSummary end) {
        summary = Optional.of(end);
    }

    List<Path> files() {
        return List.copyOf(cases.keySet());
    }

    List<CaseResult> cases(Path file) {
        return cases.getOrDefault(file, List.of());
    }

    /** Why {@code file} was not run at all, if so. */
    Optional<Failure> rejected(Path file) {
        return Optional.ofNullable(rejected.get(file));
    }

    /** How it ended; the run is over. */
    RunSummary summary() {
        return summary.orElseThrow();
    }
}
