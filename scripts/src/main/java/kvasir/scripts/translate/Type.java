package kvasir.scripts.translate;

import java.util.Optional;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.scripts.binding.Values;

/** What is known about a value before running. */
sealed interface Type {
    /** A kind of value with nothing more to know. */
    enum Plain implements Type {
        UNKNOWN("anything"),
        U64("an integer"),
        BOOL("a boolean"),
        STRING("a string"),
        BYTES("a byte string"),
        ZEROS("zeros"),
        RANGE("a range"),
        RECORD("a record"),
        OUTCOME("an outcome"),
        STATE("a state"),
        GUEST("a guest program");

        private final String words;

        Plain(String words) {
            this.words = words;
        }

        @Override
        public String words() {
            return words;
        }
    }

    /** An object of the machine. */
    record Handle(Api<?> api) implements Type {
        @Override
        public String words() {
            return Values.article(api.name());
        }
    }

    /** A list. */
    record ListOf(Type item) implements Type {
        @Override
        public String words() {
            return "a list";
        }
    }

    /** With an article, as messages call it. */
    String words();

    /** The declaration, if it is an object. */
    default Optional<Api<?>> declaration() {
        return this instanceof Handle handle ? Optional.of(handle.api()) : Optional.empty();
    }

    /** Whether a value of this type could be given for a parameter of {@code kind}. */
    default boolean mayBe(Kind kind) {
        return this == Plain.UNKNOWN
                || switch (kind) {
                    case U64 -> this == Plain.U64;
                    case RANGE -> this == Plain.RANGE;
                    case BOOL -> this == Plain.BOOL;
                    case STRING, WORD -> this == Plain.STRING;
                    case BYTES -> this == Plain.BYTES || this == Plain.ZEROS;
                    case GUEST -> this == Plain.GUEST;
                    case HANDLE -> this instanceof Handle;
                    case LIST -> this instanceof ListOf;
                    case RECORD -> this == Plain.RECORD;
                };
    }
}
