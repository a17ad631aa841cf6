package kvasir.vmm;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import kvasir.kvm.FaultInjection;
import kvasir.kvm.HostConfig;
import kvasir.kvm.NxHugePagesParameter;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;

/** The name {@code host} of scripts: the physical machine under everything. */
final class HostHandle implements Described {
    private static final List<Parameter> AFTER = List.of(
            VmHandle.keyword("after", Kind.U64, "", "how many calls of the kind succeed before; 0: the next fails"));

    static final Api<HostHandle> API = Api.of(
                    "host",
                    HostHandle.class,
                    "The physical host. It is set up in the first VM's declaration (`host npt`, `maxphyaddr 52` ...).")
            .operation(
                    "failslab",
                    AFTER,
                    "Fault injection: a kmalloc of KVM fails once.",
                    "host.failslab",
                    (h, a) -> h.arm(FaultInjection.Kind.SLAB, a))
            .operation(
                    "fail_page_alloc",
                    AFTER,
                    "Fault injection: the allocation of a page fails once, whether for a process, a guest_memfd or a "
                            + "page table.",
                    "host.fail_page_alloc after 1",
                    (h, a) -> h.arm(FaultInjection.Kind.PAGE, a))
            .operation(
                    "fail_usercopy",
                    AFTER,
                    "Fault injection: a copy between an ioctl and its caller's struct fails once, as with a bad "
                            + "pointer.",
                    "host.fail_usercopy",
                    (h, a) -> h.arm(FaultInjection.Kind.USERCOPY, a))
            .operation(
                    "inject",
                    List.of(Parameter.of("fault", Kind.WORD, "", "what happens")
                            .among(InjectedFault.words().toArray(String[]::new))),
                    "Fault injection: one thing happens now that a host may do at any time. " + InjectedFault.doc()
                            + "In a race `explore { faults signal }` makes it one more task, so that it happens at every "
                            + "step there is. Errors: ENODEV.",
                    "host.inject allocation_failure",
                    (h, a) -> h.machine.inject(a.string("fault")))
            .operation(
                    "nx_huge_pages",
                    List.of(Parameter.of(
                                    "mode", Kind.WORD, "", "`auto`: on if the host was declared with nx_huge_pages")
                            .among("off", "force", "auto", "never")),
                    "Writes /sys/module/kvm/parameters/nx_huge_pages. A change zaps all roots of every VM. `never` stands in "
                            + "quotes in KVS, where the word is taken. Errors: EBUSY "
                            + "for `never` while there is a VM; EPERM after `never`.",
                    "host.nx_huge_pages force",
                    (h, a) -> h.machine
                            .kvm()
                            .nxHugePages()
                            .set(NxHugePagesParameter.Mode.valueOf(
                                    a.string("mode").toUpperCase(Locale.ROOT)))
                            .outcome())
            .operation(
                    "bare_tdx",
                    List.of(
                            VmHandle.keyword("memory", Kind.U64, "bytes", "whole gigabytes; 4G if left out"),
                            VmHandle.keyword("lps", Kind.U64, "", "logical processors, 1 to 64; 4 if left out"),
                            VmHandle.keyword("packages", Kind.U64, "", "LPs are dealt to them in turn; 2 if left out"),
                            VmHandle.keyword("cmr", Kind.RANGE, "bytes", "the one CMR; all memory if left out"),
                            VmHandle.keyword(
                                    "seamrr", Kind.RANGE, "bytes", "the module's own range; none if left out")),
                    "Another platform, with memory of its own and a TDX module that is loaded and not initialised: for "
                            + "SEAMCALLs from the first on. Its vCPUs have no code.",
                    "let p = host.bare_tdx",
                    (h, a) -> h.bareTdx(a))
            .property(
                    "tdx",
                    "tdx platform",
                    "The TDX module of this host, initialised as Linux does.",
                    "show host.tdx.state",
                    h -> TdxPlatformHandle.ofHost(h.machine))
            .property("maxphyaddr", "u64", "MAXPHYADDR in bits.", "show host.maxphyaddr", h ->
                    (long) h.config().maxPhyAddr())
            .property(
                    "npt",
                    "bool",
                    "AMD with NPT, not Intel with EPT.",
                    "show host.npt",
                    h -> h.config().npt())
            .property(
                    "c_bit",
                    "u64",
                    "Position of the C-bit in a page-table entry; 0 if memory encryption is not enabled.",
                    "show host.c_bit",
                    h -> (long) h.config().cBit())
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

    private Object bareTdx(Arguments a) {
        long bytes = a.u64("memory", 4L << 30);
        long lps = a.u64("lps", 4);
        long packages = a.u64("packages", 2);
        if (bytes % (1L << 30) != 0 || bytes < 2L << 30 || bytes > 1L << 40) {
            return new Outcome.Failed("EINVAL", "memory is whole gigabytes, 2G to 1T", Map.of());
        }
        if (lps < 1 || lps > 64 || packages < 1 || packages > Math.min(lps, 8)) {
            return new Outcome.Failed("EINVAL", "1 to 64 processors in 1 to 8 packages, none of them empty", Map.of());
        }
        return machine.bareTdx(
                bytes,
                (int) lps,
                (int) packages,
                a.optional("cmr", Range.class).stream().toList(),
                a.optional("seamrr", Range.class).orElse(new Range(0, 0)));
    }

    private Outcome arm(FaultInjection.Kind kind, Arguments a) {
        machine.kvm().faults().arm(kind, a.u64("after", 0));
        return Outcome.ok();
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
