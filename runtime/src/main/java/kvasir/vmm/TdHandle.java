package kvasir.vmm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.tdx.InitVm;
import kvasir.kvm.tdx.TdxCmd;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.tdx.Tdcs;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.vmm.launch.LaunchRefused;
import kvasir.vmm.launch.TdvfImage;
import kvasir.vmm.launch.TdxLaunch;

/** A TD as scripts hold it. */
final class TdHandle extends VmHandle {
    static final Api<TdHandle> API = declareViews(
                    declareSteps(declare(Api.of("td", TdHandle.class, "A virtual machine of type tdx."), "td vcpu")))
            .build();

    private final TdxVm td;
    private final InitVm init;

    TdHandle(Machine machine, Vm vm, TdxVm td, InitVm init) {
        super(machine, vm);
        this.td = td;
        this.init = init;
    }

    private static Api.Builder<TdHandle> declareSteps(Api.Builder<TdHandle> api) {
        return api.operation(
                        "init",
                        List.of(
                                keyword("flags", Kind.U64, "", "must be 0"),
                                keyword("hw_error", Kind.U64, "", "of kvm_tdx_cmd; must be 0"),
                                keyword("attributes", Kind.U64, "", "instead of the declaration's"),
                                keyword("xfam", Kind.U64, "", "instead of the declaration's"),
                                keyword("gpaw", Kind.U64, "bits", "instead of the declaration's"),
                                keyword(
                                        "leaf",
                                        Kind.U64,
                                        "",
                                        "a CPUID entry of this leaf instead of the declaration's"),
                                keyword("ebx", Kind.U64, "", "of that entry, whose other registers are 0"),
                                keyword("nent", Kind.U64, "", "entries: the first ones, or the last one repeated"),
                                keyword("reserved", Kind.U64, "", "the reserved words; must be 0"),
                                keyword("padding", Kind.U64, "", "of kvm_cpuid2; must be 0")),
                        "KVM_TDX_INIT_VM with what the declaration says: TDH.MNG.CREATE, KEY.CONFIG on each package, "
                                + "ADDCX, MNG.INIT. Errors: EFAULT, EINVAL, E2BIG, EBUSY, ENOSPC, ENOMEM, EAGAIN, EIO.",
                        "td.init",
                        (td, a) ->
                                td.td.initVm(td.initOf(a), TdVcpuHandle.cmd(a)).outcome())
                .operation(
                        "capabilities",
                        List.of(
                                keyword("nent", Kind.U64, "", "room for CPUID entries; 256 if left out"),
                                keyword("flags", Kind.U64, "", "must be 0"),
                                keyword("hw_error", Kind.U64, "", "of kvm_tdx_cmd; must be 0")),
                        "KVM_TDX_CAPABILITIES. Details: supported_attrs, supported_xfam, nent. Errors: EFAULT, EINVAL, E2BIG, ENOMEM.",
                        "td.capabilities nent 4 -> E2BIG nent 12",
                        (td, a) -> td.td.capabilities(TdVcpuHandle.cmd(a), a.u64("nent", 256))
                                .outcome())
                .operation(
                        "finalize",
                        List.of(
                                keyword("flags", Kind.U64, "", "not looked at"),
                                keyword("hw_error", Kind.U64, "", "of kvm_tdx_cmd; must be 0")),
                        "KVM_TDX_FINALIZE_VM: TDH.MR.FINALIZE. Errors: EFAULT; EINVAL, also while mapped pages are "
                                + "not added; EBUSY, EIO.",
                        "td.finalize",
                        (td, a) -> td.td.finalizeVm(TdVcpuHandle.cmd(a)).outcome())
                .operation(
                        "memory_encrypt_op",
                        List.of(
                                Parameter.of("id", Kind.U64, "", "of struct kvm_tdx_cmd"),
                                keyword("flags", Kind.U64, "", "of struct kvm_tdx_cmd"),
                                keyword("hw_error", Kind.U64, "", "of struct kvm_tdx_cmd; must be 0")),
                        "KVM_MEMORY_ENCRYPT_OP on the VM, by number: 0 CAPABILITIES, 1 INIT_VM, 4 FINALIZE_VM, with what "
                                + "`capabilities`, `init` and `finalize` give; EINVAL for any other.",
                        "td.memory_encrypt_op 6 -> EINVAL",
                        (td, a) -> td.memoryEncryptOp(a.u64("id"), TdVcpuHandle.cmd(a))
                                .outcome())
                .operation(
                        "extend",
                        List.of(Parameter.of("range", Kind.RANGE, "bytes", "pages that were added")),
                        "TDH.MR.EXTEND of every 256 bytes, as KVM_TDX_EXTEND_MEMORY of the v19 patches: the second "
                                + "pass of a two-pass launch. Errors: EIO.",
                        "td.extend 0 .. 8K",
                        (td, a) -> td.extend(a.range("range")))
                .operation(
                        "launch",
                        List.of(
                                Parameter.of("image", Kind.HANDLE, "", "what `tdvf` gives"),
                                flag("two_pass", "all pages of a section are added, then all extended"),
                                keyword("cpus", Kind.U64, "", "vCPUs to create if there are none; 1 if left out")),
                        "QEMU's launch, in its order: KVM_TDX_INIT_VM unless the declaration did it, a private slot for "
                                + "the firmware below 4G if there is none, vCPUs, KVM_TDX_INIT_VCPU with the address of "
                                + "the HOB list, KVM_TDX_INIT_MEM_REGION for each section, KVM_TDX_FINALIZE_VM. Also "
                                + "written `launch td from tdvf(...)`. Errors: those of the steps; EINVAL for a vCPU "
                                + "initialised with another address: declare with `no_init`, `no_vcpu_init` or `hob`.",
                        "launch td from tdvf(\"OVMF.fd\") cpus 2",
                        (td, a) -> td.launch(a.get("image", Described.class), a.flag("two_pass"), a.u64("cpus", 1)))
                .operation(
                        "hob_list",
                        List.of(Parameter.of("image", Kind.HANDLE, "", "what `tdvf` gives")),
                        "The HOB list that QEMU would write for this TD's memory: what goes into the TD_HOB section.",
                        "td.vcpu0.init_mem_region 0x809000 .. 0x80b000 from td.hob_list(firmware)",
                        (td, a) -> td.hobList(a.get("image", Described.class)))
                .operation(
                        "run_as_pc",
                        List.of(keyword(
                                "budget", Kind.U64, "instructions", "of all vCPUs together; 50 million if left out")),
                        "Runs the guest with the devices of a small PC, and does what MapGPA asks. Details: ended, and since "
                                + "the first run serial, debug (port 0x402), retired.",
                        "show td.run_as_pc",
                        (td, a) -> td.runAsPc(a.u64("budget", 50_000_000)))
                .operation(
                        "destroy",
                        List.of(),
                        "The VM's end: pages removed, vCPUs flushed, HKID released, every page reclaimed, the TDR last.",
                        "td.destroy",
                        (td, _) -> td.destroy())
                .operation(
                        "seamcall",
                        LeafCall.parameters(keyword("lp", Kind.U64, "", "logical processor, 0 to 63")),
                        "One SEAMCALL as it stands, past KVM; `tdr` is this TD's if left out and the leaf has one. "
                                + "As `host.tdx.seamcall`.",
                        "td.seamcall \"TDH.MEM.SEPT.RD\" gpa 0x1000 level 0 -> ok",
                        (td, a) -> td.seamcall(a))
                .operation(
                        "busy",
                        List.of(
                                Parameter.of(
                                        "object",
                                        Kind.STRING,
                                        "",
                                        "SYS, KOT, TDR, TDVPR, PAGE, OP_STATE, "
                                                + "SEPT_TREE, SEPT_ENTRY, TD_EPOCH, RTMR ..."),
                                keyword("nth", Kind.U64, "", "which attempt; 1 is the next")),
                        "One attempt of the module to take such a lock finds it taken by another processor.",
                        "td.busy \"SEPT_TREE\"",
                        (td, a) -> TdxPlatformHandle.busy(
                                td.td.host().module(), a.string("object"), (int) a.u64("nth", 1)));
    }

