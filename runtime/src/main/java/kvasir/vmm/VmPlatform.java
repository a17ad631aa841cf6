package kvasir.vmm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kvasir.kvm.Ioctl;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Platform;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Outcome;

/** ioctls of a VM about its irqchip, timers, clock and eventfds, as scripts call them. */
final class VmPlatform {
    private VmPlatform() {}

    static <T extends VmHandle> Api.Builder<T> declare(Api.Builder<T> api) {
        return declareOthers(declareEventFds(declareRouting(declareTimers(declareChips(api)))));
    }

    private static Platform of(VmHandle vm) {
        return vm.vm().platform();
    }

    private static Object record(IoctlResult result) {
        return result instanceof IoctlResult.Ok(long _, Map<String, ?> fields) ? fields : result.outcome();
    }

    private static Parameter fields() {
        return Parameter.of("fields", Kind.RECORD, "", "what changes; the rest stays");
    }

    private static Parameter chip() {
        return Parameter.of("chip", Kind.U64, "", "0 master 8259, 1 slave 8259, 2 I/O APIC");
    }

    private static <T extends VmHandle> Api.Builder<T> declareChips(Api.Builder<T> api) {
        return api.operation(
                        "create_irqchip",
                        List.of(),
                        "KVM_CREATE_IRQCHIP, before the first vCPU. Errors: EEXIST, ENOTTY for a TD, EINVAL.",
                        "bare.create_irqchip",
                        (vm, _) -> of(vm).createIrqchip().outcome())
                .operation(
                        "get_irqchip",
                        List.of(chip()),
                        "KVM_GET_IRQCHIP, as a record: struct kvm_pic_state or kvm_ioapic_state. Errors: ENXIO, EINVAL.",
                        "show pc.get_irqchip 2",
                        (vm, a) -> record(of(vm).getIrqchip(a.u64("chip"))))
                .operation(
                        "set_irqchip",
                        List.of(chip(), fields()),
                        "KVM_SET_IRQCHIP. What the I/O APIC is asked for is served at once. Errors: ENXIO, EINVAL.",
                        "pc.set_irqchip 2 { redirtbl5: 0x31 }",
                        (vm, a) -> of(vm).setIrqchip(a.u64("chip"), a.get("fields", Map.class))
                                .outcome())
                .operation(
                        "irq_line",
                        List.of(
                                Parameter.of("gsi", Kind.U64, "", "0 to 4095"),
                                Parameter.of("level", Kind.U64, "", "0 or 1")),
                        "KVM_IRQ_LINE: the GSI goes where the routing says. Errors: ENXIO without an irqchip.",
                        "pc.irq_line 5 1",
                        (vm, a) -> of(vm).irqLine(a.u64("gsi"), a.u64("level") != 0)
                                .outcome());
    }

    private static <T extends VmHandle> Api.Builder<T> declareTimers(Api.Builder<T> api) {
        Api.Builder<T> all = api;
        for (boolean second : new boolean[] {false, true}) {
            String version = second ? "2" : "";
            all = all.operation(
                            "create_pit" + version,
                            List.of(),
                            "KVM_CREATE_PIT" + version + ". Errors: EEXIST; ENOENT without 8259s in the kernel.",
                            "pc.create_pit" + version + " -> EEXIST",
                            (vm, _) -> of(vm).createPit(second).outcome())
                    .operation(
                            "get_pit" + version,
                            List.of(),
                            "KVM_GET_PIT" + version + ", as a record. Errors: ENXIO without a PIT.",
                            "show pc.get_pit" + version,
                            (vm, _) -> record(of(vm).getPit(second)))
                    .operation(
                            "set_pit" + version,
                            List.of(fields()),
                            "KVM_SET_PIT" + version + ": the counters begin anew. Errors: ENXIO without a PIT.",
                            "pc.set_pit" + version + " { channel0: { mode: 2, count: 1000 } }",
                            (vm, a) -> of(vm).setPit(a.get("fields", Map.class), second)
                                    .outcome());
        }
        return all.operation(
                        "reinject_control",
                        List.of(Parameter.of("reinject", Kind.U64, "", "pit_reinject")),
                        "KVM_REINJECT_CONTROL: 0, missed ticks are forgotten, is how it always is. Errors: ENXIO.",
                        "pc.reinject_control 0",
                        (vm, a) ->
                                of(vm).reinjectControl(a.u64("reinject") != 0).outcome())
                .operation(
                        "get_clock",
                        List.of(),
                        "KVM_GET_CLOCK, as a record: `clock` and `realtime` in ns of virtual time, `host_tsc`, `flags`.",
                        "show plain.get_clock",
                        (vm, _) -> record(of(vm).getClock()))
                .operation(
                        "set_clock",
                        List.of(fields()),
                        "KVM_SET_CLOCK; fields left out are 0. Flag 4, REALTIME: the time since `realtime` is added. "
                                + "Errors: EINVAL for an unknown flag.",
                        "plain.set_clock { clock: 1000000 }",
                        (vm, a) -> of(vm).setClock(a.get("fields", Map.class)).outcome())
                .operation(
                        "get_tsc_khz",
                        List.of(),
                        "KVM_GET_TSC_KHZ of the VM; detail `value`.",
                        "plain.get_tsc_khz -> ok value 1000000",
                        (vm, _) -> vm.vm().getTscKhz().outcome())
                .operation(
                        "set_tsc_khz",
                        List.of(Parameter.of("khz", Kind.U64, "kHz", "of vCPUs created later; 0 is the host's rate")),
                        "KVM_SET_TSC_KHZ of the VM, on a host that cannot scale. Errors: EINVAL above the host's rate.",
                        "plain.set_tsc_khz 0",
                        (vm, a) -> vm.vm().setTscKhz(a.u64("khz")).outcome());
    }

