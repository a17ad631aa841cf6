package kvasir.vmm;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.snp.LaunchFinish;
import kvasir.kvm.snp.LaunchUpdate;
import kvasir.kvm.snp.SevCommand;
import kvasir.kvm.snp.SnpGuest;
import kvasir.kvm.snp.SnpHost;
import kvasir.kvm.snp.SnpVm;
import kvasir.metal.snp.Caller;
import kvasir.metal.snp.HostInstructions;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.ReturnCode;
import kvasir.metal.snp.RmpUpdate;
import kvasir.metal.snp.psp.PageType;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.vmm.launch.CpuidTable;
import kvasir.vmm.launch.DirectBoot;
import kvasir.vmm.launch.LaunchRefused;
import kvasir.vmm.launch.SnpVmLaunch;

/** An SNP VM as scripts hold it: KVM_SEV_* commands, RMP and digest, and what its guest's kernel could do. */
final class SnpHandle extends VmHandle {
    private static final String[] PAGE_TYPES = {"normal", "zero", "unmeasured", "secrets", "cpuid", "vmsa"};

    static final Api<SnpHandle> API = declareGuest(declareHost(declareState(declareLaunch(
                    declare(Api.of("snp vm", SnpHandle.class, "A SEV-SNP virtual machine."), "snp vcpu")))))
            .build();

    private static final long POLICY = 0x30000;

    private final SnpVm snp;

    SnpHandle(Machine machine, Vm vm, SnpVm snp) {
        super(machine, vm);
        this.snp = snp;
    }

    SnpVm snp() {
        return snp;
    }

    @Override
    protected VcpuHandle vcpuHandle(Vcpu vcpu) {
        return new SnpVcpuHandle(machine(), vcpu, snp);
    }

