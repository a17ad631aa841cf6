package kvasir.vmm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import kvasir.event.Topic;
import kvasir.kvm.EventFd;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.mm.HostPte;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.mm.Vma;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.registry.State;

/** The VMM process's address space as scripts hold it. */
final class MmHandle implements Described {
    static final Api<MmHandle> API = Api.of(
                    "process",
                    MmHandle.class,
                    "The VMM process's address space: its mappings and the host's page tables. All VMs of a script "
                            + "share one process.")
            .operation(
                    "eventfd",
                    List.of(),
                    "eventfd(2): a counter that KVM_IOEVENTFD and KVM_IRQFD work on; gives the descriptor.",
                    "let fd = plain.host.eventfd",
                    (p, _) -> (long) p.mm.descriptors().open(new EventFd()))
            .operation(
                    "signal_eventfd",
                    List.of(Parameter.of("fd", Kind.U64, "", "what `eventfd` gave")),
                    "write(2) of 1. Errors: EBADF, EINVAL.",
                    "pc.host.signal_eventfd fd",
                    (p, a) -> p.withEventFd(a.u64("fd"), file -> {
                        file.signal(1);
                        return Outcome.ok();
                    }))
            .operation(
                    "read_eventfd",
                    List.of(Parameter.of("fd", Kind.U64, "", "what `eventfd` gave")),
                    "read(2): the counter, which becomes 0. Errors: EAGAIN if it is 0; EBADF, EINVAL.",
                    "assert plain.host.read_eventfd(fd) == 2",
                    (p, a) -> p.withEventFd(
                            a.u64("fd"),
                            file -> file.count() == 0
                                    ? new Outcome.Failed("EAGAIN", "the counter is 0", Map.of())
                                    : (Object) file.take()))
            .operation(
                    "memfd",
                    List.of(Parameter.of("size", Kind.U64, "bytes", "rounded up to pages")),
                    "memfd_create(2) and ftruncate(2), not mapped; gives the descriptor.",
                    "let fd = plain.host.memfd(2M)",
                    (p, a) -> (long)
                            p.mm.memfd(a.u64("size") + 4095 >>> 12, 1, false).fd())
            .operation(
                    "mmap",
                    List.of(
                            Parameter.of("size", Kind.U64, "bytes", "a multiple of 4 KiB"),
                            Parameter.of("backing", Kind.WORD, "", "as in `memory`")
                                    .among(Backing.words())
                                    .asKeyword()
                                    .orAbsent(),
                            VmHandle.keyword("at", Kind.U64, "bytes", "MAP_FIXED address"),
                            VmBuilder.flag("populate", "MAP_POPULATE")),
                    "mmap, readable and writable; gives the hva.",
                    "let hva = plain.host.mmap(2M)",
                    (p, a) -> p.mmap(
                            a.u64("size"),
                            Backing.of(a.optional("backing", String.class).orElse(Backing.MEMFD.word())),
                            a.optional("at", Long.class),
                            a.flag("populate")))
            .operation(
                    "munmap",
                    List.of(hvas()),
                    "munmap. KVM's mappings of these pages go before the pages do. Errors: EINVAL.",
                    "plain.host.munmap plain.hva(0) .. plain.hva(4K)",
                    (p, a) -> p.mm.munmap(
                                    a.range("range").start(), a.range("range").end())
                            .outcome())
            .operation(
                    "mprotect",
                    List.of(
                            hvas(),
                            Parameter.of("access", Kind.WORD, "", "none, r or rw")
                                    .among("none", "r", "rw")),
                    "mprotect. KVM's mappings of present pages go, unless the mapping has this protection already. "
                            + "Errors: EINVAL; ENOMEM at a hole, what lies before it has changed.",
                    "plain.host.mprotect plain.hva(0) .. plain.hva(4K) r",
                    (p, a) -> p.mm.mprotect(
                                    a.range("range").start(),
                                    a.range("range").end(),
                                    !a.string("access").equals("none"),
                                    a.string("access").equals("rw"))
                            .outcome())
            .operation(
                    "madvise",
                    List.of(
                            hvas(),
                            Parameter.of("advice", Kind.WORD, "", "MADV_*")
                                    .among("dontneed", "hugepage", "nohugepage", "collapse")),
                    "madvise. Errors: EINVAL; ENOMEM if there is a hole, what lies around it was advised.",
                    "plain.host.madvise plain.hva(0) .. plain.hva(2M) dontneed",
                    (p, a) -> p.madvise(a.range("range"), a.string("advice")).outcome())
            .operation(
                    "populate",
                    List.of(hvas()),
                    "Faults pages in as MAP_POPULATE does: for writing where the mapping is private and writable.",
                    "plain.host.populate plain.hva(0) .. plain.hva(2M)",
                    (p, a) -> {
                        p.mm.populate(a.range("range").start(), a.range("range").end());
                        return Outcome.ok();
                    })
            .operation(
                    "userfaultfd",
                    List.of(
                            hvas(),
                            Parameter.of("mode", Kind.WORD, "", "missing: no page; minor: the file has it, unmapped")
                                    .among("missing", "minor"),
                            Parameter.of("content", Kind.BYTES, "", "what fills a missing page, repeated; else zeros")
                                    .asKeyword()
                                    .orAbsent()),
                    "UFFDIO_REGISTER, with a thread that resolves every fault at once by UFFDIO_COPY or UFFDIO_CONTINUE. "
                            + "Errors: EINVAL.",
                    "plain.host.userfaultfd plain.hva(0) .. plain.hva(0) + 2M missing content hex\"5a\"",
                    (p, a) -> p.mm.userfaultRegister(
                                    a.range("range").start(),
                                    a.range("range").end(),
                                    a.string("mode").equals("minor"),
                                    a.optional("content", Bytes.class).orElse(Bytes.of()))
                            .outcome())
            .operation(
                    "userfaultfd_unregister",
                    List.of(hvas()),
                    "UFFDIO_UNREGISTER of every registration that the range touches. Errors: EINVAL.",
                    "plain.host.userfaultfd_unregister plain.hva(0) .. plain.hva(0) + 2M",
                    (p, a) -> p.mm.userfaultUnregister(
                                    a.range("range").start(), a.range("range").end())
                            .outcome())
            .operation(
                    "userfaultfd_copy",
                    List.of(
                            Parameter.of("hva", Kind.U64, "bytes", "any address in the page"),
                            Parameter.of("content", Kind.BYTES, "", "what fills the page, repeated")),
                    "UFFDIO_COPY of one page before anybody asks. Errors: EEXIST, ENOENT if it is not registered.",
                    "plain.host.userfaultfd_copy plain.hva(0) hex\"5a\"",
                    (p, a) ->
                            p.mm.userfaultCopy(a.u64("hva"), a.bytes("content")).outcome())
            .operation(
                    "userfaultfd_continue",
                    List.of(Parameter.of("hva", Kind.U64, "bytes", "any address in the page")),
                    "UFFDIO_CONTINUE of one page. Errors: EEXIST, EFAULT if the file has no page, ENOENT.",
                    "plain.host.userfaultfd_continue plain.hva(0)",
                    (p, a) -> p.mm.userfaultContinue(a.u64("hva")).outcome())
            .property(
                    "userfaults",
                    "u64",
                    "How many faults the thread behind userfaultfd was told of.",
                    "assert plain.host.userfaults == 0",
                    p -> p.mm.userfaults())
            .operation(
                    "poison",
                    List.of(Parameter.of("hva", Kind.U64, "bytes", "any address in the page")),
                    "The page gets an uncorrectable memory error (memory_failure).",
                    "plain.host.poison plain.hva(0)",
                    (p, a) -> {
                        p.mm.poison(a.u64("hva"));
                        return Outcome.ok();
                    })
            .operation(
                    "read",
                    List.of(hvas()),
                    "The VMM reads its memory, which faults pages in. Fails with EFAULT.",
                    "show plain.host.read plain.hva(0) .. plain.hva(16)",
                    (p, a) -> p.read(a.range("range")))
            .operation(
                    "write",
                    List.of(
                            Parameter.of("hva", Kind.U64, "bytes", "address"),
                            Parameter.of("bytes", Kind.BYTES, "", "what to write")),
                    "The VMM writes its memory, which faults pages in. Fails with EFAULT.",
                    "plain.host.write plain.hva(0) hex\"5a\"",
                    (p, a) -> p.write(a.u64("hva"), a.bytes("bytes")))
            .operation(
                    "signal",
                    List.of(VmHandle.keyword("after", Kind.U64, "", "how many looks at it come before; 0 is now")),
                    "A signal for the VMM's thread that makes the next system call, fallocate for example.",
                    "plain.host.signal after 2",
                    (p, a) -> {
                        p.mm.sendSignal(a.u64("after", 0));
                        return Outcome.ok();
                    })
            .operation(
                    "mark_idle",
                    List.of(hvas()),
                    "page_idle or MGLRU aging: the pages count as not accessed (mmu_notifier clear_young). TLBs keep "
                            + "what they have. Detail `value`: whether any was young.",
                    "plain.host.mark_idle plain.hva(0) .. plain.hva(2M)",
                    (p, a) -> new Outcome.Ok(Map.of(
                            "value",
                            p.mm.young(
                                    a.range("range").start(), a.range("range").end(), true))))
            .operation(
                    "is_young",
                    List.of(hvas()),
                    "Whether the guest has accessed a page of the range since it was marked idle (test_young).",
                    "assert plain.host.is_young(plain.hva(0) .. plain.hva(4K))",
                    (p, a) -> p.mm.young(
                            a.range("range").start(), a.range("range").end(), false))
            .property(
                    "rlimit_nofile",
                    "u64",
                    "RLIMIT_NOFILE: open descriptors are below it.",
                    "plain.host.rlimit_nofile = 16",
                    p -> (long) p.mm.descriptors().limit(),
                    (p, value) -> {
                        p.mm.descriptors().setLimit((int) Math.min((Long) value, Integer.MAX_VALUE));
                        return value;
                    })
            .property(
                    "cap_sys_boot",
                    "bool",
                    "Whether the process has CAP_SYS_BOOT.",
                    "plain.host.cap_sys_boot = false",
                    p -> p.mm.capSysBoot(),
                    (p, value) -> {
                        p.mm.setCapSysBoot((Boolean) value);
                        return value;
                    })
            .property(
                    "present",
                    "u64",
                    "Bytes that host page-table entries map.",
                    "assert plain.host.present == 64M",
                    p -> p.present())
            .property(
                    "vmas",
                    "list of record",
                    "Mappings, as in /proc/PID/maps.",
                    "show plain.host.vmas",
                    p -> p.mm.vmas().stream().map(MmHandle::vma).toList())
            .index(
                    "The host page-table entry at an hva: present(size, rw) or present(size, r); empty if there is none. "
                            + "Of a range: present if every page is.",
                    "assert plain.host[plain.hva(0)] is present(2M, rw)",
                    (p, key) -> key instanceof Range range ? p.range(range) : p.entry((Long) key))
            .build();

