package kvasir.vmm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kvasir.kvm.CpuidTable;
import kvasir.kvm.Ioctl;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.MpState;
import kvasir.kvm.VcpuIoctls;
import kvasir.metal.cpu.CpuidModel;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Outcome;

/** ioctls of a vCPU that move a struct of its state, as scripts call them. */
final class VcpuState {
    private VcpuState() {}

    static <T extends VcpuHandle> Api.Builder<T> declare(Api.Builder<T> api) {
        return declareImages(declareOthers(declareEvents(declareStructs(api))));
    }

    private static <T extends VcpuHandle> Api.Builder<T> declareStructs(Api.Builder<T> api) {
        Api.Builder<T> all = struct(
                api,
                "regs",
                VcpuIoctls.Kind.REGS,
                "struct kvm_regs: general registers, rip, rflags. A pending exception is forgotten when they are set. "
                        + "Errors: EINVAL if the guest's state is protected.",
                "{ rax: 5, rip: 1M }");
        all = struct(
                all,
                "sregs",
                VcpuIoctls.Kind.SREGS,
                "struct kvm_sregs: segments, tables, control registers, EFER, apic_base, and a bitmap of the one "
                        + "interrupt to queue. Errors: EINVAL if they do not go together (kvm_is_valid_sregs).",
                "{ cr2: 0x1000 }");
        all = struct(
                all,
                "sregs2",
                VcpuIoctls.Kind.SREGS2,
                "struct kvm_sregs2: as sregs, with PDPTRs (flags bit 0) instead of the bitmap. Errors: EINVAL, also for "
                        + "another flag and for PDPTRs without PAE paging.",
                "{ cr2: 0x1000 }");
        all = struct(
                all,
                "fpu",
                VcpuIoctls.Kind.FPU,
                "struct kvm_fpu: fpr0 to fpr7 (ST(0) first) and xmm0 to xmm15 as pairs of words, fcw, fsw, ftwx, mxcsr. "
                        + "Errors: EINVAL if the guest's state is protected.",
                "{ fcw: 0x27f, xmm0: { low: 5 } }");
        all = struct(
                all,
                "xcrs",
                VcpuIoctls.Kind.XCRS,
                "struct kvm_xcrs: nr_xcrs, and xcrs0 to xcrs15 with xcr and value. Errors: EINVAL.",
                "{ xcrs0: { value: 3 } }");
        all = struct(
                all,
                "debugregs",
                VcpuIoctls.Kind.DEBUGREGS,
                "struct kvm_debugregs: db0 to db3, dr6, dr7, flags. Errors: EINVAL.",
                "{ db0: 0x1000, dr7: 0x403 }");
        all = struct(
                all,
                "lapic",
                VcpuIoctls.Kind.LAPIC,
                "struct kvm_lapic_state by register: id, tpr, svr, isr0 to isr7, lvtt, tmict ... Setting it starts the "
                        + "timer anew. Errors: EINVAL without a local APIC in the kernel.",
                "{ tpr: 0x20 } -> EINVAL");
        return struct(
                all,
                "vcpu_events",
                VcpuIoctls.Kind.VCPU_EVENTS,
                "struct kvm_vcpu_events: exception, interrupt, nmi, smi, triple_fault, and flags that tell which of "
                        + "them count. Errors: EINVAL.",
                "{ nmi: { masked: 1 } }");
    }

    private static <T extends VcpuHandle> Api.Builder<T> struct(
            Api.Builder<T> api, String name, VcpuIoctls.Kind kind, String doc, String example) {
        String upper = name.toUpperCase(java.util.Locale.ROOT);
        return api.operation(
                        "get_" + name,
                        List.of(),
                        "KVM_GET_" + upper + ", as a record. " + doc,
                        "show plain.vcpu0.get_" + name,
                        (v, _) -> recordOf(v.vcpu.ioctls().get(kind)))
                .operation(
                        "set_" + name,
                        List.of(Parameter.of("fields", Kind.RECORD, "", "what changes; the rest stays")),
                        "KVM_SET_" + upper + ". " + doc,
                        "plain.vcpu0.set_" + name + " " + example,
                        (v, a) -> v.vcpu.ioctls()
                                .set(kind, a.get("fields", Map.class))
                                .outcome());
    }