    private static Api.Builder<SnpHandle> declareLaunch(Api.Builder<SnpHandle> api) {
        return api.operation(
                        "init2",
                        List.of(
                                keyword("features", Kind.U64, "", "vmsa_features"),
                                keyword("flags", Kind.U64, "", "must be 0"),
                                keyword("ghcb", Kind.U64, "", "ghcb_version")),
                        "KVM_SEV_INIT2. Errors: EPERM the second time; EFAULT, EINVAL, EBUSY, ENOTTY, EIO (sev.c, "
                                + "sev_guest_init2).",
                        "g.init2 features 0x20",
                        (g, a) -> g.snp.init2(a.u64("features", 0), (int) a.u64("flags", 0), (int) a.u64("ghcb", 0))
                                .outcome())
                .operation(
                        "launch_start",
                        List.of(
                                keyword("policy", Kind.U64, "", "guest policy; 0x30000 if left out"),
                                keyword("flags", Kind.U64, "", "must be 0")),
                        "KVM_SEV_SNP_LAUNCH_START: GCTX_CREATE, LAUNCH_START, ACTIVATE. Errors: ENOTTY, EINVAL, EIO "
                                + "with fw_error (snp_launch_start).",
                        "g.launch_start",
                        (g, a) -> g.snp.launchStart(
                                        a.u64("policy", POLICY), Bytes.of(new byte[16]), (int) a.u64("flags", 0))
                                .outcome())
                .operation(
                        "launch_update",
                        List.of(
                                Parameter.of("range", Kind.RANGE, "bytes", "guest physical addresses"),
                                Parameter.of("type", Kind.WORD, "", "normal if left out")
                                        .among(PAGE_TYPES)
                                        .asKeyword()
                                        .orAbsent(),
                                Parameter.of("from", Kind.BYTES, "", "content; what user memory holds if left out")
                                        .asKeyword()
                                        .orAbsent(),
                                keyword("flags", Kind.U64, "", "must be 0")),
                        "What a VMM does: writes the content to user memory of the slot, then issues "
                                + "KVM_SEV_SNP_LAUNCH_UPDATE until nothing is left. Errors: EINVAL, EIO whatever failed "
                                + "inside, with fw_error (snp_launch_update).",
                        "g.launch_update 0 .. 64K type zero",
                        (g, a) -> g.launchUpdate(a))
                .operation(
                        "launch_update_raw",
                        List.of(
                                keyword("gfn_start", Kind.U64, "gfn", "first gfn"),
                                keyword("uaddr", Kind.U64, "bytes", "user address"),
                                keyword("len", Kind.U64, "bytes", "size"),
                                keyword("type", Kind.U64, "", "1 normal, 3 zero, 4 unmeasured, 5 secrets, 6 CPUID"),
                                keyword("flags", Kind.U64, "", "must be 0")),
                        "KVM_SEV_SNP_LAUNCH_UPDATE with the struct's fields as given; what is left is in the details.",
                        "g.launch_update_raw gfn_start 1 uaddr g.hva(4K) len 4K type 1",
                        (g, a) -> g.snp.launchUpdate(new LaunchUpdate(
                                        a.u64("gfn_start", 0),
                                        a.u64("uaddr", 0),
                                        a.u64("len", 0),
                                        (int) a.u64("type", 0),
                                        (int) a.u64("flags", 0)))
                                .outcome())
                .operation(
                        "launch_finish",
                        List.of(
                                optionalBytes("id_block", "96 bytes"),
                                optionalBytes("id_auth", "4096 bytes"),
                                VmBuilder.flag("author_key", "auth_key_en"),
                                VmBuilder.flag("vcek_disabled", "no reports signed with the VCEK"),
                                optionalBytes("host_data", "32 bytes"),
                                keyword("flags", Kind.U64, "", "must be 0")),
                        "KVM_SEV_SNP_LAUNCH_FINISH: one VMSA for each vCPU, then the firmware's command; pre-faulting is "
                                + "allowed from then on. Errors: ENOTTY, EINVAL, EIO with fw_error (snp_launch_finish).",
                        "g.launch_finish",
                        (g, a) -> g.launchFinish(a))
                .operation(
                        "launch",
                        List.of(
                                Parameter.of("image", Kind.HANDLE, "", "what `ovmf` gives"),
                                optionalBytes("kernel", "of a direct boot; its hashes are measured"),
                                optionalBytes("initrd", "of a direct boot"),
                                Parameter.of("append", Kind.STRING, "", "kernel command line")
                                        .asKeyword()
                                        .orAbsent(),
                                keyword("policy", Kind.U64, "", "guest policy; 0x30000 if left out")),
                        "QEMU's launch: launch_start, an update for the image and each section of its metadata, "
                                + "launch_finish. Also written `launch g from ovmf(...)`. Errors: those of the ioctl that fails; EINVAL with "
                                + "words for an image or memory that does not fit.",
                        "launch g from ovmf(\"OVMF.fd\") kernel file(\"bzImage\")",
                        (g, a) -> g.launch(a))
                .operation(
                        "run_as_pc",
                        List.of(keyword(
                                "budget", Kind.U64, "instructions", "of all vCPUs together; 50 million if left out")),
                        "Runs the guest with the devices of a small PC; page state changes are granted. Details: ended, serial, "
                                + "debug (port 0x402), retired.",
                        "show g.run_as_pc",
                        (g, a) -> g.runAsPc(a.u64("budget", 50_000_000)))
                .operation(
                        "memory_encrypt_op",
                        List.of(Parameter.of("id", Kind.U64, "", "of struct kvm_sev_cmd; a null pointer if left out")
                                .orAbsent()),
                        "KVM_MEMORY_ENCRYPT_OP by number: 22 INIT2, 100 SNP_LAUNCH_START, 102 SNP_LAUNCH_FINISH with what "
                                + "the verbs give, 101 SNP_LAUNCH_UPDATE of nothing. Errors: EFAULT; EPERM for a command of "
                                + "plain SEV after KVM_SEV_INIT2, ENOTTY before; EINVAL if unknown (sev_mem_enc_ioctl).",
                        "g.memory_encrypt_op 2 -> EPERM",
                        (g, a) ->
                                g.memoryEncryptOp(a.optional("id", Long.class)).outcome())
                .operation(
                        "destroy",
                        List.of(),
                        "The launch is undone: SNP_DECOMMISSION, VMSA pages back, the ASID waits for a flush.",
                        "g.destroy",
                        (g, _) -> {
                            g.snp.destroy();
                            return Outcome.ok();
                        });
    }

