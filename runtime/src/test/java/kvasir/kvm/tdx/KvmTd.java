package kvasir.kvm.tdx;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import kvasir.event.Events;
import kvasir.kvm.HostConfig;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.KernelVersion;
import kvasir.kvm.Kvm;
import kvasir.kvm.MemoryAttributes;
import kvasir.kvm.MemoryRegion;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.mmu.MmuPolicy;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.SeptWalk;

/** A TDX VM on an 8 GiB host with slots that are guest_memfd and private by attribute. */
public final class KvmTd {
    public final Kvm kvm;
    public final Mm mm;
    public final TdxHost host;
    public final Vm vm;
    public final TdxVm td;
    private int slots;

    public KvmTd(InitMemRegionMode mode) {
        var version = mode == InitMemRegionMode.MERGED_6_19 ? new KernelVersion(6, 19) : new KernelVersion(6, 16);
        var intel = HostConfig.intel();
        var memory = new PhysicalMemory(8L << 30);
        kvm = new Kvm(intel, version, memory, new Events(), vm -> new TdpMmu(vm, MmuPolicy.of(version)));
        mm = new Mm(memory, kvm.pages(), kvm.seams(), kvm.events(), true);
        host = new TdxHost(kvm, 1);
        vm = new Vm(kvm, "td", VmType.TDX, mm);
        td = new TdxVm(vm, host, mode);
        vm.attach(td);
    }

    /** INIT_VM, one vCPU, INIT_VCPU, 64M of memory at 0. */
    public static KvmTd initialised(InitMemRegionMode mode) {
        var kvmTd = new KvmTd(mode);
        kvmTd.memory(0, 64 << 20);
        ok(kvmTd.td.initVm(InitVm.usual(), TdxCmd.flags(0)));
        ok(kvmTd.vm.createVcpu(0, CpuidModel.standard()));
        ok(kvmTd.vcpu().setCpuid2(CpuidModel.standard()));
        ok(kvmTd.td.initVcpu(kvmTd.vcpu(), 0, TdxCmd.flags(0)));
        return kvmTd;
    }

    public void memory(long gpa, long bytes) {
        int fd = (int) assertInstanceOf(IoctlResult.Ok.class, vm.createGuestMemfd(bytes, 0))
                .value();
        long hva = mm.mmap(Optional.empty(), gpa, bytes >>> 12, Mm.anonymous(false));
        ok(vm.setUserMemoryRegion2(new MemoryRegion(slots++, Memslot.GUEST_MEMFD, gpa, bytes, hva, 0, fd)));
        ok(vm.setMemoryAttributes(gpa, bytes, MemoryAttributes.PRIVATE, 0));
    }

    public static void ok(IoctlResult result) {
        assertTrue(result.succeeded(), result::toString);
    }

    public Vcpu vcpu() {
        return vm.vcpus().getFirst();
    }

    /** hva of a copy of {@code content} in the VMM's memory. */
    public long source(byte[] content) {
        long hva = mm.mmap(Optional.empty(), 0, (content.length + 4095) / 4096, Mm.anonymous(false));
        assertTrue(mm.write(hva, content, 0, content.length));
        return hva;
    }

    public IoctlResult add(long gpa, byte[] content, boolean measure) {
        return td.initMemRegion(
                vcpu(), new MemRegion(source(content), gpa, content.length / 4096), TdxCmd.flags(measure ? 1 : 0));
    }

    public SeptState sept(long gpa) {
        return SeptWalk.to(kvm.memory(), td.root().orElseThrow().tdcs(), gpa, 0).state();
    }

    public String mrtd() {
        return td.root().orElseThrow().tdcs().runningMrtd().hex();
    }

    public SeamcallRegs seamcall(SeamcallRegs in) {
        return host.module().seamcall(0, in);
    }
}