    private static <T extends VcpuHandle> Api.Builder<T> declareEvents(Api.Builder<T> api) {
        return api.operation(
                        "interrupt",
                        List.of(Parameter.of("vector", Kind.U64, "", "0 to 255")),
                        "KVM_INTERRUPT: the vector is delivered at the next entry; on Intel the guest must be able to "
                                + "take it, else FAIL_ENTRY. Errors: EINVAL, ENXIO with an in-kernel irqchip.",
                        "plain.vcpu0.interrupt 0x20",
                        (v, a) -> v.vcpu.ioctls().interrupt(a.u64("vector")).outcome())
                .operation(
                        "nmi",
                        List.of(),
                        "KVM_NMI.",
                        "plain.vcpu0.nmi",
                        (v, _) -> v.vcpu.ioctls().nmi().outcome())
                .operation(
                        "notify_window",
                        List.of(VmBuilder.flag("context_invalid", "the exit has cost the guest its state")),
                        "The processor finds no instruction boundary for longer than the notify window: no instruction "
                                + "of this processor takes that long, so a script says when. The next run ends with "
                                + "NOTIFY if user space asked for it. Errors: EINVAL without KVM_CAP_X86_NOTIFY_VMEXIT.",
                        "plain.vcpu0.notify_window context_invalid",
                        (v, a) -> v.vcpu.passNotifyWindow(a.flag("context_invalid"))
                                .outcome())
                .property(
                        "mp_state",
                        "string",
                        "KVM_GET_MP_STATE: RUNNABLE, UNINITIALIZED, INIT_RECEIVED or HALTED.",
                        "show pc.vcpu1.mp_state",
                        v -> v.vcpu.mpState().name())
                .operation(
                        "set_mp_state",
                        List.of(
                                Parameter.of("state", Kind.WORD, "", "KVM_MP_STATE_*")
                                        .among(Stream.of(MpState.values())
                                                .map(MpState::name)
                                                .toArray(String[]::new))
                                        .orAbsent(),
                                VmHandle.keyword("number", Kind.U64, "", "the same as the struct has it")),
                        "KVM_SET_MP_STATE. Errors: EINVAL, for all but RUNNABLE if the local APIC is user space's.",
                        "pc.vcpu1.set_mp_state RUNNABLE",
                        (v, a) -> v.vcpu.ioctls()
                                .setMpState(a.optional("state", String.class)
                                        .map(word ->
                                                (long) MpState.valueOf(word).number())
                                        .orElseGet(() -> a.u64("number", 0)))
                                .outcome());
    }

    private static <T extends VcpuHandle> Api.Builder<T> declareOthers(Api.Builder<T> api) {
        return api.operation(
                        "get_msrs",
                        List.of(Parameter.of("indexes", Kind.LIST, "", "MSR numbers")),
                        "KVM_GET_MSRS, up to the first that does not exist: `count`, and `values` in order. Errors: "
                                + "E2BIG for 256 or more.",
                        "show plain.vcpu0.get_msrs [0x10, 0x174]",
                        VcpuState::getMsrs)
                .operation(
                        "set_msrs",
                        List.of(Parameter.of("entries", Kind.LIST, "", "pairs of an index and a value")),
                        "KVM_SET_MSRS, up to the first that is refused; detail `value` is how many were set. Errors: "
                                + "E2BIG for 256 or more.",
                        "plain.vcpu0.set_msrs [[0x174, 8], [0x175, 0x1000]] -> ok value 2",
                        VcpuState::setMsrs)
                .operation(
                        "get_tsc_khz",
                        List.of(),
                        "KVM_GET_TSC_KHZ; detail `value`.",
                        "plain.vcpu0.get_tsc_khz -> ok value 1000000",
                        (v, _) -> v.vcpu.ioctls().getTscKhz().outcome())
                .operation(
                        "set_tsc_khz",
                        List.of(Parameter.of("khz", Kind.U64, "kHz", "0 is the host's rate")),
                        "KVM_SET_TSC_KHZ on a host that cannot scale. Errors: EINVAL for less than the host's rate.",
                        "plain.vcpu0.set_tsc_khz 0",
                        (v, a) -> v.vcpu.ioctls().setTscKhz(a.u64("khz")).outcome());
    }