    private IoctlResult memoryEncryptOp(Optional<Long> id) {
        if (id.isEmpty()) {
            return IoctlResult.done();
        }
        return SevCommand.of(id.get())
                .map(command -> switch (command) {
                    case INIT2 -> snp.init2(0, 0, 0);
                    case SNP_LAUNCH_START -> snp.launchStart(POLICY, Bytes.of(new byte[16]), 0);
                    case SNP_LAUNCH_UPDATE -> snp.launchUpdate(new LaunchUpdate(0, 0, 0, 0, 0));
                    case SNP_LAUNCH_FINISH -> snp.launchFinish(LaunchFinish.plain());
                    default -> snp.otherCommand(id.get());
                })
                .orElseGet(() -> snp.otherCommand(id.get()));
    }

    private static Parameter optionalBytes(String name, String doc) {
        return Parameter.of(name, Kind.BYTES, "", doc).asKeyword().orAbsent();
    }

    private static Api.Builder<SnpHandle> declareState(Api.Builder<SnpHandle> api) {
        return api.property(
                        "launch_digest",
                        "bytes",
                        "The launch digest so far, 48 bytes; the MEASUREMENT of reports.",
                        "show g.launch_digest",
                        g -> g.started().map(SnpGuest::launchDigest).orElse(Bytes.of(new byte[48])))
                .property(
                        "ledger",
                        "snp ledger",
                        "The launch digest as numbered records, one a page; diff names the first that differs.",
                        "show g.ledger",
                        g -> g.snp.guest().ledger())
                .property(
                        "launch_state",
                        "string",
                        "UNINITIALIZED, INITIALIZED, STARTED or LAUNCHED.",
                        "assert g.launch_state == \"STARTED\"",
                        g -> g.snp.state())
                .property("asid", "u64", "ASID; 0 if it has none.", "assert g.asid == 1", g -> (long) g.snp.asid())
                .property(
                        "gctx",
                        "u64",
                        "Host address of the guest context page; 0 if there is none.",
                        "assert g.rmp[g.gctx] is CONTEXT",
                        g -> g.started().map(SnpGuest::context).orElse(0L))
                .property(
                        "vmsas",
                        "list of u64",
                        "Host addresses of the VMSA pages.",
                        "show g.vmsas",
                        g -> g.started().map(SnpGuest::vmsaPages).orElse(List.of()))
                .property(
                        "features",
                        "u64",
                        "SEV_FEATURES of its VMSAs.",
                        "assert g.features == 1",
                        g -> g.snp.features())
                .property(
                        "psmashes",
                        "u64",
                        "PSMASH instructions that KVM has executed for nested faults (sev_handle_rmp_fault).",
                        "assert g.psmashes == 0",
                        g -> g.snp.psmashes())
                .property(
                        "rmp",
                        "rmp",
                        "The host's reverse map; rmp[spa] is the entry of a host page.",
                        "show g.rmp",
                        g -> g.snp.host().rmp())
                .property(
                        "psp",
                        "psp",
                        "The host's security processor.",
                        "g.psp.command SNP_DF_FLUSH",
                        g -> new PspHandle(g.label(), g.snp.host()))
                .property(
                        "cpuid_page",
                        "bytes",
                        "What a VMM puts into the CPUID page: KVM_GET_CPUID2 of vCPU 0 in the firmware's format.",
                        "g.launch_update 0x80e000 .. 0x80f000 type cpuid from g.cpuid_page",
                        g -> g.vm.vcpus().isEmpty()
                                ? Bytes.of(new byte[4096])
                                : CpuidTable.page(g.snp, g.vm.vcpus().getFirst()))
                .property(
                        "certificates",
                        "list of bytes",
                        "DER: VCEK, ASK, ARK of this platform.",
                        "show g.certificates",
                        g -> g.snp.host().firmware().certificateChain());
    }

