package kvasir.kvm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.AbiStruct.Layout;
import kvasir.kvm.irqchip.GsiRouting;
import kvasir.kvm.irqchip.IrqChip;

/**
 * What a VM has besides memory and processors, and its ioctls: irqchip, PIT, routing, clock, eventfds, and the addresses
 * that older processors need (x86.c, kvm_arch_vm_ioctl).
 */
public final class Platform {
    /** struct kvm_irqchip with struct kvm_pic_state. */
    private static final Layout PIC = Layout.of(520)
            .at(8)
            .fields(1, "last_irr", "irr", "imr", "isr", "priority_add", "irq_base", "read_reg_select", "poll")
            .fields(1, "special_mask", "init_state", "auto_eoi", "rotate_on_auto_eoi", "special_fully_nested_mode")
            .fields(1, "init4", "elcr", "elcr_mask");

    /** struct kvm_irqchip with struct kvm_ioapic_state. */
    private static final Layout IO_APIC = ioApic();

    /** struct kvm_pit_state2. */
    private static final Layout PIT = pit();

    /** struct kvm_clock_data. */
    private static final Layout CLOCK =
            Layout.of(48).fields(8, "clock").fields(4, "flags").at(16).fields(8, "realtime", "host_tsc");

    private static final long CLOCK_TSC_STABLE = 1 << 1;
    private static final long CLOCK_REALTIME = 1 << 2;
    private static final long CLOCK_HOST_TSC = 1 << 3;

    /** 1 March 2024, 00:00 UTC, in nanoseconds: when the real-time clock starts. */
    private static final long EPOCH = 1_709_251_200L * 1_000_000_000L;

    private static final int CHIPS = 3;
    private static final int IO_APIC_CHIP = 2;
    private static final int PIC_PINS = 8;
    private static final long ROUTE_IRQCHIP = 1;
    private static final long ROUTE_MSI = 2;
    private static final long HIGHEST_TSS = 0xffff_d000L;
    private static final long MOST_IDS = 4096;
    private static final long FEWEST_MMU_PAGES = 64;
    private static final long HPET_LEGACY = 1;
    private static final long X2APIC_BITS = 3;
    private static final long DEVICE_VFIO = 4;
    private static final long DEFAULT_IDENTITY_MAP = 0xfffb_c000L;

    private final Vm vm;
    private final EventFds eventFds;
    private Optional<IrqChip> chip = Optional.empty();
    private long clockOffset;
    private long tssAddr;
    private long identityMap = DEFAULT_IDENTITY_MAP;
    private long bootCpu;
    private long mmuPages;
    private long vcpuIds;

    Platform(Vm vm) {
        this.vm = vm;
        eventFds = new EventFds(vm);
    }

    private static Layout ioApic() {
        Layout layout = Layout.of(520).at(8).fields(8, "base_address").fields(4, "ioregsel", "id", "irr");
        layout.at(32);
        for (int pin = 0; pin < IrqChip.GSIS; pin++) {
            layout.fields(8, "redirtbl" + pin);
        }
        return layout;
    }

    private static Layout pit() {
        Layout layout = Layout.of(112);
        for (int i = 0; i < CHIPS; i++) {
            String name = "channel" + i + ".";
            layout.at(24 * i).fields(4, name + "count").fields(2, name + "latched_count");
            for (String field : List.of(
                    "count_latched",
                    "status_latched",
                    "status",
                    "read_state",
                    "write_state",
                    "write_latch",
                    "rw_mode",
                    "mode",
                    "bcd",
                    "gate")) {
                layout.fields(1, name + field);
            }
            layout.fields(8, name + "count_load_time");
        }
        return layout.at(72).fields(4, "flags");
    }

    /** The in-kernel irqchip, if there is one. */
    public Optional<IrqChip> chip() {
        return chip;
    }

    /** eventfds that guests' writes signal, and that raise interrupts. */
    public EventFds eventFds() {
        return eventFds;
    }

    /** The vCPU that starts by itself. */
    public long bootCpu() {
        return bootCpu;
    }

    /** KVM_CAP_MAX_VCPU_ID was enabled with this; 0 if it was not. */
    long vcpuIds() {
        return vcpuIds;
    }

    private IoctlResult ioctl(Ioctl which, java.util.function.Supplier<IoctlResult> body) {
        return vm.ioctl(which, body);
    }

