package kvasir.kvm.invariant;

import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Supplier;
import kvasir.event.Event;
import kvasir.kvm.Vm;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.PageState;
import kvasir.metal.snp.RmpChanged;

/** KVM's launch commands leave no page half given. */
final class PreGuestIsInsideTheLaunch implements StreamInvariant {
    private final Supplier<List<Vm>> vms;
    private final TreeSet<Long> pages = new TreeSet<>();

    PreGuestIsInsideTheLaunch(Supplier<List<Vm>> vms) {
        this.vms = vms;
    }

    @Override
    public String name() {
        return "pre_guest_is_inside_the_launch";
    }

    @Override
    public String statement() {
        return "A page that KVM makes Pre-Guest is so only inside LAUNCH_UPDATE or LAUNCH_FINISH, unless it is leaked:";
    }

    @Override
    public Optional<String> violation(Event event) {
        boolean launching = vms.get().stream()
                .anyMatch(vm -> vm.vendor() instanceof SnpVm && vm.kvmLock().held());
        if (launching) {
            if (event instanceof RmpChanged change && change.after().pageState() == PageState.PRE_GUEST) {
                pages.add(change.spa());
            } else if (event instanceof RmpChanged change) {
                pages.remove(change.spa());
            }
            return Optional.empty();
        }
        vms.get().stream()
                .filter(vm -> vm.vendor() instanceof SnpVm)
                .forEach(vm -> pages.removeAll(((SnpVm) vm.vendor()).host().leaked()));
        if (pages.isEmpty()) {
            return Optional.empty();
        }
        String left = "rmp[0x%x] is PRE_GUEST after the command".formatted(pages.first());
        pages.clear();
        return Optional.of(left);
    }

    @Override
    public void forget() {
        pages.clear();
    }
}
