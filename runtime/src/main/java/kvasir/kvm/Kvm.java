package kvasir.kvm;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import kvasir.event.Events;
import kvasir.kvm.mm.HostPages;
import kvasir.metal.cpu.Engine;
import kvasir.metal.memory.PhysicalMemory;

/** The module behind /dev/kvm on one host: what all VMs share. */
public final class Kvm {
    private final HostConfig host;
    private final KernelVersion version;
    private final PhysicalMemory memory;
    private final HostPages pages;
    private final FaultInjection faults = new FaultInjection();
    private final Events events;
    private final SwitchableSeams seams = new SwitchableSeams();
    private final Mmu.Factory mmus;
    private final NxHugePagesParameter nxHugePages;
    private Engine engine = Engine.TRANSLATOR;
    private List<Vm> vms = new ArrayList<>();
    private boolean gmemFaultLocks;

    /**
     * @param version the kernel whose behaviour is modelled
     * @param memory the host's physical memory
     * @param mmus makes the MMU of each VM
     */
    public Kvm(HostConfig host, KernelVersion version, PhysicalMemory memory, Events events, Mmu.Factory mmus) {
        this.host = host;
        this.version = version;
        this.memory = memory;
        this.pages = new HostPages(memory);
        this.events = events;
        this.mmus = mmus;
        nxHugePages = new NxHugePagesParameter(this);
        pages.failWhen(() -> faults.strikes(FaultInjection.Kind.PAGE));
    }

    public HostConfig host() {
        return host;
    }

    /** How the processors of VMs that are created from now on execute. */
    public void setEngine(Engine wanted) {
        engine = wanted;
    }

    /** How processors execute; no guest can tell. */
    public Engine engine() {
        return engine;
    }

    public KernelVersion version() {
        return version;
    }

    public PhysicalMemory memory() {
        return memory;
    }

    /** The host's page allocator. */
    public HostPages pages() {
        return pages;
    }

    /** Whether a user access of a mapped guest_memfd takes the file's invalidate lock. */
    public boolean gmemFaultLocks() {
        return gmemFaultLocks;
    }

    /** Sets {@link #gmemFaultLocks()}. */
    public void gmemFaultLocks(boolean locks) {
        gmemFaultLocks = locks;
    }

    /** The module parameter nx_huge_pages. */
    public NxHugePagesParameter nxHugePages() {
        return nxHugePages;
    }

    /** What is about to fail. */
    public FaultInjection faults() {
        return faults;
    }

    public Events events() {
        return events;
    }

    public SwitchableSeams seams() {
        return seams;
    }

    Mmu.Factory mmus() {
        return mmus;
    }

    /**
     * An ioctl that no verb issues: one that is not modelled, or that does not exist.
     *
     * @param issued is told of the former
     */
    static IoctlResult other(Ioctl.Fd fd, long request, Consumer<Ioctl> issued) {
        Optional<Ioctl> known = Ioctl.of(fd, request);
        if (known.isEmpty()) {
            Check row = switch (fd) {
                case SYSTEM -> Check.UNKNOWN_SYSTEM;
                case VM -> Check.UNKNOWN_VM;
                case VCPU -> Check.UNKNOWN_VCPU;
            };
            return row.refuse("no ioctl of this descriptor has the request number 0x" + Long.toHexString(request));
        }
        Ioctl ioctl = known.get();
        return ioctl.verb()
                .map(verb -> IoctlResult.unsupported(ioctl.spelling() + " by its number: use `" + verb + "`"))
                .orElseGet(() -> {
                    issued.accept(ioctl);
                    return IoctlResult.unsupported(ioctl.spelling() + ": " + ioctl.reason());
                });
    }

    /** An ioctl of /dev/kvm was issued. */
    public void issued(Ioctl which) {
        if (events.listening()) {
            events.aside(new VmEvent.Issued(which));
        }
    }

    /** VMs in order of creation. */
    public List<Vm> vms() {
        return List.copyOf(vms);
    }

    void add(Vm vm) {
        vms.add(vm);
    }

    /**
     * All kernel state that is not told at the {@link Footprint}, as a number that is the same for the same state in every
     * run; counters are not state.
     */
    public long fingerprint() {
        long hash = faults.fingerprint();
        for (Vm vm : vms) {
            hash = hash * 31 + vm.fingerprint();
        }
        return hash;
    }

    /** Whether {@link #fingerprint} and the {@link Footprint} together tell everything. */
    public boolean fingerprinted() {
        return vms.stream().allMatch(vm -> vm.vendor().fingerprinted());
    }

    /** All kernel state as it is, as an action that puts it back; memory and the VMM's address space are not among it. */
    public Runnable checkpoint() {
        var parts = new ArrayList<Runnable>();
        parts.add(pages.checkpoint());
        parts.add(faults.checkpoint());
        parts.add(nxHugePages.checkpoint());
        vms.forEach(vm -> parts.add(vm.checkpoint()));
        var saved = vms();
        return () -> {
            vms = new ArrayList<>(saved);
            parts.forEach(Runnable::run);
        };
    }
}
