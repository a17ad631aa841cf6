package kvasir.scripts.explore;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import kvasir.kvm.Footprint;
import kvasir.metal.memory.MemoryWatch;
import kvasir.metal.memory.PhysicalMemory;

/**
 * Watches one run of the real code and writes what each step observed and changed into the trees. Every observation is
 * compared with what was told before: a change that nobody told is found when somebody looks.
 */
final class Learner implements Footprint, MemoryWatch {
    /** Elements of one array in one step from which on the array as a whole is observed. */
    private static final int MANY = 16;

    private static final int WORDS = PhysicalMemory.FRAME_BYTES / 8;

    private final Knowledge knowledge;
    private final Cells cells;
    private final StepTrees trees;
    private final Scenario.Run run;
    private final int[] places;
    private final Map<String, Integer> loops = new HashMap<>();
    private int[] state;
    private int[] start = {};
    private boolean muted = true;
    private long rest;
    private boolean novel;
    private int runningTask;

    /** Of each task, the hash of what it observed and still matters. */
    private final long[] bases;

    /** Of each task, the hash at the start of each stretch of which only the result will matter. */
    private final List<ArrayDeque<Long>> stretches = new ArrayList<>();

    /** Of each task, the device that works for it. */
    private final List<Optional<Device>> working = new ArrayList<>();

    private final Map<String, Device> devices = new TreeMap<>();

    private long basis;
    private Optional<RuntimeException> failure = Optional.empty();

    /** What the step, or the gate, observed: cell and number of its value at the start. */
    private final Map<Integer, Integer> observed = new LinkedHashMap<>();

    /** Those of the observed that no longer matter when the step is over. */
    private final Set<Integer> passed = new HashSet<>();

    private final Map<Integer, Long> arrayOf = new HashMap<>();
    private final Set<Integer> set = new HashSet<>();
    private final Set<Long> filledNow = new HashSet<>();
    private final List<StepTrees.Effect> effects = new ArrayList<>();
    private long[] before = new long[2];

    /**
     * A step of a run, or a question whether a waiting task can go on.
     *
     * @param place where the task stood
     */
    record Stepped(int task, int place, StepTrees.Node leaf, boolean gate) {}

    /** A run, as it was learnt. */
    record Log(List<Stepped> steps) {
        /** The tasks that ran, step by step. */
        int[] way() {
            return steps.stream()
                    .filter(step -> !step.gate())
                    .mapToInt(Stepped::task)
                    .toArray();
        }
    }

    private final Log log = new Log(new ArrayList<>());

    Log log() {
        return log;
    }

    /** What is kept from run to run, and from a start of the search to the next. */
    static final class Knowledge {
        final Set<Long> wholeFrames = new HashSet<>();
        final Set<Long> tracedFrames = new HashSet<>();
        final Set<Symmetry.Different> different = new HashSet<>();
        Cells cells = new Cells();
        StepTrees trees = new StepTrees();
        Sharing sharing = new Sharing(cells);
        Symmetry symmetry = Symmetry.none(cells, trees, 0);
        int[] firstPlaces = {};
        int runs;

        /** Whether each task was seen to run before the others. */
        boolean warm;

        void forget(int tasks) {
            cells = new Cells();
            trees = new StepTrees();
            sharing = new Sharing(cells);
            symmetry = Symmetry.none(cells, trees, tasks);
            warm = false;
            firstPlaces = new int[tasks];
            for (int i = 0; i < tasks; i++) {
                firstPlaces[i] = trees.place(i, false, Cells.mix(i + 1L));
            }
        }
    }

