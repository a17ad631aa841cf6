package kvasir.vmm;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import kvasir.kvm.Check;
import kvasir.kvm.Ioctl;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.SystemIoctls;
import kvasir.kvm.Vm;
import kvasir.kvm.VmEvent;
import kvasir.kvm.VmType;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.vmm.boot.Bios;
import kvasir.vmm.boot.LinuxImage;
import kvasir.vmm.boot.Multiboot;

/** The name {@code machine} of scripts. */
final class MachineHandle implements Described {
    private static final List<Parameter> ARG =
            List.of(VmHandle.keyword("arg", Kind.U64, "", "the ioctl's argument; must be 0"));
    private static final List<Parameter> NENT = List.of(VmHandle.keyword("nent", Kind.U64, "", "room for entries"));
    private static final List<Parameter> ATTRIBUTE = List.of(
            VmHandle.keyword("group", Kind.U64, "", "of the attribute"),
            VmHandle.keyword("attr", Kind.U64, "", "the attribute"));

    static final Api<MachineHandle> API = Api.of(
                    "machine", MachineHandle.class, "The whole machine: host, kernel, and the VMs declared on it.")
            .operation(
                    "snapshot",
                    List.of(),
                    "The machine as it is now: every byte of memory, every page table, every register. Cheap: memory is "
                            + "shared until someone writes.",
                    "let before = machine.snapshot",
                    (machine, _) -> machine.machine.snapshot("snapshot"))
            .operation(
                    "restore",
                    List.of(Parameter.of("snapshot", Kind.HANDLE, "", "what `snapshot` gave")),
                    "Makes the machine what it was. A snapshot may be restored any number of times.",
                    "machine.restore before",
                    (machine, arguments) -> {
                        if (!(arguments.get("snapshot", Described.class) instanceof MachineSnapshot snapshot)) {
                            return new Outcome.Failed(
                                    "EINVAL", "a snapshot is what `machine.snapshot` gives", Map.of());
                        }
                        snapshot.restore();
                        if (machine.machine.kvm().events().listening()) {
                            machine.machine.kvm().events().emit(new VmEvent.Restored());
                        }
                        return Outcome.ok();
                    })
            .operation(
                    "create_vm",
                    List.of(Parameter.of("type", Kind.U64, "", "KVM_X86_*_VM: 0 default, 1 SW_PROTECTED ...")),
                    "KVM_CREATE_VM: a VM with no slot and no vCPU. SNP and TDX VMs are declared with `vm`. Errors: EINVAL "
                            + "for a type that KVM_CAP_VM_TYPES does not have.",
                    "let bare = machine.create_vm 0",
                    (machine, arguments) -> machine.createVm(arguments.u64("type")))
            .operation(
                    "tdvf",
                    List.of(Parameter.of("image", Kind.BYTES, "", "a firmware image")),
                    "TD firmware with its metadata, for `launch`; `tdvf(\"OVMF.fd\")` reads it from a file. Errors: "
                            + "ENOEXEC if no loader would take it.",
                    "let firmware = machine.tdvf(file(\"OVMF.fd\"))",
                    (_, arguments) -> FirmwareView.tdvf(arguments.bytes("image")))
            .operation(
                    "ovmf",
                    List.of(Parameter.of("image", Kind.BYTES, "", "a firmware image")),
                    "SEV firmware with its metadata, for `launch`; `ovmf(\"OVMF.fd\")` reads it from a file. Errors: "
                            + "ENOEXEC if no loader would take it.",
                    "let firmware = machine.ovmf(file(\"OVMF.fd\"))",
                    (_, arguments) -> FirmwareView.ovmf(arguments.bytes("image")))
            .operation(
                    "bios",
                    List.of(
                            Parameter.of("image", Kind.BYTES, "", "4K to 16M in whole pages"),
                            Parameter.of("name", Kind.STRING, "", "what errors call it; `bios` if left out")
                                    .asKeyword()
                                    .orAbsent()),
                    "PC firmware for `boot`, in memory that ends at 4G; `bios(\"bios-256k.bin\")` reads it from a file. "
                            + "Errors: ENOEXEC if it is none.",
                    "boot pc from machine.bios(file(\"bios-256k.bin\"))",
                    (_, a) -> KernelView.of(() -> Bios.firmware(
                            a.optional("name", String.class).orElse("bios"),
                            a.bytes("image").toArray())))
            .operation(
                    "multiboot",
                    List.of(
                            Parameter.of("image", Kind.BYTES, "", "an ELF file with a multiboot header"),
                            Parameter.of(
                                            "name",
                                            Kind.STRING,
                                            "",
                                            "first word of the command line; `kernel` if left out")
                                    .asKeyword()
                                    .orAbsent()),
                    "A kernel for `boot`; `multiboot(\"x.flat\")` reads it from a file of that name. Errors: ENOEXEC if "
                            + "no loader would take it.",
                    "boot pc from machine.multiboot(file(\"x.flat\"))",
                    (_, a) -> KernelView.of(() -> Multiboot.kernel(
                            a.optional("name", String.class).orElse("kernel"),
                            a.bytes("image").toArray())))
            .operation(
                    "linux",
                    List.of(
                            Parameter.of(
                                    "image",
                                    Kind.BYTES,
                                    "",
                                    "a bzImage of boot protocol 2.12 or later, or a vmlinux with a PVH note"),
                            Parameter.of("name", Kind.STRING, "", "what errors call it; `vmlinuz` if left out")
                                    .asKeyword()
                                    .orAbsent(),
                            Parameter.of("initrd", Kind.BYTES, "", "its initial RAM disk")
                                    .asKeyword()
                                    .orAbsent(),
                            Parameter.of("cmdline", Kind.STRING, "", "its command line; console=ttyS0 if left out")
                                    .asKeyword()
                                    .orAbsent()),
                    "A Linux kernel for `boot`; `linux(\"vmlinuz\", initrd: \"initrd.cpio\", cmdline: \"quiet\")` reads it "
                            + "and its RAM disk from files. Errors: ENOEXEC if it is none.",
                    "boot pc from machine.linux(file(\"vmlinuz\")) args \"console=ttyS0\"",
                    (_, a) -> KernelView.of(() -> LinuxImage.kernel(
                            a.optional("name", String.class).orElse("vmlinuz"),
                            a.bytes("image").toArray(),
                            a.optional("cmdline", String.class).orElse("console=ttyS0"),
                            a.optional("initrd", Bytes.class).orElse(Bytes.of()))))
            .operation(
                    "initramfs",
                    List.of(Parameter.of("busybox", Kind.BYTES, "", "a busybox that is linked statically")),
                    "An initial RAM file system with busybox and a shell as /init; `initramfs(\"/bin/busybox\")` reads it "
                            + "from a file.",
                    "let fs = machine.initramfs(file(\"/bin/busybox\"))",
                    (_, a) -> new InitramfsView(a.bytes("busybox")))
            .operation(
                    "expect",
                    Pc.EXPECT,
                    "As `expect` of the VM that was booted last, which may be written `expect serial \"login:\"`.",
                    "expect serial \"login:\"",
                    (m, a) -> m.machine.booted().map(vm -> vm.expect(a)).orElseGet(MachineHandle::notBooted))
            .operation(
                    "send",
                    Pc.SEND,
                    "As `send` of the VM that was booted last, which may be written `send serial \"ls\\n\"`.",
                    "send serial \"ls\\n\"",
                    (m, a) -> m.machine.booted().map(vm -> vm.send(a)).orElseGet(MachineHandle::notBooted))
            .operation(
                    "get_api_version",
                    ARG,
                    "KVM_GET_API_VERSION; detail `value`. Errors: EINVAL for an argument.",
                    "machine.get_api_version -> ok value 12",
                    (m, a) -> m.system().version(a.u64("arg", 0)).outcome())
            .operation(
                    "get_vcpu_mmap_size",
                    ARG,
                    "KVM_GET_VCPU_MMAP_SIZE; detail `value`. Errors: EINVAL for an argument.",
                    "machine.get_vcpu_mmap_size -> ok value 12288",
                    (m, a) -> m.system().mmapSize(a.u64("arg", 0)).outcome())
            .operation(
                    "check_extension",
                    List.of(Parameter.of("cap", Kind.U64, "", "KVM_CAP_* number")),
                    "KVM_CHECK_EXTENSION on /dev/kvm.",
                    "assert machine.check_extension(236) == 1",
                    (m, a) -> m.system().checkExtension((int) a.u64("cap")))
            .operation(
                    "get_msr_index_list",
                    NENT,
                    "KVM_GET_MSR_INDEX_LIST: detail `indices`. Errors: E2BIG with detail `nmsrs`.",
                    "machine.get_msr_index_list",
                    (m, a) -> m.system().msrs(a.u64("nent", 4096), false).outcome())
            .operation(
                    "get_msr_feature_index_list",
                    NENT,
                    "KVM_GET_MSR_FEATURE_INDEX_LIST: detail `indices`. Errors: E2BIG with detail `nmsrs`.",
                    "machine.get_msr_feature_index_list",
                    (m, a) -> m.system().msrs(a.u64("nent", 4096), true).outcome())
            .operation(
                    "get_supported_cpuid",
                    NENT,
                    "KVM_GET_SUPPORTED_CPUID: details `nent` and `entries`. Errors: E2BIG.",
                    "show machine.get_supported_cpuid",
                    (m, a) -> m.system().cpuid(a.u64("nent", 256), false).outcome())
            .operation(
                    "get_emulated_cpuid",
                    NENT,
                    "KVM_GET_EMULATED_CPUID: nothing is emulated that the processor has not. Errors: E2BIG.",
                    "machine.get_emulated_cpuid -> ok nent 0",
                    (m, a) -> m.system().cpuid(a.u64("nent", 256), true).outcome())
            .operation(
                    "get_mce_cap_supported",
                    List.of(),
                    "KVM_X86_GET_MCE_CAP_SUPPORTED; detail `value`.",
                    "machine.get_mce_cap_supported",
                    (m, _) -> m.system().mceCap().outcome())
            .operation(
                    "get_device_attr",
                    ATTRIBUTE,
                    "KVM_GET_DEVICE_ATTR of /dev/kvm: group 0, attribute 0 is the supported XCR0; group 1, attribute 0 the "
                            + "vmsa_features on an AMD host. Errors: ENXIO.",
                    "machine.get_device_attr group 0 attr 0",
                    (m, a) -> m.system()
                            .attribute(a.u64("group", 0), a.u64("attr", 0), true)
                            .outcome())
            .operation(
                    "has_device_attr",
                    ATTRIBUTE,
                    "KVM_HAS_DEVICE_ATTR of /dev/kvm. Errors: ENXIO.",
                    "machine.has_device_attr group 0 attr 0",
                    (m, a) -> m.system()
                            .attribute(a.u64("group", 0), a.u64("attr", 0), false)
                            .outcome())
            .operation(
                    "ioctl",
                    List.of(Parameter.of("request", Kind.U64, "", "the request number")),
                    "An ioctl of /dev/kvm by its number. Errors: EINVAL for one that does not exist.",
                    "machine.ioctl 0xae55 -> EINVAL",
                    (m, a) -> m.system().other(a.u64("request")).outcome())
            .property(
                    "semantics",
                    "string",
                    "The semantics in force.",
                    "show machine.semantics",
                    m -> m.machine.config().semantics().name())
            .property(
                    "kernel",
                    "string",
                    "The Linux release whose behaviour is modelled.",
                    "show machine.kernel",
                    m -> m.machine.config().semantics().kernel().toString())
            .build();

