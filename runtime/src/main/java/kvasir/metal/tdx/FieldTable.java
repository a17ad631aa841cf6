package kvasir.metal.tdx;

import java.util.List;
import java.util.Optional;

/**
 * The metadata fields of one kind of object and the rules of single-element access (TDX ABI, metadata access): the
 * lookup uses class and field code only; context, element size, increment and write-mask bits of the id are ignored;
 * reserved bits, last element and last field must be 0.
 *
 * @param <T> the object that has them
 */
final class FieldTable<T> {
    /** The id that asks for the first one. */
    static final long NULL_ID = -1;

    private static final long MUST_BE_ZERO = 0xffL << 24 | 0xfL << 34 | 0x1ffL << 38 | 7L << 47 | 1L << 55 | 1L << 62;

    private final List<Field<T>> fields;

    /** Reads element {@code index}. */
    @FunctionalInterface
    interface Getter<T> {
        long get(T object, int index);
    }

    /** An element and its new value. */
    record Store(int index, long value) {}

    /** Which side asks. */
    enum Side {
        HOST,
        GUEST
    }

    /**
     * What an access gives.
     *
     * @param status 0 or a METADATA status
     * @param value the value, or the old value
     * @param id the full id of the field that was reached
     */
    record Result(long status, long value, long id) {}

    private record Place<T>(Field<T> field, int index) {
        long id() {
            return field.id() + index;
        }
    }

    FieldTable(List<Field<T>> fields) {
        this.fields = List.copyOf(fields);
    }

    static int classOf(long id) {
        return (int) (id >>> 56) & 0x3f;
    }

    static int codeOf(long id) {
        return (int) id & 0xff_ffff;
    }

    Result read(T object, long id, Side side) {
        Optional<Place<T>> place = find(id);
        if (place.isEmpty()) {
            return new Result(Status.METADATA_FIELD_ID_INCORRECT.value(), 0, id);
        }
        long mask = access(place.get().field(), side).read();
        if (mask == 0) {
            return new Result(Status.METADATA_FIELD_NOT_READABLE.value(), 0, id);
        }
        return new Result(0, get(object, place.get()) & mask, place.get().id());
    }

    Result write(T object, long id, long value, long mask, Side side) {
        Optional<Place<T>> place = find(id);
        if (place.isEmpty()) {
            return new Result(Status.METADATA_FIELD_ID_INCORRECT.value(), 0, id);
        }
        Field.Access access = access(place.get().field(), side);
        long writable = access.write() & mask;
        if (writable == 0) {
            return new Result(Status.METADATA_FIELD_NOT_WRITABLE.value(), 0, id);
        }
        long old = get(object, place.get());
        if (((old ^ value) & mask & ~access.write()) != 0) {
            return new Result(Status.METADATA_FIELD_VALUE_NOT_VALID.value(), old, id);
        }
        place.get().field().put().accept(object, new Store(place.get().index(), old & ~writable | value & writable));
        return new Result(0, old & access.read(), place.get().id());
    }

    /** The id of the first field that {@code side} may read; {@link #NULL_ID} if none. */
    long first(Side side) {
        return from(0, side);
    }

    /** The id of the next element or field after {@code id} that {@code side} may read. */
    long next(long id, Side side) {
        Place<T> place = find(id).orElseThrow();
        return place.index() + 1 < place.field().elements() ? id + 1 : from(fields.indexOf(place.field()) + 1, side);
    }

    /** All fields, in the order of {@link #next}. */
    List<Field<T>> fields() {
        return fields;
    }

    private long from(int position, Side side) {
        for (int i = position; i < fields.size(); i++) {
            if (access(fields.get(i), side).read() != 0) {
                return fields.get(i).id();
            }
        }
        return NULL_ID;
    }

    private Optional<Place<T>> find(long id) {
        if ((id & MUST_BE_ZERO) != 0) {
            return Optional.empty();
        }
        int code = codeOf(id);
        for (Field<T> field : fields) {
            if (field.fieldClass() == classOf(id) && code >= field.code() && code < field.code() + field.elements()) {
                return Optional.of(new Place<>(field, code - field.code()));
            }
        }
        return Optional.empty();
    }

    private static Field.Access access(Field<?> field, Side side) {
        return side == Side.HOST ? field.host() : field.guest();
    }

    private static <T> long get(T object, Place<T> place) {
        int bits = 8 * place.field().elementBytes();
        return place.field().get().get(object, place.index()) & (bits == 64 ? -1L : (1L << bits) - 1);
    }
}