    private static Api.Builder<TdHandle> declareViews(Api.Builder<TdHandle> api) {
        return api.property(
                        "sept",
                        "sept",
                        "The secure EPT; sept[gpa] is one entry, of a range all.",
                        "assert td.sept[0x1000] is FREE",
                        td -> new SeptView(td.machine(), td.td))
                .property(
                        "pamt",
                        "pamt",
                        "The page metadata of the host; pamt[hpa] is one page.",
                        "assert td.pamt[td.tdr] is PT_TDR",
                        td -> new PamtView(td.td.host().module(), td.label()))
                .property("tdcs", "tdcs", "Control structures of the TD.", "show td.tdcs", td -> new TdcsView(td.td))
                .property(
                        "mrtd",
                        "bytes",
                        "48 bytes: MRTD; before `finalize` what it would be if the TD were finalized now.",
                        "assert td.mrtd == before.mrtd",
                        td -> td.tdcs(Tdcs::runningMrtd))
                .property(
                        "rtmrs",
                        "list of bytes",
                        "RTMR0 to RTMR3; also rtmr0, rtmr1 ...",
                        "show td.rtmr0",
                        td -> IntStream.range(0, 4)
                                .<Object>mapToObj(i -> td.tdcs(tdcs -> tdcs.rtmr(i)))
                                .toList())
                .property(
                        "ledger",
                        "td ledger",
                        "What was measured, in order, with the digest after each step.",
                        "show td.ledger",
                        td -> new LedgerView(td.machine(), td.td))
                .property("tdr", "u64", "Host address of the TDR; 0 before `init`.", "show td.tdr", td -> td.td.tdr())
                .property("hkid", "u64", "Key id; 2^64-1 if none.", "show td.hkid", td -> (long) td.td.hkid())
                .property(
                        "premapped",
                        "u64",
                        "Mirror leaves whose page is not added yet (nr_premapped).",
                        "assert td.premapped == 0",
                        td -> td.td.premapped())
                .property("leaked", "u64", "Pages that could not be given back.", "assert td.leaked == 0", td ->
                        (long) td.td.leaked().size());
    }

