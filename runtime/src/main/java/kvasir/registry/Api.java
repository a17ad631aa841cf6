package kvasir.registry;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * What scripts may do with objects of one class.
 *
 * @param <T> the class
 */
public final class Api<T> {
    private final String name;
    private final String doc;
    private final Class<T> type;
    private final List<Operation<T>> operations;
    private final List<Property<T>> properties;
    private final Optional<Index<T>> index;

    /** The kinds of argument a script can give. */
    public enum Kind {
        /** An unsigned 64-bit integer ({@code Long}). */
        U64,
        /** A half-open {@link Range}. */
        RANGE,
        /** A {@code Boolean}. */
        BOOL,
        /** A {@code String} in quotes. */
        STRING,
        /** {@link Bytes}: {@code hex"..."}, {@code file("...")}, {@code zeros}. */
        BYTES,
        /** One bare word out of {@link Parameter#words()} ({@code String}). */
        WORD,
        /** A {@link Guest} program. */
        GUEST,
        /** A handle to another object of the machine. */
        HANDLE,
        /** A list of any of these. */
        LIST,
        /** A record: a {@code Map} with names as keys. */
        RECORD
    }

    /**
     * One parameter.
     *
     * @param name as scripts write it; in KVS a parameter after the first ones is introduced by its name, as in {@code load probe at 1M}
     * @param kind what may be given
     * @param unit {@code bytes}, {@code gfn}, {@code pages}; empty if none
     * @param doc one line
     * @param words the legal words of a {@link Kind#WORD}
     * @param keyword whether KVS writes {@code name value} instead of the bare value; a {@link Kind#BOOL} keyword alone means true
     * @param optional whether it may be left out
     */
    public record Parameter(
            String name, Kind kind, String unit, String doc, List<String> words, boolean keyword, boolean optional) {
        /** A required positional parameter. */
        public static Parameter of(String name, Kind kind, String unit, String doc) {
            return new Parameter(name, kind, unit, doc, List.of(), false, false);
        }

        /** This parameter written {@code name value}. */
        public Parameter asKeyword() {
            return new Parameter(name, kind, unit, doc, words, true, optional);
        }

        /** This parameter, may be left out. */
        public Parameter orAbsent() {
            return new Parameter(name, kind, unit, doc, words, keyword, true);
        }

        /** This parameter restricted to {@code words}. */
        public Parameter among(String... words) {
            return new Parameter(name, kind, unit, doc, List.of(words), keyword, optional);
        }
    }

    /**
     * A verb.
     *
     * @param doc what it does, its units, errors, and the source of the rule
     * @param example one line of KVS
     * @param body what it runs; the result is one of the values listed in the package documentation
     */
    public record Operation<T>(
            String name,
            List<Parameter> parameters,
            String doc,
            String example,
            BiFunction<T, Arguments, Object> body) {}

    /**
     * A noun.
     *
     * @param type the words a reader needs: {@code u64}, {@code table}, {@code list of vcpu}
     * @param setter present if a script may assign it
     */
    public record Property<T>(
            String name,
            String type,
            String doc,
            String example,
            Function<T, Object> getter,
            Optional<BiFunction<T, Object, Object>> setter) {}

    /**
     * What {@code object[key]} gives.
     *
     * @param doc what a key is and what comes back
     * @param body takes the object and a {@code Long} or a {@link Range}
     */
    public record Index<T>(String doc, String example, BiFunction<T, Object, Object> body) {}

    private Api(Builder<T> builder) {
        name = builder.name;
        doc = builder.doc;
        type = builder.type;
        operations = List.copyOf(builder.operations);
        properties = List.copyOf(builder.properties);
        index = builder.index;
    }

    /** Starts the declaration of class {@code type}, called {@code name} in the reference. */
    public static <T> Builder<T> of(String name, Class<T> type, String doc) {
        return new Builder<>(name, type, doc);
    }

    /** The name in the reference: {@code vcpu}. */
    public String name() {
        return name;
    }

    /** What the object is. */
    public String doc() {
        return doc;
    }

    /** The class it describes. */
    public Class<T> type() {
        return type;
    }

    /** Verbs in the order of declaration. */
    public List<Operation<T>> operations() {
        return operations;
    }

    /** Nouns in the order of declaration. */
    public List<Property<T>> properties() {
        return properties;
    }

    /** What {@code object[key]} gives, if anything. */
    public Optional<Index<T>> index() {
        return index;
    }

    /** Collects a declaration; {@link #build()} ends it. */
    public static final class Builder<T> {
        private final String name;
        private final Class<T> type;
        private final String doc;
        private final List<Operation<T>> operations = new ArrayList<>();
        private final List<Property<T>> properties = new ArrayList<>();
        private Optional<Index<T>> index = Optional.empty();

        private Builder(String name, Class<T> type, String doc) {
            this.name = name;
            this.type = type;
            this.doc = doc;
        }

        /** Adds a verb. */
        public Builder<T> operation(
                String name,
                List<Parameter> parameters,
                String doc,
                String example,
                BiFunction<T, Arguments, Object> body) {
            operations.add(new Operation<>(name, parameters, doc, example, body));
            return this;
        }

        /** Adds a noun that is read only. */
        public Builder<T> property(String name, String type, String doc, String example, Function<T, Object> getter) {
            properties.add(new Property<>(name, type, doc, example, getter, Optional.empty()));
            return this;
        }

        /** Adds a noun that may be assigned. */
        public Builder<T> property(
                String name,
                String type,
                String doc,
                String example,
                Function<T, Object> getter,
                BiFunction<T, Object, Object> setter) {
            properties.add(new Property<>(name, type, doc, example, getter, Optional.of(setter)));
            return this;
        }

        /** Declares what {@code object[key]} gives. */
        public Builder<T> index(String doc, String example, BiFunction<T, Object, Object> body) {
            index = Optional.of(new Index<>(doc, example, body));
            return this;
        }

        /** The finished declaration. */
        public Api<T> build() {
            return new Api<>(this);
        }
    }
}
