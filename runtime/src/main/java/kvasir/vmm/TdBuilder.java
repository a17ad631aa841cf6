package kvasir.vmm;

import java.util.List;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.semantics.Policies;
import kvasir.kvm.tdx.InitMemRegionMode;
import kvasir.kvm.tdx.InitVm;
import kvasir.kvm.tdx.TdxCmd;
import kvasir.kvm.tdx.TdxVm;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Bytes;
import kvasir.registry.Outcome;

/**
 * The lines of {@code vm NAME = tdx { ... }}. Without further lines the TD is where a VMM has it when it adds memory:
 * KVM_TDX_INIT_VM, KVM_CREATE_VCPU and KVM_TDX_INIT_VCPU are done.
 */
final class TdBuilder extends VmBuilder {
    static final Api<TdBuilder> API = declareTd(
                    declare(Api.of("td declaration", TdBuilder.class, "What stands in `vm NAME = tdx { ... }`.")))
            .build();

    private InitVm init = InitVm.usual();
    private boolean initVm = true;
    private boolean initVcpus = true;
    private boolean rbpMod;
    private boolean splitIrqchip = true;
    private long handOff;

    TdBuilder(Machine machine, String name) {
        super(machine, name, VmType.TDX);
    }

    private static Api.Builder<TdBuilder> declareTd(Api.Builder<TdBuilder> api) {
        return api.operation(
                        "attributes",
                        List.of(Parameter.of("bits", Kind.U64, "", "ATTRIBUTES; KVM supports bit 28 alone")),
                        "ATTRIBUTES of the TD. Bit 28 SEPT_VE_DISABLE if nothing is said.",
                        "attributes 0",
                        (b, a) -> b.with(b.init.withAttributes(a.u64("bits"))))
                .operation(
                        "xfam",
                        List.of(Parameter.of("bits", Kind.U64, "", "XFAM; 0xe7 if nothing is said")),
                        "Extended features the TD may use.",
                        "xfam 0xe7",
                        (b, a) -> b.with(b.init.withXfam(a.u64("bits"))))
                .operation(
                        "gpaw",
                        List.of(Parameter.of("bits", Kind.U64, "bits", "48 or 52")),
                        "Guest physical address width, CPUID 0x80000008 EAX[23:16]. 52 needs `maxphyaddr 52`.",
                        "gpaw 48",
                        (b, a) -> b.with(b.init.with(InitVm.width((int) a.u64("bits")))))
                .operation(
                        "cpuid",
                        List.of(
                                Parameter.of("leaf", Kind.U64, "", "CPUID leaf"),
                                register("index", "subleaf"),
                                register("eax", "EAX"),
                                register("ebx", "EBX"),
                                register("ecx", "ECX"),
                                register("edx", "EDX")),
                        "One entry of kvm_tdx_init_vm's CPUID instead of the default, which asks for all that the processor "
                                + "has; 0 for a register left out.",
                        "cpuid 7 ebx 0x20",
                        (b, a) -> b.with(b.init.with(new InitVm.CpuidEntry(
                                (int) a.u64("leaf"),
                                (int) a.u64("index", 0),
                                (int) a.u64("eax", 0),
                                (int) a.u64("ebx", 0),
                                (int) a.u64("ecx", 0),
                                (int) a.u64("edx", 0)))))
                .operation(
                        "mr_ids",
                        List.of(id("config_id"), id("owner"), id("owner_config")),
                        "MRCONFIGID, MROWNER and MROWNERCONFIG, 48 bytes each; zeros for one left out.",
                        "mr_ids owner zeros(48)",
                        (b, a) -> b.ids(
                                a.optional("config_id", Bytes.class).orElse(b.init.mrconfigid()),
                                a.optional("owner", Bytes.class).orElse(b.init.mrowner()),
                                a.optional("owner_config", Bytes.class).orElse(b.init.mrownerconfig())))
                .operation(
                        "hob",
                        List.of(Parameter.of("gpa", Kind.U64, "bytes", "what vCPUs find in RCX and R8")),
                        "Address of the TD HOB, KVM_TDX_INIT_VCPU's argument.",
                        "hob 0x809000",
                        (b, a) -> b.handOff(a.u64("gpa")))
                .operation(
                        "rbp_mod",
                        List.of(),
                        "CONFIG_FLAGS without NO_RBP_MOD, which Linux always sets: for firmware of before March 2024, "
                                + "whose TDVMCALLs expose RBP and are refused by the module otherwise.",
                        "rbp_mod",
                        (b, _) -> b.allowRbpMod())
                .operation(
                        "no_split_irqchip",
                        List.of(),
                        "Without KVM_CAP_SPLIT_IRQCHIP: KVM_CREATE_VCPU is EINVAL, so only with `no_init`.",
                        "no_split_irqchip",
                        (b, _) -> b.withoutSplitIrqchip())
                .operation(
                        "no_init",
                        List.of(),
                        "KVM_TDX_INIT_VM is left to `td.init` or `launch`, and with it the vCPUs, to `td.create_vcpu`.",
                        "no_init",
                        (b, _) -> b.withoutInit())
                .operation(
                        "no_vcpu_init",
                        List.of(),
                        "KVM_TDX_INIT_VCPU is left to `td.vcpu0.init`.",
                        "no_vcpu_init",
                        (b, _) -> b.withoutVcpuInit());
    }