    private static <T extends VcpuHandle> Api.Builder<T> declareImages(Api.Builder<T> api) {
        Api.Builder<T> all = api;
        for (boolean second : new boolean[] {false, true}) {
            String name = "get_xsave" + (second ? "2" : "");
            all = all.operation(
                    name,
                    List.of(),
                    "KVM_" + name.toUpperCase(java.util.Locale.ROOT)
                            + ": detail `region`, 4096 bytes in the standard format. Errors: EINVAL if the guest's state "
                            + "is protected.",
                    "plain.vcpu0." + name,
                    (v, _) -> v.vcpu.ioctls().getXsave(second).outcome());
        }
        return all.operation(
                        "set_xsave",
                        List.of(Parameter.of("region", Kind.BYTES, "", "4096 bytes")),
                        "KVM_SET_XSAVE; components that xstate_bv leaves out get their initial values. Errors: EINVAL.",
                        "plain.vcpu0.set_xsave plain.vcpu0.get_xsave().region",
                        (v, a) -> v.vcpu.ioctls().setXsave(a.bytes("region")).outcome())
                .operation(
                        "get_cpuid2",
                        List.of(VmHandle.keyword("nent", Kind.U64, "", "room for entries; 256 if left out")),
                        "KVM_GET_CPUID2: details `nent` and `entries`, records as `set_cpuid2` takes them. Errors: E2BIG.",
                        "show plain.vcpu0.get_cpuid2",
                        (v, a) -> v.vcpu.ioctls().getCpuid2(a.u64("nent", 256)).outcome())
                .operation(
                        "set_cpuid2",
                        List.of(Parameter.of(
                                "entries", Kind.LIST, "", "records: function, index, flags, eax, ebx, ecx, edx")),
                        "KVM_SET_CPUID2 with a table: what CPUID answers, and MAXPHYADDR for KVM; which instructions there "
                                + "are stays with the model. Errors: E2BIG, EINVAL.",
                        "plain.vcpu0.set_cpuid2 machine.get_supported_cpuid().entries",
                        VcpuState::setCpuid2)
                .operation(
                        "translate",
                        List.of(Parameter.of("linear", Kind.U64, "bytes", "linear address")),
                        "KVM_TRANSLATE: details `physical_address`, `valid`, and `writeable` and `usermode`, which KVM does "
                                + "not look up: they are always 1 and 0.",
                        "plain.vcpu0.translate 1M",
                        (v, a) -> v.vcpu.ioctls().translate(a.u64("linear")).outcome())
                .operation(
                        "tpr_access_reporting",
                        List.of(
                                Parameter.of("enabled", Kind.U64, "", "0 or 1"),
                                VmHandle.keyword("flags", Kind.U64, "", "must be 0")),
                        "KVM_TPR_ACCESS_REPORTING: accesses to the task priority of an in-kernel local APIC end run with "
                                + "TPR_ACCESS. Errors: EINVAL.",
                        "pc.vcpu0.tpr_access_reporting 1",
                        (v, a) -> v.vcpu.ioctls()
                                .reportTprAccess(a.u64("enabled") != 0, a.u64("flags", 0))
                                .outcome())
                .operation(
                        "set_vapic_addr",
                        List.of(Parameter.of("addr", Kind.U64, "bytes", "gpa; 0 is none")),
                        "KVM_SET_VAPIC_ADDR; only 0 is modelled. Errors: EINVAL without a local APIC in the kernel.",
                        "pc.vcpu0.set_vapic_addr 0",
                        (v, a) -> v.vcpu.ioctls().setVapicAddr(a.u64("addr")).outcome())
                .operation(
                        "set_mce",
                        List.of(
                                VmHandle.keyword("bank", Kind.U64, "", "below the number that setup_mce gave"),
                                VmHandle.keyword("status", Kind.U64, "", "IA32_MCi_STATUS; bit 63 must be set"),
                                VmHandle.keyword("addr", Kind.U64, "bytes", "IA32_MCi_ADDR"),
                                VmHandle.keyword("misc", Kind.U64, "", "IA32_MCi_MISC"),
                                VmHandle.keyword("mcg_status", Kind.U64, "", "IA32_MCG_STATUS")),
                        "KVM_X86_SET_MCE: an uncorrected error (bit 61) is #MC, or a triple fault if the guest cannot take "
                                + "it. Errors: EINVAL.",
                        "plain.vcpu0.set_mce bank 1 status 0xbd00_0000_0000_0134 addr 1M mcg_status 5",
                        (v, a) -> v.vcpu.ioctls()
                                .setMce(
                                        a.u64("bank", 0),
                                        a.u64("status", 0),
                                        a.u64("addr", 0),
                                        a.u64("misc", 0),
                                        a.u64("mcg_status", 0))
                                .outcome())
                .operation(
                        "get_mp_state",
                        List.of(),
                        "KVM_GET_MP_STATE; detail `value`.",
                        "plain.vcpu0.get_mp_state -> ok value 0",
                        (v, _) -> v.vcpu.ioctls().getMpState().outcome())
                .operation(
                        "kvmclock_ctrl",
                        List.of(),
                        "KVM_KVMCLOCK_CTRL. Errors: EINVAL, as no guest has the paravirtual clock.",
                        "plain.vcpu0.kvmclock_ctrl -> EINVAL",
                        (v, _) -> v.vcpu.ioctls().kvmclockCtrl().outcome())
                .operation(
                        "get_nested_state",
                        List.of(),
                        "KVM_GET_NESTED_STATE. Errors: EINVAL without nested virtualisation.",
                        "plain.vcpu0.get_nested_state -> EINVAL",
                        (v, _) -> v.vcpu.ioctls().nestedState(false).outcome())
                .operation(
                        "set_nested_state",
                        List.of(),
                        "KVM_SET_NESTED_STATE. Errors: EINVAL without nested virtualisation.",
                        "plain.vcpu0.set_nested_state -> EINVAL",
                        (v, _) -> v.vcpu.ioctls().nestedState(true).outcome())
                .operation(
                        "ioctl",
                        List.of(Parameter.of("request", Kind.U64, "", "the request number")),
                        "An ioctl of the vCPU by its number: says which verb issues it, or why it is not modelled. Errors: "
                                + "EINVAL for one that does not exist.",
                        "plain.vcpu0.ioctl 0x4004ae8b -> unsupported",
                        (v, a) -> v.vcpu.vm()
                                .other(Ioctl.Fd.VCPU, a.u64("request"))
                                .outcome());
    }

