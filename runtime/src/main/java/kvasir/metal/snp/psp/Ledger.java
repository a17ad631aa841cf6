package kvasir.metal.snp.psp;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import kvasir.registry.Api;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;

/**
 * The steps of one guest's launch digest, in order.
 *
 * @param records numbered from 1 without gaps
 */
public record Ledger(List<LedgerRecord> records) implements Described {
    /** What scripts may do with it. */
    public static final Api<Ledger> API = Api.of(
                    "snp ledger", Ledger.class, "The launch digest as numbered records, one a page.")
            .property("pages", "u64", "Number of records.", "assert g.ledger.pages == 52", l -> (long) l.records.size())
            .property("digest", "bytes", "Launch digest after the last record.", "show g.ledger.digest", Ledger::digest)
            .operation(
                    "diff",
                    List.of(Api.Parameter.of("other", Api.Kind.HANDLE, "", "the ledger to compare with")),
                    "Says in words which record differs first; \"equal\" when none does.",
                    "show a.ledger.diff b.ledger",
                    (l, a) -> a.get("other", Described.class) instanceof Ledger other
                            ? l.diff(other).orElse("equal")
                            : new Outcome.Failed("EINVAL", "an SNP ledger is compared with another", Map.of()))
            .index(
                    "One record as text, counted from 1.",
                    "show g.ledger[1]",
                    (l, key) -> key instanceof Long number && number > 0 && number <= l.records.size()
                            ? l.records.get(number.intValue() - 1).describe()
                            : new Outcome.Failed("EINVAL", "the ledger has records 1 to " + l.records.size(), Map.of()))
            .build();

    private static final Bytes ZEROS = Bytes.of(new byte[LaunchDigest.BYTES]);

    public Ledger {
        records = List.copyOf(records);
    }

    /** The digest after the last record; zeros before the first. */
    public Bytes digest() {
        return records.isEmpty() ? ZEROS : records.getLast().digest();
    }

    /** In words, the first record in which {@code other} differs; empty when the two are equal. */
    public Optional<String> diff(Ledger other) {
        int common = Math.min(records.size(), other.records.size());
        for (int i = 0; i < common; i++) {
            LedgerRecord a = records.get(i);
            LedgerRecord b = other.records.get(i);
            Optional<String> what = difference(a, b);
            if (what.isPresent()) {
                return Optional.of("record %d: %s".formatted(i + 1, what.get()));
            }
        }
        if (records.size() == other.records.size()) {
            return Optional.empty();
        }
        List<LedgerRecord> longer = records.size() > common ? records : other.records;
        return Optional.of("record %d: only in the %s launch: %s page at gpa 0x%x (%d records more)"
                .formatted(
                        common + 1,
                        records.size() > common ? "first" : "second",
                        longer.get(common).type(),
                        longer.get(common).gpa(),
                        longer.size() - common));
    }

    private static Optional<String> difference(LedgerRecord a, LedgerRecord b) {
        if (a.gpa() != b.gpa()) {
            return Optional.of(
                    "a page at gpa 0x%x (%s) against one at 0x%x (%s)".formatted(a.gpa(), a.type(), b.gpa(), b.type()));
        }
        if (a.type() != b.type()) {
            return Optional.of("the page at gpa 0x%x is %s against %s".formatted(a.gpa(), a.type(), b.type()));
        }
        if (!a.contents().equals(b.contents())) {
            return Optional.of("%s page at gpa 0x%x: content %s... against %s..."
                    .formatted(
                            a.type(),
                            a.gpa(),
                            a.contents().hex().substring(0, 16),
                            b.contents().hex().substring(0, 16)));
        }
        if (a.permissions() != b.permissions() || a.imi() != b.imi()) {
            return Optional.of("the page at gpa 0x%x has VMPL permissions 0x%06x against 0x%06x"
                    .formatted(a.gpa(), a.permissions(), b.permissions()));
        }
        return a.digest().equals(b.digest())
                ? Optional.empty()
                : Optional.of("the same page at gpa 0x%x on different digests".formatted(a.gpa()));
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return "ledger";
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(
                records.isEmpty()
                        ? "no page was added"
                        : records.stream().map(LedgerRecord::describe).collect(Collectors.joining("\n")));
    }
}