    /** KVM_CREATE_IRQCHIP: local APICs for vCPUs created from now on, an I/O APIC, two 8259s. */
    public IoctlResult createIrqchip() {
        return ioctl(Ioctl.CREATE_IRQCHIP, () -> {
            String function = "kvm_arch_vm_ioctl, KVM_CREATE_IRQCHIP: ";
            if (chip.isPresent()) {
                return Check.IRQCHIP_EXISTS.refuse(function + "there is one");
            }
            if (vm.type() == VmType.TDX) {
                return Check.IRQCHIP_EOI.refuse(function + "a TD's EOIs do not reach KVM");
            }
            if (!vm.vcpus().isEmpty()) {
                return Check.IRQCHIP_VCPU.refuse(function + "there are vCPUs already");
            }
            set(new IrqChip());
            return IoctlResult.done();
        });
    }

    private void set(IrqChip created) {
        chip = Optional.of(created);
        created.onArrival(vm::interruptArrived);
    }

    /** KVM_CAP_SPLIT_IRQCHIP. */
    IoctlResult split(long pins) {
        if (Long.compareUnsigned(pins, GsiRouting.MOST_ROUTES) > 0) {
            return Check.CAP_SPLIT_PINS.refuse("KVM_CAP_SPLIT_IRQCHIP: at most 4096 pins");
        }
        if (chip.isPresent() || !vm.vcpus().isEmpty()) {
            return Check.CAP_SPLIT_EXISTS.refuse("KVM_CAP_SPLIT_IRQCHIP: an irqchip or a vCPU exists");
        }
        if (vm.type().hasProtectedState()) {
            return vm.type() == VmType.TDX
                    ? IoctlResult.done()
                    : IoctlResult.unsupported("a split irqchip for a guest with protected state");
        }
        set(IrqChip.split((int) pins));
        return IoctlResult.done();
    }

    /** KVM_CAP_X2APIC_API. */
    IoctlResult x2apicApi(long bits) {
        if ((bits & ~X2APIC_BITS) != 0) {
            return Check.CAP_X2APIC.refuse("KVM_CAP_X2APIC_API: 1 USE_32BIT_IDS, 2 DISABLE_BROADCAST_QUIRK");
        }
        if ((bits & 1) != 0) {
            chip.ifPresent(IrqChip::useWideIds);
        }
        return IoctlResult.done();
    }

    /** KVM_CAP_MAX_VCPU_ID. */
    IoctlResult maxVcpuId(long ids) {
        if (Long.compareUnsigned(ids, MOST_IDS) > 0
                || vcpuIds != 0 && vcpuIds != ids
                || !vm.vcpus().isEmpty()) {
            return Check.CAP_VCPU_ID.refuse("KVM_CAP_MAX_VCPU_ID: above 4096, set already, or vCPUs exist");
        }
        vcpuIds = ids;
        return IoctlResult.done();
    }

    /**
     * KVM_CREATE_PIT2, or KVM_CREATE_PIT.
     *
     * @param second whether it is the second version, with flags
     */
    public IoctlResult createPit(boolean second) {
        return ioctl(second ? Ioctl.CREATE_PIT2 : Ioctl.CREATE_PIT, () -> {
            if (chip.filter(IrqChip::hasPit).isPresent()) {
                return Check.PIT_EXISTS.refuse("kvm_arch_vm_ioctl, KVM_CREATE_PIT2: there is one");
            }
            if (chip.isEmpty() || chip.get().isSplit()) {
                return Check.PIT_WITHOUT_PIC.refuse("kvm_arch_vm_ioctl, KVM_CREATE_PIT2: no 8259s in the kernel");
            }
            chip.get().createPit();
            return IoctlResult.done();
        });
    }

    /** KVM_IRQ_LINE. */
    public IoctlResult irqLine(long gsi, boolean high) {
        return ioctl(Ioctl.IRQ_LINE, () -> {
            if (chip.isEmpty()) {
                return Check.IRQ_LINE_NONE.refuse("kvm_vm_ioctl_irq_line: no irqchip");
            }
            if (Long.compareUnsigned(gsi, GsiRouting.MOST_ROUTES) < 0) {
                chip.get().setLine((int) gsi, high);
            }
            return IoctlResult.done();
        });
    }

    private Optional<IoctlResult> chipRefusal(long number) {
        if (chip.isEmpty() || chip.get().isSplit()) {
            return Optional.of(Check.IRQCHIP_NONE.refuse("kvm_arch_vm_ioctl: no irqchip, or it is split"));
        }
        return Long.compareUnsigned(number, CHIPS) < 0
                ? Optional.empty()
                : Optional.of(Check.IRQCHIP_CHIP.refuse("kvm_vm_ioctl_get_irqchip: chips are 0, 1 and 2"));
    }

