package kvasir.vmm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
            .index("ledger[number] is one record; the first has number 1.", "show td.ledger[1]", (l, key) -> l.at(key))
            .build();

    /** Lines at either end of a long ledger. */
    private static final int SHOWN = 20;

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

    private Object at(Object key) {
        Ledger ledger = ledger();
        return key instanceof Long number && number >= 1 && number <= ledger.size()
                ? record(ledger.records().get((int) (number - 1)))
                : new Outcome.Failed("EINVAL", "the records are 1 to " + ledger.size(), Map.of());
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

    /** A line for each run of one leaf over consecutive addresses; the middle of many lines is left out. */
    @Override
    public Optional<String> picture() {
        List<Ledger.Entry> records = ledger().records();
        if (records.isEmpty()) {
            return Optional.of("no records: nothing is measured yet");
        }
        var lines = new ArrayList<String>();
        int start = 0;
        for (int i = 1; i <= records.size(); i++) {
            if (i == records.size() || !follows(records.get(i - 1), records.get(i))) {
                lines.add(line(records.get(start), records.get(i - 1)));
                start = i;
            }
        }
        if (lines.size() > 2 * SHOWN + 1) {
            int out = lines.size() - 2 * SHOWN;
            lines.subList(SHOWN, lines.size() - SHOWN).clear();
            lines.add(SHOWN, "%10s  %,d more lines; `records` has every record".formatted("...", out));
        }
        lines.addFirst("%,d record%s".formatted(records.size(), records.size() == 1 ? "" : "s"));
        return Optional.of(String.join("\n", lines));
    }

    private static boolean follows(Ledger.Entry before, Ledger.Entry entry) {
        return entry.register().equals(before.register())
                && entry.leaf().equals(before.leaf())
                && entry.gpa() == before.gpa() + step(before);
    }

    private static long step(Ledger.Entry entry) {
        return entry.content().length() == 0 ? 4096 : entry.content().length();
    }

    private static String line(Ledger.Entry first, Ledger.Entry last) {
        String numbers = first.number() == last.number()
                ? String.valueOf(first.number())
                : first.number() + ".." + last.number();
        return "%10s  %-5s  %-18s  %-23s  %s"
                .formatted(
                        numbers,
                        first.register(),
                        first.leaf(),
                        "0x%x..0x%x".formatted(first.gpa(), last.gpa() + step(last)),
                        last.digest().hex().substring(0, 12));
    }
}
