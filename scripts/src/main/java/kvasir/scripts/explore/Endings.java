package kvasir.scripts.explore;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the graph of states says about ends: from which states none can be reached (livelock), and how many schedules lead
 * to each.
 */
final class Endings {
    private final StateSpace space;
    private final List<String> labels;
    private final boolean[] ends;
    private final double[] ways;

    /** Ends that look the same. */
    private record Key(Verdict verdict, String outcomes, EndState end) {}

    /** How often, and which state in which order of the tasks is the first of them. */
    private static final class Tally {
        int first;
        int order;
        double count;

        Tally(int first, int order) {
            this.first = first;
            this.order = order;
        }
    }

    Endings(StateSpace space, List<String> labels) {
        this.space = space;
        this.labels = labels;
        ends = reachEnds();
        ways = countWays();
    }

    List<Exploration.Distinct> distinct() {
        Map<Key, Tally> tallies = new LinkedHashMap<>();
        for (Map.Entry<Integer, List<StateSpace.Terminal>> each :
                space.terminals().entrySet()) {
            for (int order = 0; order < each.getValue().size(); order++) {
                StateSpace.Terminal terminal = each.getValue().get(order);
                var key = new Key(terminal.verdict(), terminal.outcomes(), terminal.end());
                tally(tallies, key, each.getKey(), order);
            }
        }
        livelocks(tallies);
        return tallies.entrySet().stream()
                .map(entry -> new Exploration.Distinct(
                        entry.getKey().verdict(),
                        entry.getKey().outcomes(),
                        entry.getKey().end(),
                        entry.getValue().count / space.orders(),
                        space.schedule(entry.getValue().first, entry.getValue().order),
                        space.way(entry.getValue().first, entry.getValue().order)))
                .sorted(Exploration.Distinct.WITNESSES)
                .toList();
    }

    /** Of the ways to a state and its mirror images each order of the tasks has its share. */
    private void tally(Map<Key, Tally> tallies, Key key, int state, int order) {
        Tally tally = tallies.computeIfAbsent(key, first -> new Tally(state, order));
        tally.count += ways[state];
        if (comesBefore(state, order, tally)) {
            tally.first = state;
            tally.order = order;
        }
    }

    /** In the order of {@link Exploration.Distinct#WITNESSES}. */
    private boolean comesBefore(int state, int order, Tally tally) {
        int preemptions = Integer.compare(space.preemptions(state), space.preemptions(tally.first));
        int depth = Integer.compare(space.depth(state), space.depth(tally.first));
        if (preemptions != 0 || depth != 0) {
            return preemptions < 0 || preemptions == 0 && depth < 0;
        }
        return space.way(state, order).compareTo(space.way(tally.first, tally.order)) < 0;
    }

    /** Which states can reach an end, or one that was not followed and might. */
    private boolean[] reachEnds() {
        int size = space.size();
        int[] degree = new int[size + 1];
        boolean[] reached = new boolean[size];
        var work = new ArrayDeque<Integer>();
        for (int state = 0; state < size; state++) {
            for (int next : space.successors(state)) {
                if (next >= 0) {
                    degree[next + 1]++;
                } else if (!reached[state]) {
                    reached[state] = true;
                    work.add(state);
                }
            }
            if (space.kind(state) != StateSpace.EXPANDED && !reached[state]) {
                reached[state] = true;
                work.add(state);
            }
        }
        for (int i = 0; i < size; i++) {
            degree[i + 1] += degree[i];
        }
        int[] sources = new int[degree[size]];
        int[] at = Arrays.copyOf(degree, size);
        for (int state = 0; state < size; state++) {
            for (int next : space.successors(state)) {
                if (next >= 0) {
                    sources[at[next]++] = state;
                }
            }
        }
        while (!work.isEmpty()) {
            int state = work.remove();
            for (int i = degree[state]; i < degree[state + 1]; i++) {
                if (!reached[sources[i]]) {
                    reached[sources[i]] = true;
                    work.add(sources[i]);
                }
            }
        }
        return reached;
    }

    /** How many ways lead to each state, not counting those that go round a loop; behind the door to a livelock none. */
    private double[] countWays() {
        int size = space.size();
        var order = new int[size];
        int ordered = 0;
        byte[] colour = new byte[size];
        int[] next = new int[size];
        int[] stack = new int[size];
        int height = 0;
        stack[height++] = 0;
        colour[0] = 1;
        var back = new java.util.HashSet<Long>();
        while (height > 0) {
            int state = stack[height - 1];
            int[] successors = ends[state] ? space.successors(state) : new int[0];
            if (next[state] < successors.length) {
                int child = successors[next[state]++];
                if (child >= 0 && colour[child] == 0) {
                    colour[child] = 1;
                    stack[height++] = child;
                } else if (child >= 0 && colour[child] == 1) {
                    back.add((long) state << 32 | child);
                }
            } else {
                colour[state] = 2;
                order[ordered++] = state;
                height--;
            }
        }
        return ways(order, ordered, back);
    }

    /** Along {@code order} from its end, for each number of preemptions; more than the bound allows are none. */
    private double[] ways(int[] order, int ordered, java.util.Set<Long> back) {
        boolean bounded = space.mostPreemptions().isPresent();
        int width = space.mostPreemptions().orElse(0) + 1;
        var count = new double[space.size() * width];
        count[0] = 1;
        for (int i = ordered - 1; i >= 0; i--) {
            int state = order[i];
            int[] successors = ends[state] ? space.successors(state) : new int[0];
            for (int edge = 0; edge < successors.length; edge++) {
                int child = successors[edge];
                if (child >= 0 && !back.contains((long) state << 32 | child)) {
                    int more = bounded && space.preempts(state, edge) ? 1 : 0;
                    for (int p = 0; p + more < width; p++) {
                        count[child * width + p + more] += count[state * width + p];
                    }
                }
            }
        }
        var all = new double[space.size()];
        for (int i = 0; i < count.length; i++) {
            all[i / width] += count[i];
        }
        return all;
    }

    private void livelocks(Map<Key, Tally> tallies) {
        int size = space.size();
        int[] ended = new int[size];
        boolean changed = false;
        for (int state = 0; state < size; state++) {
            ended[state] = space.endedTasks(state);
            changed |= !ends[state];
        }
        while (changed) {
            changed = false;
            for (int state = size - 1; state >= 0; state--) {
                if (!ends[state]) {
                    int all = ended[state];
                    int[] successors = space.successors(state);
                    for (int edge = 0; edge < successors.length; edge++) {
                        int next = successors[edge];
                        all |= next >= 0 ? space.tasks(space.order(state, edge), ended[next]) : 0;
                    }
                    changed |= all != ended[state];
                    ended[state] = all;
                }
            }
        }
        List<Integer> doors = new ArrayList<>();
        for (int state = 0; state < size && space.tellsLivelocks(); state++) {
            if (!ends[state] && ways[state] > 0) {
                doors.add(state);
            }
        }
        doors.sort(
                java.util.Comparator.<Integer>comparingInt(space::preemptions).thenComparingInt(space::depth));
        for (int state : doors) {
            for (int order = 0; order < space.orders(); order++) {
                int over = space.tasks(order, ended[state]);
                var running = new ArrayList<String>();
                for (int task = 0; task < labels.size(); task++) {
                    if ((over >> task & 1) == 0) {
                        running.add(labels.get(task));
                    }
                }
                var key = new Key(new Verdict.Livelock(List.copyOf(running)), "", EndState.NONE);
                tally(tallies, key, state, order);
            }
        }
    }
}
