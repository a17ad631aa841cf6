package kvasir.kvm;

import java.util.function.LongSupplier;

/**
 * Hears what the running task observes and changes of what tasks share, so that an explorer can tell one state of the
 * machine from another and need not run again what it has seen. What is told here is told exactly; all other state of the
 * kernel is in {@link Kvm#fingerprint()}.
 *
 * <p>A cell is a number with a name that is the same in every run. Cells that come in great numbers (page-table entries)
 * form arrays of 512 under a number.
 */
public interface Footprint {
    /** Nobody listens. */
    Footprint NONE = new Footprint() {};

    /** Whether anybody listens; telling costs the name of the cell. */
    default boolean listening() {
        return false;
    }

    /** The task goes by the value of a cell. */
    default void read(String cell, long value) {}

    /** The task gives a cell another value without going by the old one. */
    default void wrote(String cell, long before, long after) {}

    /** The task adds to a cell without going by its value: such changes may change places. */
    default void added(String cell, long before, long delta) {}

    /** The task goes by an element of an array. */
    default void readAt(long array, int index, long value) {}

    /** The task changes an element of an array without going by its old value. */
    default void wroteAt(long array, int index, long before, long after) {}

    /** The task gives all elements of an array one value. */
    default void filled(long array, long value) {}

    /**
     * What the task observes from here to the matching {@link #ends} matters afterwards only through the result told there.
     */
    default void begins() {}

    /** @param result all that is kept of what was observed since {@link #begins} */
    default void ends(long result) {}

    /**
     * From here to {@link #leaves} a device works for the task (the TDX module, the security processor). What it keeps, in
     * memory and beside it, is one cell: the task goes by it and changes it, and afterwards only the result matters. Memory
     * that the device only reads and does not keep is told before.
     *
     * @param beside all that the device keeps beside memory, as a number that is the same for the same state in every run
     */
    default void enters(String device, LongSupplier beside) {}

    /** @param result all that is kept of what the device did since {@link #enters} */
    default void leaves(long result) {}

    /** The task goes by the value of a cell, and afterwards it does not matter which value that was. */
    default void passed(String cell, long value) {}

    /** The task does something that cannot be told here: only runs from the start tell what comes of it. */
    default void beyond(String what) {}
}