    private static <T extends VmHandle> Api.Builder<T> declareRouting(Api.Builder<T> api) {
        return api.operation(
                        "set_gsi_routing",
                        List.of(
                                Parameter.of(
                                        "entries",
                                        Kind.LIST,
                                        "",
                                        "records: gsi, and irqchip and pin, or address and data of a message; or type "
                                                + "(1 IRQCHIP, 2 MSI) and flags as they stand in the struct"),
                                VmHandle.keyword("flags", Kind.U64, "", "must be 0")),
                        "KVM_SET_GSI_ROUTING: the whole table anew. Errors: EINVAL.",
                        "pc.set_gsi_routing [{ gsi: 5, irqchip: 2, pin: 5 }, { gsi: 24, address: 0xfee00000, data: 0x31 }]",
                        VmPlatform::setRouting)
                .operation(
                        "signal_msi",
                        List.of(
                                Parameter.of("address", Kind.U64, "", "address_hi and address_lo"),
                                Parameter.of("data", Kind.U64, "", "data"),
                                VmHandle.keyword("flags", Kind.U64, "", "must be 0")),
                        "KVM_SIGNAL_MSI; detail `value` is how many local APICs took it. Errors: EINVAL without an "
                                + "irqchip; EPERM, as the ioctl returns -1, if there is no such destination.",
                        "pc.signal_msi 0xfee00000 0x31",
                        (vm, a) -> of(vm).signalMsi(a.u64("address"), a.u64("data"), a.u64("flags", 0))
                                .outcome())
                .operation(
                        "set_boot_cpu_id",
                        List.of(Parameter.of("id", Kind.U64, "", "a vCPU's id")),
                        "KVM_SET_BOOT_CPU_ID, before the first vCPU. Errors: EBUSY, EINVAL.",
                        "bare.set_boot_cpu_id 1",
                        (vm, a) -> of(vm).setBootCpuId(a.u64("id")).outcome());
    }

    private static Outcome setRouting(VmHandle vm, Arguments a) {
        var entries = new ArrayList<Platform.RoutingEntry>();
        for (Object each : a.get("entries", List.class)) {
            if (!(each instanceof Map<?, ?> entry) || !(entry.get("gsi") instanceof Long gsi)) {
                return new Outcome.Failed("EINVAL", "an entry is { gsi: 5, irqchip: 2, pin: 5 }", Map.of());
            }
            boolean message = entry.containsKey("address");
            entries.add(new Platform.RoutingEntry(
                    gsi,
                    number(entry, "type", message ? 2 : 1),
                    number(entry, "flags", 0),
                    number(entry, message ? "address" : "irqchip", 0),
                    number(entry, message ? "data" : "pin", 0)));
        }
        return of(vm).setGsiRouting(entries, a.u64("flags", 0)).outcome();
    }

    private static long number(Map<?, ?> entry, String key, long otherwise) {
        return entry.get(key) instanceof Long value ? value : otherwise;
    }