    private final Mm mm;
    private final String owner;

    MmHandle(Mm mm, String owner) {
        this.mm = mm;
        this.owner = owner;
    }

    private static Parameter hvas() {
        return Parameter.of("range", Kind.RANGE, "bytes", "hvas");
    }

    private Object mmap(long size, Backing backing, Optional<Long> at, boolean populate) {
        if (size <= 0
                || (size & 4095) != 0
                || size > Mm.TASK_SIZE / 2
                || at.filter(hva -> (hva & 4095) != 0 || Long.compareUnsigned(hva, Mm.TASK_SIZE - size) > 0)
                        .isPresent()) {
            return new Outcome.Failed(
                    "EINVAL", "mmap: size or address is not a multiple of 4 KiB, or not in user space", Map.of());
        }
        long hva = backing.map(mm, at, 0, size >>> 12);
        if (populate) {
            mm.populate(hva, hva + size);
        }
        return hva;
    }

    private IoctlResult madvise(Range range, String advice) {
        return switch (advice) {
            case "dontneed" -> mm.dontneed(range.start(), range.end());
            case "collapse" -> mm.collapse(range.start(), range.end());
            default -> mm.adviseHuge(range.start(), range.end(), advice.equals("hugepage"));
        };
    }

    private Object read(Range range) {
        if (range.size() < 0 || range.size() > 16 << 20) {
            return new Outcome.Failed("E2BIG", "read takes at most 16M", Map.of());
        }
        var bytes = new byte[(int) range.size()];
        if (!mm.read(range.start(), bytes, 0, bytes.length)) {
            return new Outcome.Failed("EFAULT", "a page cannot be read", Map.of());
        }
        return Bytes.of(bytes);
    }

