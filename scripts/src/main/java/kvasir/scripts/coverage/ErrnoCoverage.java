package kvasir.scripts.coverage;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import kvasir.event.Event;
import kvasir.kvm.Check;
import kvasir.kvm.Errno;
import kvasir.kvm.RunResult;
import kvasir.kvm.VcpuEvent;
import kvasir.kvm.VmEvent;

/** The refusals of KVM's memory ioctls: {@code kvs coverage errno}. */
final class ErrnoCoverage implements Coverage {
    @Override
    public String word() {
        return "errno";
    }

    @Override
    public String doc() {
        return "every check by which KVM's memory ioctls refuse, with its errno";
    }

    @Override
    public List<String> suites() {
        return List.of("scripts/errno");
    }

    @Override
    public List<Row> known() {
        return Stream.of(Check.values())
                .filter(Check::reachable)
                .map(ErrnoCoverage::row)
                .toList();
    }

    @Override
    public void hear(Event event, Consumer<Row> provoked) {
        switch (event) {
            case VmEvent.Refused refused -> refused.check().ifPresent(check -> provoked.accept(row(check)));
            case VcpuEvent.Returned returned -> {
                switch (returned.result()) {
                    case RunResult.Refused refused -> refused.check().ifPresent(check -> provoked.accept(row(check)));
                    case RunResult.MemoryFault fault ->
                        provoked.accept(
                                row(fault.errno() == Errno.EHWPOISON ? Check.RUN_POISON : Check.RUN_MEMORY_FAULT));
                    default -> {}
                }
            }
            default -> {}
        }
    }

    private static Row row(Check check) {
        return new Row(check.ioctl(), check.errno() + " " + check.condition());
    }
}
