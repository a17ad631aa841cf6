package kvasir.vmm;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kvasir.kvm.FaultInjection;
import kvasir.kvm.Vm;
import kvasir.registry.Outcome;

/** What a host may do to its VMs at any time: {@code host.inject}, and {@code faults} of a race. */
public enum InjectedFault {
    /** Nobody consumes the signal, so every thread sees it from now on, as one that stops the whole process. */
    SIGNAL("every thread of the VMM has a signal pending"),

    /** Somebody outside of these threads holds the operand: a guest in TDG.MEM.PAGE.ACCEPT, or the zero-step defence. */
    OPERAND_BUSY("the next SEAMCALL that locks a TDR answers TDX_OPERAND_BUSY|TDR"),

    /** fault-inject.c, one time: failslab or fail_page_alloc. */
    ALLOCATION_FAILURE("the next allocation of KVM or of the host fails, of a page or from a slab"),

    /** mm/vmscan.c. Pages of a guest_memfd are unevictable. */
    MEMORY_PRESSURE("reclaim takes the pages of every mapping of the VMM; what was in them comes back"),

    /** kvm_mmu_notifier_invalidate_range_start and _end with nothing in between. */
    INVALIDATION("MMU notifiers hear that every mapping is invalidated, and nothing changes");

    private final String effect;

    InjectedFault(String effect) {
        this.effect = effect;
    }

    /** {@code operand_busy}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** All words, in order. */
    public static List<String> words() {
        return Stream.of(values()).map(InjectedFault::word).toList();
    }

    /** The fault of that word. */
    public static Optional<InjectedFault> of(String word) {
        return Stream.of(values()).filter(each -> each.word().equals(word)).findFirst();
    }

    /** What each does, a sentence. */
    static String doc() {
        return Stream.of(values())
                .map(each -> "`%s`: %s. ".formatted(each.word(), each.effect))
                .collect(Collectors.joining());
    }

    /** Does it to this machine, now. */
    Outcome strike(Machine machine) {
        switch (this) {
            case SIGNAL -> {
                for (Vm vm : machine.kvm().vms()) {
                    vm.vcpus().forEach(vcpu -> vcpu.sendSignal(0));
                }
                machine.mm().sendSignal(0);
            }
            case OPERAND_BUSY -> {
                if (machine.kvm().vms().stream().noneMatch(vm -> vm.type().hasMirror())) {
                    return new Outcome.Failed("ENODEV", "no TD of this host makes SEAMCALLs", Map.of());
                }
                machine.kvm().faults().arm(FaultInjection.Kind.SEAMCALL, 0);
            }
            case ALLOCATION_FAILURE -> machine.kvm().faults().armAllocation();
            case MEMORY_PRESSURE -> machine.mm().reclaim();
            case INVALIDATION -> machine.mm().invalidateAll();
        }
        return Outcome.ok();
    }
}
