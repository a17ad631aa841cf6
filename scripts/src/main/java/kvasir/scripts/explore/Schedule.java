package kvasir.scripts.explore;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A schedule: at step {@code steps[i]} task {@code tasks[i]} runs; at every other step the task that ran goes on, or the
 * first that can if it cannot.
 */
public final class Schedule implements Chooser {
    /** No choice but the default ones. */
    public static final Schedule DEFAULT = new Schedule(new int[0], new int[0], 0);

    private static final Pattern TOKEN = Pattern.compile("k1:((\\d+)([A-Z]))(\\.(\\d+)([A-Z]))*|k1:");

    private final int[] steps;
    private final int[] tasks;
    private final int preemptions;

    private Schedule(int[] steps, int[] tasks, int preemptions) {
        this.steps = steps;
        this.tasks = tasks;
        this.preemptions = preemptions;
    }

    /** This schedule with one choice more, behind all others. */
    Schedule then(int step, int task, boolean preempts) {
        int[] longerSteps = java.util.Arrays.copyOf(steps, steps.length + 1);
        int[] longerTasks = java.util.Arrays.copyOf(tasks, tasks.length + 1);
        longerSteps[steps.length] = step;
        longerTasks[tasks.length] = task;
        return new Schedule(longerSteps, longerTasks, preemptions + (preempts ? 1 : 0));
    }

    @Override
    public int choose(int step, int enabled, int current) {
        int index = java.util.Arrays.binarySearch(steps, step);
        return index < 0 ? Chooser.DEFAULT : tasks[index];
    }

    /** Number of choices that are not the default. */
    int choices() {
        return steps.length;
    }

    /** The step after the last choice. */
    int firstFree() {
        return steps.length == 0 ? 0 : steps[steps.length - 1] + 1;
    }

    /** Switches away from a task that could have gone on. */
    public int preemptions() {
        return preemptions;
    }

    /** The token: {@code k1:} and the choices, {@code 12B.30A}. */
    public String token() {
        var text = new StringBuilder("k1:");
        for (int i = 0; i < steps.length; i++) {
            text.append(i == 0 ? "" : ".").append(steps[i]).append((char) ('A' + tasks[i]));
        }
        return text.toString();
    }

    /** The schedule of a token; empty if it is not one. */
    public static Optional<Schedule> parse(String token) {
        if (!TOKEN.matcher(token).matches()) {
            return Optional.empty();
        }
        Schedule schedule = DEFAULT;
        String choices = token.substring(3);
        for (String choice : choices.isEmpty() ? new String[0] : choices.split("\\.", -1)) {
            if (choice.length() > 9) {
                return Optional.empty();
            }
            int step = Integer.parseInt(choice.substring(0, choice.length() - 1));
            if (step < schedule.firstFree()) {
                return Optional.empty();
            }
            schedule = schedule.then(step, choice.charAt(choice.length() - 1) - 'A', false);
        }
        return Optional.of(schedule);
    }
}
