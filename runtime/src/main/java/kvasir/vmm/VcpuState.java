package kvasir.vmm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
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
        return declareOthers(declareEvents(declareStructs(api)));
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
