package kvasir.vmm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.tdx.Conditions;
import kvasir.metal.tdx.LeafForm;
import kvasir.metal.tdx.LockObject;
import kvasir.metal.tdx.Operand;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.Status;
import kvasir.metal.tdx.TdExit;
import kvasir.metal.tdx.TdxModule;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;

/** A TDX module as scripts hold it: that of the host ({@code host.tdx}), or one of its own ({@code host.bare_tdx}). */
final class TdxPlatformHandle implements Described {
    private static final Parameter LP = VmHandle.keyword("lp", Kind.U64, "", "logical processor; 0 if left out");

    static final Api<TdxPlatformHandle> API = declareKnobs(declareCalls(Api.of(
                    "tdx platform",
                    TdxPlatformHandle.class,
                    "A TDX module and what it runs on. `host.tdx` is the one that KVM uses, initialised; "
                            + "`host.bare_tdx` gives a fresh one with memory of its own, loaded and nothing done.")))
            .property(
                    "state",
                    "string",
                    "SYSINIT_PENDING, SYSINIT_DONE, SYSCONFIG_DONE, SYS_READY or SYS_SHUTDOWN.",
                    "assert host.tdx.state == \"SYS_READY\"",
                    p -> p.module().sysState().name())
            .property("lps", "u64", "Logical processors.", "show host.tdx.lps", p ->
                    (long) p.module().platform().lps())
            .property("packages", "u64", "Packages.", "show host.tdx.packages", p ->
                    (long) p.module().platform().packages())
            .property(
                    "first_hkid",
                    "u64",
                    "The lowest private key id; Linux takes it for the module.",
                    "show host.tdx.first_hkid",
                    p -> (long) p.module().platform().firstPrivateHkid())
            .property(
                    "pamt",
                    "pamt",
                    "The page metadata; pamt[hpa] is one page.",
                    "show host.tdx.pamt[1G]",
                    p -> new PamtView(p.module(), p.label()))
            .property(
                    "leaves",
                    "list of string",
                    "Every leaf of SEAMCALL and TDCALL by its name.",
                    "show host.tdx.leaves",
                    _ -> LeafForm.all().stream().map(LeafForm::name).toList())
            .build();

    private final Machine machine;
    private final String label;
    private final Optional<BareTdx> bare;

    /** The module under KVM. */
    static TdxPlatformHandle ofHost(Machine machine) {
        return new TdxPlatformHandle(machine, "host.tdx", Optional.empty());
    }

    /** A module of its own. */
    static TdxPlatformHandle of(Machine machine, BareTdx bare) {
        return new TdxPlatformHandle(machine, "bare_tdx", Optional.of(bare));
    }

    private TdxPlatformHandle(Machine machine, String label, Optional<BareTdx> bare) {
        this.machine = machine;
        this.label = label;
        this.bare = bare;
    }

    private static Api.Builder<TdxPlatformHandle> declareCalls(Api.Builder<TdxPlatformHandle> api) {
        return api.operation(
                        "seamcall",
                        LeafCall.parameters(LP),
                        "One SEAMCALL as it stands. The outcome is ok, the completion status by name, or TD_EXIT for "
                                + "a TDH.VP.ENTER that entered. Details: rax, `operand` (what its low 32 bits name), "
                                + "and the registers rcx, rdx, r8 ... after it. "
                                + "Operands go by name, into the register that the leaf has for them, or by register.",
                        "host.tdx.seamcall \"TDH.PHYMEM.PAGE.RDMD\" page 1M -> ok rcx 0",
                        (p, a) -> p.lp(a)
                                .orElseGet(() ->
                                        LeafCall.with(a, regs -> p.module().seamcall((int) a.u64("lp", 0), regs))))
                .operation(
                        "tdcall",
                        LeafCall.parameters(VmHandle.keyword("by", Kind.U64, "bytes", "TDVPR of the vCPU that calls")),
                        "One TDCALL, as if the vCPU executed it now. The outcome is ok, the completion status, "
                                + "TD_EXIT if it leaves the TD (reason, gpa, eeq ...), or VE.",
                        "p.tdcall \"TDG.MEM.PAGE.ACCEPT\" by vcpu gpa 0 level 0",
                        (p, a) -> p.tdcall(a))
                .operation(
                        "leaf",
                        List.of(Parameter.of("name", Kind.STRING, "", "name in the ABI")),
                        "How a leaf is called: number, max_version, operands with their registers, and statuses, what "
                                + "it can answer.",
                        "show host.tdx.leaf \"TDH.MEM.PAGE.ADD\"",
                        (_, a) -> form(a.string("name")))
                .operation(
                        "page",
                        List.of(VmBuilder.flag("large", "2 MiB, aligned")),
                        "Address of a page that nobody uses, one for the module to take.",
                        "let tdr = p.page",
                        (p, a) -> p.page(a.flag("large")))
                .operation(
                        "write",
                        List.of(
                                Parameter.of("hpa", Kind.U64, "bytes", "host physical address"),
                                VmHandle.keyword("bytes", Kind.BYTES, "", "what to write"),
                                VmHandle.keyword("u64", Kind.U64, "", "or one quadword"),
                                VmHandle.keyword("u32", Kind.U64, "", "or one doubleword"),
                                VmHandle.keyword("u16", Kind.U64, "", "or one word")),
                        "Writes host memory, as a host would for TD_PARAMS, TDMR_INFO or a source page.",
                        "p.write 0x200000 u64 0x10000000",
                        (p, a) -> p.write(a))
                .operation(
                        "read",
                        List.of(Parameter.of("range", Kind.RANGE, "bytes", "host physical addresses")),
                        "Bytes of host memory.",
                        "show p.read 0x200000 .. 0x200010",
                        (p, a) -> p.read(a.range("range")));
    }

