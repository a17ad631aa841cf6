package kvasir.vmm;

import java.util.LinkedHashMap;
import java.util.Optional;
import kvasir.kvm.KernelLock;
import kvasir.kvm.Vm;
import kvasir.registry.Api;
import kvasir.registry.Described;

/** {@code vm.locks}. */
final class LocksView implements Described {
    static final Api<LocksView> API = Api.of("locks", LocksView.class, "The kernel's locks of a VM, outermost first.")
            .property(
                    "kvm_lock",
                    "string",
                    "kvm->lock: free, read or write.",
                    "show plain.locks.kvm_lock",
                    l -> state(l.vm.kvmLock()))
            .property(
                    "slots_lock",
                    "string",
                    "free, read or write.",
                    "show plain.locks.slots_lock",
                    l -> state(l.vm.slotsLock()))
            .property(
                    "slots_arch_lock",
                    "string",
                    "free, read or write.",
                    "show plain.locks.slots_arch_lock",
                    l -> state(l.vm.slotsArchLock()))
            .property(
                    "mmu_lock",
                    "string",
                    "free, read or write.",
                    "assert plain.locks.mmu_lock == \"free\"",
                    l -> state(l.vm.mmuLock()))
            .property(
                    "mmap_lock",
                    "string",
                    "The VMM process's: free, read or write.",
                    "assert plain.locks.mmap_lock == \"free\"",
                    l -> state(l.vm.mm().mmapLock()))
            .build();

    private final Vm vm;

    LocksView(VmHandle handle) {
        vm = handle.vm();
    }

    private static String state(KernelLock lock) {
        return lock.heldForWriting() ? "write" : lock.held() ? "read" : "free";
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return vm.name() + ".locks";
    }

    @Override
    public Optional<String> picture() {
        var lines = new LinkedHashMap<String, String>();
        vm.locks().forEach(lock -> lines.put(lock.name(), state(lock)));
        return Optional.of(Text.table(lines));
    }
}
