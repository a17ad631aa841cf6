package kvasir.vmm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kvasir.event.Topic;
import kvasir.metal.tdx.PamtEntry;
import kvasir.metal.tdx.TdxModule;
import kvasir.registry.Api;
import kvasir.registry.Described;
import kvasir.registry.Range;
import kvasir.registry.State;

/** {@code td.pamt}, the page metadata of the host. */
final class PamtView implements Described {
    static final Api<PamtView> API = Api.of(
                    "pamt", PamtView.class, "Physical address metadata: what each host page is used for.")
            .index(
                    "PT_NDA, PT_RSVD, PT_REG, PT_TDR, PT_TDCX, PT_TDVPR or PT_EPT, with size, owner and bepoch; NONE "
                            + "outside the TDMRs.",
                    "assert td.pamt[td.tdr] is PT_TDR",
                    (p, key) -> p.cell(key instanceof Range range ? range.start() : (Long) key))
            .build();

    private final TdxModule module;
    private final String owner;

    PamtView(TdxModule module, String owner) {
        this.module = module;
        this.owner = owner;
    }

    private Described cell(long hpa) {
        State state =
                module.pamt().lookup(hpa).map(PamtView::state).orElseGet(() -> new State("NONE", List.of(), Map.of()));
        return new Cell("%s[0x%x]".formatted(label(), hpa), Topic.of("host", hpa & -4096L, 4096), state);
    }

    private static State state(PamtEntry entry) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("owner", entry.owner());
        fields.put("bepoch", entry.bepoch());
        fields.put("level", (long) entry.size());
        return new State(entry.type().name(), List.of(SeptCell.bytes(entry.size())), fields);
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return owner + ".pamt";
    }
}
