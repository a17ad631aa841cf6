package kvasir.vmm;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import kvasir.event.Topic;
import kvasir.kvm.Vm;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.kvm.mm.PageExtents;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.State;

/** A guest_memfd file as scripts hold it. */
final class GmemHandle implements Described {
    static final Api<GmemHandle> API = Api.of("gmem", GmemHandle.class, "A guest_memfd file.")
            .operation(
                    "fallocate",
                    List.of(
                            Parameter.of("mode", Kind.U64, "", "1 KEEP_SIZE, 3 KEEP_SIZE | PUNCH_HOLE"),
                            VmHandle.keyword("offset", Kind.U64, "bytes", "first byte"),
                            VmHandle.keyword("length", Kind.U64, "bytes", "how many")),
                    "fallocate on the file. Errors: EINVAL, EOPNOTSUPP, ENOMEM.",
                    "td.gmem0.fallocate 3 offset 0 length 4K",
                    (g, a) -> g.file.fallocate((int) a.u64("mode"), a.u64("offset", 0), a.u64("length", 0))
                            .outcome())
            .operation(
                    "close",
                    List.of(),
                    "close of the descriptor. With the last one the pages go, and the slots lose their file.",
                    "td.gmem0.close",
                    (g, _) -> {
                        g.vm.closeGmem(g.file);
                        return Outcome.ok();
                    })
            .operation(
                    "poison",
                    List.of(Parameter.of("offset", Kind.U64, "bytes", "any offset in the page")),
                    "The page gets an uncorrectable memory error: it is unmapped from guests and kept.",
                    "td.gmem0.poison 0",
                    (g, a) -> {
                        g.file.poison(a.u64("offset") >>> 12);
                        return Outcome.ok();
                    })
            .property("fd", "u64", "Descriptor.", "show td.gmem0.fd", g -> (long) g.file.fd())
            .property("size", "u64", "Bytes.", "show td.gmem0.size", g -> g.file.size())
            .property("flags", "u64", "1 MMAP, 2 INIT_SHARED.", "show td.gmem0.flags", g -> g.file.flags())
            .property(
                    "allocated",
                    "u64",
                    "Bytes that have pages.",
                    "assert td.gmem0.allocated == 0",
                    g -> g.file.extents().stream()
                                    .mapToLong(PageExtents.Run::pages)
                                    .sum()
                            << 12)
            .index(
                    "The page at an offset: allocated, with pfn and whether it is prepared; hole if there is none.",
                    "assert td.gmem0[0] is hole",
                    (g, key) -> g.page((Long) key))
            .build();

    private final Vm vm;
    private final GuestMemfd file;

    GmemHandle(Vm vm, GuestMemfd file) {
        this.vm = vm;
        this.file = file;
    }

    private Described page(long offset) {
        long pfn = file.pageAt(offset >>> 12);
        State state = pfn < 0
                ? new State("hole", List.of(), Map.of())
                : new State(
                        "allocated",
                        List.of(),
                        new java.util.TreeMap<>(Map.of("pfn", pfn, "prepared", file.preparedAt(offset >>> 12))));
        return new Cell("%s[0x%x]".formatted(label(), offset), Topic.of(vm.name() + ".gmem", offset, 1), state);
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return vm.name() + ".gmem" + vm.gmems().indexOf(file);
    }

    @Override
    public Topic topic() {
        return new Topic(vm.name() + ".gmem", 0, file.size());
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(file.extents().stream()
                .map(run -> "%s  pfn 0x%x"
                        .formatted(Text.range(run.index() << 12, (run.index() + run.pages()) << 12), run.pfn()))
                .collect(Collectors.joining("\n")));
    }
}