    /** KVM_GET_IRQCHIP. */
    public IoctlResult getIrqchip(long number) {
        return ioctl(
                Ioctl.GET_IRQCHIP,
                () -> chipRefusal(number)
                        .orElseGet(
                                () -> new IoctlResult.Ok(0, saved((int) number).record())));
    }

    private AbiStruct saved(int number) {
        var struct = new AbiStruct(number == IO_APIC_CHIP ? IO_APIC : PIC);
        chip.orElseThrow().save(number, struct::set);
        return struct;
    }

    /** KVM_SET_IRQCHIP; fields that are not named stay. */
    public IoctlResult setIrqchip(long number, Map<?, ?> fields) {
        return ioctl(
                Ioctl.SET_IRQCHIP,
                () -> chipRefusal(number).orElseGet(() -> {
                    AbiStruct struct = saved((int) number);
                    return merged(struct, fields, () -> {
                        chip.orElseThrow().load((int) number, struct::get);
                        return IoctlResult.done();
                    });
                }));
    }

    private static IoctlResult merged(
            AbiStruct struct, Map<?, ?> fields, java.util.function.Supplier<IoctlResult> apply) {
        return struct.merge(fields)
                .map(wrong -> IoctlResult.err(Errno.EINVAL, wrong))
                .orElseGet(apply);
    }

    private Optional<IoctlResult> pitRefusal() {
        return chip.filter(IrqChip::hasPit).isPresent()
                ? Optional.empty()
                : Optional.of(Check.PIT_NONE.refuse("kvm_arch_vm_ioctl: there is no PIT"));
    }

    private AbiStruct savedPit() {
        var struct = new AbiStruct(PIT);
        chip.orElseThrow().savePit(struct::set);
        return struct;
    }

    /** KVM_GET_PIT2, or KVM_GET_PIT, whose struct ends before flags. */
    public IoctlResult getPit(boolean second) {
        return ioctl(
                second ? Ioctl.GET_PIT2 : Ioctl.GET_PIT,
                () -> pitRefusal().orElseGet(() -> {
                    var record = new LinkedHashMap<String, Object>(savedPit().record());
                    if (!second) {
                        record.remove("flags");
                    }
                    return new IoctlResult.Ok(0, record);
                }));
    }

    /** KVM_SET_PIT2, or KVM_SET_PIT; fields that are not named stay. */
    public IoctlResult setPit(Map<?, ?> fields, boolean second) {
        return ioctl(
                second ? Ioctl.SET_PIT2 : Ioctl.SET_PIT,
                () -> pitRefusal().orElseGet(() -> {
                    AbiStruct struct = savedPit();
                    return merged(struct, fields, () -> {
                        if ((struct.get("flags") & HPET_LEGACY) != 0) {
                            return IoctlResult.unsupported("KVM_PIT_FLAGS_HPET_LEGACY: there is no HPET");
                        }
                        chip.orElseThrow().loadPit(struct::get, vm.now());
                        return IoctlResult.done();
                    });
                }));
    }

    /** KVM_REINJECT_CONTROL; missed ticks are never given again here. */
    public IoctlResult reinjectControl(boolean reinject) {
        return ioctl(Ioctl.REINJECT_CONTROL, () -> {
            if (pitRefusal().isPresent()) {
                return Check.REINJECT_NONE.refuse("kvm_vm_ioctl_reinject: there is no PIT");
            }
            return reinject ? IoctlResult.unsupported("reinjection of missed PIT ticks") : IoctlResult.done();
        });
    }

    /**
     * One entry of KVM_SET_GSI_ROUTING.
     *
     * @param type 1 IRQCHIP, 2 MSI
     * @param first irqchip, or the address of the message
     * @param second pin, or its data
     */
    public record RoutingEntry(long gsi, long type, long flags, long first, long second) {}

    /** KVM_SET_GSI_ROUTING (kvm_set_irq_routing). */
    public IoctlResult setGsiRouting(List<RoutingEntry> entries, long flags) {
        return ioctl(Ioctl.SET_GSI_ROUTING, () -> {
            String function = "kvm_set_irq_routing: ";
            if (chip.isEmpty()) {
                return Check.ROUTING_NONE.refuse("kvm_arch_can_set_irq_routing: no irqchip");
            }
            if (entries.size() > GsiRouting.MOST_ROUTES) {
                return Check.ROUTING_COUNT.refuse(function + "more than 4096 entries");
            }
            if (flags != 0) {
                return Check.ROUTING_FLAGS.refuse(function + "flags must be 0");
            }
            if (entries.stream().anyMatch(e -> Long.compareUnsigned(e.gsi(), GsiRouting.MOST_ROUTES) >= 0)) {
                return Check.ROUTING_GSI.refuse(function + "a GSI is below 4096");
            }
            var table = new GsiRouting.Builder();
            for (RoutingEntry entry : entries) {
                Optional<IoctlResult> wrong = route(entry, table);
                if (wrong.isPresent()) {
                    return wrong.get();
                }
            }
            chip.get().setRouting(table.build());
            return IoctlResult.done();
        });
    }