    private static Api.Builder<SnpHandle> declareHost(Api.Builder<SnpHandle> api) {
        return api.operation(
                        "spa",
                        List.of(Parameter.of("gpa", Kind.U64, "bytes", "guest physical address")),
                        "Host address of the guest_memfd page behind a gpa; ENOENT if there is none.",
                        "show g.spa(4K)",
                        (g, a) -> g.spa(a.u64("gpa"))
                                .<Object>map(spa -> spa)
                                .orElse(new Outcome.Failed(
                                        "ENOENT", "no guest_memfd page is behind this gpa", Map.of())))
                .operation(
                        "rmp_of",
                        List.of(Parameter.of("gpa", Kind.U64, "bytes", "guest physical address")),
                        "RMP entry of the guest_memfd page behind a gpa; ENOENT if there is none.",
                        "assert g.rmp_of(4K) is GUEST_VALID",
                        (g, a) -> g.spa(a.u64("gpa"))
                                .<Object>map(spa -> g.snp.host().rmp().slot(spa))
                                .orElse(new Outcome.Failed(
                                        "ENOENT", "no guest_memfd page is behind this gpa", Map.of())))
                .operation(
                        "rmpupdate",
                        List.of(
                                Parameter.of("spa", Kind.U64, "bytes", "host address"),
                                keyword("gpa", Kind.U64, "bytes", "guest page"),
                                keyword("asid", Kind.U64, "", "owner; 0 gives it back to the host"),
                                VmBuilder.flag("large", "2M"),
                                VmBuilder.flag("immutable", "Immutable bit"),
                                VmBuilder.flag("assigned", "Assigned bit, though asid is 0"),
                                keyword("reserved", Kind.U64, "", "reserved bits of bytes 8 to 11; must be 0"),
                                keyword("cpl", Kind.U64, "", "privilege level of who executes it, 0 if left out"),
                                VmBuilder.flag("in_guest", "executed by a guest")),
                        "RMPUPDATE by the host's kernel. Failures are the instruction's codes: FAIL_INPUT, "
                                + "FAIL_PERMISSION, FAIL_INUSE, FAIL_OVERLAP (APM 3).",
                        "g.rmpupdate 0x10000000 gpa 4K asid 1",
                        (g, a) -> g.rmpupdate(a))
                .operation(
                        "psmash",
                        List.of(
                                Parameter.of("spa", Kind.U64, "bytes", "host address of a 2M frame"),
                                keyword("cpl", Kind.U64, "", "privilege level of who executes it, 0 if left out"),
                                VmBuilder.flag("in_guest", "executed by a guest")),
                        "PSMASH by the host's kernel.",
                        "g.psmash 0x10000000",
                        (g, a) -> g.psmash(a))
                .operation(
                        "rmpread",
                        List.of(Parameter.of("spa", Kind.U64, "bytes", "host address")),
                        "RMPREAD by the host's kernel: the 16 bytes of the architectural view, in detail `entry`.",
                        "show g.rmpread(g.spa(0))",
                        (g, a) -> g.rmpread(a.u64("spa")))
                .operation(
                        "rmp_lock",
                        List.of(
                                Parameter.of("spa", Kind.U64, "bytes", "host address"),
                                VmBuilder.flag("release", "gives the entry up again")),
                        "Another core holds the page's RMP entry: instructions on it return FAIL_INUSE.",
                        "g.rmp_lock g.spa(0)",
                        (g, a) -> {
                            if (a.flag("release")) {
                                g.snp.host().rmp().unlock(a.u64("spa"));
                            } else {
                                g.snp.host().rmp().lock(a.u64("spa"));
                            }
                            return Outcome.ok();
                        })
                .operation(
                        "host_read",
                        List.of(
                                Parameter.of("spa", Kind.U64, "bytes", "host address, 16-byte aligned"),
                                Parameter.of("bytes", Kind.U64, "bytes", "at most to the end of the page")),
                        "What the host's kernel reads there: ciphertext, if the page is a guest's.",
                        "show g.host_read(g.spa(4K), 16)",
                        (g, a) -> g.hostRead(a.u64("spa"), a.u64("bytes")))
                .operation(
                        "host_write",
                        List.of(
                                Parameter.of("spa", Kind.U64, "bytes", "host address"),
                                keyword("level", Kind.U64, "", "of the host's mapping: 1 4K, 2 2M, 3 1G")),
                        "Whether the RMP lets the host's kernel write there: ok, or PF with its error code.",
                        "g.host_write g.spa(4K) -> PF",
                        (g, a) -> SnpGuestAccess.hostWrite(g.snp.host(), a.u64("spa"), (int) a.u64("level", 1)));
    }

