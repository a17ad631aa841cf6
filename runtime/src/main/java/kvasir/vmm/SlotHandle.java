package kvasir.vmm;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.event.Topic;
import kvasir.kvm.LpageInfo;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vm;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Described;
import kvasir.registry.State;

/** {@code vm.slots[0]}: the slot as it was published when the script asked. */
final class SlotHandle implements Described {
    static final Api<SlotHandle> API = Api.of("slot", SlotHandle.class, "One memory slot, as published.")
            .property("id", "u64", "Slot id.", "show plain.slots[0].id", s -> (long) s.slot.id())
            .property("space", "u64", "Address space: 0 normal, 1 SMM.", "show plain.slots[0].space", s ->
                    (long) s.slot.addressSpace())
            .property("gpa", "u64", "guest_phys_addr.", "show plain.slots[0].gpa", s -> s.slot.baseGfn() << 12)
            .property("size", "u64", "memory_size.", "show plain.slots[0].size", s -> s.slot.npages() << 12)
            .property("hva", "u64", "userspace_addr.", "show plain.slots[0].hva", s -> s.slot.userspaceAddr())
            .property(
                    "flags",
                    "u64",
                    "1 LOG_DIRTY_PAGES, 2 READONLY, 4 GUEST_MEMFD, 0x10000 INVALID, 0x20000 GMEM_ONLY.",
                    "show plain.slots[0].flags",
                    s -> (long) s.slot.flags())
            .property(
                    "gmem_bound",
                    "bool",
                    "Whether a guest_memfd with an open descriptor backs it.",
                    "show td.slots[0].gmem_bound",
                    s -> s.slot.gmem().isPresent())
            .property(
                    "gmem_offset",
                    "u64",
                    "Offset in the guest_memfd.",
                    "show td.slots[0].gmem_offset",
                    s -> s.slot.gmemPgoff() << 12)
            .operation(
                    "lpage_info",
                    List.of(
                            Parameter.of("gpa", Kind.U64, "bytes", "an address in the slot"),
                            Parameter.of("level", Kind.U64, "", "2 for 2 MiB, 3 for 1 GiB")
                                    .asKeyword()),
                    "The large-page word of the block: 0 if it may be mapped large, bit 31 if attributes are mixed, the "
                            + "rest a count of reasons.",
                    "assert plain.slots[0].lpage_info(0, level: 2) == 0",
                    (s, a) -> s.lpage(a.u64("gpa") >>> 12, a.u64("level")))
            .build();

    private final Vm vm;
    private final Memslot slot;

    SlotHandle(Vm vm, Memslot slot) {
        this.vm = vm;
        this.slot = slot;
    }

    private Object lpage(long gfn, long level) {
        if (!slot.contains(gfn) || level < 2 || level > 3) {
            return VmHandle.valueOr(
                    Optional.empty(), kvasir.kvm.Errno.EINVAL, "the address is outside the slot, or level not 2 or 3");
        }
        LpageInfo info = slot.lpage();
        return Integer.toUnsignedLong(info.word(gfn, (int) level));
    }

    static String line(Memslot slot) {
        return "slot%d%s  %s  hva 0x%x%s%s%s%s"
                .formatted(
                        slot.id(),
                        slot.addressSpace() == 0 ? "" : " smm",
                        Text.range(slot.baseGfn() << 12, slot.endGfn() << 12),
                        slot.userspaceAddr(),
                        slot.readonly() ? "  readonly" : "",
                        slot.logsDirty() ? "  log_dirty" : "",
                        slot.hasGmem()
                                ? "  gmem "
                                        + slot.gmem()
                                                .map(GuestMemfd::fd)
                                                .map(fd -> "fd " + fd)
                                                .orElse("closed") + "+0x" + Long.toHexString(slot.gmemPgoff() << 12)
                                : "",
                        slot.invalid() ? "  INVALID" : "");
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return vm.name() + ".slots[" + ((long) slot.addressSpace() << 16 | slot.id()) + "]";
    }

    @Override
    public Topic topic() {
        return new Topic(vm.name() + ".slots", slot.baseGfn() << 12, slot.endGfn() << 12);
    }

    @Override
    public Optional<State> state() {
        return Optional.of(
                new State(slot.invalid() ? "invalid" : "valid", List.of(slot.npages() << 12), Map.of("flags", (long)
                        slot.flags())));
    }

    @Override
    public Optional<String> picture() {
        return Optional.of(line(slot));
    }
}
