package kvasir.vmm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import kvasir.event.Topic;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.Ledger;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Described;
import kvasir.registry.Outcome;

/** {@code td.ledger}: what went into MRTD and the RTMRs. */
final class LedgerView implements Described {
    static final Api<LedgerView> API = Api.of(
                    "td ledger", LedgerView.class, "The measurement ledger of a TD: every contribution, in order.")
            .operation(
                    "diff",
                    List.of(Parameter.of("other", Kind.HANDLE, "", "another ledger")),
                    "The first record in which two ledgers differ, and why, in words.",
                    "show td.ledger.diff(other.ledger)",
                    (l, a) -> l.diff(a.get("other", Described.class)))
            .property("count", "u64", "Number of records.", "show td.ledger.count", l ->
                    (long) l.ledger().size())
            .property(
                    "records",
                    "list of record",
                    "The records: number, register, leaf, gpa, content, digest.",
                    "show td.ledger.records",
                    l -> l.ledger().records().stream().map(LedgerView::record).toList())
            .build();

    private final Machine machine;
    private final TdxVm td;

    LedgerView(Machine machine, TdxVm td) {
        this.machine = machine;
        this.td = td;
    }

    private Ledger ledger() {
        return machine.tdxHost().module().ledger(td.tdr());
    }

    private static Map<String, ?> record(Ledger.Entry entry) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("number", (long) entry.number());
        fields.put("register", entry.register());
        fields.put("leaf", entry.leaf());
        fields.put("gpa", entry.gpa());
        fields.put("content", entry.content());
        fields.put("digest", entry.digest());
        return fields;
    }

    private Object diff(Described other) {
        return other instanceof LedgerView view
                ? ledger().difference(view.ledger())
                : new Outcome.Failed("EINVAL", other.label() + " is not a ledger of a TD", Map.of());
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return td.vm().name() + ".ledger";
    }

    @Override
    public Topic topic() {
        return Topic.of(td.vm().name() + ".mrtd", 0, 1);
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(ledger().records().stream()
                .map(entry -> "%4d  %-5s  %-20s  0x%08x  %3d bytes  %s..."
                        .formatted(
                                entry.number(),
                                entry.register(),
                                entry.leaf(),
                                entry.gpa(),
                                entry.content().length(),
                                entry.digest().hex().substring(0, 16)))
                .collect(Collectors.joining("\n")));
    }
}
