package kvasir.vmm;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.HostConfig;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.Rule;
import kvasir.metal.snp.SnpProcessor;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Outcome;

/** The lines of {@code vm NAME = snp { ... }}: an AMD host, and KVM_SEV_INIT2 before memory and vCPUs. */
final class SnpBuilder extends VmBuilder {
    static final Api<SnpBuilder> API = declare(Api.of(
                    "snp declaration", SnpBuilder.class, "What stands in the braces of `vm NAME = snp { ... }`."))
            .operation(
                    "features",
                    List.of(Parameter.of("bits", Kind.U64, "", "vmsa_features: 0x20 DebugSwap")),
                    "vmsa_features of KVM_SEV_INIT2; KVM adds bit 0.",
                    "features 0x20",
                    (b, a) -> b.setFeatures(a.u64("bits")))
            .operation(
                    "ghcb_version",
                    List.of(Parameter.of("version", Kind.U64, "", "0 is KVM's default, 2")),
                    "ghcb_version of KVM_SEV_INIT2.",
                    "ghcb_version 2",
                    (b, a) -> b.setGhcbVersion(a.u64("version")))
            .operation(
                    "no_init",
                    List.of(),
                    "KVM_SEV_INIT2 is left to the script: g.init2. Declare `vcpus 0` with it.",
                    "no_init",
                    (b, _) -> b.withoutInit())
            .operation(
                    "mmio_ignores_c_bit",
                    List.of(),
                    "A private access to a gpa without memory is MMIO, as in the host patches for SNP before they were merged; "
                            + "else KVM_EXIT_MEMORY_FAULT. OVMF before edk2-stable202405 needs it for its local APIC.",
                    "mmio_ignores_c_bit",
                    (b, _) -> b.letMmioIgnoreCBit())
            .operation(
                    "syscfg_snp_off",
                    List.of(),
                    "SYSCFG bit 24 is clear: SNP_INIT answers INVALID_CONFIG. Declare it with the first SNP VM, and `no_init`.",
                    "syscfg_snp_off",
                    (b, _) -> b.leaveSnpOff())
            .operation(
                    "alternative",
                    List.of(Parameter.of("rule", Kind.WORD, "", "name of a rule that no public source settles")
                            .among(Arrays.stream(Rule.values()).map(Enum::name).toArray(String[]::new))),
                    "Switches a rule of the platform to its alternative; docs/fidelity-snp.md lists them. All SNP VMs "
                            + "of a script share the platform: declare it with the first.",
                    "alternative RECLAIM_KEEPS_OWNER",
                    (b, a) -> b.switchRule(a.string("rule")))
            .build();

    private static final long AMD_HOST_BYTES = 64L << 30;

    private Optional<SnpVm> snp = Optional.empty();
    private long features;
    private int ghcbVersion;
    private boolean init = true;
    private boolean mmioIgnoresCBit;

    SnpBuilder(Machine machine, String name) {
        super(machine, name, VmType.SNP);
        requireAmd(machine).ifPresent(this::requireHost);
        setModel("EPYC-Milan");
    }

    /** The AMD host that a VM wants, unless the machine's host is one. */
    static Optional<HostConfig> requireAmd(Machine machine) {
        HostConfig host = machine.host();
        return host.npt()
                ? Optional.empty()
                : Optional.of(new HostConfig(
                        Math.min(host.memoryBytes(), AMD_HOST_BYTES),
                        48,
                        true,
                        true,
                        false,
                        host.fiveLevels(),
                        host.onegigPages(),
                        false,
                        host.tdp(),
                        host.tdpMmu(),
                        host.eagerPageSplit(),
                        host.thp(),
                        SnpProcessor.ENCRYPTION_BIT,
                        false,
                        false));
    }

    private Outcome setFeatures(long bits) {
        features = bits;
        return Outcome.ok();
    }

    private Outcome setGhcbVersion(long version) {
        ghcbVersion = (int) version;
        return Outcome.ok();
    }

    private Outcome withoutInit() {
        init = false;
        return Outcome.ok();
    }

    private Outcome letMmioIgnoreCBit() {
        mmioIgnoresCBit = true;
        return Outcome.ok();
    }

    private Outcome leaveSnpOff() {
        return machine.leaveSnpOff()
                ? Outcome.ok()
                : new Outcome.Failed("EBUSY", "the platform runs already: declare it with the first SNP VM", Map.of());
    }

    private Outcome switchRule(String name) {
        return machine.switchSnpRule(Rule.valueOf(name))
                ? Outcome.ok()
                : new Outcome.Failed("EBUSY", "the platform runs already: declare it with the first SNP VM", Map.of());
    }

    @Override
    protected void beforeMemory(Vm vm) {
        var vendor = new SnpVm(vm, machine.snpHost());
        vm.attach(vendor);
        snp = Optional.of(vendor);
        if (mmioIgnoresCBit) {
            vendor.letMmioIgnoreCBit();
        }
        if (init) {
            keep(vendor.init2(features, 0, ghcbVersion));
        }
    }

    @Override
    protected VmHandle handle(Vm vm) {
        return new SnpHandle(machine, vm, snp.orElseThrow());
    }

    @Override
    public Api<?> api() {
        return API;
    }
}
