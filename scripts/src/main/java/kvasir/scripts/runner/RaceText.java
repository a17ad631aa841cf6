package kvasir.scripts.runner;

import java.util.List;
import kvasir.scripts.explore.Exploration;
import kvasir.scripts.explore.Explorer;
import kvasir.scripts.explore.Step;
import kvasir.scripts.explore.Verdict;

/** What a search found, as lines that can be put into a mail. */
final class RaceText {
    private static final int LABEL_COLUMN = 12;

    private RaceText() {}

    /** What kind of end it is. */
    static String kind(Exploration.Distinct distinct) {
        return switch (distinct.verdict()) {
            case Verdict.Ended ended -> distinct.end().kernelBug() ? "kvm bug" : "ended";
            case Verdict.Deadlock deadlock -> "deadlock";
            case Verdict.Livelock livelock -> "livelock";
            case Verdict.Violation violation -> "invariant violation";
        };
    }

    /** How a run ended, in one line. */
    static String end(Exploration.Distinct distinct) {
        return switch (distinct.verdict()) {
            case Verdict.Ended ended -> distinct.outcomes() + (distinct.end().kernelBug() ? " (kvm bug)" : "");
            case Verdict.Deadlock deadlock -> "deadlock: " + String.join(", ", deadlock.waiting());
            case Verdict.Livelock livelock ->
                "livelock: no schedule from there ends " + String.join(", ", livelock.running());
            case Verdict.Violation violation -> "invariant violation: " + violation.statement();
        };
    }

    /** One schedule, a line a step, a column a task; {@code >} marks a preemption. */
    static String replay(String title, List<String> labels, Explorer.Replay replay, int most) {
        var text = new StringBuilder();
        text.append("  step   ");
        int width = Math.max(
                LABEL_COLUMN, labels.stream().mapToInt(String::length).max().orElse(0) + 2);
        labels.forEach(label -> text.append(pad(label, width)));
        text.append("stops at");
        List<Step> steps = replay.steps();
        int shown = Math.min(Math.min(steps.size(), replay.repeatsFrom()), most);
        for (int i = 0; i < shown; i++) {
            Step step = steps.get(i);
            text.append("\n%s%5d   ".formatted(step.preempts() ? "> " : "  ", step.number()));
            for (int task = 0; task < labels.size(); task++) {
                text.append(pad(task == step.task() ? "*" : "", width));
            }
            text.append(step.seam()
                    .map(seam -> words(seam.name()) + " " + step.subject())
                    .orElse("end"));
            if (!step.held().isEmpty()) {
                text.append("   holds ").append(String.join(", ", step.held()));
            }
        }
        if (shown == replay.repeatsFrom() && shown < steps.size()) {
            text.append("\n  ... and so on, round and round");
        } else if (shown < steps.size()) {
            text.append("\n  ... %,d more steps".formatted(steps.size() - shown));
        }
        return text.append("\n  ends: ").append(replay.outcomes()).toString();
    }

    private static String words(String constant) {
        return constant.toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(Math.max(1, width - text.length()));
    }
}
