package kvasir.vmm;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.snp.SevVm;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.vmm.launch.DirectBoot;
import kvasir.vmm.launch.KernelHashes;
import kvasir.vmm.launch.OvmfImage;
import kvasir.vmm.launch.SnpVmLaunch;

/** A VM of plain SEV or SEV-ES as scripts hold it: the launch and its digest. */
final class SevHandle extends VmHandle {
    static final Api<SevHandle> API = declareLaunch(
                    declare(Api.of("sev vm", SevHandle.class, "A virtual machine of plain SEV or SEV-ES."), "vcpu"))
            .build();

    private final SevVm sev;

    SevHandle(Machine machine, Vm vm, SevVm sev) {
        super(machine, vm);
        this.sev = sev;
    }

    private static Api.Builder<SevHandle> declareLaunch(Api.Builder<SevHandle> api) {
        return api.operation(
                        "init2",
                        List.of(
                                keyword("features", Kind.U64, "", "vmsa_features"),
                                keyword("flags", Kind.U64, "", "must be 0"),
                                keyword("ghcb", Kind.U64, "", "ghcb_version")),
                        "KVM_SEV_INIT2, which the declaration did: EINVAL (sev.c, sev_guest_init2).",
                        "g.init2 -> EINVAL",
                        (g, a) -> g.sev.init2(a.u64("features", 0), (int) a.u64("flags", 0), (int) a.u64("ghcb", 0))
                                .outcome())
                .operation(
                        "memory_encrypt_op",
                        List.of(Parameter.of("id", Kind.U64, "", "of struct kvm_sev_cmd; a null pointer if left out")
                                .orAbsent()),
                        "KVM_MEMORY_ENCRYPT_OP by number, for commands without a verb. Errors: ENOTTY and EINVAL for those "
                                + "of SNP, EINVAL if unknown (sev_mem_enc_ioctl).",
                        "g.memory_encrypt_op 100 -> ENOTTY",
                        (g, a) -> a.optional("id", Long.class)
                                .map(g.sev::otherCommand)
                                .orElseGet(IoctlResult::done)
                                .outcome())
                .operation(
                        "launch_start",
                        List.of(),
                        "KVM_SEV_LAUNCH_START. Errors: EIO with fw_error (sev_launch_start).",
                        "g.launch_start",
                        (g, _) -> g.sev.launchStart().outcome())
                .operation(
                        "launch_update_data",
                        List.of(
                                Parameter.of("range", Kind.RANGE, "bytes", "guest physical addresses"),
                                Parameter.of("from", Kind.BYTES, "", "content; what user memory holds if left out")
                                        .asKeyword()
                                        .orAbsent()),
                        "The VMM writes the content to its memory, then KVM_SEV_LAUNCH_UPDATE_DATA of the range. Errors: "
                                + "EFAULT, EINVAL, EIO with fw_error: INVALID_LENGTH if it is no multiple of 16 bytes.",
                        "g.launch_update_data 0xffe0_0000 .. 4G from file(\"OVMF.fd\")",
                        (g, a) -> g.updateData(a.range("range"), a.optional("from", Bytes.class)))
                .operation(
                        "launch_update_vmsa",
                        List.of(),
                        "KVM_SEV_LAUNCH_UPDATE_VMSA: the registers of each vCPU, SEV-ES only. Errors: ENOTTY, EIO.",
                        "g.launch_update_vmsa",
                        (g, _) -> g.sev.launchUpdateVmsa().outcome())
                .operation(
                        "launch_measure",
                        List.of(),
                        "KVM_SEV_LAUNCH_MEASURE: the digest is complete. The HMAC that the real command makes of it under "
                                + "a transport key is not modelled. Errors: EIO.",
                        "g.launch_measure",
                        (g, _) -> g.sev.launchMeasure().outcome())
                .operation(
                        "launch_finish",
                        List.of(),
                        "KVM_SEV_LAUNCH_FINISH. Errors: EIO.",
                        "g.launch_finish",
                        (g, _) -> g.sev.launchFinish().outcome())
                .operation(
                        "launch",
                        List.of(
                                Parameter.of("image", Kind.HANDLE, "", "what `ovmf` gives"),
                                Parameter.of("kernel", Kind.BYTES, "", "of a direct boot; its hashes are measured")
                                        .asKeyword()
                                        .orAbsent(),
                                Parameter.of("initrd", Kind.BYTES, "", "of a direct boot")
                                        .asKeyword()
                                        .orAbsent(),
                                Parameter.of("append", Kind.STRING, "", "kernel command line")
                                        .asKeyword()
                                        .orAbsent()),
                        "QEMU's launch: start, the image, the kernel hashes, the vCPUs of SEV-ES, measure, finish.",
                        "launch g from ovmf(\"OVMF.fd\")",
                        SevHandle::launch)
                .property(
                        "launch_state",
                        "string",
                        "UNINITIALIZED, LAUNCH, SECRET or RUNNING.",
                        "assert g.launch_state == \"LAUNCH\"",
                        g -> g.sev.state().name())
                .property(
                        "launch_digest",
                        "bytes",
                        "GCTX.LD, 32 bytes; zeros before launch_measure.",
                        "show g.launch_digest",
                        g -> g.sev.digest().orElse(Bytes.of(new byte[32])));
    }

