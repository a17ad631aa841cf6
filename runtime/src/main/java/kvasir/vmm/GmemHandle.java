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
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
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
                    "truncate",
                    List.of(Parameter.of("size", Kind.U64, "bytes", "any")),
                    "ftruncate: EINVAL, the size is set once and for all.",
                    "td.gmem0.truncate 4K -> EINVAL",
                    (g, _) -> g.file.truncate().outcome())
            .operation(
                    "pread",
                    List.of(),
                    "read or pread on the descriptor: EINVAL, there is no such file operation.",
                    "td.gmem0.pread -> EINVAL",
                    (g, _) -> g.file.readOrWrite().outcome())
            .operation(
                    "pwrite",
                    List.of(),
                    "write or pwrite on the descriptor: EINVAL, there is no such file operation.",
                    "td.gmem0.pwrite -> EINVAL",
                    (g, _) -> g.file.readOrWrite().outcome())
            .operation(
                    "mmap",
                    List.of(VmBuilder.flag("private", "MAP_PRIVATE instead of MAP_SHARED")),
                    "mmap of the file: whether it is allowed. Accesses through the mapping are `load` and `store`. "
                            + "Errors: ENODEV without MMAP; EINVAL with MAP_PRIVATE.",
                    "plain.gmem0.mmap",
                    (g, a) -> g.file.canMap(!a.flag("private")).outcome())
            .operation(
                    "load",
                    List.of(Parameter.of("range", Kind.RANGE, "bytes", "offsets in the file, at most 16M")),
                    "The VMM reads through its shared mapping; pages are allocated. SIGBUS past the end, on a poisoned "
                            + "page, or without INIT_SHARED.",
                    "show plain.gmem0.load 0 .. 16",
                    (g, a) -> g.load(a.range("range")))
            .operation(
                    "store",
                    List.of(
                            Parameter.of("offset", Kind.U64, "bytes", "in the file"),
                            Parameter.of("bytes", Kind.BYTES, "", "what to write")),
                    "The VMM writes through its shared mapping; what lies before a SIGBUS is written.",
                    "plain.gmem0.store 0 hex\"aa\"",
                    (g, a) -> g.store(a.u64("offset"), a.bytes("bytes")))
            .operation(
                    "madvise",
                    List.of(Parameter.of("advice", Kind.WORD, "", "MADV_*").among("hugepage", "dontneed", "collapse")),
                    "madvise on the mapping of the file: collapse is EINVAL, there are no huge pages.",
                    "plain.gmem0.madvise collapse -> EINVAL",
                    (g, a) -> g.file.madvise(a.string("advice").equals("collapse"))
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
                    (g, key) -> key instanceof Long offset
                            ? g.page(offset)
                            : new Outcome.Failed("EINVAL", "a file takes an offset, not a range", Map.of()))
            .build();

    private final Vm vm;
    private final GuestMemfd file;

    GmemHandle(Vm vm, GuestMemfd file) {
        this.vm = vm;
        this.file = file;
    }

    private Object load(Range range) {
        if (range.size() < 0 || range.size() > 16 << 20) {
            return new Outcome.Failed("E2BIG", "load takes at most 16M", Map.of());
        }
        var bytes = new byte[(int) range.size()];
        return access(range.start(), bytes, false).<Object>map(bus -> bus).orElseGet(() -> Bytes.of(bytes));
    }

    private Outcome store(long offset, Bytes bytes) {
        return access(offset, bytes.toArray(), true).orElseGet(Outcome::ok);
    }

    /** A SIGBUS, if there is one. */
    private Optional<Outcome> access(long offset, byte[] bytes, boolean write) {
        for (int done = 0; done < bytes.length; ) {
            long at = offset + done;
            int chunk = (int) Math.min(bytes.length - done, 4096 - (at & 4095));
            long pfn = file.mappable() ? file.userFault(at >>> 12) : -1;
            if (pfn < 0) {
                return Optional.of(new Outcome.Failed(
                        "SIGBUS", "kvm_gmem_fault_user_mapping: offset 0x%x".formatted(at), Map.of("offset", at)));
            }
            if (write && !vm.kvm().pages().writable(pfn)) {
                return Optional.of(new Outcome.Failed(
                        "SIGBUS",
                        "the reverse map refuses: the page at offset 0x%x is a guest's".formatted(at),
                        Map.of("offset", at)));
            }
            if (write) {
                vm.kvm().memory().write((pfn << 12) + (at & 4095), bytes, done, chunk);
            } else {
                vm.kvm().memory().read((pfn << 12) + (at & 4095), bytes, done, chunk);
            }
            done += chunk;
        }
        return Optional.empty();
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
