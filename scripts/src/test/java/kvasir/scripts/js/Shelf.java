package kvasir.scripts.js;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.event.Events;
import kvasir.kvm.Seams;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.registry.State;
import kvasir.scripts.Machines;

/** A machine of shelves that keep quantities: enough to try every kind of value that crosses. */
final class Shelf implements Described {
    static final Api<Shelf> API = Api.of("shelf", Shelf.class, "Keeps quantities.")
            .operation(
                    "put",
                    List.of(
                            Parameter.of("range", Kind.RANGE, "bytes", "where"),
                            Parameter.of("value", Kind.U64, "", "what")
                                    .asKeyword()
                                    .orAbsent(),
                            Parameter.of("quietly", Kind.BOOL, "", "no echo")
                                    .asKeyword()
                                    .orAbsent()),
                    "Puts a value.",
                    "s.put 0 .. 4K value 1",
                    Shelf::put)
            .operation(
                    "echo",
                    List.of(Parameter.of("value", Kind.U64, "", "any")),
                    "Gives the value back.",
                    "s.echo 1",
                    (shelf, arguments) -> arguments.u64("value"))
            .operation(
                    "length",
                    List.of(Parameter.of("bytes", Kind.BYTES, "", "any")),
                    "Length of bytes.",
                    "s.length zeros",
                    (shelf, arguments) -> (long) arguments.bytes("bytes").length())
            .property("size", "u64", "Its size.", "s.size", shelf -> shelf.size, Shelf::resize)
            .property("digest", "bytes", "A digest.", "s.digest", shelf -> Bytes.fromHex("00ff"))
            .property("boxes", "list of box", "Its parts.", "s.boxes", shelf -> List.of(1L, 2L))
            .property("facts", "record", "Facts.", "s.facts", shelf -> Map.of("top", -1L))
            .index("What is at an address.", "s[0]", Shelf::at)
            .build();

    private final String name;
    private final Map<Long, Long> content = new LinkedHashMap<>();
    private long size;

    Shelf(String name) {
        this.name = name;
    }

    private Object put(kvasir.registry.Arguments arguments) {
        Range range = arguments.range("range");
        if (Long.compareUnsigned(range.end(), range.start()) <= 0) {
            return new Outcome.Failed("EINVAL", "the range is empty", Map.of());
        }
        content.put(range.start(), arguments.u64("value", range.size()));
        return new Outcome.Ok(Map.of("left", arguments.flag("quietly") ? 1L : 0L));
    }

    private Object resize(Object value) {
        size = (Long) value;
        return Outcome.ok();
    }

    private Object at(Object key) {
        return switch (key) {
            case Long address
            when content.containsKey(address) ->
                new State("full", List.of(4096L, "rw"), Map.of("value", content.get(address)));
            case Long address -> new State("empty", List.of(), Map.of());
            default -> key;
        };
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return name;
    }

    @Override
    public Optional<String> picture() {
        var lines = new ArrayList<String>();
        content.forEach((address, value) -> lines.add("%x = %x".formatted(address, value)));
        return Optional.of(String.join("\n", lines));
    }

    /** Builds shelves: {@code memory} lines are puts, {@code size} is its size. */
    static final class Carpenter implements Described {
        static final Api<Carpenter> API = Api.of("carpenter", Carpenter.class, "Builds a shelf.")
                .operation(
                        "memory",
                        List.of(
                                Parameter.of("range", Kind.RANGE, "bytes", "where"),
                                Parameter.of("private", Kind.BOOL, "", "hidden")
                                        .asKeyword()
                                        .orAbsent()),
                        "Puts.",
                        "memory 0 .. 4K",
                        (carpenter, arguments) -> {
                            Range range = arguments.range("range");
                            carpenter.shelf.content.put(range.start(), arguments.flag("private") ? 1L : 0L);
                            return Outcome.ok();
                        })
                .operation(
                        "size",
                        List.of(Parameter.of("size", Kind.U64, "bytes", "how big")),
                        "Sets the size.",
                        "size 4K",
                        (carpenter, arguments) -> carpenter.shelf.resize(arguments.u64("size")))
                .operation(
                        "varnish",
                        List.of(),
                        "Makes it one bigger.",
                        "varnish",
                        (carpenter, _) -> carpenter.shelf.resize(carpenter.shelf.size + 1))
                .build();

        private final Shelf shelf;

        Carpenter(Shelf shelf) {
            this.shelf = shelf;
        }

        @Override
        public Api<?> api() {
            return API;
        }

        @Override
        public String label() {
            return shelf.name;
        }
    }

    /** Machines made of shelves. */
    static final Machines MACHINES = new Machines() {
        @Override
        public List<String> semantics() {
            return List.of("old", "new");
        }

        @Override
        public String defaultSemantics() {
            return "new";
        }

        @Override
        public List<String> vmTypes() {
            return List.of("shelf");
        }

        @Override
        public Api<?> builderApi(String vmType) {
            return Carpenter.API;
        }

        @Override
        public Api<?> vmApi(String vmType) {
            return API;
        }

        @Override
        public List<Global> globals() {
            return List.of(new Global("attic", API));
        }

        @Override
        public List<Api<?>> apis() {
            return List.of(Carpenter.API, API);
        }

        @Override
        public World create(Choice choice) {
            return new World() {
                private final Events events = new Events();
                private final Shelf attic = new Shelf("attic");

                @Override
                public Events events() {
                    return events;
                }

                @Override
                public Optional<Described> global(String name) {
                    return name.equals("attic") ? Optional.of(attic) : Optional.empty();
                }

                @Override
                public Described builder(String type, String name) {
                    return new Carpenter(new Shelf(name));
                }

                @Override
                public Object build(Described builder) {
                    return ((Carpenter) builder).shelf;
                }

                @Override
                public void seams(Seams seams) {}

                @Override
                public Optional<String> violation() {
                    return Optional.empty();
                }

                @Override
                public boolean kernelBug() {
                    return false;
                }

                @Override
                public void interrupt() {}

                @Override
                public void close() {}
            };
        }
    };
}
