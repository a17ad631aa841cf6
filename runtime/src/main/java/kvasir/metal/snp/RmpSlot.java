package kvasir.metal.snp;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import kvasir.event.Topic;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.State;

/** {@code rmp[spa]}: one page's entry, read again at each question. */
public final class RmpSlot implements Described {
    /** What scripts may do with it. */
    public static final Api<RmpSlot> API = Api.of("rmp entry", RmpSlot.class, "The RMP entry that speaks for one page.")
            .property(
                    "assigned",
                    "bool",
                    "Owned by a guest or by firmware.",
                    "assert rmp[0x1000].assigned == true",
                    s -> s.entry().assigned())
            .property(
                    "validated",
                    "bool",
                    "Validated bit.",
                    "assert rmp[0x1000].validated == false",
                    s -> s.entry().validated())
            .property(
                    "immutable",
                    "bool",
                    "Immutable bit.",
                    "assert rmp[0x1000].immutable == false",
                    s -> s.entry().immutable())
            .property(
                    "vmsa",
                    "bool",
                    "VMSA bit.",
                    "assert rmp[0x1000].vmsa == false",
                    s -> s.entry().vmsa())
            .property(
                    "size",
                    "u64",
                    "4K or 2M, in bytes.",
                    "assert rmp[0x1000].size == 4K",
                    s -> s.entry().size().bytes())
            .property(
                    "gpa",
                    "u64",
                    "Guest page that this entry backs.",
                    "assert rmp[0x1000].gpa == 0",
                    s -> s.entry().gpa())
            .property("asid", "u64", "Owner; 0 is no guest.", "assert rmp[0x1000].asid == 1", s ->
                    (long) s.entry().asid())
            .index(
                    "Permissions of one VMPL (0 to 3) as letters: r w u(ser fetch) s(upervisor fetch) k (shadow stack).",
                    "assert rmp[0x1000][0] == \"rwusk\"",
                    (s, vmpl) -> Access.permissionWord(s.entry().permissions(((Long) vmpl).intValue() & 3)))
            .build();

    private final Rmp rmp;
    private final long spa;

    RmpSlot(Rmp rmp, long spa) {
        this.rmp = rmp;
        this.spa = spa & -4096L;
    }

    private RmpEntry entry() {
        return rmp.lookup(spa).orElse(RmpEntry.HYPERVISOR);
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return "rmp[0x%x]".formatted(spa);
    }

    @Override
    public Topic topic() {
        return Topic.of(Rmp.SPACE, spa, 4096);
    }

    @Override
    public Optional<State> state() {
        RmpEntry entry = entry();
        var fields = new LinkedHashMap<String, Object>();
        fields.put("gpa", entry.gpa());
        fields.put("asid", (long) entry.asid());
        fields.put("size", entry.size().bytes());
        fields.put("validated", entry.validated());
        fields.put("immutable", entry.immutable());
        fields.put("vmsa", entry.vmsa());
        return Optional.of(
                new State(entry.pageState().name(), List.of(entry.size().bytes()), fields));
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(entry().describe());
    }
}
