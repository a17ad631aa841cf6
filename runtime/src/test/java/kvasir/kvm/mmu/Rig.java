package kvasir.kvm.mmu;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.event.Event;
import kvasir.event.Events;
import kvasir.kvm.HostConfig;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Kvm;
import kvasir.kvm.KvmRun;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.gmem.GuestMemfd;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.semantics.MemoryMapping;
import kvasir.kvm.semantics.Semantics;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.memory.PhysicalMemory;

/** A VM with its whole host, for tests of the MMU. */
public final class Rig {
    public final Events events = new Events();
    public final PhysicalMemory memory;
    public final Semantics semantics;
    public final Kvm kvm;
    public final Mm mm;
    public final Vm vm;
    public final TdpMmu mmu;
    public final List<Vcpu> vcpus = new ArrayList<>();

    /** @param semantics name of the semantics, whose kernel is modelled too */
    public Rig(HostConfig host, String semantics, VmType type) {
        this(host, Semantics.named(semantics).orElseThrow(), type);
    }

    public Rig(HostConfig host, Semantics semantics, VmType type) {
        this.semantics = semantics;
        memory = new PhysicalMemory(host.memoryBytes());
        kvm = new Kvm(host, semantics.kernel(), memory, events, vm -> new TdpMmu(vm, semantics.mmuPolicy()));
        mm = new Mm(memory, kvm.pages(), kvm.seams(), kvm.events(), host.thp());
        vm = new Vm(kvm, "vm", type, mm);
        mmu = (TdpMmu) vm.mmu();
        addVcpu();
    }

    public static Rig plain() {
        return new Rig(HostConfig.intel(), "v6.19", VmType.DEFAULT);
    }

    public Vcpu addVcpu() {
        must(vm.createVcpu(vcpus.size(), CpuidModel.standard()));
        vcpus.add(vm.vcpus().getLast());
        return vcpus.getLast();
    }

    public Vcpu vcpu() {
        return vcpus.getFirst();
    }

    public VcpuTdpMmu vcpuMmu() {
        return (VcpuTdpMmu) vcpu().mmu();
    }

    public static void must(IoctlResult result) {
        if (!result.succeeded()) {
            throw new AssertionError(result.toString());
        }
    }

    /** Anonymous memory of the VMM, mapped to {@code gpa}; returns its hva. */
    public long slot(int id, long gpa, long bytes, int flags, boolean populate) {
        long hva = mm.mmap(Optional.empty(), gpa, bytes >>> 12, Mm.anonymous(true));
        if (populate) {
            mm.populate(hva, hva + bytes);
        }
        must(vm.setUserMemoryRegion2(MemoryRegion.user(id, flags, gpa, bytes, hva)));
        return hva;
    }

    /** A slot with shared anonymous memory and a guest_memfd. */
    public GuestMemfd gmemSlot(int id, long gpa, long bytes) {
        long hva = mm.mmap(Optional.empty(), gpa, bytes >>> 12, Mm.anonymous(true));
        IoctlResult fd = vm.createGuestMemfd(bytes, 0);
        must(fd);
        int number = (int) ((IoctlResult.Ok) fd).value();
        must(vm.setUserMemoryRegion2(new MemoryRegion(id, Memslot.GUEST_MEMFD, gpa, bytes, hva, 0, number)));
        return (GuestMemfd) mm.descriptors().get(number).orElseThrow();
    }

    public IoctlResult deleteSlot(int id) {
        return vm.setUserMemoryRegion2(MemoryRegion.deletion(id));
    }

    /** map_memory on the first vCPU. */
    public IoctlResult map(long gpa, long bytes) {
        return map(new MemoryMapping(gpa, bytes, 0, 0));
    }

    public IoctlResult map(MemoryMapping mapping) {
        return semantics.mapMemory(vcpu(), mapping);
    }

    /** A fault of the guest, with a root loaded as KVM_RUN would. */
    public int fault(long gpa, long errorCode) {
        vcpu().mmu().reload();
        return vcpu().mmu().pageFault(gpa, errorCode);
    }

    public TdpEntry entry(long gpa) {
        return mmu.table(0).entry(gpa);
    }

    public long raw(long gpa) {
        return entry(gpa).raw;
    }

    /** The entry's bits without its address. */
    public long bits(long gpa) {
        return raw(gpa) & ~Spte.ADDRESS;
    }

    public KvmRun run() {
        return vcpu().kvmRun();
    }

    /** Collects the events of a type from now on. */
    public <E extends Event> List<E> record(Class<E> type) {
        var seen = new ArrayList<E>();
        events.add((sequence, event) -> {
            if (type.isInstance(event)) {
                seen.add(type.cast(event));
            }
        });
        return seen;
    }

    /** {@link HostConfig#intel()} with single switches changed. */
    public static HostConfig host(boolean npt, boolean adBits, boolean pml, boolean nxHugePages, boolean thp) {
        return new HostConfig(4L << 40, 46, npt, adBits, pml, true, true, nxHugePages, true, true, true, thp);
    }
}
