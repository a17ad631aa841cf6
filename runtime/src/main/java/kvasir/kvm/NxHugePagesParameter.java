package kvasir.kvm;

/**
 * The module parameter kvm.nx_huge_pages: whether huge pages are mapped without X, against iTLB multihit (mmu.c,
 * set_nx_huge_pages, 6.16).
 */
public final class NxHugePagesParameter {
    private static final String CELL = "kvm.nx_huge_pages";

    private final Kvm kvm;
    private boolean on;
    private boolean hardDisabled;

    /** What may be written to it. */
    public enum Mode {
        OFF,
        FORCE,
        /** On if the processor has the bug. */
        AUTO,
        /** Off for good. */
        NEVER
    }

    NxHugePagesParameter(Kvm kvm) {
        this.kvm = kvm;
        on = kvm.host().nxHugePages();
    }

    /** Whether the mitigation is on, for VMs that have not disabled it. */
    public boolean on() {
        if (kvm.seams().footprint().listening()) {
            kvm.seams().footprint().read(CELL, on ? 1 : 0);
        }
        return on;
    }

    /** Writes the parameter; a change zaps all direct roots of every VM, without waiting for anybody. */
    public IoctlResult set(Mode mode) {
        if (hardDisabled) {
            return IoctlResult.err(Errno.EPERM, "set_nx_huge_pages: the mitigation is disabled for good");
        }
        if (mode == Mode.NEVER) {
            if (!kvm.vms().isEmpty()) {
                return IoctlResult.err(Errno.EBUSY, "set_nx_huge_pages: there are VMs");
            }
            hardDisabled = true;
        }
        boolean before = on;
        boolean wanted = mode == Mode.FORCE || mode == Mode.AUTO && kvm.host().nxHugePages();
        kvm.seams().footprint().wrote(CELL, before ? 1 : 0, wanted ? 1 : 0);
        on = wanted;
        if (wanted != before) {
            for (Vm vm : kvm.vms()) {
                vm.slotsLock().lock();
                vm.mmu().zapAllFast();
                vm.slotsLock().unlock();
            }
        }
        return IoctlResult.done();
    }

    Runnable checkpoint() {
        boolean savedOn = on;
        boolean savedDisabled = hardDisabled;
        return () -> {
            on = savedOn;
            hardDisabled = savedDisabled;
        };
    }
}