    private static Api.Builder<TdxPlatformHandle> declareKnobs(Api.Builder<TdxPlatformHandle> api) {
        return api.operation(
                        "busy",
                        List.of(
                                Parameter.of("object", Kind.STRING, "", locks()),
                                VmHandle.keyword("nth", Kind.U64, "", "which attempt; 1 is the next")),
                        "One attempt of the module to take such a lock finds it taken by another processor.",
                        "p.busy \"SEPT_TREE\"",
                        (p, a) -> p.busy(a.string("object"), (int) a.u64("nth", 1)))
                .operation(
                        "condition",
                        List.of(
                                Parameter.of("what", Kind.WORD, "", "what the hardware does")
                                        .among(
                                                "no_entropy",
                                                "no_key",
                                                "host_interrupt",
                                                "writeback_interrupted",
                                                "limit_cpuid",
                                                "tsc_adjust",
                                                "tsc_rollback"),
                                VmHandle.keyword("times", Kind.U64, "", "how often, 1 if left out; 0 ends it")),
                        "What only hardware decides: no_entropy (RDRAND and RDSEED fail), no_key (key generation "
                                + "fails), host_interrupt (one is pending at an interruptible leaf), "
                                + "writeback_interrupted; limit_cpuid, tsc_adjust and tsc_rollback last until times 0.",
                        "p.condition no_entropy",
                        (p, a) -> p.condition(a.string("what"), (int) a.u64("times", 1)))
                .operation(
                        "next_exit",
                        List.of(
                                Parameter.of("what", Kind.WORD, "", "how it leaves")
                                        .among(
                                                "interrupt",
                                                "ept_violation",
                                                "triple_fault",
                                                "fatal",
                                                "host_priority_timeout",
                                                "vmcall"),
                                VmHandle.keyword("gpa", Kind.U64, "bytes", "of an ept_violation"),
                                VmHandle.keyword("qualification", Kind.U64, "", "exit qualification"),
                                VmHandle.keyword("mask", Kind.U64, "", "RCX of a vmcall")),
                        "The vCPUs of a bare platform have no code: this is how those leave that are entered from now "
                                + "on, an external interrupt if nothing is said.",
                        "p.next_exit ept_violation gpa 0x7000",
                        (p, a) -> p.onBare(bare -> p.nextExit(bare, a)))
                .operation(
                        "enter",
                        List.of(Parameter.of("tdvpr", Kind.U64, "bytes", "of the vCPU"), LP),
                        "TDH.VP.ENTER on a bare platform that stays inside until `leave`: it holds its locks and its "
                                + "epoch reference meanwhile. The outcome is ok, or the status with which it came back.",
                        "p.enter vcpu",
                        (p, a) -> p.onBare(bare -> p.lp(a)
                                .orElseGet(() -> bare.enter((int) a.u64("lp", 0), a.u64("tdvpr"))
                                        .map(LeafCall::status)
                                        .orElseGet(Outcome::ok))))
                .operation(
                        "leave",
                        List.of(Parameter.of("tdvpr", Kind.U64, "bytes", "of the vCPU")),
                        "The vCPU that `enter` left inside goes out; the outcome is that of its TDH.VP.ENTER.",
                        "p.leave vcpu -> _",
                        (p, a) -> p.onBare(bare -> bare.leave(a.u64("tdvpr"))
                                .map(LeafCall::status)
                                .orElseGet(() -> refused("that vCPU is not inside"))));
    }

    private static String locks() {
        return String.join(
                ", ", Stream.of(LockObject.values()).map(LockObject::name).toList());
    }

    private TdxModule module() {
        return bare.map(BareTdx::module).orElseGet(() -> machine.tdxHost().module());
    }

    private PhysicalMemory memory() {
        return bare.map(BareTdx::memory).orElseGet(machine::memory);
    }

    private static Outcome refused(String why) {
        return new Outcome.Failed("EINVAL", why, Map.of());
    }

    private Outcome onBare(java.util.function.Function<BareTdx, Outcome> body) {
        return bare.map(body).orElseGet(() -> refused("vCPUs of this module belong to KVM: `vcpu.run` enters them"));
    }

