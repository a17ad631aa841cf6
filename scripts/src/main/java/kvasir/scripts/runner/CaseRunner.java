package kvasir.scripts.runner;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import kvasir.event.Events;
import kvasir.event.History;
import kvasir.grammar.Diagnostic;
import kvasir.grammar.Span;
import kvasir.scripts.CaseResult;
import kvasir.scripts.Failure;
import kvasir.scripts.InstalledFiles;
import kvasir.scripts.Machines;
import kvasir.scripts.RaceReport;
import kvasir.scripts.RunListener;
import kvasir.scripts.RunOptions;
import kvasir.scripts.explore.Attendant;
import kvasir.scripts.nodes.Execution;
import kvasir.scripts.nodes.Fault;
import kvasir.scripts.nodes.InvariantsNode;
import kvasir.scripts.nodes.ScriptException;
import kvasir.scripts.translate.Program;
import kvasir.scripts.translate.RaceBody;
import org.jspecify.annotations.Nullable;

/**
 * Runs one case in a machine of its own. A case that fails is run once more with its events kept: runs are
 * deterministic, so the second tells why, and the first costs nothing for it.
 */
final class CaseRunner {
    private static final int EVENTS_KEPT = 1 << 16;

    private final Machines machines;
    private final RunOptions options;
    private final BooleanSupplier interrupted;
    private final List<Execution.PictureUpdate> updates = new ArrayList<>();
    private volatile Machines.@Nullable World running;

    /** How one run of a case ended. */
    private record Attempt(
            Optional<Fault> fault,
            List<String> output,
            List<String> answers,
            String observed,
            Optional<RaceReport> race) {
        Attempt(Optional<Fault> fault, List<String> output, List<String> answers, String observed) {
            this(fault, output, answers, observed, Optional.empty());
        }
    }

    CaseRunner(Machines machines, RunOptions options, BooleanSupplier interrupted) {
        this.machines = machines;
        this.options = options;
        this.interrupted = interrupted;
    }

    /** Pictures that differed in the cases run so far. */
    List<Execution.PictureUpdate> updates() {
        return updates;
    }

    /** Makes the running case come back soon; any thread may call it. */
    void interrupt() {
        Machines.World world = running;
        if (world != null) {
            world.interrupt();
        }
    }

    CaseResult run(Case each, RunListener listener) {
        if (!each.skipReason().isEmpty()) {
            return result(each, CaseResult.Verdict.SKIPPED, Optional.empty(), List.of(), List.of(), "");
        }
        if (each.test().isPresent() && each.test().get().body() instanceof RaceBody race) {
            Attempt explored = explore(each, each.test().get(), race, listener);
            return explored.fault()
                    .map(fault -> failed(each, fault, explored))
                    .orElseGet(() -> result(
                            each,
                            CaseResult.Verdict.PASSED,
                            Optional.empty(),
                            explored.output(),
                            List.of(),
                            "",
                            explored.race()));
        }
        Attempt attempt = attempt(each, each.program().history(), options.trace() ? listener : null);
        if (attempt.fault().isEmpty()) {
            return result(
                    each,
                    CaseResult.Verdict.PASSED,
                    Optional.empty(),
                    attempt.output(),
                    attempt.answers(),
                    attempt.observed());
        }
        Fault fault = attempt.fault().get();
        if (fault.diagnostic().code().equals(InstalledFiles.ABSENT)) {
            return skipped(each, fault.diagnostic().message());
        }
        if (fault.kind() == Failure.Kind.ASSERTION && !each.program().history() && !interrupted.getAsBoolean()) {
            fault = attempt(each, true, null).fault().orElse(fault);
        }
        return failed(each, fault, attempt);
    }

    private static CaseResult skipped(Case each, String reason) {
        var skipped = new Case(each.file(), each.program(), each.test(), each.name(), each.semantics(), reason);
        return result(skipped, CaseResult.Verdict.SKIPPED, Optional.empty(), List.of(), List.of(), "");
    }

    private Optional<Events.Listener> trace(RunListener listener) {
        return options.trace() ? Optional.of(listener::raceEvent) : Optional.empty();
    }

