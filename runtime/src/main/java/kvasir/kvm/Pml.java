package kvasir.kvm;

import java.util.Optional;
import kvasir.kvm.mm.HostPages;
import kvasir.metal.paging.PmlBuffer;

/** KVM's use of page-modification logging on one vCPU (vmx.c, vmx_flush_pml_buffer, vmx_update_cpu_dirty_logging). */
final class Pml {
    private static final int HEAD = PmlBuffer.ENTRIES - 1;

    private final Vcpu vcpu;
    private final boolean possible;
    private Optional<PmlBuffer> buffer = Optional.empty();
    private boolean enabled;

    Pml(Vcpu vcpu) {
        this.vcpu = vcpu;
        possible = vcpu.vm().usesPml();
    }

    /** Follows whether any slot logs; whether that changed something. The buffer's page is taken at first use. */
    boolean update() {
        boolean wanted = possible && vcpu.vm().dirtyLogging();
        if (wanted && buffer.isEmpty()) {
            buffer = Optional.of(new PmlBuffer(vcpu.vm().kvm().pages().allocate(HostPages.Use.UNMOVABLE) << 12));
        }
        boolean changed = wanted != enabled;
        enabled = wanted;
        return changed;
    }

    /** The log that the processor writes; empty while logging is off. */
    Optional<PmlBuffer> active() {
        return enabled ? buffer : Optional.empty();
    }

    /** Whether the gfn is in the log now. */
    boolean holds(long gfn) {
        if (!enabled) {
            return false;
        }
        PmlBuffer log = buffer.orElseThrow();
        for (int entry = HEAD; entry >= (log.full() ? 0 : log.index() + 1); entry--) {
            if (log.at(vcpu.vm().kvm().memory(), entry) >>> 12 == gfn) {
                return true;
            }
        }
        return false;
    }

    /** After every exit: what was logged becomes dirty pages, the oldest first. */
    void drain() {
        if (!enabled) {
            return;
        }
        PmlBuffer log = buffer.orElseThrow();
        int tail = log.full() ? 0 : log.index() + 1;
        if (tail > HEAD) {
            return;
        }
        Vm vm = vcpu.vm();
        for (int entry = HEAD; entry >= tail; entry--) {
            long gfn = log.at(vm.kvm().memory(), entry) >>> 12;
            Memslot slot = vm.memslots(vcpu.addressSpace()).lookup(gfn);
            if (slot.exists() && slot.logsDirty()) {
                vm.markDirty(vcpu, slot, gfn);
            }
        }
        log.setIndex(HEAD);
        if (vm.events().listening()) {
            vm.events().emit(new VcpuEvent.PmlDrained(vm.name() + ".vcpu" + vcpu.id(), HEAD - tail + 1));
        }
    }

    Runnable checkpoint() {
        boolean saved = enabled;
        Optional<PmlBuffer> savedBuffer = buffer;
        int index = buffer.map(PmlBuffer::index).orElse(HEAD);
        return () -> {
            enabled = saved;
            buffer = savedBuffer;
            buffer.ifPresent(log -> log.setIndex(index));
        };
    }
}