    private Outcome write(long hva, Bytes bytes) {
        return mm.write(hva, bytes.toArray(), 0, bytes.length())
                ? Outcome.ok()
                : new Outcome.Failed("EFAULT", "a page cannot be written", Map.of());
    }

    private long present() {
        return mm.ptes(0, Mm.TASK_SIZE).stream().mapToLong(HostPte::pages).sum() << 12;
    }

    private Described entry(long hva) {
        State state = mm.pte(hva).map(MmHandle::state).orElseGet(() -> new State("empty", List.of(), Map.of()));
        return new Cell("%s.host[0x%x]".formatted(owner, hva), topic(), state);
    }

    private static State state(HostPte pte) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("pfn", pte.pfn());
        fields.put("level", (long) pte.level());
        fields.put("kind", pte.kind().name().toLowerCase(Locale.ROOT));
        return new State("present", List.of(pte.leafPages() << 12, pte.writable() ? "rw" : "r"), fields);
    }

    private Described range(Range range) {
        List<HostPte> runs = mm.ptes(range.start(), range.end());
        long covered = runs.stream()
                .mapToLong(run -> Math.min(run.end() << 12, range.end()) - Math.max(run.start() << 12, range.start()))
                .sum();
        boolean uniform = runs.stream()
                        .map(MmHandle::state)
                        .map(State::arguments)
                        .distinct()
                        .count()
                == 1;
        State state = runs.isEmpty()
                ? new State("empty", List.of(), Map.of())
                : covered < range.size()
                        ? new State("partial", List.of(), Map.of("present", covered))
                        : uniform ? state(runs.getFirst()) : new State("present", List.of(), Map.of());
        return new Cell("%s.host[0x%x .. 0x%x]".formatted(owner, range.start(), range.end()), topic(), state);
    }

    private static Map<String, ?> vma(Vma vma) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("start", vma.start() << 12);
        fields.put("end", vma.end() << 12);
        fields.put("what", vma.describe());
        return fields;
    }

    private Object withEventFd(long fd, java.util.function.Function<EventFd, Object> body) {
        Optional<Object> file = mm.descriptors().get((int) fd);
        if (file.isEmpty()) {
            return new Outcome.Failed("EBADF", "descriptor " + fd + " is not open", Map.of());
        }
        return file.get() instanceof EventFd eventFd
                ? body.apply(eventFd)
                : new Outcome.Failed("EINVAL", "descriptor " + fd + " is no eventfd", Map.of());
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return owner + ".host";
    }

    @Override
    public Optional<String> picture() {
        var lines = new ArrayList<String>();
        for (Vma vma : mm.vmas()) {
            lines.add("%s  %s  %s"
                    .formatted(
                            Text.range(vma.start() << 12, vma.end() << 12),
                            Text.size((vma.end() - vma.start()) << 12),
                            vma.describe()));
            for (HostPte run : mm.ptes(vma.start() << 12, vma.end() << 12)) {
                lines.add("    %s  %s  %s %s"
                        .formatted(
                                Text.range(run.start() << 12, run.end() << 12),
                                Text.size(run.leafPages() << 12),
                                run.writable() ? "rw" : "r-",
                                run.kind().name().toLowerCase(Locale.ROOT)));
            }
        }
        return Optional.of(String.join("\n", lines));
    }

    @Override
    public Topic topic() {
        return new Topic(owner + ".host", 0, 0);
    }
}
