package kvasir.scripts.coverage;

import java.util.List;
import java.util.function.Consumer;
import kvasir.event.Event;
import kvasir.metal.tdx.LeafDone;
import kvasir.metal.tdx.LeafForm;
import kvasir.metal.tdx.Status;

/** Leaf by completion status of the TDX module: {@code kvs coverage seamcall} and {@code kvs coverage tdcall}. */
final class LeafCoverage implements Coverage {
    private final String word;
    private final boolean host;

    private LeafCoverage(String word, boolean host) {
        this.word = word;
        this.host = host;
    }

    /** What a host can be answered. */
    static LeafCoverage seamcall() {
        return new LeafCoverage("seamcall", true);
    }

    /** What a guest can be answered. */
    static LeafCoverage tdcall() {
        return new LeafCoverage("tdcall", false);
    }

    @Override
    public String word() {
        return word;
    }

    @Override
    public String doc() {
        return host
                ? "every completion status that each SEAMCALL leaf can answer"
                : "every completion status that each TDCALL leaf can answer";
    }

    @Override
    public List<String> suites() {
        return List.of("scripts/tdx");
    }

    @Override
    public List<Row> known() {
        return LeafForm.all().stream()
                .filter(form -> form.host() == host && form.maxVersion() >= 0)
                .flatMap(form -> form.statuses().stream().map(status -> new Row(form.name(), status.abiName())))
                .toList();
    }

    @Override
    public void hear(Event event, Consumer<Row> provoked) {
        if (event instanceof LeafDone done) {
            Status.of(done.out().rax()).ifPresent(status -> provoked.accept(new Row(done.leaf(), status.abiName())));
        }
    }
}
