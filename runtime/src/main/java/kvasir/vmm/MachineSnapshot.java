package kvasir.vmm;

import kvasir.registry.Api;
import kvasir.registry.Described;

/** A machine at one moment: memory, kernel, VMs and processors. */
final class MachineSnapshot implements Described {
    static final Api<MachineSnapshot> API = Api.of("snapshot", MachineSnapshot.class, "A machine at one moment.")
            .build();

    private final String label;
    private final Runnable restore;

    MachineSnapshot(String label, Runnable restore) {
        this.label = label;
        this.restore = restore;
    }

    void restore() {
        restore.run();
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return label;
    }
}