    private Optional<IoctlResult> route(RoutingEntry entry, GsiRouting.Builder table) {
        String function = "setup_routing_entry: gsi " + entry.gsi() + ": ";
        if (entry.flags() != 0) {
            return Optional.of(Check.ROUTING_ENTRY_FLAGS.refuse(function + "flags must be 0"));
        }
        boolean pin = entry.type() == ROUTE_IRQCHIP;
        GsiRouting.Route route = pin
                ? new GsiRouting.Route.Pin((int) entry.first(), (int) entry.second())
                : new GsiRouting.Route.Msi(entry.first(), (int) entry.second());
        if (!table.add((int) entry.gsi(), route)) {
            return Optional.of(Check.ROUTING_TWICE.refuse(function + "it goes there already, or is a message"));
        }
        if (!pin && entry.type() != ROUTE_MSI) {
            return Optional.of(Check.ROUTING_TYPE.refuse(function + "types are 1 IRQCHIP and 2 MSI"));
        }
        long pins = entry.first() == IO_APIC_CHIP ? IrqChip.GSIS : PIC_PINS;
        boolean exists = Long.compareUnsigned(entry.first(), CHIPS) < 0
                && Long.compareUnsigned(entry.second(), pins) < 0
                && !chip.orElseThrow().isSplit();
        return pin && !exists
                ? Optional.of(Check.ROUTING_PIN.refuse("kvm_set_routing_entry: no such pin in the kernel"))
                : Optional.empty();
    }

    /** KVM_SIGNAL_MSI; the value is how many local APICs took it. */
    public IoctlResult signalMsi(long address, long data, long flags) {
        return ioctl(Ioctl.SIGNAL_MSI, () -> {
            if (chip.isEmpty() || flags != 0) {
                return Check.MSI_NONE.refuse("kvm_send_userspace_msi: no irqchip, or flags");
            }
            int reached = chip.get().signalMsi(address, (int) data);
            return reached < 0
                    ? Check.MSI_NOBODY.refuse("kvm_irq_delivery_to_apic: -1, no APIC has that destination")
                    : IoctlResult.ok(reached);
        });
    }

    /** KVM_SET_TSS_ADDR; processors with unrestricted guest do not need it. */
    public IoctlResult setTssAddr(long address) {
        return ioctl(Ioctl.SET_TSS_ADDR, () -> {
            if (Long.compareUnsigned(address, HIGHEST_TSS) > 0) {
                return Check.TSS_ADDR_HIGH.refuse("kvm_vm_ioctl_set_tss_addr: above 4 GiB - 3 pages");
            }
            tssAddr = address;
            return IoctlResult.done();
        });
    }

    /** KVM_SET_IDENTITY_MAP_ADDR; 0 is 0xfffbc000. Processors with unrestricted guest do not need it. */
    public IoctlResult setIdentityMapAddr(long address) {
        return ioctl(Ioctl.SET_IDENTITY_MAP_ADDR, () -> {
            if (!vm.vcpus().isEmpty()) {
                return Check.IDENTITY_VCPU.refuse("kvm_arch_vm_ioctl, KVM_SET_IDENTITY_MAP_ADDR: a vCPU exists");
            }
            identityMap = address == 0 ? DEFAULT_IDENTITY_MAP : address;
            return IoctlResult.done();
        });
    }

    /** KVM_SET_BOOT_CPU_ID. */
    public IoctlResult setBootCpuId(long id) {
        return ioctl(Ioctl.SET_BOOT_CPU_ID, () -> {
            if (!vm.vcpus().isEmpty()) {
                return Check.BOOT_CPU_VCPU.refuse("kvm_arch_vm_ioctl, KVM_SET_BOOT_CPU_ID: a vCPU exists");
            }
            if (Long.compareUnsigned(id, vcpuIds == 0 ? MOST_IDS : vcpuIds) > 0) {
                return Check.BOOT_CPU_ID.refuse("kvm_arch_vm_ioctl, KVM_SET_BOOT_CPU_ID: id is too big");
            }
            bootCpu = id;
            return IoctlResult.done();
        });
    }