    private IoctlResult memoryEncryptOp(long id, TdxCmd cmd) {
        return switch (Math.clamp(id, -1, Integer.MAX_VALUE)) {
            case 0 -> td.capabilities(cmd, 256);
            case 1 -> td.initVm(init, cmd);
            case 4 -> td.finalizeVm(cmd);
            default -> td.unknownVmCommand(cmd, id);
        };
    }

    private InitVm initOf(Arguments a) {
        InitVm given = init.withAttributes(a.u64("attributes", init.attributes()))
                .withXfam(a.u64("xfam", init.xfam()))
                .withReserved(a.u64("reserved", 0), (int) a.u64("padding", 0));
        Optional<Long> width = a.optional("gpaw", Long.class);
        if (width.isPresent()) {
            given = given.with(InitVm.width((int) (long) width.get()));
        }
        Optional<Long> leaf = a.optional("leaf", Long.class);
        if (leaf.isPresent()) {
            given = given.with(new InitVm.CpuidEntry((int) (long) leaf.get(), 0, 0, (int) a.u64("ebx", 0), 0, 0));
        }
        List<InitVm.CpuidEntry> all = given.cpuid();
        int entries = Math.clamp(a.u64("nent", all.size()), 0, 10_000);
        return given.withCpuid(IntStream.range(0, entries)
                .mapToObj(i -> all.get(Math.min(i, all.size() - 1)))
                .toList());
    }

    private Object tdcs(Function<Tdcs, Bytes> read) {
        return td.root()
                .filter(root -> root.hasTdcs())
                .<Object>map(root -> read.apply(root.tdcs()))
                .orElseGet(() -> Bytes.of(new byte[48]));
    }

