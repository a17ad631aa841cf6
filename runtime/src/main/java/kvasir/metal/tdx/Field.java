package kvasir.metal.tdx;

import java.util.function.BiConsumer;

/**
 * One metadata field, or an array of them with consecutive codes.
 *
 * @param <T> the object that has it
 * @param name as in the ABI
 * @param id of the first element
 * @param elements number of elements
 * @param host what the host may read and write
 * @param guest what the guest may read and write
 * @param get reads an element
 * @param put writes an element; only called where a write mask allows
 */
record Field<T>(
        String name,
        long id,
        int elements,
        Access host,
        Access guest,
        FieldTable.Getter<T> get,
        BiConsumer<T, FieldTable.Store> put) {

    /**
     * Masks of the bits that one side may read and write.
     */
    record Access(long read, long write) {
        static final Access NONE = new Access(0, 0);
        static final Access READ = new Access(-1, 0);
        static final Access READ_WRITE = new Access(-1, -1);

        static Access writable(long mask) {
            return new Access(-1, mask);
        }
    }

    /** Element size in bytes. */
    int elementBytes() {
        return 1 << (int) (id >>> 32 & 3);
    }

    int fieldClass() {
        return FieldTable.classOf(id);
    }

    int code() {
        return FieldTable.codeOf(id);
    }
}
