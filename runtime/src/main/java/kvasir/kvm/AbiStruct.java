package kvasir.kvm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A C struct that crosses an ioctl: little-endian bytes at the offsets of the ABI, and its fields by name. A field of a
 * struct inside has the name {@code outer.inner}.
 */
public final class AbiStruct {
    private final Layout layout;
    private final ByteBuffer content;

    /** One field; {@code bytes} is 1, 2, 4 or 8. */
    private record Field(String name, int offset, int bytes) {}

    /** The fields of a struct in the order of their offsets. */
    public static final class Layout {
        private final Map<String, Field> fields = new LinkedHashMap<>();
        private final int bytes;
        private int next;

        private Layout(int bytes) {
            this.bytes = bytes;
        }

        /** A struct of {@code bytes} bytes without fields so far. */
        static Layout of(int bytes) {
            return new Layout(bytes);
        }

        /** The next fields begin at {@code offset}. */
        Layout at(int offset) {
            next = offset;
            return this;
        }

        /** The next fields, {@code bytes} bytes each. */
        Layout fields(int bytes, String... names) {
            for (String name : names) {
                fields.put(name, new Field(name, next, bytes));
                next += bytes;
            }
            return this;
        }

        /** sizeof. */
        public int bytes() {
            return bytes;
        }

        /** The names of all fields. */
        public List<String> names() {
            return List.copyOf(fields.keySet());
        }
    }

    /** All bytes zero. */
    AbiStruct(Layout layout) {
        this(layout, new byte[layout.bytes]);
    }

    private AbiStruct(Layout layout, byte[] bytes) {
        this.layout = layout;
        content = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The same content, changed independently. */
    AbiStruct copy() {
        return new AbiStruct(layout, content.array().clone());
    }

    private Field field(String name) {
        Field field = layout.fields.get(name);
        if (field == null) {
            throw new IllegalArgumentException("no field " + name);
        }
        return field;
    }

    /** A field, zero extended. */
    public long get(String name) {
        Field field = field(name);
        return switch (field.bytes) {
            case 1 -> content.get(field.offset) & 0xffL;
            case 2 -> content.getShort(field.offset) & 0xffffL;
            case 4 -> content.getInt(field.offset) & 0xffff_ffffL;
            default -> content.getLong(field.offset);
        };
    }

    /** Whether a field is not 0. */
    boolean is(String name) {
        return get(name) != 0;
    }

    /** Sets a field to the low bytes of {@code value}. */
    public void set(String name, long value) {
        Field field = field(name);
        switch (field.bytes) {
            case 1 -> content.put(field.offset, (byte) value);
            case 2 -> content.putShort(field.offset, (short) value);
            case 4 -> content.putInt(field.offset, (int) value);
            default -> content.putLong(field.offset, value);
        }
    }

    void set(String name, boolean value) {
        set(name, value ? 1 : 0);
    }

    /** Copies the bytes to {@code offset} of kvm_run. */
    void writeTo(KvmRun run, int offset) {
        for (int i = 0; i < layout.bytes; i++) {
            run.put8(offset + i, content.get(i));
        }
    }

    /** The struct that lies at {@code offset} of kvm_run. */
    static AbiStruct readFrom(KvmRun run, int offset, Layout layout) {
        var bytes = new byte[layout.bytes];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) run.get8(offset + i);
        }
        return new AbiStruct(layout, bytes);
    }

    /** The fields as a record of scripts; structs inside are records too. */
    public Map<String, ?> record() {
        var record = new LinkedHashMap<String, Object>();
        var inner = new LinkedHashMap<String, Map<String, Object>>();
        for (String name : layout.fields.keySet()) {
            int dot = name.indexOf('.');
            if (dot < 0) {
                record.put(name, get(name));
            } else {
                String outer = name.substring(0, dot);
                Map<String, Object> fields = inner.computeIfAbsent(outer, _ -> new LinkedHashMap<>());
                fields.put(name.substring(dot + 1), get(name));
                record.put(outer, fields);
            }
        }
        return record;
    }

    /**
     * Sets the fields that a record of scripts has.
     *
     * @return what is wrong with the record: a name that is no field, or a value that does not fit; then nothing is to be
     *     done with the struct
     */
    public Optional<String> merge(Map<?, ?> record) {
        var problems = new ArrayList<String>();
        merge("", record, problems);
        return problems.stream().findFirst();
    }

    private void merge(String prefix, Map<?, ?> record, List<String> problems) {
        record.forEach((key, value) -> {
            String name = prefix + key;
            Field field = layout.fields.get(name);
            if (value instanceof Map<?, ?> inner && field == null) {
                merge(name + ".", inner, problems);
            } else if (field == null) {
                problems.add("the struct has no field '%s'".formatted(name));
            } else if (value instanceof Boolean flag) {
                set(name, flag);
            } else if (!(value instanceof Long number)) {
                problems.add("field '%s' is a number".formatted(name));
            } else if (field.bytes < 8 && number >>> 8 * field.bytes != 0) {
                problems.add("field '%s' has %d bits".formatted(name, 8 * field.bytes));
            } else {
                set(name, number);
            }
        });
    }
}
