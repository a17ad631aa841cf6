package kvasir.scripts.explore;

import java.util.Arrays;

/** A growing list of ints. */
final class IntList {
    private int[] items = new int[64];
    private int size;

    void add(int item) {
        if (size == items.length) {
            items = Arrays.copyOf(items, size + (size >> 1));
        }
        items[size++] = item;
    }

    int get(int index) {
        return items[index];
    }

    void set(int index, int item) {
        items[index] = item;
    }

    /** Bytes that it occupies. */
    long bytes() {
        return 4L * items.length;
    }

    int size() {
        return size;
    }
}