    /** A task touches what was thought to be another's own: the search must begin again, knowing that. */
    static final class NotLocal extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotLocal() {
            super("a step is not local", null, false, false);
        }
    }

    /** The search must start again: a frame has to be looked at in another way. */
    static final class StartAgain extends RuntimeException {
        private static final long serialVersionUID = 1;

        StartAgain(String why) {
            super(why, null, false, false);
        }
    }

    /** The machine does something that states do not tell: only runs from the start can explore it. */
    static final class Untold extends RuntimeException {
        private static final long serialVersionUID = 1;

        Untold(String what) {
            super(what, null, false, false);
        }
    }

    Learner(Knowledge knowledge, Scenario.Run run) {
        this.knowledge = knowledge;
        this.run = run;
        cells = knowledge.cells;
        trees = knowledge.trees;
        places = knowledge.firstPlaces.clone();
        state = new int[cells.count()];
        bases = new long[places.length];
        for (int i = 0; i < places.length; i++) {
            bases[i] = trees.at(places[i]).hash;
            stretches.add(new ArrayDeque<>());
            working.add(Optional.empty());
        }
        knowledge.runs++;
    }

    /** The reason why the run cannot teach; tasks unwind with it and may stop on their way. */
    Optional<RuntimeException> failure() {
        return failure;
    }

    private RuntimeException fail(RuntimeException why) {
        muted = true;
        failure = Optional.of(why);
        return why;
    }

    int place(int task) {
        return places[task];
    }

    /** Whether the step that ended last was not known before. */
    boolean novel() {
        return novel;
    }

    // ---- steps

    void starting(int task) {
        runningTask = task;
        start = state.clone();
        observed.clear();
        basis = bases[task];
        passed.clear();
        arrayOf.clear();
        set.clear();
        effects.clear();
        filledNow.clear();
        rest = run.fingerprint();
        muted = false;
        read("rest", rest);
        working.get(task).ifPresent(this::goesByDevice);
    }

    /**
     * The task stopped.
     *
     * @param waits whether it waits for something
     * @param loop what it retries; empty if it does not
     * @param round how often it has retried before
     * @param outcome how it ended; empty if it has not
     */
    void stopped(int task, boolean waits, String loop, int round, String outcome) {
        working.get(task).ifPresent(this::changesDevice);
        long now = run.fingerprint();
        if (now != rest) {
            wrote("rest", rest, now);
        }
        muted = true;
        // Who waits for a lock knows nothing by it: when he has it, it is as if he had not waited.
        bases[task] = waits ? basis : Cells.mix(basis + 1);
        Set<Object> seen = new HashSet<>();
        StepTrees.Node node = trees.grow(cells, start, trees.at(places[task]).step, seen);
        novel = node.kind == StepTrees.UNKNOWN;
        if (novel) {
            node = remember(node, seen);
            node.task = task;
            keepObserved(node, task);
            knowledge.sharing.changed(effects, task);
            node.effects = effects.toArray(StepTrees.Effect[]::new);
            node.next = next(task, waits, loop, round, outcome);
        } else if (!Arrays.equals(node.effects, effects.toArray(StepTrees.Effect[]::new))) {
            throw fail(new Untold("two equal steps had different effects, on " + difference(node)));
        } else if (!loop.isEmpty() && round == 0) {
            loops.put(task + loop, node.next);
        }
        if (!loop.isEmpty()) {
            bases[task] = trees.at(node.next).hash;
        } else if (!novel && outcome.isEmpty() && trees.at(node.next).hash != bases[task]) {
            throw fail(new Untold("two equal steps led to different places"));
        }
        log.steps().add(new Stepped(task, places[task], node, false));
        novel |= knowledge.symmetry.on() && node.images.length == 0;
        places[task] = node.next;
    }

    private void keepObserved(StepTrees.Node leaf, int task) {
        leaf.observed = observed.keySet().stream().mapToInt(Integer::intValue).toArray();
        leaf.observedIds =
                observed.values().stream().mapToInt(Integer::intValue).toArray();
        observed.keySet().forEach(cell -> knowledge.sharing.read(cell, task));
    }

    /** The first cell in which what a step did differs from what was known of it. */
    private String difference(StepTrees.Node known) {
        for (int i = 0; i < Math.max(known.effects.length, effects.size()); i++) {
            if (i >= known.effects.length || i >= effects.size() || !known.effects[i].equals(effects.get(i))) {
                StepTrees.Effect effect = i < effects.size() ? effects.get(i) : known.effects[i];
                return effect.cell() >= 0 ? cells.name(effect.cell()) : "a frame that is filled";
            }
        }
        return "nothing";
    }

    private int next(int task, boolean waits, String loop, int round, String outcome) {
        if (!outcome.isEmpty()) {
            return trees.end(task, outcome);
        }
        if (loop.isEmpty()) {
            return trees.place(task, waits, bases[task]);
        }
        long way = bases[task];
        // A round of a retry loop begins as the first one did: nothing but the count is kept from one to the next.
        return round == 0
                ? loops.compute(task + loop, (key, old) -> trees.place(task, false, way))
                : loops.computeIfAbsent(task + loop, key -> trees.place(task, false, way));
    }

    /** Makes a leaf below {@code node} for what was observed and not yet {@code seen}. */
    private StepTrees.Node remember(StepTrees.Node from, Set<Object> seen) {
        StepTrees.Node node = from;
        var counts = new HashMap<Long, Integer>();
        arrayOf.values().forEach(array -> counts.merge(array, 1, Integer::sum));
        for (Map.Entry<Integer, Integer> each : observed.entrySet()) {
            Long array = arrayOf.get(each.getKey());
            if (array != null && counts.getOrDefault(array, 0) > MANY) {
                Cells.Array whole = cells.array(array);
                if (seen.add(whole)) {
                    node = trees.observe(node, -1, whole, cells.digest(start, whole));
                }
            } else if (seen.add(each.getKey())) {
                node = trees.observe(node, each.getKey(), each.getValue());
            }
        }
        node.kind = StepTrees.LEAF;
        return node;
    }

    /** Whether what a waiting task waits for has come; the gate's tree learns it. */
    boolean ready(int task, BooleanSupplier condition) {
        int gate = trees.at(places[task]).gate;
        if (gate < 0) {
            throw fail(new Untold("a task waits where it did not"));
        }
        start = state.clone();
        observed.clear();
        arrayOf.clear();
        set.clear();
        filledNow.clear();
        muted = false;
        boolean open = condition.getAsBoolean();
        muted = true;
        Set<Object> seen = new HashSet<>();
        StepTrees.Node node = trees.grow(cells, start, gate, seen);
        if (node.kind == StepTrees.UNKNOWN) {
            node = remember(node, seen);
            keepObserved(node, task);
            node.next = open ? 1 : 0;
        }
        log.steps().add(new Stepped(task, places[task], node, true));
        return open;
    }

    // ---- Footprint

    @Override
    public boolean listening() {
        return !muted;
    }

    @Override
    public void read(String cell, long value) {
        if (!muted) {
            goesBy(cells.scalar(cell, value), value);
        }
    }

    @Override
    public void wrote(String cell, long old, long now) {
        if (!muted) {
            int number = cells.scalar(cell, old);
            check(number, old);
            becomes(number, now);
        }
    }

    @Override
    public void added(String cell, long old, long delta) {
        if (muted) {
            return;
        }
        int number = cells.scalar(cell, old);
        check(number, old);
        if (set.contains(number)) {
            becomes(number, old + delta);
            return;
        }
        effects.add(new StepTrees.Effect(StepTrees.ADD, number, NOTHING, delta));
        room();
        cells.set(state, number, cells.id(old + delta));
    }

    @Override
    public void beyond(String what) {
        if (!muted) {
            throw fail(new Untold(what));
        }
    }

    private void goesBy(int cell, long value) {
        check(cell, value);
        if (!set.contains(cell)) {
            int id = cells.lookup(start, cell);
            boolean again = observed.putIfAbsent(cell, id) != null && !passed.remove(cell);
            if (!again) {
                basis = Cells.mix(basis + cells.mix(cell, id));
            }
        }
    }

    @Override
    public void passed(String name, long value) {
        if (!muted) {
            int cell = cells.scalar(name, value);
            check(cell, value);
            if (!set.contains(cell) && observed.putIfAbsent(cell, cells.lookup(start, cell)) == null) {
                passed.add(cell);
            }
        }
    }

    @Override
    public void begins() {
        if (!muted) {
            stretches.get(runningTask).push(basis);
        }
    }

    @Override
    public void ends(long result) {
        if (!muted) {
            basis = Cells.mix(stretches.get(runningTask).pop() + Cells.mix(result + 7));
        }
    }

    @Override
    public void enters(String name, LongSupplier beside) {
        if (!muted) {
            begins();
            Device device = devices.computeIfAbsent(name, key -> new Device(key, beside));
            working.set(runningTask, Optional.of(device));
            goesByDevice(device);
        }
    }

    @Override
    public void leaves(long result) {
        if (!muted) {
            changesDevice(working.get(runningTask).orElseThrow());
            working.set(runningTask, Optional.empty());
            ends(result);
        }
    }

    private void goesByDevice(Device device) {
        device.told = device.value();
        goesBy(cells.scalar(device.name, device.told), device.told);
    }

    private void changesDevice(Device device) {
        long now = device.value();
        if (now != device.told) {
            int cell = cells.scalar(device.name, device.told);
            check(cell, device.told);
            becomes(cell, now);
            device.told = now;
        }
    }

    private void becomes(int cell, long now) {
        set.add(cell);
        effects.add(new StepTrees.Effect(StepTrees.SET, cell, NOTHING, cells.id(now)));
        room();
        cells.set(state, cell, cells.id(now));
    }

    private void check(int cell, long value) {
        if (cells.value(cells.lookup(state, cell)) != value) {
            throw fail(new Untold(cells.name(cell) + " changed and nobody told"));
        }
    }

    private void room() {
        if (state.length < cells.count()) {
            state = Arrays.copyOf(state, cells.count() + 64);
        }
    }

    private static final Cells.Array NOTHING = new Cells.Array(0);

    // ---- MemoryWatch

    @Override
    public void reading(long hpa, int bytes) {
        if (muted || working.get(runningTask).isPresent()) {
            return;
        }
        muted = true;
        long end = hpa + bytes;
        for (long at = hpa; at < end; ) {
            long frame = at >>> 12;
            long stop = Math.min(end, (frame + 1) << 12);
            if (whole(frame, at, stop)) {
                long content = content(frame);
                goesBy(cells.scalar("page 0x" + Long.toHexString(frame), content), content);
            } else {
                for (long word = at & -8; word < stop; word += 8) {
                    readWord(frame, word);
                }
            }
            at = stop;
        }
        muted = false;
    }

    private int readWord(long frame, long word) {
        long value = run.memory().read64(word);
        int cell = element(frame, word, value);
        if (filledNow.contains(frame)) {
            set.add(cell);
        }
        goesBy(cell, value);
        return cell;
    }

    private int element(long frame, long word, long value) {
        int cell = cells.element(frame, (int) (word >>> 3) & WORDS - 1, value, state);
        if (cells.value(cells.lookup(state, cell)) != value && knowledge.tracedFrames.add(frame)) {
            throw fail(new StartAgain("frame 0x" + Long.toHexString(frame) + " was given back and is used again"));
        }
        arrayOf.put(cell, frame);
        return cell;
    }

    /** Whether a frame is looked at as a whole: it is once more than a few of its words were read or written at once. */
    private boolean whole(long frame, long from, long to) {
        if (knowledge.wholeFrames.contains(frame)) {
            return true;
        }
        if (to - from <= 8L * MANY) {
            return false;
        }
        knowledge.wholeFrames.add(frame);
        if (cells.hasArray(frame)) {
            throw fail(new StartAgain("frame 0x" + Long.toHexString(frame) + " is copied"));
        }
        return true;
    }

    private long content(long frame) {
        long hash = 0;
        for (long at = frame << 12; at < frame + 1 << 12; at += 8) {
            hash = (hash ^ run.memory().read64(at)) * 0x9e3779b97f4a7c15L;
            hash ^= hash >>> 29;
        }
        return hash;
    }

    @Override
    public void writing(long hpa, int bytes) {
        if (muted) {
            return;
        }
        muted = true;
        if (working.get(runningTask).isPresent()) {
            working.get(runningTask).get().scatter(run.memory(), hpa, bytes);
            muted = false;
            return;
        }
        long end = hpa + bytes;
        int at = 0;
        for (long from = hpa; from < end; ) {
            long frame = from >>> 12;
            long stop = Math.min(end, (frame + 1) << 12);
            if (whole(frame, from, stop)) {
                at = keep(at, content(frame));
            } else {
                for (long word = from & -8; word < stop; word += 8) {
                    at = keep(at, run.memory().read64(word));
                    if (from > word || stop < word + 8) {
                        readWord(frame, word);
                    }
                }
            }
            from = stop;
        }
        muted = false;
    }

    private int keep(int at, long value) {
        if (at == before.length) {
            before = Arrays.copyOf(before, 2 * at);
        }
        before[at] = value;
        return at + 1;
    }

    @Override
    public void written(long hpa, int bytes) {
        if (muted) {
            return;
        }
        muted = true;
        if (working.get(runningTask).isPresent()) {
            working.get(runningTask).get().scatter(run.memory(), hpa, bytes);
            muted = false;
            return;
        }
        long end = hpa + bytes;
        int at = 0;
        for (long from = hpa; from < end; ) {
            long frame = from >>> 12;
            long stop = Math.min(end, (frame + 1) << 12);
            if (knowledge.wholeFrames.contains(frame)) {
                int cell = cells.scalar("page 0x" + Long.toHexString(frame), before[at]);
                check(cell, before[at++]);
                becomes(cell, content(frame));
            } else {
                for (long word = from & -8; word < stop; word += 8) {
                    int cell = element(frame, word, before[at]);
                    check(cell, before[at++]);
                    becomes(cell, run.memory().read64(word));
                }
            }
            from = stop;
        }
        muted = false;
    }

    @Override
    public void filled(long pfn, long word) {
        if (muted) {
            return;
        }
        if (working.get(runningTask).isPresent()) {
            working.get(runningTask).get().fill(pfn, word);
            return;
        }
        for (Device device : devices.values()) {
            if (device.keeps(pfn)) {
                goesByDevice(device);
                device.fill(pfn, word);
                changesDevice(device);
            }
        }
        muted = true;
        if (knowledge.wholeFrames.contains(pfn)) {
            // what it held does not matter to what it holds
            int cell = cells.scalar("page 0x" + Long.toHexString(pfn), 0);
            becomes(cell, content(pfn));
        } else {
            Cells.Array array = cells.array(pfn);
            effects.add(new StepTrees.Effect(StepTrees.FILL, -1, array, cells.id(word)));
            array.known.forEach(set::add);
            filledNow.add(pfn);
            room();
            cells.fill(state, array, cells.id(word));
        }
        muted = false;
    }
}