    /** A refusal if the script names a processor that there is none of. */
    private Optional<Outcome> lp(Arguments a) {
        long lp = a.u64("lp", 0);
        return Long.compareUnsigned(lp, module().platform().lps()) < 0
                ? Optional.empty()
                : Optional.of(refused("there is no logical processor " + lp));
    }

    private Outcome tdcall(Arguments a) {
        long tdvpr = a.u64("by", 0);
        return module().vcpu(tdvpr)
                ? LeafCall.registers(a, regs -> LeafCall.ended(module().tdcall(tdvpr, regs)))
                : refused("`by` must be the TDVPR of a vCPU: 0x%x is none".formatted(tdvpr));
    }

    private static Object form(String name) {
        Optional<LeafForm> found = LeafForm.of(name);
        if (found.isEmpty()) {
            return refused("there is no leaf '" + name + "'");
        }
        LeafForm form = found.get();
        var fields = new LinkedHashMap<String, Object>();
        fields.put("name", form.name());
        fields.put("number", (long) form.number());
        fields.put("supported", form.maxVersion() >= 0);
        fields.put("max_version", (long) Math.max(0, form.maxVersion()));
        var operands = new ArrayList<String>();
        form.registers().forEach((operand, register) -> operands.add(operand + " in " + Operand.name(register)));
        fields.put("operands", operands);
        fields.put("statuses", form.statuses().stream().map(Status::abiName).toList());
        return fields;
    }

    private Object page(boolean large) {
        if (bare.isPresent()) {
            return large ? bare.get().largePage() : bare.get().page();
        }
        long pfn = large
                ? machine.kvm().pages().allocateHuge(2)
                : machine.kvm().pages().allocate(kvasir.kvm.mm.HostPages.Use.UNMOVABLE);
        return pfn < 0 ? new Outcome.Failed("ENOMEM", "the host has no free page", Map.of()) : (Object) (pfn << 12);
    }

    private Outcome write(Arguments a) {
        long hpa = a.u64("hpa");
        long bytes =
                a.optional("bytes", Bytes.class).map(b -> (long) b.length()).orElse(8L);
        if (!within(hpa, bytes)) {
            return refused("0x%x is outside of memory".formatted(hpa));
        }
        a.optional("bytes", Bytes.class)
                .ifPresent(content -> memory().write(hpa, content.toArray(), 0, content.length()));
        a.optional("u64", Long.class).ifPresent(value -> memory().write64(hpa, value));
        a.optional("u32", Long.class).ifPresent(value -> memory().write32(hpa, value.intValue()));
        a.optional("u16", Long.class).ifPresent(value -> memory().write16(hpa, value.shortValue()));
        return Outcome.ok();
    }

    private boolean within(long hpa, long bytes) {
        return hpa >= 0 && hpa <= memory().size() - bytes;
    }

    private Object read(Range range) {
        if (range.size() > 1 << 20 || !within(range.start(), range.size())) {
            return refused("0x%x .. 0x%x is outside of memory, or more than 1M".formatted(range.start(), range.end()));
        }
        var content = new byte[(int) range.size()];
        memory().read(range.start(), content, 0, content.length);
        return Bytes.of(content);
    }

    private Outcome busy(String object, int nth) {
        return busy(module(), object, nth);
    }

    /** Makes one attempt to take a lock fail. */
    static Outcome busy(TdxModule module, String object, int nth) {
        for (LockObject kind : LockObject.values()) {
            if (kind.name().equals(object)) {
                module.conditions().busy(kind, Math.max(1, nth));
                return Outcome.ok();
            }
        }
        return refused("there is no lock '%s'; there are %s".formatted(object, locks()));
    }

    private Outcome condition(String what, int times) {
        Conditions conditions = module().conditions();
        switch (what) {
            case "no_entropy" -> conditions.entropyShortage(times);
            case "no_key" -> conditions.keyGenerationFailure(times);
            case "host_interrupt" -> conditions.pendingInterrupt(times);
            case "writeback_interrupted" -> conditions.interruptWriteback(times);
            case "limit_cpuid" -> conditions.limitCpuidMaxval(times != 0);
            case "tsc_adjust" -> conditions.tscAdjustChanged(times != 0);
            default -> conditions.tscRolledBack(times != 0);
        }
        return Outcome.ok();
    }

    private Outcome nextExit(BareTdx to, Arguments a) {
        long gpa = a.u64("gpa", 0);
        to.next(
                switch (a.string("what")) {
                    case "ept_violation" ->
                        new TdExit.EptViolation(gpa, a.u64("qualification", 0x182), TdExit.EEQ_NONE);
                    case "triple_fault" -> new TdExit.TripleFault();
                    case "fatal" -> new TdExit.Fatal(Status.NON_RECOVERABLE_TD);
                    case "host_priority_timeout" -> new TdExit.HostPriorityTimeout();
                    case "vmcall" -> new TdExit.Vmcall(SeamcallRegs.leaf(0).with(Operand.RCX, a.u64("mask", 0xffcc)));
                    default -> new TdExit.Asynchronous(1, a.u64("qualification", 0), 0);
                });
        return Outcome.ok();
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return label;
    }
}