    /** KVM_SET_NR_MMU_PAGES; the limit counts for shadow paging only. */
    public IoctlResult setNrMmuPages(long pages) {
        return ioctl(Ioctl.SET_NR_MMU_PAGES, () -> {
            if (Long.compareUnsigned(pages, FEWEST_MMU_PAGES) < 0) {
                return Check.MMU_PAGES_FEW.refuse("kvm_vm_ioctl_set_nr_mmu_pages: fewer than 64");
            }
            mmuPages = pages;
            return IoctlResult.done();
        });
    }

    /** KVM_GET_NR_MMU_PAGES: what was set, or a fiftieth of the VM's memory, in pages (kvm_mmu_change_mmu_pages). */
    public IoctlResult getNrMmuPages() {
        return ioctl(Ioctl.GET_NR_MMU_PAGES, () -> {
            long pages = vm.allSlots().stream().mapToLong(Memslot::npages).sum();
            return IoctlResult.ok(mmuPages != 0 ? mmuPages : Math.max(FEWEST_MMU_PAGES, pages / 50));
        });
    }

    /** KVM_GET_CLOCK: nanoseconds since the VM began, with the real-time clock and the host's TSC at that moment. */
    public IoctlResult getClock() {
        return ioctl(Ioctl.GET_CLOCK, () -> new IoctlResult.Ok(0, clock().record()));
    }

    private AbiStruct clock() {
        var struct = new AbiStruct(CLOCK);
        struct.set("clock", vm.now() + clockOffset);
        struct.set("flags", CLOCK_TSC_STABLE | CLOCK_REALTIME | CLOCK_HOST_TSC);
        struct.set("realtime", EPOCH + vm.now());
        struct.set("host_tsc", vm.now());
        return struct;
    }

    /** KVM_SET_CLOCK; with flag REALTIME the time since {@code realtime} is added. */
    public IoctlResult setClock(Map<?, ?> fields) {
        return ioctl(Ioctl.SET_CLOCK, () -> {
            var struct = new AbiStruct(CLOCK);
            return merged(struct, fields, () -> {
                long flags = struct.get("flags");
                if ((flags & ~(CLOCK_TSC_STABLE | CLOCK_REALTIME | CLOCK_HOST_TSC)) != 0) {
                    return Check.CLOCK_FLAGS.refuse("kvm_vm_ioctl_set_clock: unknown flag");
                }
                long since = EPOCH + vm.now() - struct.get("realtime");
                long passed = (flags & CLOCK_REALTIME) != 0 ? Math.max(0, since) : 0;
                clockOffset = struct.get("clock") + passed - vm.now();
                return IoctlResult.done();
            });
        });
    }

    /** KVM_IRQFD. */
    public IoctlResult irqfd(int fd, long gsi, long flags) {
        return ioctl(Ioctl.IRQFD, () -> eventFds.irqfd(fd, gsi, flags));
    }

    /** KVM_IOEVENTFD. */
    public IoctlResult ioeventfd(long datamatch, long addr, long len, int fd, long flags) {
        return ioctl(Ioctl.IOEVENTFD, () -> eventFds.ioeventfd(datamatch, addr, len, fd, flags));
    }

    /** KVM_CREATE_DEVICE. */
    public IoctlResult createDevice(long type) {
        return ioctl(
                Ioctl.CREATE_DEVICE,
                () -> type == DEVICE_VFIO
                        ? IoctlResult.unsupported("assigned devices")
                        : Check.DEVICE_TYPE.refuse("kvm_ioctl_create_device: no such device on x86"));
    }

    Runnable checkpoint() {
        var parts = new ArrayList<Runnable>();
        chip.ifPresent(each -> parts.add(each.checkpoint()));
        parts.add(eventFds.checkpoint());
        Optional<IrqChip> savedChip = chip;
        long savedClock = clockOffset;
        long savedTss = tssAddr;
        long savedIdentity = identityMap;
        long savedBoot = bootCpu;
        long savedPages = mmuPages;
        long savedIds = vcpuIds;
        return () -> {
            chip = savedChip;
            parts.forEach(Runnable::run);
            clockOffset = savedClock;
            tssAddr = savedTss;
            identityMap = savedIdentity;
            bootCpu = savedBoot;
            mmuPages = savedPages;
            vcpuIds = savedIds;
        };
    }
}
