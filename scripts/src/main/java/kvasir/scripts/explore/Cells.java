package kvasir.scripts.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The cells of a machine that tasks share, and the format of a state: for each cell the number of its value, 0 for the
 * value it has in the beginning, or since its array was filled. Cells are found as runs touch them; a state that was made
 * before a cell was found has the cell's first value.
 */
final class Cells {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;
    private static final int ELEMENTS = 512;

    private final Map<String, Integer> scalars = new HashMap<>();
    private final Map<Long, Array> arrays = new HashMap<>();
    private final List<String> names = new ArrayList<>();
    private final Map<Long, Integer> ids = new HashMap<>();
    private long[] values = new long[64];
    private int[] first = new int[64];
    private long[] keys = new long[64];
    private int[] fillOf = new int[64];
    private boolean[] guessed = new boolean[64];
    private boolean[] bookkeeping = new boolean[64];

    /** 512 cells that can be given one value at once. */
    static final class Array {
        final int fill;
        final int[] elements = new int[ELEMENTS];
        final List<Integer> known = new ArrayList<>();

        Array(int fill) {
            this.fill = fill;
            Arrays.fill(elements, -1);
        }
    }

    /** Number of cells. */
    int count() {
        return names.size();
    }

    String name(int cell) {
        return names.get(cell);
    }

    /** The cell that says what the array of an element was filled with; −1 if the cell is no element. */
    int fillOf(int cell) {
        return fillOf[cell];
    }

    /** The number of the value that a cell has in the beginning. */
    int first(int cell) {
        return first[cell];
    }

    /** Whether the first value of a cell was not seen yet, since its array was filled before. */
    boolean guessed(int cell) {
        return guessed[cell];
    }

    /** Whether a cell says only who holds or awaits what, so that no invariant depends on it. */
    boolean bookkeeping(int cell) {
        return bookkeeping[cell];
    }

    /** The number of a value, 1 and up. */
    int id(long value) {
        Integer known = ids.get(value);
        if (known != null) {
            return known;
        }
        int id = ids.size() + 1;
        if (id == values.length) {
            values = Arrays.copyOf(values, 2 * id);
        }
        values[id] = value;
        ids.put(value, id);
        return id;
    }

    long value(int id) {
        return values[id];
    }

    private int add(String name, int firstId, int fill, boolean guess) {
        int cell = names.size();
        names.add(name);
        if (cell == first.length) {
            first = Arrays.copyOf(first, 2 * cell);
            keys = Arrays.copyOf(keys, 2 * cell);
            fillOf = Arrays.copyOf(fillOf, 2 * cell);
            guessed = Arrays.copyOf(guessed, 2 * cell);
            bookkeeping = Arrays.copyOf(bookkeeping, 2 * cell);
        }
        first[cell] = firstId;
        keys[cell] = hash(name);
        fillOf[cell] = fill;
        guessed[cell] = guess;
        bookkeeping[cell] = name.endsWith("er") && name.contains(".writer")
                || name.endsWith(".readers")
                || name.endsWith(".waiters")
                || name.endsWith(".signal");
        return cell;
    }

    /** The cell of that name, which is found now if it is new: nobody has changed it before, so {@code now} is its first value. */
    int scalar(String name, long now) {
        Integer known = scalars.get(name);
        if (known != null) {
            return known;
        }
        int cell = add(name, id(now), -1, false);
        scalars.put(name, cell);
        return cell;
    }

    boolean hasArray(long number) {
        return arrays.containsKey(number);
    }

    Array array(long number) {
        Array known = arrays.get(number);
        if (known == null) {
            int fill = add("fill of " + number, 0, -1, false);
            known = new Array(fill);
            arrays.put(number, known);
        }
        return known;
    }

    /** The element's cell; {@code now} is its first value unless the array was filled in this run. */
    int element(long number, int index, long now, int[] state) {
        Array array = array(number);
        int cell = array.elements[index];
        boolean filled = array.fill < state.length && state[array.fill] != 0;
        if (cell < 0) {
            cell = add("frame 0x" + Long.toHexString(number) + "[" + index + "]", id(now), array.fill, filled);
            array.elements[index] = cell;
            array.known.add(cell);
        } else if (guessed[cell] && !filled && (cell >= state.length || state[cell] == 0)) {
            guessed[cell] = false;
            first[cell] = id(now);
        }
        return cell;
    }

    /** The number of the cell's value in a state. */
    int lookup(int[] state, int cell) {
        if (cell < state.length) {
            int id = state[cell];
            if (id != 0) {
                return id;
            }
        }
        return base(state, cell);
    }

    private int base(int[] state, int cell) {
        int fill = fillOf[cell];
        if (fill >= 0 && fill < state.length && state[fill] != 0) {
            return state[fill];
        }
        return first[cell];
    }

    /** All elements of an array as the number of one value. */
    int digest(int[] state, Array array) {
        long hash = array.fill < state.length ? mix(array.fill, state[array.fill]) : 0;
        for (int cell : array.known) {
            if (cell < state.length && state[cell] != 0) {
                hash ^= mix(cell, state[cell]);
            }
        }
        return id(hash);
    }

    /** Gives a cell a value in a state that has room for it; the change of the state's hash. */
    long set(int[] state, int cell, int id) {
        int stored = id == base(state, cell) ? 0 : id;
        int old = state[cell];
        if (old == stored) {
            return 0;
        }
        state[cell] = stored;
        return mix(cell, old) ^ mix(cell, stored);
    }

    /** Gives all elements of an array a value; the change of the state's hash. */
    long fill(int[] state, Array array, int id) {
        long change = 0;
        for (int cell : array.known) {
            if (cell < state.length && state[cell] != 0) {
                change ^= mix(cell, state[cell]);
                state[cell] = 0;
            }
        }
        int old = state[array.fill];
        state[array.fill] = id;
        return change ^ mix(array.fill, old) ^ mix(array.fill, id);
    }

    /** What one cell gives to the hash of a state: the same in every search, 0 for its first value. */
    long mix(int cell, int id) {
        return id == 0 ? 0 : mix(keys[cell] + values[id] * 0xd1342543de82ef95L);
    }

    /** A number for a text, the same in every search. */
    static long hash(String text) {
        long hash = text.length();
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
        }
        return mix(hash);
    }

    /** Scatters the bits of a number (SplitMix64). */
    static long mix(long number) {
        long z = number * GOLDEN;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
