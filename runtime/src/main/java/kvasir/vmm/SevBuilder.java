package kvasir.vmm;

import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.snp.SevVm;
import kvasir.registry.Api;

/** The lines of {@code vm NAME = sev { ... }} and {@code sev_es}: an AMD host. */
final class SevBuilder extends VmBuilder {
    static final Api<SevBuilder> API = declare(Api.of(
                    "sev declaration",
                    SevBuilder.class,
                    "What stands in the braces of `vm NAME = sev { ... }` and `sev_es`."))
            .build();

    private Optional<SevVm> sev = Optional.empty();

    SevBuilder(Machine machine, String name, VmType type) {
        super(machine, name, type);
        SnpBuilder.requireAmd(machine).ifPresent(this::requireHost);
        setModel("EPYC-Milan");
    }

    @Override
    protected void beforeMemory(Vm vm) {
        var vendor = new SevVm(vm);
        vm.attach(vendor);
        sev = Optional.of(vendor);
        keep(vendor.init2(0, 0, 0));
    }

    @Override
    protected VmHandle handle(Vm vm) {
        return new SevHandle(machine, vm, sev.orElseThrow());
    }

    @Override
    public Api<?> api() {
        return API;
    }
}