    private static <T extends VmHandle> Api.Builder<T> declareEventFds(Api.Builder<T> api) {
        return api.operation(
                        "irqfd",
                        List.of(
                                Parameter.of("fd", Kind.U64, "", "what `host.eventfd` gave"),
                                VmHandle.keyword("gsi", Kind.U64, "", "0 to 4095"),
                                VmHandle.keyword("flags", Kind.U64, "", "1 DEASSIGN, 2 RESAMPLE")),
                        "KVM_IRQFD: each signal of the eventfd pulses the GSI. Errors: EINVAL, EBADF, EBUSY.",
                        "pc.irqfd fd gsi 5",
                        (vm, a) -> of(vm).irqfd((int) a.u64("fd"), a.u64("gsi", 0), a.u64("flags", 0))
                                .outcome())
                .operation(
                        "ioeventfd",
                        List.of(
                                Parameter.of("fd", Kind.U64, "", "what `host.eventfd` gave"),
                                VmHandle.keyword("addr", Kind.U64, "bytes", "gpa, or port"),
                                VmHandle.keyword("len", Kind.U64, "bytes", "0 (any), 1, 2, 4 or 8"),
                                VmHandle.keyword("datamatch", Kind.U64, "", "the value written, with flag 1"),
                                VmHandle.keyword("flags", Kind.U64, "", "1 DATAMATCH, 2 PIO, 4 DEASSIGN")),
                        "KVM_IOEVENTFD: the guest's writes there signal the eventfd and do not end KVM_RUN. Errors: "
                                + "EINVAL, EBADF, EEXIST, ENOENT.",
                        "plain.ioeventfd fd addr 4G len 4",
                        (vm, a) -> of(vm).ioeventfd(
                                        a.u64("datamatch", 0),
                                        a.u64("addr", 0),
                                        a.u64("len", 0),
                                        (int) a.u64("fd"),
                                        a.u64("flags", 0))
                                .outcome());
    }

    private static <T extends VmHandle> Api.Builder<T> declareOthers(Api.Builder<T> api) {
        return api.operation(
                        "set_tss_addr",
                        List.of(Parameter.of("addr", Kind.U64, "bytes", "gpa of three pages")),
                        "KVM_SET_TSS_ADDR; this processor does not need it. Errors: EINVAL above 4 GiB - 3 pages.",
                        "plain.set_tss_addr 0xfffbd000",
                        (vm, a) -> of(vm).setTssAddr(a.u64("addr")).outcome())
                .operation(
                        "set_identity_map_addr",
                        List.of(Parameter.of("addr", Kind.U64, "bytes", "gpa of a page; 0 is 0xfffbc000")),
                        "KVM_SET_IDENTITY_MAP_ADDR; this processor does not need it. Errors: EINVAL if a vCPU exists.",
                        "bare.set_identity_map_addr 0",
                        (vm, a) -> of(vm).setIdentityMapAddr(a.u64("addr")).outcome())
                .operation(
                        "set_nr_mmu_pages",
                        List.of(Parameter.of("pages", Kind.U64, "pages", "at least 64")),
                        "KVM_SET_NR_MMU_PAGES, a limit of shadow pages. Errors: EINVAL.",
                        "plain.set_nr_mmu_pages 1024",
                        (vm, a) -> of(vm).setNrMmuPages(a.u64("pages")).outcome())
                .operation(
                        "get_nr_mmu_pages",
                        List.of(),
                        "KVM_GET_NR_MMU_PAGES; detail `value`.",
                        "plain.get_nr_mmu_pages",
                        (vm, _) -> of(vm).getNrMmuPages().outcome())
                .operation(
                        "create_device",
                        List.of(Parameter.of("type", Kind.U64, "", "KVM_DEV_TYPE_*; x86 has 4, VFIO")),
                        "KVM_CREATE_DEVICE. Errors: ENODEV; assigned devices are unsupported.",
                        "plain.create_device 1 -> ENODEV",
                        (vm, a) -> of(vm).createDevice(a.u64("type")).outcome())
                .operation(
                        "sev_init2",
                        List.of(),
                        "KVM_SEV_INIT2 on a VM of another type than SEV's, which have `init2`. Errors: EINVAL on an AMD "
                                + "host and on a TD, else ENOTTY.",
                        "plain.sev_init2 -> ENOTTY",
                        (vm, _) -> vm.vm().sevInit2().outcome())
                .operation(
                        "ioctl",
                        List.of(Parameter.of("request", Kind.U64, "", "the request number")),
                        "An ioctl of the VM by its number: says which verb issues it, or why it is not modelled. Errors: "
                                + "ENOTTY for one that does not exist.",
                        "plain.ioctl 0x4020aeb2 -> unsupported",
                        (vm, a) -> vm.vm().other(Ioctl.Fd.VM, a.u64("request")).outcome());
    }
}
