package kvasir.vmm;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import kvasir.kvm.Check;
import kvasir.kvm.IoctlResult;
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
                        arguments.get("snapshot", MachineSnapshot.class).restore();
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
                            Parameter.of("image", Kind.BYTES, "", "a bzImage of boot protocol 2.12 or later"),
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

    private Object createVm(long type) {
        Optional<VmType> wanted = Stream.of(VmType.values())
                .filter(each -> each.number() == type)
                .filter(each -> each == VmType.DEFAULT || each == VmType.SW_PROTECTED)
                .findFirst();
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
