package kvasir.scripts.explore;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One schedule as swim lanes: time goes down, a lane a task, a box a step, a bar beside the lane for each lock while it is
 * held. Boxes that preempt are outlined. The picture is a complete SVG document without scripts or links, so that it can
 * be embedded as it is.
 */
public final class RaceSvg {
    private static final int ROW = 22;
    private static final int BOX = 16;
    private static final int TOP = 64;
    private static final int NUMBERS = 44;
    private static final int BAR = 5;
    private static final int CHARACTER = 8;
    private static final int NARROWEST_LANE = 190;
    private static final int WIDEST_TEXT = 46;
    private static final List<String> LANES = List.of("#2b6cb0", "#b7791f", "#2f855a", "#9b2c2c", "#6b46c1", "#2c7a7b");
    private static final List<String> BARS = List.of("#e53e3e", "#dd6b20", "#38a169", "#3182ce", "#805ad5", "#718096");

    private final String title;
    private final String end;
    private final List<String> tasks;
    private final List<Step> steps;
    private final boolean cut;
    private final Map<String, Integer> locks = new LinkedHashMap<>();
    private final StringBuilder out = new StringBuilder();
    private final int lane;

    private RaceSvg(String title, String end, List<String> tasks, List<Step> steps, int most) {
        this.title = title;
        this.end = end;
        this.tasks = tasks;
        cut = steps.size() > most;
        this.steps = cut ? steps.subList(0, most) : steps;
        for (Step step : this.steps) {
            step.held().forEach(lock -> locks.putIfAbsent(lock, locks.size()));
        }
        int widest = this.steps.stream()
                .mapToInt(step -> Math.min(WIDEST_TEXT, words(step).length()))
                .max()
                .orElse(0);
        lane = Math.max(NARROWEST_LANE, widest * CHARACTER + BOX + 14 + locks.size() * (BAR + 2));
    }

    /**
     * The picture.
     *
     * @param title above it
     * @param end how the schedule ended, below it
     * @param tasks labels, in the order of the race
     * @param steps in order
     * @param most steps that are drawn; the picture says when there are more
     */
    public static String of(String title, String end, List<String> tasks, List<Step> steps, int most) {
        return new RaceSvg(title, end, tasks, steps, most).draw();
    }

    private String draw() {
        int legend = locks.size() * 18;
        int width = Math.max(
                NUMBERS + lane * tasks.size() + 12, Math.max(title.length(), end.length() + 6) * CHARACTER + 24);
        int bottom = TOP + steps.size() * ROW + 12;
        int height = bottom + 24 + legend + (cut ? 18 : 0);
        line("""
                <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" \
                font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11.5">""", width, height, width, height);
        line("<title>%s</title>", escape(title));
        line("<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>", width, height);
        text(12, 22, "#1a202c", "font-size=\"14\" font-weight=\"bold\"", title);
        for (int task = 0; task < tasks.size(); task++) {
            int x = NUMBERS + task * lane;
            line(
                    "<rect x=\"%d\" y=\"34\" width=\"%d\" height=\"%d\" fill=\"%s\" opacity=\"0.06\"/>",
                    x, lane - 6, bottom - 34, colour(LANES, task));
            text(x + 8, 50, colour(LANES, task), "font-weight=\"bold\"", (char) ('A' + task) + "  " + tasks.get(task));
        }
        bars();
        for (int row = 0; row < steps.size(); row++) {
            step(row);
        }
        int y = bottom + 14;
        if (cut) {
            text(12, y, "#4a5568", "", "... and further steps");
            y += 18;
        }
        text(12, y, "#1a202c", "font-weight=\"bold\"", "ends: " + end);
        for (Map.Entry<String, Integer> lock : locks.entrySet()) {
            y += 18;
            line(
                    "<rect x=\"14\" y=\"%d\" width=\"%d\" height=\"12\" fill=\"%s\"/>",
                    y - 10, BAR, colour(BARS, lock.getValue()));
            text(26, y, "#4a5568", "", lock.getKey());
        }
        return out.append("</svg>\n").toString();
    }

    /** A lock is held from the row behind the step that took it: that a task holds it shows while others run. */
    private void bars() {
        for (int task = 0; task < tasks.size(); task++) {
            for (Map.Entry<String, Integer> lock : locks.entrySet()) {
                int from = -1;
                for (int row = 0; row <= steps.size(); row++) {
                    boolean own = row < steps.size() && steps.get(row).task() == task;
                    boolean held = own && steps.get(row).held().contains(lock.getKey());
                    if (from < 0 && held) {
                        from = row;
                    } else if (from >= 0 && (own && !held || row == steps.size())) {
                        line(
                                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>",
                                NUMBERS + task * lane + 4 + lock.getValue() * (BAR + 2),
                                TOP + from * ROW,
                                BAR,
                                (row - from) * ROW - 4,
                                colour(BARS, lock.getValue()));
                        from = -1;
                    }
                }
            }
        }
    }

    private void step(int row) {
        Step step = steps.get(row);
        int y = TOP + row * ROW;
        int x = NUMBERS + step.task() * lane + 8 + locks.size() * (BAR + 2);
        text(8, y + 13, "#a0aec0", "", Integer.toString(step.number()));
        if (row > 0 && steps.get(row - 1).task() != step.task()) {
            int before = NUMBERS + steps.get(row - 1).task() * lane + 8 + locks.size() * (BAR + 2) + BOX / 2;
            line(
                    "<path d=\"M%d %d V%d H%d V%d\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"/>",
                    before,
                    y - ROW + BOX,
                    y - 3,
                    x + BOX / 2,
                    y,
                    step.preempts() ? "#c53030" : "#a0aec0",
                    step.preempts() ? "1.8" : "1");
        }
        line(
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\" fill=\"%s\"%s/>",
                x,
                y,
                BOX,
                BOX,
                colour(LANES, step.task()),
                step.preempts() ? " stroke=\"#c53030\" stroke-width=\"2.5\"" : "");
        String words = words(step);
        text(
                x + BOX + 6,
                y + 12,
                "#1a202c",
                "",
                words.length() > WIDEST_TEXT ? words.substring(0, WIDEST_TEXT - 1) + "…" : words);
    }

    private static String words(Step step) {
        return step.seam()
                .map(seam -> seam.name().toLowerCase(Locale.ROOT).replace('_', ' ') + " " + step.subject())
                .orElse("end");
    }

    private void text(int x, int y, String colour, String attributes, String text) {
        line(
                "<text x=\"%d\" y=\"%d\" fill=\"%s\"%s xml:space=\"preserve\">%s</text>",
                x, y, colour, attributes.isEmpty() ? "" : " " + attributes, escape(text));
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation is of a library that nothing else needs
    private void line(String format, Object... values) {
        out.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    private static String colour(List<String> palette, int index) {
        return palette.get(index % palette.size());
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
