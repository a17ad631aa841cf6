package kvasir.vmm;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import kvasir.event.Topic;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.Tdcs;
import kvasir.metal.tdx.Tdr;
import kvasir.registry.Api;
import kvasir.registry.Bytes;
import kvasir.registry.Described;

/** {@code td.tdcs}: the fields of TDR and TDCS, read from their bytes. */
final class TdcsView implements Described {
    static final Api<TdcsView> API = Api.of("tdcs", TdcsView.class, "Control structures of a TD: TDR and TDCS.")
            .property(
                    "lifecycle",
                    "string",
                    "TD_HKID_ASSIGNED, TD_KEYS_CONFIGURED, TD_BLOCKED, TD_TEARDOWN; NONE without a TDR.",
                    "show td.tdcs.lifecycle",
                    t -> t.tdr(tdr -> tdr.lifecycle().name(), "NONE"))
            .property("fatal", "bool", "TDR.FATAL.", "show td.tdcs.fatal", t -> t.tdr(Tdr::fatal, false))
            .property(
                    "chldcnt", "u64", "4K units of child pages.", "show td.tdcs.chldcnt", t -> t.tdr(Tdr::chldcnt, 0L))
            .property(
                    "op_state",
                    "string",
                    "UNINITIALIZED, INITIALIZED, RUNNABLE ...",
                    "show td.tdcs.op_state",
                    t -> t.tdcs(tdcs -> tdcs.opState().name(), "UNINITIALIZED"))
            .property("epoch", "u64", "TD_EPOCH.", "show td.tdcs.epoch", t -> t.tdcs(Tdcs::tdEpoch, 0L))
            .property(
                    "num_vcpus",
                    "u64",
                    "vCPUs after TDH.VP.INIT.",
                    "show td.tdcs.num_vcpus",
                    t -> t.tdcs(tdcs -> (long) tdcs.numVcpus(), 0L))
            .property("attributes", "u64", "ATTRIBUTES.", "show td.tdcs.attributes", t -> t.tdcs(Tdcs::attributes, 0L))
            .property("xfam", "u64", "XFAM.", "show td.tdcs.xfam", t -> t.tdcs(Tdcs::xfam, 0L))
            .property(
                    "mrtd",
                    "bytes",
                    "The MRTD field: zeros before `finalize`.",
                    "show td.tdcs.mrtd",
                    t -> t.tdcs(Tdcs::mrtd, Bytes.of(new byte[48])))
            .build();

    private final TdxVm td;

    TdcsView(TdxVm td) {
        this.td = td;
    }

    private <V> V tdr(Function<Tdr, V> read, V otherwise) {
        return td.root().map(read).orElse(otherwise);
    }

    private <V> V tdcs(Function<Tdcs, V> read, V otherwise) {
        return td.root()
                .filter(Tdr::hasTdcs)
                .map(root -> read.apply(root.tdcs()))
                .orElse(otherwise);
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return td.vm().name() + ".tdcs";
    }

    @Override
    public Topic topic() {
        return Topic.of(label(), 0, 1);
    }

    @Override
    public Optional<String> picture() {
        Map<String, Object> lines = new LinkedHashMap<>();
        API.properties()
                .forEach(
                        property -> lines.put(property.name(), property.getter().apply(this)));
        return Optional.of(Text.table(lines));
    }
}
