package kvasir.vmm;

import java.util.Optional;
import kvasir.kvm.mmu.MmuStats;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.registry.Api;
import kvasir.registry.Described;

/** {@code vm.stats}. */
final class StatsHandle implements Described {
    static final Api<StatsHandle> API = declare();

    private final String owner;
    private final TdpMmu mmu;

    StatsHandle(String owner, TdpMmu mmu) {
        this.owner = owner;
        this.mmu = mmu;
    }

    private static Api<StatsHandle> declare() {
        Api.Builder<StatsHandle> api = Api.of(
                        "stats", StatsHandle.class, "Counters of a VM's MMU, by the kernel's names.")
                .property(
                        "table_pages",
                        "u64",
                        "Page-table pages in use.",
                        "show plain.stats.table_pages",
                        s -> s.mmu.tablePages());
        for (String name : new MmuStats().all().keySet()) {
            api = api.property(
                    name,
                    "u64",
                    "As in KVM_GET_STATS_FD.",
                    "show plain.stats." + name,
                    s -> s.mmu.stats().all().getOrDefault(name, 0L));
        }
        return api.build();
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return owner + ".stats";
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(Text.table(mmu.stats().all()));
    }
}
