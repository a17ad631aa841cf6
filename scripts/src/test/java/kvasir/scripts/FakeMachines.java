package kvasir.scripts;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.event.Event;
import kvasir.event.Events;
import kvasir.event.Topic;
import kvasir.kvm.Seams;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.registry.State;

/** A machine of a few lines: a table of 4K leaves, filled by {@code map}. It tests the engine, not a model of KVM. */
final class FakeMachines implements Machines {
    @Override
    public List<String> semantics() {
        return List.of("old", "sean", "v6.16");
    }

    @Override
    public String defaultSemantics() {
        return "v6.16";
    }

    @Override
    public List<String> vmTypes() {
        return List.of("plain");
    }

    @Override
    public Api<?> builderApi(String vmType) {
        return Builder.API;
    }

    @Override
    public Api<?> vmApi(String vmType) {
        return FakeVm.API;
    }

    @Override
    public List<Global> globals() {
        return List.of();
    }

    @Override
    public List<Api<?>> apis() {
        return List.of(Builder.API, FakeVm.API, FakeVcpu.API, Table.API, Entry.API);
    }

    @Override
    public World create(Choice choice) {
        return new FakeWorld(choice);
    }

    record Mapped(Topic topic, long gpa) implements Event {
        @Override
        public String describe() {
            return "spte " + topic.space() + "[0x" + Long.toHexString(gpa) + "] 4K installed";
        }
    }

    private static final class FakeWorld implements World {
        private final Choice choice;
        private final Events events = new Events();

        FakeWorld(Choice choice) {
            this.choice = choice;
        }

        @Override
        public Events events() {
            return events;
        }

        @Override
        public Optional<Described> global(String name) {
            return Optional.empty();
        }

        @Override
        public Described builder(String type, String name) {
            return new Builder(name, events, choice);
        }

        @Override
        public Object build(Described builder) {
            return ((Builder) builder).build();
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
    }

    private static final class Builder implements Described {
        static final Api<Builder> API = Api.of("plain", Builder.class, "What a plain VM has.")
                .operation(
                        "vcpus",
                        List.of(Parameter.of("count", Kind.U64, "vcpus", "how many")),
                        "Gives it vCPUs.",
                        "vcpus 1",
                        (builder, arguments) -> {
                            builder.vcpus = arguments.u64("count");
                            return Outcome.ok();
                        })
                .operation(
                        "memory",
                        List.of(
                                Parameter.of("range", Kind.RANGE, "bytes", "guest-physical"),
                                new Parameter("private", Kind.BOOL, "", "private", List.of(), true, true)),
                        "Gives it memory.",
                        "memory 0 .. 64M",
                        (builder, arguments) -> {
                            Range range = arguments.range("range");
                            if (range.size() % 4096 != 0) {
                                return new Outcome.Failed("EINVAL", "the size is no multiple of 4K", Map.of());
                            }
                            builder.memory = range;
                            return Outcome.ok();
                        })
                .build();

        private final String name;
        private final Events events;
        private final Choice choice;
        private long vcpus;
        private Range memory = new Range(0, 0);

        Builder(String name, Events events, Choice choice) {
            this.name = name;
            this.events = events;
            this.choice = choice;
        }

        Object build() {
            return new FakeVm(name, events, choice, vcpus, memory);
        }

        @Override
        public Api<?> api() {
            return API;
        }

        @Override
        public String label() {
            return name;
        }
    }

    private static final class FakeVm implements Described {
        static final Api<FakeVm> API = Api.of("vm", FakeVm.class, "A VM.")
                .property("vcpus", "list of vcpu", "Its vCPUs.", "vm.vcpu0", vm -> vm.vcpus)
                .property("ept", "table", "Its table.", "vm.ept[0]", vm -> vm.table)
                .property(
                        "mrtd",
                        "bytes",
                        "A digest.",
                        "vm.mrtd",
                        vm -> Bytes.of((byte) vm.table.leaves.size(), (byte) 7))
                .build();

        private final String name;
        private final List<FakeVcpu> vcpus = new ArrayList<>();
        private final Table table;
        private final Range memory;
        private final Choice choice;

        FakeVm(String name, Events events, Choice choice, long count, Range memory) {
            this.name = name;
            this.choice = choice;
            this.memory = memory;
            this.table = new Table(name + ".ept", events);
            for (int i = 0; i < count; i++) {
                vcpus.add(new FakeVcpu(this, i));
            }
        }

        @Override
        public Api<?> api() {
            return API;
        }

        @Override
        public String label() {
            return name;
        }
    }

