package kvasir.scripts.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The graph of states of a race, searched by preemptions first and steps second, so that every state is found on its
 * shortest way. A state is the cells of the machine, where each task stands, and which task ran last if it could go on.
 *
 * <p>What a step does is taken from the {@link StepTrees}; when they do not know, the real code is run along the way to
 * the state and one step further.
 */
final class StateSpace {
    private static final int NOBODY = -1;
    private static final int EDGE_END = -1;
    private static final int EDGE_LEFT_OUT = -2;
    private static final int MOST_PREEMPTIONS = 0xfff;

    /** Local steps that are done together with the one before; a task that spins alone has no end of them. */
    private static final int MOST_MERGED = 64;

    /** States that are expanded between two calls of {@link Attendant#reached}. */
    private static final int EXPANDED_BETWEEN_NEWS = 1 << 12;

    /** Steps that a run which teaches goes on for beyond what was asked. */
    private static final int LOOK_AHEAD = 60;

    private final Scenario scenario;
    private final Bounds bounds;
    private final LockOrder lockOrder;
    private final Learner.Knowledge knowledge;
    private final Cells cells;
    private final StepTrees trees;
    private final Attendant attendant;
    private final int tasks;
    private final boolean watchesInvariants;
    private final Shard shard;

    private long[] hashes = new long[1 << 12];
    private int[] slots = new int[1 << 12];
    /** By state. */
    private final IntList parent = new IntList();

    /** {@link #meta(int, int, int[])}. */
    private final IntList meta = new IntList();

    private final IntList depth = new IntList();
    private final IntList firstEdge = new IntList();
    private final IntList edges = new IntList();
    private final IntList kinds = new IntList();
    private Waiting[] waiting = new Waiting[1 << 10];
    private final List<List<IntList>> levels = new ArrayList<>();
    private final Set<Long> checked = new HashSet<>();
    private final Map<Integer, List<Terminal>> terminals = new LinkedHashMap<>();
    private Optional<String> bound = Optional.empty();
    private boolean cutByPreemptions;
    private int expanded;
    private long steps;
    private long mergedSteps;
    private final List<StepTrees.Node> merged = new ArrayList<>();
    private int sharing;
    private Symmetry symmetry;

    /** Bytes of the states that are still to be expanded. */
    private long openBytes;

    /** How a state in which nothing goes on came to be, and how it looks. */
    record Terminal(Verdict verdict, String outcomes, EndState end) {}

    /** Kind of a state: it is still to be expanded, it was expanded, it is an end. */
    static final int OPEN = 0;

    static final int EXPANDED = 1;
    static final int END = 2;

    /** Bits of a kind; above them the order in which the state has the least hash. */
    private static final int KIND_BITS = 2;

    /** Bits of an edge that say in which order the state it leads to takes the part of the successor. */
    private static final int ORDER_BITS = 5;

    /** States at most if tasks are interchangeable. */
    private static final int MOST_MIRRORED = 1 << 31 - ORDER_BITS - 1;

    private static final int[] EMPTY = {};

