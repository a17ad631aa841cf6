package kvasir.kvm.invariant;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import kvasir.event.Event;
import kvasir.kvm.Vm;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.psp.CommandDone;
import kvasir.metal.snp.psp.FirmwareStatus;

/** An ASID is one context's, and the next one's only after a flush. */
final class AsidIsFlushedBeforeReuse implements StreamInvariant {
    private final Supplier<List<Vm>> vms;
    private final Map<Long, Integer> active = new TreeMap<>();
    private final TreeSet<Integer> unflushed = new TreeSet<>();

    AsidIsFlushedBeforeReuse(Supplier<List<Vm>> vms) {
        this.vms = vms;
    }

    @Override
    public String name() {
        return "asid_is_flushed_before_reuse";
    }

    @Override
    public String statement() {
        return "An active ASID is of one context, and goes to another only after WBINVD on all CPUs and DF_FLUSH:";
    }

    @Override
    public Optional<String> violation(Event event) {
        if (!(event instanceof CommandDone done) || done.status() != FirmwareStatus.SUCCESS) {
            return Optional.empty();
        }
        switch (done.command()) {
            case "SNP_ACTIVATE" -> {
                int asid = asid(done.operand());
                if (unflushed.contains(asid)) {
                    return Optional.of("%s takes ASID %d, which was not flushed".formatted(done.describe(), asid));
                }
                if (active.containsValue(asid)) {
                    return Optional.of("%s takes ASID %d, which has a guest".formatted(done.describe(), asid));
                }
                if (asid != 0) {
                    active.put(done.operand(), asid);
                }
            }
            case "SNP_DECOMMISSION" ->
                Optional.ofNullable(active.remove(done.operand())).ifPresent(unflushed::add);
            case "SNP_DF_FLUSH" -> unflushed.clear();
            case "SNP_INIT", "SNP_INIT_EX", "SNP_SHUTDOWN", "SNP_SHUTDOWN_EX" -> {
                active.clear();
                unflushed.clear();
            }
            default -> {}
        }
        return Optional.empty();
    }

    private int asid(long context) {
        for (Vm vm : vms.get()) {
            if (vm.vendor() instanceof SnpVm snp) {
                return snp.host().firmware().guestAsid(context);
            }
        }
        return 0;
    }

    @Override
    public void forget() {
        active.clear();
        unflushed.clear();
    }
}
