package kvasir.vmm;

import kvasir.kvm.HostConfig;
import kvasir.registry.Api;
import kvasir.registry.Described;

/** The name {@code host} of scripts: the physical machine under everything. */
final class HostHandle implements Described {
    static final Api<HostHandle> API = Api.of(
                    "host",
                    HostHandle.class,
                    "The physical host. It is set up in the first VM's declaration (`host npt`, `maxphyaddr 52` ...).")
            .property("maxphyaddr", "u64", "MAXPHYADDR in bits.", "show host.maxphyaddr", h ->
                    (long) h.config().maxPhyAddr())
            .property(
                    "npt",
                    "bool",
                    "AMD with NPT, not Intel with EPT.",
                    "show host.npt",
                    h -> h.config().npt())
            .property(
                    "memory",
                    "u64",
                    "Installed bytes.",
                    "show host.memory",
                    h -> h.config().memoryBytes())
            .property(
                    "pages_used",
                    "u64",
                    "4 KiB pages that the kernel has handed out.",
                    "show host.pages_used",
                    h -> h.machine.kvm().pages().used())
            .property(
                    "frames_written",
                    "u64",
                    "4 KiB frames that hold bytes: memory never written takes none.",
                    "show host.frames_written",
                    h -> (long) h.machine.memory().framesInUse())
            .build();

    private final Machine machine;

    HostHandle(Machine machine) {
        this.machine = machine;
    }

    private HostConfig config() {
        return machine.host();
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return "host";
    }
}
