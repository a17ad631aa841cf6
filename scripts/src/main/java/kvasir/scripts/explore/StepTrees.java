package kvasir.scripts.explore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the tasks do from each place where they can stand, as learnt from runs of the real code. For each place there is a
 * tree: its inner nodes observe a cell, and a leaf says what the task then changed and where it stopped. A step is a
 * function of the place and of what it observed, so a leaf that fits a state says what would happen there.
 */
final class StepTrees {
    /** Kind of a node of which nothing is known. */
    static final int UNKNOWN = 0;

    /** Kind of a node that observes a cell. */
    static final int OBSERVE = 1;

    /** Kind of a node that says what happens. */
    static final int LEAF = 2;

    static final int SET = 0;
    static final int ADD = 1;
    static final int FILL = 2;

    private final List<Node> nodes = new ArrayList<>();
    private final List<Place> places = new ArrayList<>();
    private final Map<Long, Integer> byHash = new HashMap<>();
    private final Map<String, Integer> ends = new HashMap<>();

    /** A node of a tree. */
    static final class Node {
        int kind;
        /** The cell that is observed; −1 if it is a whole array. */
        int cell;

        Cells.Array array = NO_ARRAY;
        int[] ids = new int[2];
        int[] children = new int[2];
        int size;
        /** Whose step a leaf is. */
        int task;
        /** The cells that the step of a leaf went by. */
        int[] observed = {};
        /** The numbers of the values that they had. */
        int[] observedIds = {};
        /** By order of the tasks, the step that takes its part; empty until they were related. */
        Node[] images = {};
        /** Number of its first effect among those of all steps that were related. */
        int firstEffect;
        /** What a leaf changes. */
        Effect[] effects = {};
        /** Whether the step of a leaf is local, as far as {@link #sharing} tells: 0 if not asked, 1 if so, 2 if not. */
        int local;
        /** The {@link Sharing#version} of that. */
        int sharing;
        /** Whether the search relies on the step of a leaf being local. */
        boolean merged;
        /** Where the task stands after it; in the tree of a gate, 1 if it is open. */
        int next;
    }

    private static final Cells.Array NO_ARRAY = new Cells.Array(0);

    /** One change. {@code argument}: the value's number, or what is added. */
    record Effect(int kind, int cell, Cells.Array array, long argument) {
        /** The cell that is changed; of an array that is filled the one that says with what. */
        int target() {
            return cell >= 0 ? cell : array.fill;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Effect(int otherKind, int otherCell, Cells.Array otherArray, long otherArgument)
                    && kind == otherKind
                    && cell == otherCell
                    && array == otherArray
                    && argument == otherArgument;
        }

        @Override
        public int hashCode() {
            return (kind * 31 + cell) * 31 + Long.hashCode(argument);
        }
    }

    /** Where a task can stand. */
    static final class Place {
        /** Root of the tree of its step. */
        final int step;
        /** Root of the tree of what it waits for; −1 if it does not wait. */
        final int gate;
        /** How the task ended; empty if it has not. */
        final String outcome;
        /** The same in every search. */
        final long hash;
        /** What a task that stands here gives to the hash of a state. */
        final long mixed;

        Place(int task, int step, int gate, String outcome, long hash) {
            this.step = step;
            this.gate = gate;
            this.outcome = outcome;
            this.hash = hash;
            mixed = Cells.mix(hash + (gate >= 0 ? 1 : 0) + (task + 1) * 0xc2b2ae3d27d4eb4fL);
        }

        boolean ended() {
            return step < 0;
        }
    }

    /**
     * The place where a task stands.
     *
     * @param hash of what it observed on its way and still matters: equal hashes are equal places
     */
    int place(int task, boolean waits, long hash) {
        long key = Cells.mix(hash + task) + (waits ? 1 : 0);
        Integer known = byHash.get(key);
        if (known != null) {
            return known;
        }
        places.add(new Place(task, node(), waits ? node() : -1, "", hash));
        byHash.put(key, places.size() - 1);
        return places.size() - 1;
    }

    /** The place where a task has ended in that way. */
    int end(int task, String outcome) {
        Integer known = ends.get(task + outcome);
        if (known != null) {
            return known;
        }
        places.add(new Place(task, -1, -1, outcome, Cells.hash(task + outcome)));
        ends.put(task + outcome, places.size() - 1);
        return places.size() - 1;
    }

    Place at(int place) {
        return places.get(place);
    }

    int places() {
        return places.size();
    }

    /** Steps that are known: leaves of all trees. */
    int leaves() {
        return (int) nodes.stream().filter(node -> node.kind == LEAF).count();
    }

    Node node(int index) {
        return nodes.get(index);
    }

    private int node() {
        nodes.add(new Node());
        return nodes.size() - 1;
    }

    /** The node that a state leads to: a leaf, or one of which nothing is known. */
    Node walk(Cells cells, int[] state, int root) {
        Node node = nodes.get(root);
        while (node.kind == OBSERVE) {
            int child = child(node, observe(cells, state, node));
            node = child < 0 ? MISSING : nodes.get(child);
        }
        return node;
    }

    /** No node. */
    static final Node MISSING = new Node();

    private static int observe(Cells cells, int[] state, Node node) {
        return node.cell >= 0 ? cells.lookup(state, node.cell) : cells.digest(state, node.array);
    }

    private static int child(Node node, int id) {
        for (int i = 0; i < node.size; i++) {
            if (node.ids[i] == id) {
                return node.children[i];
            }
        }
        return -1;
    }

    /** The node that a state leads to, made where it is missing; {@code seen} gets the cells that were observed. */
    Node grow(Cells cells, int[] state, int root, java.util.Set<Object> seen) {
        Node node = nodes.get(root);
        while (node.kind == OBSERVE) {
            seen.add(node.cell >= 0 ? (Object) node.cell : node.array);
            int id = observe(cells, state, node);
            int child = child(node, id);
            node = child < 0 ? under(node, id) : nodes.get(child);
        }
        return node;
    }

    /** Makes an unknown node observe a cell; the node below it for {@code id}. */
    Node observe(Node node, int cell, Cells.Array array, int id) {
        node.kind = OBSERVE;
        node.cell = cell;
        node.array = array;
        return under(node, id);
    }

    /** Makes an unknown node observe a cell. */
    Node observe(Node node, int cell, int id) {
        return observe(node, cell, NO_ARRAY, id);
    }

    private Node under(Node node, int id) {
        if (node.size == node.ids.length) {
            node.ids = java.util.Arrays.copyOf(node.ids, 2 * node.size);
            node.children = java.util.Arrays.copyOf(node.children, 2 * node.size);
        }
        int child = node();
        node.ids[node.size] = id;
        node.children[node.size++] = child;
        return nodes.get(child);
    }

    /** Does to a state what a leaf says; the change of the state's hash. */
    static long apply(Cells cells, int[] state, Node leaf) {
        long change = 0;
        for (Effect effect : leaf.effects) {
            change ^= switch (effect.kind) {
                case SET -> cells.set(state, effect.cell, (int) effect.argument);
                case ADD ->
                    cells.set(
                            state,
                            effect.cell,
                            cells.id(cells.value(cells.lookup(state, effect.cell)) + effect.argument));
                default -> cells.fill(state, effect.array, (int) effect.argument);
            };
        }
        return change;
    }
}
