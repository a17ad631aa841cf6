package kvasir.kvm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import kvasir.kvm.irqchip.GsiRouting;
import kvasir.kvm.irqchip.IrqChip;

/** KVM_IOEVENTFD and KVM_IRQFD of one VM (eventfd.c, kvm_assign_ioeventfd_idx, kvm_irqfd_assign). */
public final class EventFds {
    private static final long DATAMATCH = 1;
    private static final long PIO = 1 << 1;
    private static final long DEASSIGN = 1 << 2;
    private static final long IRQFD_DEASSIGN = 1;
    private static final long IRQFD_RESAMPLE = 1 << 1;

    private final Vm vm;
    private List<Watch> watches = new ArrayList<>();
    private Map<EventFd, Integer> irqs = new LinkedHashMap<>();

    /** What a guest's write must be like to signal an eventfd. */
    private record Watch(long addr, int bytes, boolean pio, OptionalLong data, EventFd file) {
        boolean matches(long at, int width, long value, boolean port) {
            return port == pio
                    && at == addr
                    && (bytes == 0 || bytes == width && (data.isEmpty() || data.getAsLong() == value));
        }

        boolean collides(Watch other) {
            boolean apart = data.isPresent() && other.data.isPresent() && data.getAsLong() != other.data.getAsLong();
            return pio == other.pio
                    && addr == other.addr
                    && (bytes == 0 || other.bytes == 0 || bytes == other.bytes && !apart);
        }

        boolean same(Watch other) {
            return pio == other.pio
                    && addr == other.addr
                    && bytes == other.bytes
                    && data.equals(other.data)
                    && file == other.file;
        }
    }

    EventFds(Vm vm) {
        this.vm = vm;
    }

    /**
     * KVM_IOEVENTFD with the fields of struct kvm_ioeventfd.
     *
     * @param flags 1 DATAMATCH, 2 PIO, 4 DEASSIGN
     */
    IoctlResult ioeventfd(long datamatch, long addr, long len, int fd, long flags) {
        String function = "kvm_ioeventfd: ";
        if (len != 0 && len != 1 && len != 2 && len != 4 && len != 8) {
            return Check.IOEVENTFD_LEN.refuse(function + "len is 0, 1, 2, 4 or 8");
        }
        if (Long.compareUnsigned(addr + len, addr) < 0) {
            return Check.IOEVENTFD_WRAP.refuse(function + "addr + len wraps");
        }
        if ((flags & ~(DATAMATCH | PIO | DEASSIGN)) != 0) {
            return Check.IOEVENTFD_FLAGS.refuse(function + "unknown flag");
        }
        if (len == 0 && (flags & DATAMATCH) != 0) {
            return Check.IOEVENTFD_MATCH.refuse(function + "DATAMATCH needs a len");
        }
        Optional<IoctlResult> wrong = wrong(fd, Check.IOEVENTFD_FD, Check.IOEVENTFD_FILE);
        if (wrong.isPresent()) {
            return wrong.get();
        }
        OptionalLong data = (flags & DATAMATCH) != 0 ? OptionalLong.of(datamatch) : OptionalLong.empty();
        var watch = new Watch(addr, (int) len, (flags & PIO) != 0, data, file(fd));
        if ((flags & DEASSIGN) != 0) {
            return watches.removeIf(watch::same)
                    ? IoctlResult.done()
                    : Check.IOEVENTFD_NONE.refuse("kvm_deassign_ioeventfd_idx: there is none like it");
        }
        if (watches.stream().anyMatch(watch::collides)) {
            return Check.IOEVENTFD_EXISTS.refuse("kvm_assign_ioeventfd_idx: another matches the same writes");
        }
        watches.add(watch);
        return IoctlResult.done();
    }