    private static Caller caller(Arguments a) {
        return new Caller(true, a.flag("in_guest"), false, (int) a.u64("cpl", 0), 0, 0);
    }

    private Outcome rmpupdate(Arguments a) {
        SnpHost host = snp.host();
        return caller(a).equals(Caller.HOST)
                ? SnpGuestAccess.outcome(host.rmpupdate(a.u64("spa"), update(a)))
                : SnpGuestAccess.outcome(
                        0,
                        new HostInstructions(host.rmp(), host.rules()).rmpupdate(caller(a), a.u64("spa"), update(a)));
    }

    private Outcome psmash(Arguments a) {
        SnpHost host = snp.host();
        return caller(a).equals(Caller.HOST)
                ? SnpGuestAccess.outcome(host.psmash(a.u64("spa")))
                : SnpGuestAccess.outcome(
                        0, new HostInstructions(host.rmp(), host.rules()).psmash(caller(a), a.u64("spa")));
    }

    private Outcome rmpread(long spa) {
        SnpHost host = snp.host();
        long buffer = host.pages().allocate(kvasir.kvm.mm.HostPages.Use.UNMOVABLE) << 12;
        ReturnCode code = new HostInstructions(host.rmp(), host.rules()).rmpread(spa, buffer);
        var entry = new byte[16];
        host.memory().read(buffer, entry, 0, entry.length);
        host.pages().free(buffer >>> 12, 1, kvasir.kvm.mm.HostPages.Use.UNMOVABLE);
        return code == ReturnCode.SUCCESS
                ? new Outcome.Ok(Map.of("entry", Bytes.of(entry)))
                : SnpGuestAccess.outcome(code);
    }

    private static RmpUpdate update(Arguments a) {
        PageSize size = a.flag("large") ? PageSize.SIZE_2M : PageSize.SIZE_4K;
        int asid = (int) a.u64("asid", 0);
        boolean assigned = asid != 0 || a.flag("assigned");
        return new RmpUpdate(a.u64("gpa", 0), assigned, size, a.flag("immutable"), asid, (int) a.u64("reserved", 0));
    }