    private Outcome extend(Range range) {
        return td.extendRange(range.start(), range.size() >>> 12).outcome();
    }

    private static Outcome notAnImage() {
        return new Outcome.Failed("EINVAL", "a firmware image is wanted: tdvf(\"OVMF.fd\")", Map.of());
    }

    private Object hobList(Described image) {
        if (!(image instanceof FirmwareView view) || view.tdvf().isEmpty()) {
            return notAnImage();
        }
        try {
            return view.tdvf().get().hobList(ram());
        } catch (LaunchRefused refused) {
            return FirmwareView.refused(refused);
        }
    }

    private Outcome launch(Described image, boolean twoPass, long cpus) {
        if (!(image instanceof FirmwareView view) || view.tdvf().isEmpty()) {
            return notAnImage();
        }
        TdvfImage firmware = view.tdvf().get();
        var launch = new TdxLaunch(td, firmware);
        IoctlResult result =
                td.state() == TdxVm.State.UNINITIALIZED ? td.initVm(init, TdxCmd.PLAIN) : IoctlResult.done();
        if (result.succeeded()) {
            result = firmwareMemory(firmware);
        }
        if (vm().vcpus().isEmpty()) {
            for (long id = 0; id < cpus && result.succeeded(); id++) {
                result = vm().createVcpu(id, CpuidModel.standard());
                if (result.succeeded()) {
                    result = vm().vcpus().getLast().setCpuid2(CpuidModel.standard());
                }
            }
        }
        if (result.succeeded()) {
            result = launch.initVcpus();
        }
        if (result.succeeded()) {
            try {
                result = launch.addSections(ram(), twoPass ? TdxLaunch.Pass.TWO : TdxLaunch.Pass.SINGLE);
            } catch (LaunchRefused refused) {
                return FirmwareView.refused(refused);
            }
        }
        return (result.succeeded() ? td.finalizeVm(TdxCmd.PLAIN) : result).outcome();
    }

    /** A private slot that ends at 4G and holds the image, unless the script has declared one. */
    private IoctlResult firmwareMemory(TdvfImage image) {
        long size = image.content().length();
        long gpa = (1L << 32) - size;
        return vm().memslots(0).lookup((1L << 20) - 1).exists()
                ? IoctlResult.done()
                : VmBuilder.addPrivateSlot(vm(), gpa, size);
    }

    /** Slots below the firmware are RAM. */
    private List<Range> ram() {
        return vm().memslots(0).all().stream()
                .filter(slot -> slot.endGfn() != 1L << 20)
                .map(slot -> new Range(slot.baseGfn() << 12, slot.endGfn() << 12))
                .toList();
    }

    private Outcome destroy() {
        td.destroy();
        return Outcome.ok();
    }

    private Outcome seamcall(Arguments a) {
        var module = td.host().module();
        long lp = a.u64("lp", 0);
        if (Long.compareUnsigned(lp, module.platform().lps()) >= 0) {
            return new Outcome.Failed("EINVAL", "there is no logical processor " + lp, Map.of());
        }
        return LeafCall.with(LeafCall.ofTd(a, td.tdr()), regs -> module.seamcall((int) lp, regs));
    }

    private static Parameter flag(String name, String doc) {
        return VmBuilder.flag(name, doc);
    }

    @Override
    protected VcpuHandle vcpuHandle(Vcpu vcpu) {
        return new TdVcpuHandle(machine(), vcpu, td);
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public Optional<String> picture() {
        var lines = new LinkedHashMap<String, String>();
        lines.put("state", td.state().name());
        lines.put("tdr", "0x" + Long.toHexString(td.tdr()));
        lines.put("hkid", Integer.toString(td.hkid()));
        lines.put("mrtd", ((Bytes) tdcs(Tdcs::runningMrtd)).hex());
        return Optional.of(super.picture().orElseThrow() + "\n" + Text.table(lines));
    }
}