    private Outcome updateData(Range range, Optional<Bytes> content) {
        Memslot slot = vm.memslots(0).lookup(range.start() >>> 12);
        if (!slot.exists()) {
            return new Outcome.Failed("EFAULT", "no memory at gpa 0x%x".formatted(range.start()), Map.of());
        }
        long uaddr = slot.hva(range.start() >>> 12) + (range.start() & 4095);
        if (content.isPresent()
                && !vm.mm()
                        .write(uaddr, content.get().toArray(), 0, content.get().length())) {
            return new Outcome.Failed("EFAULT", "the content does not fit into user memory", Map.of());
        }
        return sev.launchUpdateData(uaddr, range.size()).outcome();
    }

    private Outcome launch(Arguments a) {
        if (!(a.get("image", Described.class) instanceof FirmwareView view)
                || view.ovmf().isEmpty()) {
            return new Outcome.Failed("EINVAL", "launch takes what ovmf(...) gives", Map.of());
        }
        OvmfImage image = view.ovmf().get();
        Optional<DirectBoot> boot = a.optional("kernel", Bytes.class)
                .map(kernel -> new DirectBoot(
                        kernel,
                        a.optional("initrd", Bytes.class).orElse(Bytes.of()),
                        a.optional("append", String.class).orElse("")));
        if (boot.isPresent() && image.hashTableGpa().isEmpty()) {
            return new Outcome.Failed("EINVAL", "a kernel was given, but the firmware has no hash table", Map.of());
        }
        Outcome done = sev.launchStart().outcome();
        if (done instanceof Outcome.Ok) {
            done = updateData(
                    new Range(image.gpa(), image.gpa() + image.content().length()), Optional.of(image.content()));
        }
        if (done instanceof Outcome.Ok && boot.isPresent()) {
            Bytes table = KernelHashes.table(boot.get());
            long gpa = image.hashTableGpa().orElseThrow();
            done = updateData(new Range(gpa, gpa + table.length()), Optional.of(table));
        }
        if (done instanceof Outcome.Ok && vm.type() == VmType.SEV_ES) {
            for (int i = 1; i < vm.vcpus().size(); i++) {
                SnpVmLaunch.startAt(vm.vcpus().get(i).cpu(), image.resetEip().orElse(0xffff_fff0));
            }
            done = sev.launchUpdateVmsa().outcome();
        }
        IoctlResult measured = done instanceof Outcome.Ok ? sev.launchMeasure() : IoctlResult.done();
        return done instanceof Outcome.Ok && measured.succeeded()
                ? sev.launchFinish().outcome()
                : done;
    }

    @Override
    public Api<?> api() {
        return API;
    }
}
