package kvasir.vmm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import kvasir.event.Topic;
import kvasir.kvm.DirtyRing;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.RunResult;
import kvasir.kvm.SystemManagement;
import kvasir.kvm.Vcpu;
import kvasir.kvm.semantics.MemoryMapping;
import kvasir.kvm.semantics.Policies;
import kvasir.kvm.semantics.Semantics;
import kvasir.metal.cpu.Cpu;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Described;
import kvasir.registry.Guest;
import kvasir.registry.Outcome;
import kvasir.registry.Range;

/** A vCPU as scripts hold it. */
public class VcpuHandle implements Described {
    private static final int EFER = 0xc000_0080;
    private static final String[] GPRS = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
    };

    static final Api<VcpuHandle> API =
            declare(Api.of("vcpu", VcpuHandle.class, "A virtual processor.")).build();

    final Machine machine;
    final Vcpu vcpu;

    /** @param vcpu what KVM knows of it */
    protected VcpuHandle(Machine machine, Vcpu vcpu) {
        this.machine = machine;
        this.vcpu = vcpu;
    }

    /** What KVM knows of it. */
    public final Vcpu vcpu() {
        return vcpu;
    }

    Cpu cpu() {
        return vcpu.cpu();
    }

    /** Adds what every vCPU can do. */
    protected static <T extends VcpuHandle> Api.Builder<T> declare(Api.Builder<T> api) {
        return VcpuState.declare(
                VcpuFpu.declare(VcpuDebug.declare(declareRegisters(declareModes(declarePreFault(declareRun(api)))))));
    }

    private static <T extends VcpuHandle> Api.Builder<T> declareRun(Api.Builder<T> api) {
        return api.operation(
                        "load",
                        List.of(
                                Parameter.of("guest", Kind.GUEST, "", "the program"),
                                Parameter.of("at", Kind.U64, "bytes", "gpa and linear address of its first byte")
                                        .asKeyword(),
                                VmHandle.keyword(
                                        "tables",
                                        Kind.U64,
                                        "bytes",
                                        "gpa of four pages for page tables, GDT and stack"),
                                VmHandle.keyword(
                                        "also",
                                        Kind.RANGE,
                                        "bytes",
                                        "asm64: gpas above 512 GiB that the identity mapping covers too"),
                                VmBuilder.flag("bare", "only the code is written; registers stay as they are")),
                        "The VMM writes the program into guest memory and sets the registers so that the vCPU starts "
                                + "it in the mode it is written for: asm16 in real mode, asm32 flat and without "
                                + "paging, asm64 with an identity mapping of the first 512 GiB. What that needs lies "
                                + "in four pages behind the code: PML4, PDPT (1 GiB pages), GDT, stack.",
                        "plain.vcpu0.load probe at 1M",
                        (v, a) -> GuestLoader.load(v.vcpu, a.get("guest", Guest.class), a))
                .operation(
                        "run",
                        List.of(
                                VmHandle.keyword(
                                        "budget",
                                        Kind.U64,
                                        "instructions",
                                        "more than that without an exit is an error"),
                                VmHandle.keyword("arg", Kind.U64, "", "the ioctl's argument; must be 0")),
                        "KVM_RUN. What the last exit left open is finished first. Ends with an exit (HLT, IO, MMIO, "
                                + "MEMORY_FAULT ...) or an errno; EINTR if a signal is pending or immediate_exit is set.",
                        "plain.vcpu0.run -> HLT",
                        (v, a) -> v.run(a.u64("budget", v.machine.config().instructionBudget()), a.u64("arg", 0))
                                .outcome())
                .operation(
                        "signal",
                        List.of(VmHandle.keyword(
                                "after", Kind.U64, "", "how many looks at signal_pending come before it; 0 is now")),
                        "A signal for the thread that uses this vCPU. It stays pending until an ioctl returns.",
                        "plain.vcpu0.signal after 3",
                        (v, a) -> {
                            v.vcpu.sendSignal(a.u64("after", 0));
                            return Outcome.ok();
                        })
                .property(
                        "exits",
                        "exits",
                        "How often the guest was left, by cause.",
                        "assert plain.vcpu0.exits.ept_violation == 0",
                        v -> new ExitsHandle(v.label(), v.vcpu.exits()))
                .property(
                        "kvm_run",
                        "kvm_run",
                        "The page shared with user space.",
                        "show plain.vcpu0.kvm_run",
                        v -> new KvmRunHandle(v.label(), v.vcpu.kvmRun()))
                .property("id", "u64", "KVM_CREATE_VCPU's argument.", "show plain.vcpu0.id", v -> (long) v.vcpu.id())
                .property(
                        "retired",
                        "u64",
                        "Instructions retired: the virtual time.",
                        "show plain.vcpu0.retired",
                        v -> v.cpu().retired());
    }

    private static <T extends VcpuHandle> Api.Builder<T> declarePreFault(Api.Builder<T> api) {
        List<Parameter> parameters = List.of(
                Parameter.of("range", Kind.RANGE, "bytes", "guest physical addresses")
                        .orAbsent(),
                VmHandle.keyword(
                        "first", Kind.U64, "", "instead of a range: the struct's own first number, a gfn or bytes"),
                VmHandle.keyword("count", Kind.U64, "", "and its second, in the units of the semantics"),
                VmHandle.keyword("flags", Kind.U64, "", "rfc: 1 WRITE, 2 EXEC, 4 USER, 8 PRIVATE; others: must be 0"),
                VmHandle.keyword("source", Kind.U64, "bytes", "rfc: hva of the content; others have no such field"));
        String doc =
                "Maps guest memory before the guest touches it, under the semantics in force: KVM_MAP_MEMORY (rfc, "
                        + "rfc-v2, sean) or KVM_PRE_FAULT_MEMORY (6.11 and later). Details: `left` bytes not done, `gpa` where "
                        + "it stopped. Errors: EINVAL, EAGAIN, EINTR, ENOENT, EFAULT, EOPNOTSUPP, EHWPOISON, EIO.";
        return api.operation(
                        "map_memory",
                        parameters,
                        doc,
                        "plain.vcpu0.map_memory 0 .. 2M -> ok left 0",
                        (v, a) -> v.mapMemory(a))
                .operation(
                        "pre_fault_memory",
                        parameters,
                        doc,
                        "plain.vcpu0.pre_fault_memory 0 .. 2M",
                        (v, a) -> v.mapMemory(a));
    }

    private static <T extends VcpuHandle> Api.Builder<T> declareModes(Api.Builder<T> api) {
        return api.property(
                        "smm",
                        "bool",
                        "In system-management mode: address space 1 and its own root.",
                        "plain.vcpu0.smm = true",
                        v -> v.vcpu.smm(),
                        (v, value) -> v.setSmm((Boolean) value))
                .operation(
                        "smi",
                        List.of(),
                        "KVM_SMI: a system-management interrupt. The vCPU enters SMM before its next instruction: KVM "
                                + "saves the state at SMBASE + 0xfe00 and goes on in real mode at SMBASE + 0x8000; RSM "
                                + "comes back. In SMM a further one waits.",
                        "plain.vcpu0.smi",
                        (v, _) -> v.vcpu.smi().outcome())
                .property(
                        "smbase",
                        "u64",
                        "Where the vCPU's SMRAM begins (MSR 0x9e); 0x30000 after RESET. A handler moves it by changing "
                                + "the dword at SMBASE + 0xff00 before RSM.",
                        "plain.vcpu0.smbase = 0xa0000",
                        v -> v.vcpu.systemManagement().smbase(),
                        (v, value) -> v.set(
                                value,
                                () -> v.vcpu.systemManagement().setMsr(SystemManagement.IA32_SMBASE, (Long) value)))
                .property(
                        "guest_mode",
                        "string",
                        "Whether L2 is active: off; tdp, if L1 gives it stage-2 tables; shadow, if L1 shadows.",
                        "plain.vcpu0.guest_mode = \"tdp\"",
                        v -> v.guestMode(),
                        (v, value) -> v.setGuestMode((String) value))
                .property(
                        "maxphyaddr",
                        "u64",
                        "The guest's MAXPHYADDR as KVM knows it: 36 before KVM_SET_CPUID2.",
                        "show plain.vcpu0.maxphyaddr",
                        v -> (long) v.vcpu.maxPhyAddr())
                .operation(
                        "set_cpuid",
                        List.of(
                                VmHandle.keyword("maxphyaddr", Kind.U64, "bits", "leaf 0x80000008 EAX[7:0]; 36 to 52"),
                                VmHandle.keyword(
                                        "linear", Kind.U64, "bits", "leaf 0x80000008 EAX[15:8]; else the model's"),
                                VmHandle.keyword("nent", Kind.U64, "", "entries the table claims to have")),
                        "KVM_SET_CPUID2 with the vCPU's processor model. Errors: E2BIG above 256 entries; EINVAL for a "
                                + "linear width other than 48, 57 and 0, and once the vCPU ran, unless the table stays "
                                + "the same.",
                        "plain.vcpu0.set_cpuid",
                        VcpuState::setCpuid)
                .property(
                        "ring",
                        "list of record",
                        "Entries of the dirty ring.",
                        "show plain.vcpu0.ring",
                        v -> v.vcpu.dirtyRing().map(DirtyRing::entries).orElse(List.of()).stream()
                                .map(VcpuHandle::entry)
                                .toList())
                .operation(
                        "harvest_ring",
                        List.of(),
                        "User space collects the dirty entries, in order, and marks them for KVM_RESET_DIRTY_RINGS.",
                        "let pages = plain.vcpu0.harvest_ring",
                        (v, _) -> v.vcpu.dirtyRing().map(DirtyRing::harvest).orElse(List.of()).stream()
                                .map(VcpuHandle::entry)
                                .toList());
    }

    private static <T extends VcpuHandle> Api.Builder<T> declareRegisters(Api.Builder<T> api) {
        Api.Builder<T> registers = api;
        for (int i = 0; i < GPRS.length; i++) {
            int number = i;
            registers = registers.property(
                    GPRS[i],
                    "u64",
                    "General register.",
                    "plain.vcpu0." + GPRS[i] + " = 5",
                    v -> v.cpu().gpr(number),
                    (v, value) -> v.set(value, () -> v.cpu().setGpr(number, (Long) value)));
        }
        for (int control : new int[] {0, 2, 3, 4, 8}) {
            registers = registers.property(
                    "cr" + control,
                    "u64",
                    "Control register.",
                    "show plain.vcpu0.cr" + control,
                    v -> v.cpu().cr(control),
                    (v, value) -> v.set(value, () -> {
                        v.cpu().setCr(control, (Long) value);
                        if (control == 8) {
                            v.vcpu.kvmRun().setCr8((Long) value);
                        }
                    }));
        }
        return registers
                .property(
                        "rip",
                        "u64",
                        "Instruction pointer, an offset in CS.",
                        "plain.vcpu0.rip = 1M",
                        v -> v.cpu().rip(),
                        (v, value) -> v.set(value, () -> v.cpu().setRip((Long) value)))
                .property(
                        "rflags",
                        "u64",
                        "Flags.",
                        "show plain.vcpu0.rflags",
                        v -> v.cpu().rflags(),
                        (v, value) -> v.set(value, () -> v.cpu().setRflags((Long) value)))
                .property(
                        "efer",
                        "u64",
                        "IA32_EFER.",
                        "show plain.vcpu0.efer",
                        v -> v.msr(EFER),
                        (v, value) -> v.set(value, () -> v.cpu().setMsr(EFER, (Long) value)))
                .property("cpl", "u64", "Current privilege level.", "show plain.vcpu0.cpl", v ->
                        (long) v.cpu().cpl());
    }

    /** KVM_SET_REGS, KVM_SET_SREGS, KVM_SET_MSRS: EINVAL once the registers are the guest's alone. */
    Object set(Object value, Runnable change) {
        IoctlResult result = vcpu.setRegisters(change);
        return result instanceof IoctlResult.Err ? result.outcome() : value;
    }

    long msr(int index) {
        OptionalLong value = cpu().msr(index);
        return value.orElse(0);
    }

    private static Map<String, ?> entry(DirtyRing.Entry entry) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("slot", (long) entry.slot());
        fields.put("offset", entry.offset());
        fields.put("flags", (long) entry.flags());
        return fields;
    }

    Outcome mapMemory(Arguments a) {
        Semantics semantics = machine.config().semantics();
        Policies.Units units = semantics.policies().units();
        Optional<Range> range = a.optional("range", Range.class);
        boolean struct = a.has("first") || a.has("count");
        if (range.isPresent() == struct) {
            return new Outcome.Failed("EINVAL", "a range, or `first` and `count` as the struct has them", Map.of());
        }
        long flags = a.u64("flags", 0);
        long source = a.u64("source", 0);
        MemoryMapping request = range.map(r -> new MemoryMapping(r.start(), r.size(), flags, source))
                .orElseGet(() -> MemoryMapping.inUnits(units, a.u64("first", 0), a.u64("count", 0), flags, source));
        IoctlResult result = semantics.mapMemory(vcpu, request);
        vcpu.takeSignal();
        return struct ? withStruct(result.outcome(), request.first(units), request.count(units)) : result.outcome();
    }

    private static Outcome withStruct(Outcome outcome, long first, long count) {
        var details = new LinkedHashMap<String, Object>(outcome.details());
        details.put("first", first);
        details.put("count", count);
        return switch (outcome) {
            case Outcome.Ok _ -> new Outcome.Ok(details);
            case Outcome.Failed failed -> new Outcome.Failed(failed.name(), failed.reason(), details);
            case Outcome.Exit exit -> new Outcome.Exit(exit.name(), details);
        };
    }

    /** KVM_RUN; if the vCPU falls asleep, time passes until a timer wakes it. */
    final RunResult run(long budget, long arg) {
        long end = vcpu.vm().now() + budget;
        RunResult result = vcpu.run(budget, arg);
        while (result instanceof RunResult.Descheduled
                && vcpu.vm().now() < end
                && vcpu.vm().idle()) {
            result = vcpu.run(budget, arg);
        }
        return result;
    }

    Object setSmm(boolean active) {
        vcpu.systemManagement().change(active);
        return active;
    }

    String guestMode() {
        return !vcpu.guestMode() ? "off" : vcpu.nestedTdp() ? "tdp" : "shadow";
    }

    Object setGuestMode(String mode) {
        if (!List.of("off", "tdp", "shadow").contains(mode)) {
            return new Outcome.Failed("EINVAL", "guest_mode is off, tdp or shadow", Map.of());
        }
        vcpu.setGuestMode(!mode.equals("off"), mode.equals("tdp"));
        return mode;
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return vcpu.vm().name() + ".vcpu" + vcpu.id();
    }

    @Override
    public Topic topic() {
        return Topic.of(label(), 0, 1);
    }

    @Override
    public Optional<String> picture() {
        var lines = new LinkedHashMap<String, String>();
        for (int i = 0; i < GPRS.length; i++) {
            lines.put(GPRS[i], "0x%016x".formatted(cpu().gpr(i)));
        }
        lines.put("rip", "0x%016x".formatted(cpu().rip()));
        lines.put("rflags", "0x%08x".formatted(cpu().rflags()));
        return Optional.of(Text.table(lines));
    }
}