    private static Parameter register(String name, String doc) {
        return VmHandle.keyword(name, Kind.U64, "", doc);
    }

    private static Parameter id(String name) {
        return VmHandle.keyword(name, Kind.BYTES, "", "48 bytes");
    }

    private Outcome with(InitVm next) {
        init = next;
        return Outcome.ok();
    }

    private Outcome ids(Bytes configId, Bytes owner, Bytes ownerConfig) {
        if (configId.length() != 48 || owner.length() != 48 || ownerConfig.length() != 48) {
            return new Outcome.Failed("EINVAL", "each id is 48 bytes", java.util.Map.of());
        }
        return with(init.withIds(configId, owner, ownerConfig));
    }

    private Outcome handOff(long gpa) {
        handOff = gpa;
        return Outcome.ok();
    }

    private Outcome allowRbpMod() {
        rbpMod = true;
        return Outcome.ok();
    }

    private Outcome withoutSplitIrqchip() {
        splitIrqchip = false;
        return Outcome.ok();
    }

    private Outcome withoutInit() {
        initVm = false;
        withoutVcpus();
        return Outcome.ok();
    }

    private Outcome withoutVcpuInit() {
        initVcpus = false;
        return Outcome.ok();
    }

    @Override
    protected void beforeMemory(Vm vm) {
        if (machine.host().npt()) {
            keep(IoctlResult.err(kvasir.kvm.Errno.EINVAL, "KVM_CREATE_VM: TDX needs an Intel host"));
            return;
        }
        var td = new TdxVm(
                vm,
                machine.tdxHost(),
                mode(machine.config().semantics().policies().whoAdds()));
        vm.attach(td);
        if (rbpMod) {
            td.allowRbpMod();
        }
        if (!splitIrqchip) {
            td.withoutSplitIrqchip();
        }
        if (initVm) {
            keep(td.initVm(init, TdxCmd.PLAIN));
        }
    }

    private static InitMemRegionMode mode(Policies.WhoAdds who) {
        return switch (who) {
            case HOOK_WITH_SOURCE -> InitMemRegionMode.RFC_SOURCE;
            case MIRROR_FIRST -> InitMemRegionMode.PROPOSAL_2024;
            case SINGLE_PASS -> InitMemRegionMode.MERGED_6_16;
            case ADD_IN_SET -> InitMemRegionMode.MERGED_6_19;
        };
    }

    @Override
    protected IoctlResult afterVcpus(Vm vm) {
        if (initVm && initVcpus) {
            for (Vcpu vcpu : vm.vcpus()) {
                IoctlResult result = ((TdxVm) vm.vendor()).initVcpu(vcpu, handOff, TdxCmd.PLAIN);
                if (!result.succeeded()) {
                    return result;
                }
            }
        }
        return IoctlResult.done();
    }

    @Override
    protected VmHandle handle(Vm vm) {
        return new TdHandle(machine, vm, (TdxVm) vm.vendor(), init);
    }

    @Override
    public Api<?> api() {
        return API;
    }
}
