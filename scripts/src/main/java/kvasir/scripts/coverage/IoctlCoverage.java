package kvasir.scripts.coverage;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import kvasir.event.Event;
import kvasir.kvm.Ioctl;
import kvasir.kvm.VmEvent;

/** KVM's ioctls on x86: {@code kvs coverage ioctl}. */
final class IoctlCoverage implements Coverage {
    @Override
    public String word() {
        return "ioctl";
    }

    @Override
    public String doc() {
        return "every ioctl of KVM on x86: issued, or answered as unsupported with the reason";
    }

    @Override
    public List<String> suites() {
        return List.of("scripts/ioctl");
    }

    @Override
    public List<Row> known() {
        return Stream.of(Ioctl.values()).map(IoctlCoverage::row).toList();
    }

    @Override
    public void hear(Event event, Consumer<Row> provoked) {
        if (event instanceof VmEvent.Issued(Ioctl ioctl)) {
            provoked.accept(row(ioctl));
        }
    }

    private static Row row(Ioctl ioctl) {
        String group = switch (ioctl.fd()) {
                    case SYSTEM -> "/dev/kvm";
                    case VM -> "VM";
                    case VCPU -> "vCPU";
                }
                + (ioctl.verb().isPresent() ? ", modelled" : ", unsupported");
        return new Row(group, ioctl.spelling() + (ioctl.reason().isEmpty() ? "" : ": " + ioctl.reason()));
    }
}
