package kvasir.kvm.snp;

import java.util.Optional;
import kvasir.kvm.Memslot;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.mm.HostWrote;
import kvasir.kvm.mm.Pfn;

/** Pages of a guest that are the VMM's memory, as KVM reaches them for a vCPU (kvm_vcpu_map). */
record GuestPages(Vm vm, Vcpu vcpu) {
    /** Host address behind a gpa; empty where the VMM has no memory, or the reverse map lets nobody write it. */
    Optional<Long> host(long gpa) {
        Memslot slot = vm.memslots(0).lookup(gpa >>> 12);
        if (!slot.exists() || slot.gmemOnly()) {
            return Optional.empty();
        }
        long word = vm.mm().gup(slot.hva(gpa >>> 12), true);
        if (Pfn.isError(word) || !vm.kvm().pages().writable(Pfn.pfn(word))) {
            return Optional.empty();
        }
        vm.markDirty(vcpu, slot, gpa >>> 12);
        return Optional.of((Pfn.pfn(word) << 12) + (gpa & 4095));
    }

    /** Tells that KVM wrote {@code bytes} bytes at {@code hpa} of such a page. */
    void wrote(long hpa, int bytes, String by) {
        if (vm.events().listening()) {
            vm.events().emit(new HostWrote(hpa, bytes, by));
        }
    }
}