    private static Outcome setCpuid2(VcpuHandle v, Arguments a) {
        var entries = new ArrayList<CpuidTable.Entry>();
        for (Object each : a.get("entries", List.class)) {
            if (!(each instanceof Map<?, ?> entry)) {
                return wrong("an entry is { function: 1, index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 0 }");
            }
            entries.add(new CpuidTable.Entry(
                    word(entry, "function"),
                    word(entry, "index"),
                    word(entry, "flags"),
                    word(entry, "eax"),
                    word(entry, "ebx"),
                    word(entry, "ecx"),
                    word(entry, "edx")));
        }
        return v.vcpu.ioctls().setCpuid2(new CpuidTable(entries)).outcome();
    }

    private static int word(Map<?, ?> entry, String key) {
        return entry.get(key) instanceof Long value ? value.intValue() : 0;
    }

    private static Object recordOf(IoctlResult result) {
        return result instanceof IoctlResult.Ok(long _, Map<String, ?> details) ? details : result.outcome();
    }

    private static Object getMsrs(VcpuHandle v, Arguments a) {
        var indexes = new ArrayList<Long>();
        for (Object index : a.get("indexes", List.class)) {
            if (!(index instanceof Long number)) {
                return wrong("indexes are integers");
            }
            indexes.add(number);
        }
        return v.vcpu.ioctls().getMsrs(indexes).outcome();
    }

    private static Outcome setMsrs(VcpuHandle v, Arguments a) {
        var entries = new ArrayList<Map.Entry<Long, Long>>();
        for (Object entry : a.get("entries", List.class)) {
            if (!(entry instanceof List<?> pair)
                    || pair.size() != 2
                    || !(pair.get(0) instanceof Long index)
                    || !(pair.get(1) instanceof Long value)) {
                return wrong("an entry is a list of an index and a value");
            }
            entries.add(Map.entry(index, value));
        }
        return v.vcpu.ioctls().setMsrs(entries).outcome();
    }

    private static Outcome wrong(String reason) {
        return new Outcome.Failed("EINVAL", reason, Map.of());
    }

    static Outcome setCpuid(VcpuHandle v, Arguments a) {
        CpuidModel model = v.cpu().model();
        long bits = a.u64("maxphyaddr", model.physicalBits());
        if (bits < 36 || bits > 52) {
            return wrong("MAXPHYADDR is 36 to 52 here");
        }
        long linear = a.u64("linear", model.has(CpuidModel.Feature.LA57) ? 57 : 48);
        return v.vcpu.setCpuid2(model.withPhysicalBits((int) bits), a.u64("nent", 1), linear)
                .outcome();
    }
}
