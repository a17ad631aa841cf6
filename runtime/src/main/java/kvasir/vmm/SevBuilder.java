package kvasir.vmm;

import java.util.List;
import java.util.Optional;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.snp.SevVm;
import kvasir.registry.Api;
import kvasir.registry.Outcome;

/** The lines of {@code vm NAME = sev { ... }} and {@code sev_es}: an AMD host. */
final class SevBuilder extends VmBuilder {
    static final Api<SevBuilder> API = declare(Api.of(
                    "sev declaration",
                    SevBuilder.class,
                    "What stands in the braces of `vm NAME = sev { ... }` and `sev_es`."))
            .operation(
                    "no_init",
                    List.of(),
                    "KVM_SEV_INIT2 is left to the script: g.init2. Declare `vcpus 0` with it.",
                    "no_init",
                    (b, _) -> b.withoutInit())
            .build();

    private Optional<SevVm> sev = Optional.empty();
    private boolean init = true;

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
        if (init) {
            keep(vendor.init2(0, 0, 0));
        }
    }

    private Outcome withoutInit() {
        init = false;
        return Outcome.ok();
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
