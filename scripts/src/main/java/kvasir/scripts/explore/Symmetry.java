package kvasir.scripts.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Which tasks are interchangeable, and what a state looks like when they are exchanged. Nothing says so beforehand: each
 * run that teaches is done again in every order of the tasks, and cells, values and places that take each other's part are
 * related. If they do so in every run, exchanging the tasks is an automorphism of all that was learnt, and of several
 * states that are mirror images of each other one is enough. If not, {@link Broken} says where.
 *
 * <p>An order is a number; 0 is the order of the race, in which everything is its own mirror image.
 */
final class Symmetry {
    /** Orders of tasks at most; interchangeable tasks beyond that are taken as they are. */
    private static final int MOST_ORDERS = 24;

    private static final int NONE = -1;

    private final Cells cells;
    private final StepTrees trees;

    private final List<List<Integer>> classes = new ArrayList<>();

    /** By order: for each task the one that takes its part. */
    private final int[][] orders;

    /** The order that is one order, the column, and then another, the row. */
    private final int[][] product;

    private final int[] inverse;

    /** By order and cell: the cell that takes its part. */
    private final int[][] cellImages;

    /** By order and place. */
    private final int[][] placeImages;

    /** By order: cell and number of its value, to the number of the value that takes its part. */
    private final LongTable[] valueImages;

    /** Cell and number of its value, to where {@link #sums} says what the mirror images give to the hash of a state. */
    private final LongTable sumsAt = new LongTable();

    /** An addition and the number of the value before, to the number of the sum. */
    private final LongTable added = new LongTable();

    private int effects;

    /** The order that is looked at. */
    private int looking;

    private long[] sums = new long[1 << 10];
    private int sumsUsed;

    /** Tasks are not interchangeable after all. */
    static final class Broken extends RuntimeException {
        private static final long serialVersionUID = 1;

        Broken(String where) {
            super(where, null, false, false);
        }
    }

    /** @param candidates groups of tasks that seem interchangeable, each of two or more */
    Symmetry(Cells cells, StepTrees trees, int tasks, List<List<Integer>> candidates) {
        this.cells = cells;
        this.trees = trees;
        orders = orders(tasks, candidates, classes);
        int count = orders.length;
        product = new int[count][count];
        inverse = new int[count];
        for (int first = 0; first < count; first++) {
            for (int second = 0; second < count; second++) {
                int[] both = new int[tasks];
                for (int task = 0; task < tasks; task++) {
                    both[task] = orders[second][orders[first][task]];
                }
                for (int order = 0; order < count; order++) {
                    if (Arrays.equals(both, orders[order])) {
                        product[second][first] = order;
                    }
                }
            }
        }
        for (int first = 0; first < count; first++) {
            for (int second = 0; second < count; second++) {
                if (product[second][first] == 0) {
                    inverse[first] = second;
                }
            }
        }
        cellImages = new int[count][];
        placeImages = new int[count][];
        valueImages = new LongTable[count];
        for (int order = 0; order < count; order++) {
            cellImages[order] = new int[0];
            placeImages[order] = new int[0];
            valueImages[order] = new LongTable();
        }
    }

    /** No task can take another's part. */
    static Symmetry none(Cells cells, StepTrees trees, int tasks) {
        return new Symmetry(cells, trees, tasks, List.of());
    }

    /** The tasks that can take each other's part. */
    List<List<Integer>> classes() {
        return classes;
    }

    private static int[][] orders(int tasks, List<List<Integer>> candidates, List<List<Integer>> classes) {
        int[] same = new int[tasks];
        Arrays.setAll(same, task -> task);
        List<int[]> all = List.of(same);
        for (List<Integer> each : candidates) {
            int size = each.size();
            while (all.size() * factorial(size) > MOST_ORDERS) {
                size--;
            }
            if (size > 1) {
                classes.add(each.subList(0, size));
            }
            var more = new ArrayList<int[]>();
            for (int[] order : all) {
                permute(order, each.subList(0, size), 0, more);
            }
            all = more;
        }
        return all.toArray(int[][]::new);
    }

    private static int factorial(int number) {
        return number <= 1 ? 1 : number * factorial(number - 1);
    }

    private static void permute(int[] order, List<Integer> members, int from, List<int[]> to) {
        if (from >= members.size() - 1) {
            to.add(order.clone());
            return;
        }
        for (int i = from; i < members.size(); i++) {
            int[] swapped = order.clone();
            swapped[members.get(from)] = order[members.get(i)];
            swapped[members.get(i)] = order[members.get(from)];
            permute(swapped, members, from + 1, to);
        }
    }