    private static Api.Builder<SnpHandle> declareGuest(Api.Builder<SnpHandle> api) {
        return api.operation(
                        "pvalidate",
                        List.of(
                                Parameter.of(
                                        "gpa", Kind.U64, "bytes", "operand; the guest maps it one to one, private"),
                                VmBuilder.flag("large", "2M operand"),
                                VmBuilder.flag("rescind", "takes the validation back"),
                                keyword("vmpl", Kind.U64, "", "of the vCPU, 0 if left out"),
                                keyword("cpl", Kind.U64, "", "privilege level, 0 if left out")),
                        "PVALIDATE as the guest's kernel executes it, through the NPT as it is. Detail carry is CF. "
                                + "Failures: FAIL_INPUT, FAIL_SIZEMISMATCH, GP, NPF with exitinfo1.",
                        "g.pvalidate 4K -> ok carry false",
                        (g, a) -> g.guest(a).pvalidate(a.u64("gpa"), a.flag("large"), !a.flag("rescind")))
                .operation(
                        "rmpadjust",
                        List.of(
                                Parameter.of(
                                        "gpa", Kind.U64, "bytes", "operand; the guest maps it one to one, private"),
                                keyword("target", Kind.U64, "", "VMPL to change"),
                                keyword(
                                        "permissions",
                                        Kind.U64,
                                        "",
                                        "1 read, 2 write, 4 user, 8 supervisor fetch, 16 SSS"),
                                VmBuilder.flag("vmsa", "VMSA bit"),
                                VmBuilder.flag("large", "2M operand"),
                                keyword("vmpl", Kind.U64, "", "of the vCPU, 0 if left out"),
                                keyword("cpl", Kind.U64, "", "privilege level, 0 if left out")),
                        "RMPADJUST as the guest's kernel executes it. Failures: FAIL_INPUT, FAIL_PERMISSION, "
                                + "FAIL_SIZEMISMATCH, NPF, VC.",
                        "g.rmpadjust 4K target 1 permissions 3",
                        (g, a) -> g.guest(a)
                                .rmpadjust(
                                        a.u64("gpa"),
                                        a.flag("large"),
                                        a.u64("target", 0)
                                                | a.u64("permissions", 0) << 8
                                                | (a.flag("vmsa") ? 1 << 16 : 0)))
                .operation(
                        "rmpquery",
                        List.of(
                                Parameter.of(
                                        "gpa", Kind.U64, "bytes", "operand; the guest maps it one to one, private"),
                                keyword("target", Kind.U64, "", "VMPL to ask about"),
                                keyword("vmpl", Kind.U64, "", "of the vCPU, 0 if left out"),
                                keyword("cpl", Kind.U64, "", "privilege level, 0 if left out")),
                        "RMPQUERY as the guest's kernel executes it.",
                        "g.rmpquery 4K target 1",
                        (g, a) -> g.guest(a).rmpquery(a.u64("gpa"), a.u64("target", 0)))
                .operation(
                        "access",
                        List.of(
                                Parameter.of("gpa", Kind.U64, "bytes", "guest physical address"),
                                Parameter.of("kind", Kind.WORD, "", "read, write or fetch")
                                        .among("read", "write", "fetch"),
                                VmBuilder.flag("shared", "C=0; else private"),
                                keyword("vmpl", Kind.U64, "", "of the vCPU, 0 if left out")),
                        "What the processor says to an access of the guest: ok; NPF with exitinfo1; VC 0x404 where the page "
                                + "is not validated.",
                        "g.access 4K write -> VC",
                        (g, a) -> g.guest(a).access(a.u64("gpa"), a.string("kind"), !a.flag("shared")))
                .operation(
                        "verify_report",
                        List.of(Parameter.of("report", Kind.BYTES, "", "1184 bytes")),
                        "What a relying party does: VCEK, ASK and ARK of `certificates` are verified, then TCB, chip id "
                                + "and the signature of the report. Details as of guest_report. EKEYREJECTED with the reason.",
                        "g.verify_report report -> ok",
                        (g, a) -> SnpGuestAccess.verified(g.snp.host().firmware(), a.bytes("report")))
                .operation(
                        "guest_report",
                        List.of(
                                Parameter.of("secrets", Kind.U64, "bytes", "gpa of the secrets page")
                                        .asKeyword(),
                                Parameter.of("through", Kind.U64, "bytes", "gpa of two shared pages for the messages")
                                        .asKeyword(),
                                optionalBytes("data", "at most 64 bytes of report data"),
                                keyword("vmpl", Kind.U64, "", "VMPL in the report"),
                                keyword(
                                        "key",
                                        Kind.U64,
                                        "",
                                        "KEY_SEL: 0 VLEK if there is one and else VCEK, 1 VCEK, 2 VLEK")),
                        "The guest asks firmware for an attestation report through SNP_GUEST_REQUEST. Details: version, "
                                + "policy, vmpl, report_data, measurement, host_data, id_key_digest, author_key_digest, "
                                + "signed_by (VCEK, VLEK, NONE), and report, all 1184 bytes. Errors: EIO with the status of "
                                + "the answer, 0x16 or 0x27, or with exitinfo2 and fw_status.",
                        "g.guest_report secrets 64K through 2M",
                        (g, a) -> g.guest(a)
                                .report(
                                        a.u64("secrets"),
                                        a.u64("through"),
                                        a.optional("data", Bytes.class).orElse(Bytes.of()),
                                        a.u64("key", 0)))
                .operation(
                        "guest_message",
                        List.of(
                                Parameter.of(
                                        "type",
                                        Kind.U64,
                                        "",
                                        "1 CPUID, 3 KEY, 5 REPORT, 17 TSC_INFO; an answer has one more"),
                                Parameter.of("payload", Kind.BYTES, "", "in clear"),
                                Parameter.of("secrets", Kind.U64, "bytes", "gpa of the secrets page")
                                        .asKeyword(),
                                Parameter.of("through", Kind.U64, "bytes", "gpa of two shared pages for the messages")
                                        .asKeyword(),
                                keyword("vmpl", Kind.U64, "", "of the sender, whose VMPCK is used"),
                                keyword("sequence", Kind.U64, "", "number of the message; the next one if left out")),
                        "One message to the firmware through SNP_GUEST_REQUEST, sealed with AES-256-GCM, and its answer: "
                                + "details status and answer. Errors: EIO with exitinfo2 and fw_status.",
                        "g.guest_message 17 zeros(128) secrets 64K through 2M",
                        (g, a) -> g.guest(a)
                                .message(
                                        a.u64("secrets"),
                                        a.u64("through"),
                                        (int) a.u64("type"),
                                        a.bytes("payload"),
                                        a.optional("sequence", Long.class)));
    }