    private Optional<IoctlResult> wrong(int fd, Check none, Check other) {
        Optional<Object> file = vm.mm().descriptors().get(fd);
        if (file.isEmpty()) {
            return Optional.of(none.refuse("eventfd_ctx_fdget: descriptor " + fd + " is not open"));
        }
        return file.get() instanceof EventFd
                ? Optional.empty()
                : Optional.of(other.refuse("eventfd_ctx_fdget: descriptor " + fd + " is no eventfd"));
    }

    private EventFd file(int fd) {
        return vm.mm().descriptors().get(fd, EventFd.class).orElseThrow();
    }

    /** Whether a guest's write was an eventfd's; then KVM_RUN does not end. */
    public boolean write(long addr, int bytes, long value, boolean pio) {
        for (Watch watch : watches) {
            if (watch.matches(addr, bytes, value, pio)) {
                watch.file.signal(1);
                return true;
            }
        }
        return false;
    }

    /** The fast MMIO bus: a write to {@code gpa} whose length and value nobody has looked at. */
    public boolean fastWrite(long gpa) {
        for (Watch watch : watches) {
            if (!watch.pio && watch.bytes == 0 && watch.addr == gpa) {
                watch.file.signal(1);
                return true;
            }
        }
        return false;
    }

    /**
     * KVM_IRQFD.
     *
     * @param flags 1 DEASSIGN, 2 RESAMPLE
     */
    IoctlResult irqfd(int fd, long gsi, long flags) {
        String function = "kvm_irqfd: ";
        if ((flags & ~(IRQFD_DEASSIGN | IRQFD_RESAMPLE)) != 0) {
            return Check.IRQFD_FLAGS.refuse(function + "unknown flag");
        }
        if (Long.compareUnsigned(gsi, GsiRouting.MOST_ROUTES) >= 0) {
            return Check.IRQFD_GSI.refuse(function + "a GSI is below 4096");
        }
        if ((flags & IRQFD_DEASSIGN) != 0) {
            Optional<IoctlResult> wrong = wrong(fd, Check.IRQFD_FD, Check.IRQFD_FILE);
            if (wrong.isEmpty() && Integer.valueOf((int) gsi).equals(irqs.get(file(fd)))) {
                irqs.remove(file(fd));
                file(fd).wake(Optional.empty());
            }
            return wrong.orElseGet(IoctlResult::done);
        }
        Optional<IrqChip> chip = vm.irqchip();
        if (chip.isEmpty() || (flags & IRQFD_RESAMPLE) != 0 && chip.get().isSplit()) {
            return Check.IRQFD_NONE.refuse("kvm_arch_irqfd_allowed: no irqchip, or RESAMPLE with a split one");
        }
        Optional<IoctlResult> wrong = wrong(fd, Check.IRQFD_FD, Check.IRQFD_FILE);
        if (wrong.isPresent()) {
            return wrong.get();
        }
        if ((flags & IRQFD_RESAMPLE) != 0) {
            return IoctlResult.unsupported("KVM_IRQFD_FLAG_RESAMPLE: nobody is told of an EOI");
        }
        EventFd file = file(fd);
        if (irqs.putIfAbsent(file, (int) gsi) != null) {
            return Check.IRQFD_TWICE.refuse("kvm_irqfd_assign: the eventfd is assigned already");
        }
        Runnable pulse = () -> {
            chip.get().setLine((int) gsi, true);
            chip.get().setLine((int) gsi, false);
        };
        file.wake(Optional.of(pulse));
        if (file.count() != 0) {
            pulse.run();
        }
        return IoctlResult.done();
    }

    Runnable checkpoint() {
        var savedWatches = List.copyOf(watches);
        var savedIrqs = new LinkedHashMap<>(irqs);
        var files = new ArrayList<Runnable>();
        for (Object open : vm.mm().descriptors().all().values()) {
            if (open instanceof EventFd file) {
                files.add(file.checkpoint());
            }
        }
        return () -> {
            watches = new ArrayList<>(savedWatches);
            irqs = new LinkedHashMap<>(savedIrqs);
            files.forEach(Runnable::run);
        };
    }
}