    private static CaseResult failed(Case each, Fault fault, Attempt attempt) {
        var notes = new ArrayList<>(fault.notes());
        notes.add(each.test()
                .map(test -> "in: test \"" + test.name() + "\" under " + each.semantics())
                .orElse("under: " + each.semantics()));
        Failure failure = Failure.of(fault.kind(), fault.diagnostic(), notes);
        return result(
                each,
                CaseResult.Verdict.FAILED,
                Optional.of(failure),
                attempt.output(),
                attempt.answers(),
                attempt.observed(),
                attempt.race());
    }

    private Attempt explore(Case each, Program.Test test, RaceBody race, RunListener listener) {
        var choice = each.program().choice(each.semantics(), options.seed(), options.instructionBudget());
        try {
            var ground = new FreshGround(each.program(), machines, choice, trace(listener), interrupted);
            var attendant = new Attendant() {
                @Override
                public boolean interrupted() {
                    return interrupted.getAsBoolean();
                }

                @Override
                public void reached(String how) {
                    listener.progress(how);
                }
            };
            RaceRunner.Result result = new RaceRunner(
                            ground, test.name(), test.span(), race, options.explore(), options.invariants(), attendant)
                    .run();
            return new Attempt(result.fault(), result.output(), List.of(), "", result.report());
        } catch (ScriptException exception) {
            return new Attempt(Optional.of(exception.fault()), List.of(), List.of(), "");
        } catch (RuntimeException | StackOverflowError bug) {
            return new Attempt(Optional.of(bug(each, bug)), List.of(), List.of(), "");
        }
    }

    private Attempt attempt(Case each, boolean explain, @Nullable RunListener trace) {
        var choice = each.program().choice(each.semantics(), options.seed(), options.instructionBudget());
        var output = new ArrayList<String>();
        var answers = new ArrayList<String>();
        String observed = "";
        try (Machines.World world = machines.create(choice)) {
            running = world;
            if (trace != null) {
                world.events().add(trace.stream());
            }
            Optional<History> history = explain ? Optional.of(new History(EVENTS_KEPT)) : Optional.empty();
            history.ifPresent(world.events()::add);
            var execution = new Execution(world, each.semantics(), history, options.update(), output::add, interrupted);
            world.watchInvariants(options.invariants());
            try {
                each.program().topLevel().call(execution);
                each.program().setups().forEach(setup -> setup.call(execution));
                if (each.test().isPresent() && each.test().get().body() instanceof Program.Statements(var target)) {
                    execution.beginTest();
                    target.call(execution);
                }
            } finally {
                observed = execution.observed();
                answers.addAll(execution.answers());
                updates.addAll(execution.updates());
            }
            Optional<Fault> broken = world.brokenInvariantAtEnd().map(what -> InvariantsNode.fault(place(each), what));
            return new Attempt(broken, output, answers, observed);
        } catch (ScriptException exception) {
            return new Attempt(Optional.of(exception.fault()), output, answers, observed);
        } catch (RuntimeException | StackOverflowError bug) {
            return new Attempt(Optional.of(bug(each, bug)), output, answers, observed);
        } finally {
            running = null;
        }
    }

    private static Span place(Case each) {
        return each.test()
                .map(kvasir.scripts.translate.Program.Test::span)
                .orElseGet(() -> each.program().source().span(0, 0));
    }

    private static Fault bug(Case each, Throwable bug) {
        Span span = place(each);
        StackTraceElement[] stack = bug.getStackTrace();
        var diagnostic = new Diagnostic(
                "E0600",
                span,
                "this is a bug in Kvasir",
                bug.toString(),
                Optional.of("please report it with this script"));
        return new Fault(
                Failure.Kind.BUG, diagnostic, List.of("at: " + (stack.length == 0 ? "an unknown place" : stack[0])));
    }

    private static CaseResult result(
            Case each,
            CaseResult.Verdict verdict,
            Optional<Failure> failure,
            List<String> output,
            List<String> answers,
            String observed) {
        return result(each, verdict, failure, output, answers, observed, Optional.empty());
    }

    private static CaseResult result(
            Case each,
            CaseResult.Verdict verdict,
            Optional<Failure> failure,
            List<String> output,
            List<String> answers,
            String observed,
            Optional<RaceReport> race) {
        return new CaseResult(
                each.file(),
                each.name(),
                each.semantics(),
                verdict,
                failure,
                each.skipReason(),
                List.copyOf(output),
                List.copyOf(answers),
                observed,
                race.stream().toList());
    }
}