    private SnpGuestAccess guest(Arguments a) {
        return new SnpGuestAccess(this, (int) a.u64("vmpl", 0), (int) a.u64("cpl", 0));
    }

    private Optional<SnpGuest> started() {
        return snp.asid() == 0 ? Optional.empty() : Optional.of(snp.guest());
    }

    /** Host address behind a gpa, if guest_memfd has a page there. */
    Optional<Long> spa(long gpa) {
        Memslot slot = vm.memslots(0).lookup(gpa >>> 12);
        if (!slot.exists() || slot.gmem().isEmpty()) {
            return Optional.empty();
        }
        long pfn = slot.gmem().get().pageAt(slot.gmemIndex(gpa >>> 12));
        return pfn < 0 ? Optional.empty() : Optional.of(pfn << 12 | gpa & 4095);
    }

    private Object hostRead(long spa, long bytes) {
        long offset = spa & 4095;
        if (Long.compareUnsigned(spa, vm.kvm().memory().size()) >= 0 || bytes < 0 || bytes > 4096 - offset) {
            return new Outcome.Failed("EFAULT", "host_read reads within one page of host memory", Map.of());
        }
        byte[] page = snp.host().rmp().hostView(spa);
        return Bytes.of(java.util.Arrays.copyOfRange(page, (int) offset, (int) (offset + bytes)));
    }

    private Outcome launchUpdate(Arguments a) {
        Range range = a.range("range");
        String word = a.optional("type", String.class).orElse("normal");
        int type = PageType.valueOf(word.toUpperCase(java.util.Locale.ROOT)).code();
        Object hva = hva(range.start());
        long uaddr = hva instanceof Long address ? address : 0;
        Optional<Bytes> content = a.optional("from", Bytes.class);
        if (content.isPresent()) {
            byte[] bytes = content.get().toArray();
            if (bytes.length > range.size() || !vm.mm().write(uaddr, bytes, 0, bytes.length)) {
                return new Outcome.Failed("EFAULT", "the content does not fit into user memory of the range", Map.of());
            }
        }
        var update = new LaunchUpdate(range.start() >>> 12, uaddr, range.size(), type, (int) a.u64("flags", 0));
        return SnpVmLaunch.updateAll(snp, update).outcome();
    }

    private Outcome launch(Arguments a) {
        Optional<DirectBoot> boot = a.optional("kernel", Bytes.class)
                .map(kernel -> new DirectBoot(
                        kernel,
                        a.optional("initrd", Bytes.class).orElse(Bytes.of()),
                        a.optional("append", String.class).orElse("")));
        if (!(a.get("image", Described.class) instanceof FirmwareView firmware)
                || firmware.ovmf().isEmpty()) {
            return new Outcome.Failed("EINVAL", "launch takes what ovmf(...) gives", Map.of());
        }
        try {
            return new SnpVmLaunch(snp)
                    .run(firmware.ovmf().get(), boot, a.u64("policy", POLICY))
                    .outcome();
        } catch (LaunchRefused refused) {
            return new Outcome.Failed("EINVAL", refused.reason(), Map.of());
        }
    }

    private Outcome launchFinish(Arguments a) {
        byte[] hostData = new byte[32];
        byte[] given = a.optional("host_data", Bytes.class).orElse(Bytes.of()).toArray();
        System.arraycopy(given, 0, hostData, 0, Math.min(given.length, hostData.length));
        return snp.launchFinish(new LaunchFinish(
                        a.optional("id_block", Bytes.class),
                        a.optional("id_auth", Bytes.class),
                        a.flag("author_key"),
                        a.flag("vcek_disabled"),
                        Bytes.of(hostData),
                        (int) a.u64("flags", 0)))
                .outcome();
    }

    @Override
    public Api<?> api() {
        return API;
    }
}
