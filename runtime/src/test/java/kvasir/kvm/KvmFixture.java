package kvasir.kvm;

import java.util.Optional;
import kvasir.event.Events;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.mmu.MmuPolicy;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.memory.PhysicalMemory;

/** A host, one VMM process, and VMs on it. */
final class KvmFixture {
    static final long PAGE = 4096;
    static final long MIB = 1 << 20;

    final PhysicalMemory memory = new PhysicalMemory(4L << 40);
    final Events events = new Events();
    final Kvm kvm;
    final Mm mm;

    KvmFixture(int major, int minor) {
        var version = new KernelVersion(major, minor);
        kvm = new Kvm(HostConfig.intel(), version, memory, events, vm -> new TdpMmu(vm, MmuPolicy.of(version)));
        mm = new Mm(memory, kvm.pages(), kvm.seams(), kvm.events(), true);
    }

    Vm vm(VmType type) {
        return new Vm(kvm, "vm" + kvm.vms().size(), type, mm);
    }

    Vcpu vcpu(Vm vm) {
        vm.createVcpu(vm.vcpus().size(), CpuidModel.standard());
        return vm.vcpus().getLast();
    }

    /** hva of new private anonymous memory, congruent to {@code gpa} modulo 1 GiB. */
    long anonymous(long gpa, long bytes) {
        return mm.mmap(Optional.empty(), gpa, bytes / PAGE, Mm.anonymous(false));
    }

    /** What a script would see: {@code ok} or the errno. */
    static String name(IoctlResult result) {
        return result.outcome().name();
    }
}