    private static final class FakeVcpu implements Described {
        static final Api<FakeVcpu> API = Api.of("vcpu", FakeVcpu.class, "A vCPU.")
                .operation(
                        "map_memory",
                        List.of(Parameter.of("range", Kind.RANGE, "bytes", "guest-physical addresses")),
                        "Maps a range.",
                        "vm.vcpu0.map_memory 0 .. 2M",
                        FakeVcpu::map)
                .operation("run", List.of(), "Runs the guest.", "vm.vcpu0.run -> HLT", FakeVcpu::run)
                .operation(
                        "set_mode",
                        List.of(
                                Parameter.of("mode", Kind.WORD, "", "operating mode")
                                        .among("real", "protected", "long"),
                                Parameter.of("at", Kind.U64, "bytes", "where")
                                        .asKeyword()
                                        .orAbsent(),
                                Parameter.of("count", Kind.U64, "pages", "how many")
                                        .asKeyword()
                                        .orAbsent()),
                        "Sets the mode.",
                        "vm.vcpu0.set_mode long at 1M",
                        (vcpu, arguments) -> Outcome.ok())
                .operation("crash", List.of(), "Has a bug.", "vm.vcpu0.crash", FakeVcpu::crash)
                .operation(
                        "race",
                        List.of(),
                        "Is not there.",
                        "vm.vcpu0.race",
                        (vcpu, arguments) -> new Outcome.Failed("unsupported", "no such silicon", Map.of()))
                .property("exits", "u64", "How often it came back.", "vm.vcpu0.exits", vcpu -> vcpu.exits)
                .build();

        private final FakeVm vm;
        private final int index;
        private long exits;

        FakeVcpu(FakeVm vm, int index) {
            this.vm = vm;
            this.index = index;
        }

        private Object map(kvasir.registry.Arguments arguments) {
            Range range = arguments.range("range");
            if ((range.start() | range.end()) % 4096 != 0) {
                return new Outcome.Failed("EINVAL", "gpa and size must be multiples of 4K", Map.of());
            }
            if (vm.choice.semantics().equals("old")) {
                return new Outcome.Failed("EOPNOTSUPP", "the call does not exist before 6.11", Map.of());
            }
            for (long gpa = range.start(); gpa < range.end(); gpa += 4096) {
                if (!vm.memory.contains(gpa)) {
                    return new Outcome.Ok(Map.of("left", range.end() - gpa));
                }
                vm.table.map(gpa);
            }
            return new Outcome.Ok(Map.of("left", 0L));
        }

        private Object run(kvasir.registry.Arguments arguments) {
            exits++;
            return new Outcome.Exit("HLT", Map.of());
        }

        private Object crash(kvasir.registry.Arguments arguments) {
            throw new IllegalStateException("frame 7 is not there");
        }

        @Override
        public Api<?> api() {
            return API;
        }

        @Override
        public String label() {
            return vm.label() + ".vcpu" + index;
        }
    }

    private static final class Table implements Described {
        static final Api<Table> API = Api.of("table", Table.class, "A table of leaves.")
                .index("The entry that maps a gpa.", "vm.ept[0x1000]", (table, key) -> switch (key) {
                    case Long gpa -> new Entry(table, gpa);
                    case Range range -> {
                        var entries = new ArrayList<Entry>();
                        for (long gpa = range.start(); gpa < range.end(); gpa += 4096) {
                            entries.add(new Entry(table, gpa));
                        }
                        yield entries;
                    }
                    default -> new Outcome.Failed("EINVAL", "a key is a gpa or a range", Map.of());
                })
                .build();

        private final String label;
        private final Events events;
        private final Map<Long, Long> leaves = new LinkedHashMap<>();

        Table(String label, Events events) {
            this.label = label;
            this.events = events;
        }

        void map(long gpa) {
            leaves.put(gpa, gpa);
            if (events.listening()) {
                events.emit(new Mapped(Topic.of(label, gpa, 4096), gpa));
            }
        }

        @Override
        public Api<?> api() {
            return API;
        }

        @Override
        public String label() {
            return label;
        }

        @Override
        public Topic topic() {
            return new Topic(label, 0, 0);
        }

        @Override
        public Optional<String> picture() {
            var lines = new ArrayList<String>();
            leaves.keySet().forEach(gpa -> lines.add(String.format("0x%08x 4K rwx", gpa)));
            return Optional.of(String.join("\n", lines));
        }
    }

    private record Entry(Table table, long gpa) implements Described {
        static final Api<Entry> API = Api.of("entry", Entry.class, "One entry.").build();

        @Override
        public Api<?> api() {
            return API;
        }

        @Override
        public String label() {
            return table.label() + "[0x" + Long.toHexString(gpa) + "]";
        }

        @Override
        public Topic topic() {
            return Topic.of(table.label(), gpa, 4096);
        }

        @Override
        public Optional<State> state() {
            return Optional.of(
                    table.leaves.containsKey(gpa)
                            ? new State("leaf", List.of(4096L, "rwx"), Map.of("pfn", gpa >>> 12))
                            : new State("empty", List.of(), Map.of()));
        }
    }
}
