package kvasir.scripts.runner;

import java.util.List;
import kvasir.scripts.MailLines;
import kvasir.scripts.explore.Exploration;
import kvasir.scripts.explore.Explorer;
import kvasir.scripts.explore.Step;
import kvasir.scripts.explore.Verdict;

/** What a search found, as lines that can be put into a mail. */
final class RaceText {
    private static final int LABEL_COLUMN = 12;
    private static final int LETTER_COLUMN = 4;

    /** Columns that the tasks may take together; with more, each gets a letter. */
    private static final int MOST_COLUMNS = 28;

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
        int widest = labels.stream().mapToInt(String::length).max().orElse(0) + 2;
        boolean letters = Math.max(LABEL_COLUMN, widest) * labels.size() > MOST_COLUMNS;
        int width = letters ? LETTER_COLUMN : Math.max(LABEL_COLUMN, widest);
        for (int task = 0; letters && task < labels.size(); task++) {
            text.append("  %s: %s\n".formatted((char) ('A' + task), labels.get(task)));
        }
        text.append("  step   ");
        for (int task = 0; task < labels.size(); task++) {
            text.append(pad(letters ? String.valueOf((char) ('A' + task)) : labels.get(task), width));
        }
        text.append("stops at");
        int column = 12 + width * labels.size();
        List<Step> steps = replay.steps();
        int shown = Math.min(Math.min(steps.size(), replay.repeatsFrom()), most);
        for (int i = 0; i < shown; i++) {
            Step step = steps.get(i);
            var line = new StringBuilder("%s%5d   ".formatted(step.preempts() ? "> " : "  ", step.number()));
            for (int task = 0; task < labels.size(); task++) {
                line.append(pad(task == step.task() ? "*" : "", width));
            }
            line.append(step.seam()
                    .map(seam -> words(seam.name()) + " " + step.subject())
                    .orElse("end"));
            if (!step.held().isEmpty()) {
                line.append("   holds ").append(String.join(", ", step.held()));
            }
            text.append('\n').append(MailLines.fold(line.toString(), column));
        }
        if (shown == replay.repeatsFrom() && shown < steps.size()) {
            text.append("\n  ... and so on, round and round");
        } else if (shown < steps.size()) {
            text.append("\n  ... %,d more steps".formatted(steps.size() - shown));
        }
        return text.append('\n')
                .append(MailLines.fold("  ends: " + replay.outcomes(), 8))
                .toString();
    }

    private static String words(String constant) {
        return constant.toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(Math.max(1, width - text.length()));
    }
}