    private static Object notBooted() {
        return new Outcome.Failed("ENODEV", "no VM has been booted", Map.of());
    }

    private final Machine machine;

    MachineHandle(Machine machine) {
        this.machine = machine;
    }

    private SystemIoctls system() {
        return new SystemIoctls(machine.kvm());
    }

    private Object createVm(long type) {
        machine.kvm().issued(Ioctl.CREATE_VM);
        Optional<VmType> wanted = Stream.of(VmType.values())
                .filter(each -> each.number() == type)
                .filter(each -> (VmType.supported(machine.kvm()) >>> type & 1) != 0)
                .findFirst();
        if (wanted.filter(each -> each != VmType.DEFAULT && each != VmType.SW_PROTECTED)
                .isPresent()) {
            return new Outcome.Failed(
                    "unsupported", "unsupported: a VM of type " + wanted.get() + " is declared with `vm`", Map.of());
        }
        if (wanted.isEmpty()) {
            IoctlResult refused =
                    Check.CREATE_VM_TYPE.refuse("kvm_dev_ioctl_create_vm: type " + type + " is not supported");
            if (machine.events().listening() && refused instanceof IoctlResult.Err err) {
                machine.events().emit(new VmEvent.Refused("kvm", err.errno(), err.reason(), err.check()));
            }
            return refused.outcome();
        }
        int number = machine.kvm().vms().size();
        return new VmHandle(machine, new Vm(machine.kvm(), "vm" + number, wanted.get(), machine.mm()));
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return "machine";
    }
}