    /** Number of orders; 1 if no task can take another's part. */
    int count() {
        return orders.length;
    }

    boolean on() {
        return orders.length > 1;
    }

    int[] order(int order) {
        return orders[order];
    }

    /** The order that takes the mirror image in one order to that in another. */
    int between(int from, int to) {
        return product[to][inverse[from]];
    }

    /** The order in which a state is the mirror image of another, if the two are the same in these orders. */
    int onto(int state, int other) {
        return product[inverse[state]][other];
    }

    /** The tasks of a set, a bit each, in an order. */
    int tasks(int order, int set) {
        int image = 0;
        for (int task = 0; task < orders[order].length; task++) {
            image |= (set >> task & 1) << orders[order][task];
        }
        return image;
    }

    /** The steps of a way in an order. */
    int[] way(int order, int[] way) {
        return Arrays.stream(way).map(task -> orders[order][task]).toArray();
    }

    // ---- what takes whose part

    /** Relates where the tasks begin. */
    void relateFirst(int[] places) {
        for (int order = 1; order < orders.length; order++) {
            for (int task = 0; task < places.length; task++) {
                relatePlaces(order, places[task], places[orders[order][task]]);
            }
        }
    }

    /** Relates the runs of one way in every order. */
    void relate(List<Learner.Log> runs) {
        for (int one = 0; one < runs.size(); one++) {
            for (int two = one + 1; two < runs.size(); two++) {
                relate(between(one, two), runs.get(one), runs.get(two));
            }
        }
    }

    private void relate(int order, Learner.Log one, Learner.Log two) {
        looking = order;
        if (one.steps().size() != two.steps().size()) {
            throw new Broken("a run and its mirror image differ in length");
        }
        for (int i = 0; i < one.steps().size(); i++) {
            Learner.Stepped step = one.steps().get(i);
            Learner.Stepped mirrored = two.steps().get(step.gate() ? gate(two, i, orders[order][step.task()]) : i);
            if (orders[order][step.task()] != mirrored.task() || step.gate() != mirrored.gate()) {
                throw new Broken("where one task can go on another cannot");
            }
            relatePlaces(order, step.place(), mirrored.place());
            relateLeaves(order, step.leaf(), mirrored.leaf(), step.gate());
        }
    }

    /** Of the gates that were asked together with entry {@code at}, that of a task; {@code at} if it was not asked. */
    private static int gate(Learner.Log log, int at, int task) {
        int from = at;
        while (from > 0 && log.steps().get(from - 1).gate()) {
            from--;
        }
        for (int i = from; i < log.steps().size() && log.steps().get(i).gate(); i++) {
            if (log.steps().get(i).task() == task) {
                return i;
            }
        }
        return at;
    }

    private StepTrees.Node[] images(StepTrees.Node leaf) {
        if (leaf.images.length == 0) {
            leaf.images = new StepTrees.Node[orders.length];
            Arrays.fill(leaf.images, StepTrees.MISSING);
            leaf.images[0] = leaf;
            leaf.firstEffect = effects;
            effects += leaf.effects.length;
        }
        return leaf.images;
    }

    private void relateLeaves(int order, StepTrees.Node one, StepTrees.Node two, boolean gate) {
        StepTrees.Node known = images(one)[order];
        if (known == two) {
            return;
        }
        if (known != StepTrees.MISSING || images(two)[inverse[order]] != StepTrees.MISSING) {
            throw new Broken("one step has two mirror images");
        }
        if (one.observed.length != two.observed.length || one.effects.length != two.effects.length) {
            throw new Broken("a step and its mirror image touch different things");
        }
        for (int i = 0; i < one.observed.length; i++) {
            relateCells(order, one.observed[i], two.observed[i]);
            relateValues(order, one.observed[i], one.observedIds[i], two.observed[i], two.observedIds[i]);
        }
        for (int i = 0; i < one.effects.length; i++) {
            StepTrees.Effect effect = one.effects[i];
            StepTrees.Effect mirrored = two.effects[i];
            if (effect.kind() != mirrored.kind()) {
                throw differs(effect.target());
            }
            relateCells(order, effect.target(), mirrored.target());
            if (effect.kind() != StepTrees.ADD) {
                relateValues(
                        order, effect.target(), (int) effect.argument(), mirrored.target(), (int) mirrored.argument());
            }
            if (effect.kind() == StepTrees.FILL) {
                for (int element : effect.array().known) {
                    int image = cellImage(order, element);
                    int value = valueImages[order].get(key(element, (int) effect.argument()));
                    if (image >= 0 && value >= 0 && value != (int) mirrored.argument()) {
                        throw differs(element);
                    }
                }
            }
        }
        if (gate) {
            if (one.next != two.next) {
                throw new Broken("one task waits where another does not");
            }
        } else {
            relatePlaces(order, one.next, two.next);
        }
        one.images[order] = two;
        two.images[inverse[order]] = one;
    }