    /**
     * A state that is still to be expanded.
     *
     * @param places where each task stands
     * @param current the task that ran last, if it can go on; −1 if not
     * @param cells value of each cell
     * @param hashes of the cells, in each order of the tasks
     * @param order in which the state has the least hash of all its mirror images
     * @param key that hash
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody: its key is
    private record Waiting(int[] places, int current, int[] cells, long[] hashes, int order, long key) {
        static final Waiting NONE = new Waiting(EMPTY, NOBODY, EMPTY, new long[0], 0, 0);

        /** Bytes that it occupies, objects' headers included. */
        int bytes() {
            return 4 * 16 + 40 + 4 * (places.length + cells.length) + 8 * hashes.length;
        }
    }

    StateSpace(
            Scenario scenario,
            Bounds bounds,
            Shard shard,
            LockOrder lockOrder,
            Learner.Knowledge knowledge,
            int tasks,
            boolean watchesInvariants,
            Attendant attendant) {
        this.scenario = scenario;
        this.bounds = bounds;
        this.shard = shard;
        this.lockOrder = lockOrder;
        this.knowledge = knowledge;
        this.tasks = tasks;
        this.watchesInvariants = watchesInvariants;
        this.attendant = attendant;
        cells = knowledge.cells;
        trees = knowledge.trees;
        sharing = knowledge.sharing.version();
        symmetry = knowledge.symmetry;
    }

    // ---- the search

    void search() {
        Arrays.fill(slots, -1);
        if (!knowledge.warm) {
            var alone = new ArrayList<Learner.Log>();
            for (int task = 0; task < tasks; task++) {
                alone.add(learn(new int[] {task}, Integer.MAX_VALUE, 0));
            }
            knowledge.warm = true;
            if (bounds.symmetry()) {
                symmetry = new Symmetry(cells, trees, tasks, Symmetry.candidates(alone, knowledge.different));
                knowledge.symmetry = symmetry;
            }
            sharing = knowledge.sharing.version();
        }
        if (symmetry.on()) {
            symmetry.relateFirst(knowledge.firstPlaces);
        }
        add(waiting(knowledge.firstPlaces, NOBODY, EMPTY, new long[symmetry.count()]), -1, 0, 0, 0);
        for (int level = 0; level < levels.size(); level++) {
            for (int at = 0; at < levels.get(level).size(); at++) {
                IntList bucket = levels.get(level).get(at);
                for (int i = 0; i < bucket.size(); i++) {
                    int state = bucket.get(i);
                    if (kind(state) == OPEN && preemptions(state) == level && depth.get(state) == at) {
                        int most = symmetry.on() ? Math.min(bounds.states(), MOST_MIRRORED - tasks) : bounds.states();
                        if (parent.size() >= most || attendant.interrupted()) {
                            bound = Optional.of(
                                    attendant.interrupted() ? "interrupted" : "%,d states".formatted(parent.size()));
                            return;
                        }
                        if (storedBytes() + openBytes > (long) bounds.megabytes() << 20) {
                            bound = Optional.of(
                                    "%,d MB of memory, %,d states".formatted(bounds.megabytes(), parent.size()));
                            return;
                        }
                        expand(state);
                        if (++expanded % EXPANDED_BETWEEN_NEWS == 0) {
                            attendant.reached("%,d states".formatted(parent.size()));
                        }
                    }
                }
                levels.get(level).set(at, new IntList());
            }
        }
    }

    private void expand(int state) {
        Waiting here = waiting[state];
        close(state);
        firstEdge.set(state, edges.size());
        boolean moved = false;
        int running = 0;
        for (int task = 0; task < tasks; task++) {
            if (!trees.at(here.places[task]).ended()) {
                running++;
                if (open(here.places[task], here.cells, state, NOBODY, 0)) {
                    moved = true;
                    step(state, here, task, here.current != NOBODY && here.current != task);
                }
            }
        }
        edges.add(EDGE_END);
        setKind(state, moved ? EXPANDED : END);
        if (!moved && shard.takes(here.key)) {
            look(state, running == 0);
        }
    }

    /** Whether a task at {@code place} can go on in the state, or {@code more} steps of {@code task} behind it. */
    private boolean open(int place, int[] vector, int state, int task, int more) {
        int gate = trees.at(place).gate;
        if (gate < 0) {
            return true;
        }
        StepTrees.Node node = trees.walk(cells, vector, gate);
        if (unknown(node)) {
            run(way(state, task, more), 0);
            node = trees.walk(cells, vector, gate);
        }
        return node.next == 1;
    }

    private void step(int state, Waiting here, int task, boolean preempts) {
        int preemptions = preemptions(state) + (preempts ? 1 : 0);
        if (preemptions > Math.min(MOST_PREEMPTIONS, bounds.mostPreemptions(MOST_PREEMPTIONS))) {
            cutByPreemptions = true;
            edges.add(EDGE_LEFT_OUT);
            return;
        }
        int[] after = here.cells;
        long[] hashes = here.hashes.clone();
        int place = here.places[task];
        int length = 0;
        boolean alone = true;
        StepTrees.Node leaf = leaf(place, after, state, task, 0);
        after = Arrays.copyOf(after, cells.count());
        while (true) {
            if (after.length < cells.count()) {
                after = Arrays.copyOf(after, cells.count());
            }
            hashes[0] ^= symmetry.apply(after, leaf, hashes);
            place = leaf.next;
            length++;
            if (!bounds.merging() || length == MOST_MERGED || trees.at(place).ended() || trees.at(place).gate >= 0) {
                break;
            }
            StepTrees.Node next = leaf(place, after, state, task, length);
            alone = alone && local(leaf);
            if (local(next)) {
                merge(next);
            } else if (alone) {
                merge(leaf);
            } else {
                break;
            }
            leaf = next;
        }
        steps += length;
        mergedSteps += length - 1;
        int[] places = here.places.clone();
        places[task] = place;
        int behind = depth.get(state) + length;
        boolean goesOn = !trees.at(place).ended() && open(place, after, state, task, length);
        Waiting next = waiting(places, goesOn ? task : NOBODY, after, hashes);
        int child = find(next.key);
        if (child < 0) {
            child = add(next, state, task, preemptions, behind);
            if (watchesInvariants) {
                check(child, after);
            }
        } else if (kind(child) == OPEN && better(child, preemptions, behind)) {
            parent.set(child, state);
            meta.set(child, meta(task, preemptions, places));
            depth.set(child, behind);
            if (next.order != waiting[child].order) {
                // the better way leads to a mirror image
                kinds.set(child, next.order << KIND_BITS | OPEN);
                openBytes += next.bytes() - waiting[child].bytes();
                waiting[child] = next;
            }
            enqueue(child);
        }
        int preempting = preempts ? 1 : 0;
        if (symmetry.on()) {
            int order = symmetry.onto(next.order, kinds.get(child) >> KIND_BITS);
            edges.add((child << ORDER_BITS | order) << 1 | preempting);
        } else {
            edges.add(child << 1 | preempting);
        }
    }

    /** What {@code task} does from {@code place}, {@code more} steps behind a state. */
    private StepTrees.Node leaf(int place, int[] vector, int state, int task, int more) {
        int root = trees.at(place).step;
        StepTrees.Node leaf = trees.walk(cells, vector, root);
        if (unknown(leaf)) {
            run(way(state, task, more + 1), LOOK_AHEAD);
            leaf = trees.walk(cells, vector, root);
            if (unknown(leaf)) {
                throw new Learner.Untold("a run taught nothing");
            }
        }
        return leaf;
    }

    /** Whether nothing is known of a step, or not what takes its part in other orders of the tasks. */
    private boolean unknown(StepTrees.Node leaf) {
        return leaf.kind == StepTrees.UNKNOWN || symmetry.on() && leaf.images.length == 0;
    }

    /** Whether a step is local, and with it what takes its part in other orders of the tasks. */
    private boolean local(StepTrees.Node leaf) {
        if (leaf.local == 0 || leaf.sharing != sharing) {
            boolean local = localItself(leaf);
            for (int order = 1; order < symmetry.count() && local; order++) {
                local = localItself(leaf.images[order]);
            }
            leaf.local = local ? 1 : 2;
            leaf.sharing = sharing;
        }
        return leaf.local == 1;
    }

    private boolean localItself(StepTrees.Node leaf) {
        return knowledge.sharing.local(leaf, leaf.task, watchesInvariants);
    }

    private void merge(StepTrees.Node leaf) {
        if (!leaf.merged) {
            leaf.merged = true;
            merged.add(leaf);
        }
    }

    private Waiting waiting(int[] places, int current, int[] vector, long[] hashes) {
        int least = 0;
        long key = key(0, places, current, hashes);
        for (int order = 1; order < symmetry.count(); order++) {
            long other = key(order, places, current, hashes);
            if (other < key) {
                key = other;
                least = order;
            }
        }
        return new Waiting(places, current, vector, hashes, least, key);
    }

    private long key(int order, int[] places, int current, long[] hashes) {
        int last = current == NOBODY ? NOBODY : symmetry.order(order)[current];
        long key = hashes[order] + Cells.mix(last + 2L);
        for (int place : places) {
            key += symmetry.place(order, place);
        }
        return key;
    }

    private boolean better(int state, int preemptions, int steps) {
        int old = preemptions(state);
        return preemptions < old || preemptions == old && steps < depth.get(state);
    }

    // ---- real runs

    /**
     * Runs the real code along a way and learns; behind it as long as there is something new, at most {@code more} steps.
     * Then the same in every other order of interchangeable tasks.
     */
    private void run(int[] way, int more) {
        Learner.Log log = learn(way, way.length, more);
        if (symmetry.on()) {
            var mirrored = new ArrayList<Learner.Log>(List.of(log));
            int[] taken = log.way();
            for (int order = 1; order < symmetry.count(); order++) {
                mirrored.add(learn(symmetry.way(order, taken), taken.length, 0));
            }
            symmetry.relate(mirrored);
        }
        if (sharing != knowledge.sharing.version()) {
            sharing = knowledge.sharing.version();
            if (!merged.stream().allMatch(this::local)) {
                merged.forEach(leaf -> leaf.merged = false);
                throw new Learner.NotLocal();
            }
        }
    }

    /** @param most steps that are run, even if they teach nothing; behind the way whoever ran goes on */
    private Learner.Log learn(int[] way, int most, int more) {
        var execution = new Execution(scenario, along(way), bounds, lockOrder, knowledge);
        try {
            execution.execute(most, more);
        } finally {
            execution.close();
        }
        return execution.learner().orElseThrow().log();
    }

    private static Chooser along(int[] way) {
        return (at, enabled, current) -> at < way.length ? way[at] : Chooser.DEFAULT;
    }

    /** The tasks that run on the shortest way to a state, and {@code more} steps of {@code last} behind it. */
    private int[] way(int state, int last, int more) {
        int length = depth.get(state);
        int[] way = new int[length + more];
        Arrays.fill(way, length, way.length, last);
        for (int at = state; parent.get(at) >= 0; at = parent.get(at)) {
            Arrays.fill(way, depth.get(parent.get(at)), depth.get(at), meta.get(at) & 0xf);
        }
        return way;
    }

    private Execution replay(int state, int order) {
        knowledge.runs++;
        return new Execution(scenario, along(symmetry.way(order, way(state, NOBODY, 0))), bounds, lockOrder, false);
    }

    /** The schedule that leads to a state, or in another order of the tasks to its mirror image. */
    Schedule schedule(int state, int order) {
        Execution execution = replay(state, order);
        execution.execute(depth.get(state), 0);
        execution.close();
        return execution.taken();
    }

    /** Who runs at each step on the way to a state, a letter each, or in another order of the tasks to its mirror image. */
    String way(int state, int order) {
        var letters = new StringBuilder();
        for (int task : symmetry.way(order, way(state, NOBODY, 0))) {
            letters.append((char) ('A' + task));
        }
        return letters.toString();
    }

    private void look(int state, boolean ended) {
        for (int order = 0; order < symmetry.count(); order++) {
            Execution execution = replay(state, order);
            Verdict verdict = execution.execute(depth.get(state), 0);
            if (verdict instanceof Verdict.Ended != ended && !(verdict instanceof Verdict.Violation)) {
                throw new Learner.Untold("a run did not end where its steps said");
            }
            EndState end = verdict instanceof Verdict.Ended ? execution.end() : EndState.NONE;
            execution.close();
            terminal(state, new Terminal(verdict, execution.outcomes(), end));
        }
    }

    private void terminal(int state, Terminal terminal) {
        terminals.computeIfAbsent(state, key -> new ArrayList<>()).add(terminal);
    }

    /** Asks for invariants in every state of the machine that no state before had. */
    private void check(int state, int[] vector) {
        long machine = 0;
        for (int cell = 0; cell < vector.length; cell++) {
            if (!cells.bookkeeping(cell)) {
                machine ^= cells.mix(cell, vector[cell]);
            }
        }
        if (!checked.add(machine) || !shard.takes(machine)) {
            return;
        }
        for (int order = 0; order < symmetry.count(); order++) {
            Execution execution = replay(state, order);
            Verdict verdict = execution.execute(depth.get(state), 0);
            execution.close();
            if (!(verdict instanceof Verdict.Violation)) {
                return;
            }
            if (order == 0) {
                setKind(state, END);
                close(state);
            }
            terminal(state, new Terminal(verdict, execution.outcomes(), EndState.NONE));
        }
    }

    // ---- the table

    private int find(long key) {
        int at = (int) (key ^ key >>> 32) & hashes.length - 1;
        while (slots[at] >= 0) {
            if (hashes[at] == key) {
                return slots[at];
            }
            at = at + 1 & hashes.length - 1;
        }
        return -1;
    }

    private int add(Waiting vector, int from, int task, int preemptions, int behind) {
        int state = parent.size();
        parent.add(from);
        meta.add(meta(task, preemptions, vector.places));
        depth.add(behind);
        firstEdge.add(-1);
        kinds.add(vector.order << KIND_BITS | OPEN);
        if (state == waiting.length) {
            waiting = Arrays.copyOf(waiting, 2 * state);
        }
        waiting[state] = vector;
        openBytes += vector.bytes();
        if (3 * state >= 2 * slots.length) {
            grow();
        }
        put(vector.key, state);
        enqueue(state);
        return state;
    }

    private void put(long key, int state) {
        int at = (int) (key ^ key >>> 32) & hashes.length - 1;
        while (slots[at] >= 0) {
            at = at + 1 & hashes.length - 1;
        }
        hashes[at] = key;
        slots[at] = state;
    }

    private void grow() {
        long[] oldHashes = hashes;
        int[] oldSlots = slots;
        hashes = new long[2 * oldHashes.length];
        slots = new int[2 * oldSlots.length];
        Arrays.fill(slots, -1);
        for (int i = 0; i < oldSlots.length; i++) {
            if (oldSlots[i] >= 0) {
                put(oldHashes[i], oldSlots[i]);
            }
        }
    }

    private void enqueue(int state) {
        int level = preemptions(state);
        while (levels.size() <= level) {
            levels.add(new ArrayList<>());
        }
        List<IntList> buckets = levels.get(level);
        while (buckets.size() <= depth.get(state)) {
            buckets.add(new IntList());
        }
        buckets.get(depth.get(state)).add(state);
    }

    private void close(int state) {
        openBytes -= waiting[state].bytes();
        waiting[state] = Waiting.NONE;
    }

    // ---- what was found

    /**
     * What was searched once for several, a sentence each.
     *
     * @param labels of the tasks
     */
    List<String> reductions(List<String> labels) {
        var reductions = new ArrayList<String>();
        for (List<Integer> each : symmetry.classes()) {
            reductions.add("symmetry: %s are interchangeable; of states that are mirror images one was searched"
                    .formatted(each.stream().map(labels::get).collect(Collectors.joining(", "))));
        }
        if (mergedSteps != 0) {
            reductions.add("merged: %,d steps that concern no other task, each with the step before it"
                    .formatted(mergedSteps));
        }
        return List.copyOf(reductions);
    }

    /** Bytes that are kept of the states, but for what those need that are still to be expanded. */
    long storedBytes() {
        long lists = parent.bytes() + meta.bytes() + depth.bytes() + firstEdge.bytes() + edges.bytes() + kinds.bytes();
        return lists + 8L * hashes.length + 4L * slots.length + 4L * waiting.length;
    }

    int size() {
        return parent.size();
    }

    int kind(int state) {
        return kinds.get(state) & (1 << KIND_BITS) - 1;
    }

    private void setKind(int state, int kind) {
        kinds.set(state, kinds.get(state) >> KIND_BITS << KIND_BITS | kind);
    }

    /** Orders of interchangeable tasks; 1 if there are none. */
    int orders() {
        return symmetry.count();
    }

    /** A set of tasks, a bit each, in an order. */
    int tasks(int order, int set) {
        return symmetry.tasks(order, set);
    }

    int preemptions(int state) {
        return meta.get(state) >>> 4 & 0xfff;
    }

    /** The tasks that have ended, a bit each. */
    int endedTasks(int state) {
        return meta.get(state) >>> 16;
    }

    /** The task that ran last in bits 3:0, preemptions in 15:4, a bit for each task that has ended from 16. */
    private int meta(int task, int preemptions, int[] places) {
        int word = task | preemptions << 4;
        for (int i = 0; i < tasks; i++) {
            word |= trees.at(places[i]).ended() ? 1 << 16 + i : 0;
        }
        return word;
    }

    int depth(int state) {
        return depth.get(state);
    }

    long steps() {
        return steps;
    }

    Optional<String> bound() {
        return bound;
    }

    /** Whether livelocks are told here: every shard finds them all. */
    boolean tellsLivelocks() {
        return shard.first();
    }

    /** Whether some state was not followed because of the bound on preemptions. */
    boolean cutByPreemptions() {
        return cutByPreemptions;
    }

    /**
     * States in which nothing goes on, in the order found: no other way to one is shorter. Of each, how it looks in every
     * order of interchangeable tasks.
     */
    Map<Integer, List<Terminal>> terminals() {
        return terminals;
    }

    /** Whether the step to successor {@code index} of a state is a preemption. */
    boolean preempts(int state, int index) {
        return (edges.get(firstEdge.get(state) + index) & 1) != 0;
    }

    /** The order in which successor {@code index} of a state is the mirror image of the state that stands for it. */
    int order(int state, int index) {
        return symmetry.on() ? edges.get(firstEdge.get(state) + index) >> 1 & (1 << ORDER_BITS) - 1 : 0;
    }

    /** The most preemptions of a schedule, if there is a bound. */
    OptionalInt mostPreemptions() {
        return bounds.preemptions();
    }

    /** The successors of a state, −2 for one that was left out. */
    int[] successors(int state) {
        int from = firstEdge.get(state);
        if (from < 0 || kind(state) != EXPANDED) {
            return EMPTY;
        }
        int to = from;
        while (edges.get(to) != EDGE_END) {
            to++;
        }
        int[] all = new int[to - from];
        for (int i = 0; i < all.length; i++) {
            int edge = edges.get(from + i);
            all[i] = edge < 0 ? edge : symmetry.on() ? edge >> 1 + ORDER_BITS : edge >> 1;
        }
        return all;
    }
}
