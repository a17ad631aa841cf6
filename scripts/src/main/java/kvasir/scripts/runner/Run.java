package kvasir.scripts.runner;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.Machines;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.RunSummary;
import kvasir.scripts.translate.Loader;
import kvasir.scripts.translate.Program;

/** One run over files: reads all, plans all, then runs case by case. */
public final class Run {
    private final Machines machines;
    private final RunOptions options;
    private final RunListener listener;
    private final BooleanSupplier interrupted;
    private final CaseRunner cases;
    private final Set<Failure.Kind> kinds = EnumSet.noneOf(Failure.Kind.class);
    private int passed;
    private int failed;
    private int skipped;
    private int rejected;

    /** @param interrupted whether the user wants the run to end */
    public Run(Machines machines, RunOptions options, RunListener listener, BooleanSupplier interrupted) {
        this.machines = machines;
        this.options = options;
        this.listener = listener;
        this.interrupted = interrupted;
        this.cases = new CaseRunner(machines, options, interrupted);
    }

    /** Makes the running case come back soon; any thread may call it. */
    public void interrupt() {
        cases.interrupt();
    }

    /** Runs everything that {@code paths} stand for. */
    public RunSummary all(List<Path> paths) {
        var plan = new ArrayList<Case>();
        if (knownSemantics()) {
            for (Path file : ScriptFiles.expand(paths)) {
                plan(file, plan);
            }
            if (plan.isEmpty() && rejected == 0) {
                Path first = paths.isEmpty() ? Path.of("") : paths.getFirst();
                reject(first, Failure.ofFile(Failure.Kind.USAGE, first, nothing(paths)));
            }
        }
        return end(plan);
    }

    /** Runs every case of {@code program}. */
    public RunSummary program(Path file, Program program) {
        return end(Plan.cases(file, program, machines, options));
    }

    private RunSummary end(List<Case> plan) {
        listener.planned(plan.size());
        for (Case each : plan) {
            if (!interrupted.getAsBoolean()) {
                run(each);
            }
        }
        if (interrupted.getAsBoolean()) {
            kinds.add(Failure.Kind.INTERRUPTED);
        }
        if (options.update()) {
            for (Failure failure : PictureRewriter.rewrite(cases.updates(), listener)) {
                reject(failure.file(), failure);
            }
        }
        var summary = new RunSummary(passed, failed, skipped, rejected, exitCode());
        listener.ended(summary);
        return summary;
    }

    private boolean knownSemantics() {
        for (String name : options.semantics()) {
            if (!machines.semantics().contains(name)) {
                String message =
                        "unknown semantics `" + name + "`; there is " + String.join(", ", machines.semantics());
                reject(Path.of(""), Failure.ofFile(Failure.Kind.USAGE, Path.of(""), message));
            }
        }
        return rejected == 0;
    }

    private String nothing(List<Path> paths) {
        String where = paths.stream().map(Path::toString).collect(Collectors.joining(", "));
        return options.filter().isEmpty()
                ? "no .kvs file below " + where
                : "no test in " + where + " contains `" + options.filter() + "`";
    }

    private void plan(Path file, List<Case> plan) {
        switch (ScriptFiles.read(file)) {
            case ScriptFiles.Content.Unreadable(var failure) -> reject(file, failure);
            case ScriptFiles.Content.Text(var text) -> {
                Program program = new Loader(machines).load(file, text);
                if (program.diagnostics().isEmpty()) {
                    plan.addAll(Plan.cases(file, program, machines, options));
                } else {
                    rejected++;
                    program.diagnostics().forEach(diagnostic -> {
                        Failure failure = Failure.of(diagnostic);
                        kinds.add(failure.kind());
                        listener.rejected(file, failure);
                    });
                }
            }
        }
    }

    private void reject(Path file, Failure failure) {
        rejected++;
        kinds.add(failure.kind());
        listener.rejected(file, failure);
    }

    private void run(Case each) {
        listener.started(each.file(), each.name(), each.semantics());
        CaseResult result = cases.run(each, listener);
        switch (result.verdict()) {
            case PASSED -> passed++;
            case FAILED -> failed++;
            case SKIPPED -> skipped++;
        }
        result.failure().ifPresent(failure -> kinds.add(failure.kind()));
        listener.finished(result);
    }

    private int exitCode() {
        if (kinds.contains(Failure.Kind.INTERRUPTED)) {
            return Failure.Kind.INTERRUPTED.exitCode();
        }
        return kinds.stream().mapToInt(Failure.Kind::exitCode).min().orElse(0);
    }
}