    private Broken differs(int cell) {
        return new Broken("they differ in " + cells.name(cell));
    }

    private int cellImage(int order, int cell) {
        return cell < cellImages[order].length ? cellImages[order][cell] : NONE;
    }

    private int placeImage(int order, int place) {
        return place < placeImages[order].length ? placeImages[order][place] : NONE;
    }

    private void relateCells(int order, int cell, int image) {
        int known = cellImage(order, cell);
        if (known != image) {
            if (known != NONE || cellImage(inverse[order], image) != NONE) {
                throw differs(cell);
            }
            cellImages[order] = put(cellImages[order], cell, image);
            cellImages[inverse[order]] = put(cellImages[inverse[order]], image, cell);
            int fill = cells.fillOf(cell);
            int imageFill = cells.fillOf(image);
            if (fill < 0 != imageFill < 0) {
                throw differs(cell);
            }
            if (fill >= 0) {
                relateCells(order, fill, imageFill);
            }
        }
        if (!cells.guessed(cell) && !cells.guessed(image)) {
            relateValues(order, cell, cells.first(cell), image, cells.first(image));
        }
    }

    private void relateValues(int order, int cell, int id, int image, int imageId) {
        relateOneWay(order, cell, id, imageId);
        relateOneWay(inverse[order], image, imageId, id);
    }

    private void relateOneWay(int order, int cell, int id, int image) {
        int known = valueImages[order].get(key(cell, id));
        if (known == image) {
            return;
        }
        int fill = cells.fillOf(cell);
        int filled = fill >= 0 ? valueImages[order].get(key(fill, id)) : NONE;
        if (known >= 0 || filled > 0 && filled != image) {
            throw differs(cell);
        }
        valueImages[order].put(key(cell, id), image);
    }

    private void relatePlaces(int order, int place, int image) {
        if (placeImage(order, place) == image) {
            return;
        }
        if (placeImage(order, place) != NONE || placeImage(inverse[order], image) != NONE) {
            throw new Broken("one place of a task takes the part of two");
        }
        placeImages[order] = put(placeImages[order], place, image);
        placeImages[inverse[order]] = put(placeImages[inverse[order]], image, place);
    }

    private static int[] put(int[] images, int index, int image) {
        int[] room = images;
        if (index >= images.length) {
            room = Arrays.copyOf(images, Math.max(64, Math.max(index + 1, 2 * images.length)));
            Arrays.fill(room, images.length, room.length, NONE);
        }
        room[index] = image;
        return room;
    }

    private static long key(int cell, int id) {
        return (long) cell << 32 | id;
    }

    // ---- hashes

    /** Does to a state what a leaf says, and to the hashes of its mirror images; the change of its own hash. */
    long apply(int[] state, StepTrees.Node leaf, long[] hashes) {
        if (!on()) {
            return StepTrees.apply(cells, state, leaf);
        }
        long change = 0;
        for (int i = 0; i < leaf.effects.length; i++) {
            StepTrees.Effect effect = leaf.effects[i];
            int cell = effect.target();
            switch (effect.kind()) {
                case StepTrees.SET -> change ^= set(state, cell, (int) effect.argument(), hashes);
                case StepTrees.ADD -> {
                    int old = cells.lookup(state, cell);
                    int now = added.get(key(leaf.firstEffect + i, old));
                    if (now < 0) {
                        now = add(leaf, i, cell, old);
                    }
                    change ^= set(state, cell, now, hashes);
                }
                default -> {
                    for (int element : effect.array().known) {
                        if (element < state.length && state[element] != 0) {
                            toggle(element, state[element], hashes);
                        }
                    }
                    toggle(cell, state[cell], hashes);
                    change ^= cells.fill(state, effect.array(), (int) effect.argument());
                    toggle(cell, state[cell], hashes);
                }
            }
        }
        return change;
    }

    private long set(int[] state, int cell, int id, long[] hashes) {
        int old = state[cell];
        long change = cells.set(state, cell, id);
        if (state[cell] != old) {
            toggle(cell, old, hashes);
            toggle(cell, state[cell], hashes);
        }
        return change;
    }

