package kvasir.kvm.invariant;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import kvasir.event.Event;
import kvasir.kvm.Vm;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.psp.CommandDone;
import kvasir.metal.snp.psp.FirmwareStatus;

/** No IV is used twice with one VMPCK. */
final class MessageCountsRise implements StreamInvariant {
    private static final int VMPCKS = 4;

    private final Supplier<List<Vm>> vms;
    private final Map<Long, List<Long>> counts = new TreeMap<>();

    MessageCountsRise(Supplier<List<Vm>> vms) {
        this.vms = vms;
    }

    @Override
    public String name() {
        return "message_counts_rise";
    }

    @Override
    public String statement() {
        return "The counts of guest messages never fall, and rise with each answer, so that no IV is used twice:";
    }

    @Override
    public Optional<String> violation(Event event) {
        if (!(event instanceof CommandDone done)) {
            return Optional.empty();
        }
        if (done.command().equals("SNP_LAUNCH_START")) {
            counts.remove(done.operand());
        }
        List<Long> now = counts(done.operand());
        if (now.isEmpty()) {
            return Optional.empty();
        }
        List<Long> before = counts.getOrDefault(done.operand(), List.of(0L, 0L, 0L, 0L));
        counts.put(done.operand(), now);
        boolean rose = false;
        for (int vmpck = 0; vmpck < VMPCKS; vmpck++) {
            int order = Long.compareUnsigned(now.get(vmpck), before.get(vmpck));
            if (order < 0) {
                return Optional.of("VMPCK%d went from %d to %d by %s"
                        .formatted(vmpck, before.get(vmpck), now.get(vmpck), done.describe()));
            }
            rose |= order > 0;
        }
        boolean answered = done.command().equals("SNP_GUEST_REQUEST") && done.status() == FirmwareStatus.SUCCESS;
        return answered && !rose ? Optional.of("none did by " + done.describe()) : Optional.empty();
    }

    private List<Long> counts(long context) {
        for (Vm vm : vms.get()) {
            if (vm.vendor() instanceof SnpVm snp) {
                return snp.host().firmware().messageCounts(context);
            }
        }
        return List.of();
    }

    @Override
    public void forget() {
        counts.clear();
    }
}