    /** What is added to a cell may be something else in the mirror image: a bit of another task. */
    private int add(StepTrees.Node leaf, int effect, int cell, int old) {
        int now = cells.id(cells.value(old) + leaf.effects[effect].argument());
        for (int order = 1; order < orders.length; order++) {
            looking = order;
            StepTrees.Effect mirrored = leaf.images[order].effects[effect];
            int image = valueImages[order].get(key(cell, old));
            if (image < 0) {
                throw differs(cell);
            }
            relateValues(order, cell, now, mirrored.target(), cells.id(cells.value(image) + mirrored.argument()));
        }
        added.put(key(leaf.firstEffect + effect, old), now);
        return now;
    }

    private void toggle(int cell, int stored, long[] hashes) {
        if (stored == 0) {
            return;
        }
        int at = sumsAt.get(key(cell, stored));
        if (at < 0) {
            at = sums(cell, stored);
        }
        for (int order = 1; order < orders.length; order++) {
            hashes[order] ^= sums[at + order];
        }
    }

    private int sums(int cell, int stored) {
        int at = sumsUsed;
        sumsUsed += orders.length;
        if (sumsUsed > sums.length) {
            sums = Arrays.copyOf(sums, 2 * sumsUsed);
        }
        for (int order = 1; order < orders.length; order++) {
            looking = order;
            int image = cellImage(order, cell);
            int value = valueImages[order].get(key(cell, stored));
            if (image < 0 || value < 0) {
                throw differs(cell);
            }
            sums[at + order] = cells.mix(image, value);
        }
        sumsAt.put(key(cell, stored), at);
        return at;
    }

    /** What a task's place gives to the hash of a state in an order. */
    long place(int order, int place) {
        if (order == 0) {
            return trees.at(place).mixed;
        }
        int image = placeImage(order, place);
        if (image < 0) {
            looking = order;
            throw new Broken("one task gets where the other does not");
        }
        return trees.at(image).mixed;
    }

    // ---- who seems interchangeable

    /** Two tasks that cannot take each other's part. */
    record Different(int one, int two) {}

    /** Of the order in which something was {@link Broken}, two tasks that it exchanges. */
    Different different() {
        int task = 0;
        while (orders[looking][task] == task) {
            task++;
        }
        return new Different(task, orders[looking][task]);
    }

    /**
     * Groups tasks whose runs, each before all others, look alike from afar.
     *
     * @param known pairs that are not to be in one group
     */
    static List<List<Integer>> candidates(List<Learner.Log> alone, Set<Different> known) {
        var groups = new ArrayList<List<Integer>>();
        for (int task = 0; task < alone.size(); task++) {
            int seen = task;
            String shape = shape(alone.get(task), task);
            groups.stream()
                    .filter(group -> shape.equals(shape(alone.get(group.getFirst()), group.getFirst()))
                            && group.stream()
                                    .noneMatch(other -> known.contains(new Different(other, seen))
                                            || known.contains(new Different(seen, other))))
                    .findFirst()
                    .orElseGet(() -> {
                        var group = new ArrayList<Integer>();
                        groups.add(group);
                        return group;
                    })
                    .add(task);
        }
        return groups.stream().filter(group -> group.size() > 1).toList();
    }

    private static String shape(Learner.Log log, int task) {
        var shape = new StringBuilder();
        for (Learner.Stepped step : log.steps()) {
            if (step.task() == task && !step.gate()) {
                shape.append(step.leaf().observed.length);
                for (StepTrees.Effect effect : step.leaf().effects) {
                    shape.append("saf".charAt(effect.kind()));
                }
                shape.append('.');
            }
        }
        return shape.toString();
    }

    /** A table from numbers to numbers that are not negative; −1 for what is not there. */
    private static final class LongTable {
        private long[] keys = new long[64];
        private int[] values = new int[64];
        private int size;

        LongTable() {
            Arrays.fill(values, NONE);
        }

        int get(long key) {
            int at = at(key);
            return values[at];
        }

        private int at(long key) {
            long mixed = key * 0x9e3779b97f4a7c15L;
            int at = (int) (mixed >>> 32) & keys.length - 1;
            while (values[at] >= 0 && keys[at] != key) {
                at = at + 1 & keys.length - 1;
            }
            return at;
        }

        void put(long key, int value) {
            if (2 * size >= keys.length) {
                long[] oldKeys = keys;
                int[] oldValues = values;
                keys = new long[2 * oldKeys.length];
                values = new int[2 * oldKeys.length];
                Arrays.fill(values, NONE);
                for (int i = 0; i < oldKeys.length; i++) {
                    if (oldValues[i] >= 0) {
                        int at = at(oldKeys[i]);
                        keys[at] = oldKeys[i];
                        values[at] = oldValues[i];
                    }
                }
            }
            int at = at(key);
            size += values[at] < 0 ? 1 : 0;
            keys[at] = key;
            values[at] = value;
        }
    }
}
