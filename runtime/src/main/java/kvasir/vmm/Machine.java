package kvasir.vmm;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.event.Events;
import kvasir.kvm.HostConfig;
import kvasir.kvm.Kvm;
import kvasir.kvm.SwitchableSeams;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.mmu.TdpMmu;
import kvasir.kvm.semantics.Policies;
import kvasir.kvm.semantics.Semantics;
import kvasir.kvm.snp.SnpHost;
import kvasir.kvm.tdx.TdxHost;
import kvasir.metal.cpu.Engine;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.Rule;
import kvasir.metal.snp.Rules;
import kvasir.metal.snp.psp.PlatformConfig;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Outcome;
import kvasir.registry.Range;

/**
 * Everything one script holds: a host with its memory, a kernel with KVM, one VMM process, and the VMs it declared.
 * Cheap to make; the host itself comes into being with the first VM. Confined to one thread at a time, except
 * {@link #interrupt()}.
 */
public final class Machine {
    private final Config config;
    private final Events events = new Events();
    private final Map<String, VmHandle> vms = new LinkedHashMap<>();
    private final List<BareTdx> barePlatforms = new ArrayList<>();
    private HostConfig host;
    private Optional<VmHandle> booted = Optional.empty();
    private Optional<Running> running = Optional.empty();
    private Optional<SnpHost> snpHost = Optional.empty();
    private Rules snpRules = Rules.standard();
    private boolean snpEnabled = true;
    private Optional<TdxHost> tdxHost = Optional.empty();

    /**
     * What distinguishes one machine from another.
     *
     * @param semantics what pre-population means, and with it the kernel
     * @param host the processor and its kernel's set-up, unless a VM declaration says otherwise
     * @param seed of everything random
     * @param instructionBudget guest instructions that one {@code run} may retire, at least 1
     */
    public record Config(Semantics semantics, HostConfig host, long seed, long instructionBudget, Engine engine) {
        /** An Intel server with the newest semantics. */
        public static Config standard() {
            return new Config(Semantics.newest(), HostConfig.intel(), 1, 100_000_000, Engine.TRANSLATOR);
        }

        /** The same machine, executed otherwise. */
        public Config executedBy(Engine other) {
            return new Config(semantics, host, seed, instructionBudget, other);
        }
    }

    /** The host once it runs. */
    private record Running(PhysicalMemory memory, Kvm kvm, Mm mm) {}

    /** @param config what kind of machine */
    public Machine(Config config) {
        this.config = config;
        host = config.host();
    }

    public Config config() {
        return config;
    }

    /** The stream of this machine. */
    public Events events() {
        return events;
    }

    /** The host as it is, or will be. */
    HostConfig host() {
        return host;
    }

    /** The VM that was booted last. */
    Optional<VmHandle> booted() {
        return booted;
    }

    void setBooted(VmHandle vm) {
        booted = Optional.of(vm);
    }

    /** Changes the host; refused once a VM exists on another one. */
    Optional<Outcome> setHost(HostConfig wanted) {
        if (running.isPresent() && !wanted.equals(host)) {
            return Optional.of(new Outcome.Failed(
                    "EBUSY", "the host runs already: declare it with the first VM", Map.of("host", host.toString())));
        }
        host = wanted;
        return Optional.empty();
    }

    private Running running() {
        if (running.isEmpty()) {
            var memory = new PhysicalMemory(host.memoryBytes());
            var kvm = new Kvm(
                    host,
                    config.semantics().kernel(),
                    memory,
                    events,
                    vm -> new TdpMmu(vm, config.semantics().mmuPolicy()));
            kvm.setEngine(config.engine());
            kvm.gmemFaultLocks(config.semantics().policies().gmemFault() == Policies.GmemFault.LOCKED);
            running = Optional.of(
                    new Running(memory, kvm, new Mm(memory, kvm.pages(), kvm.seams(), kvm.events(), host.thp())));
        }
        return running.get();
    }

    /** Whether the host runs. */
    public boolean hostRuns() {
        return running.isPresent();
    }

    /** The kernel module; the host runs from now on. */
    public Kvm kvm() {
        return running().kvm();
    }

    /** The host's physical memory; the host runs from now on. */
    public PhysicalMemory memory() {
        return running().memory();
    }

    /** The VMM process's address space; the host runs from now on. */
    public Mm mm() {
        return running().mm();
    }

    /** The host's SNP: reverse map and security processor, brought up at first use; the host runs from now on. */
    SnpHost snpHost() {
        if (snpHost.isEmpty()) {
            var seed = ByteBuffer.allocate(8).putLong(config.seed()).array();
            PlatformConfig platform = PlatformConfig.milan(Bytes.of(seed));
            snpHost = Optional.of(new SnpHost(
                    memory(), kvm().pages(), seams(), events, snpRules, snpEnabled ? platform : platform.withoutSnp()));
        }
        return snpHost.get();
    }

    /** Leaves SNP off in SYSCFG; false once the host's SNP is up. */
    boolean leaveSnpOff() {
        snpEnabled = false;
        return snpHost.isEmpty();
    }

    /** Chooses the alternative of an unsettled rule of SNP; false once the host's SNP is up. */
    boolean switchSnpRule(Rule rule) {
        snpRules = snpRules.with(rule);
        return snpHost.isEmpty();
    }

    /** The host's TDX module, loaded at first use; the host runs from now on. */
    TdxHost tdxHost() {
        if (tdxHost.isEmpty()) {
            tdxHost = Optional.of(new TdxHost(kvm(), config.seed()));
        }
        return tdxHost.get();
    }

    /** A TDX platform beside the host, for SEAMCALLs from the first on; snapshots keep it. */
    TdxPlatformHandle bareTdx(long bytes, int lps, int packages, List<Range> convertible, Range seam) {
        var bare = new BareTdx(bytes, lps, packages, convertible, seam, events, config.seed());
        barePlatforms.add(bare);
        return TdxPlatformHandle.of(this, bare);
    }

    /** The kernel's seams, to which a scheduler attaches; the host runs from now on. */
    public SwitchableSeams seams() {
        return kvm().seams();
    }

    /**
     * Starts {@code vm name = word { ... }}.
     *
     * @param word one of {@link VmKinds#words()}
     * @return the builder, on which every line in the braces is an operation
     */
    public VmBuilder declare(String name, String word) {
        return VmKinds.of(word).builder(this, name);
    }

    /**
     * Ends a declaration.
     *
     * @return a {@link VmHandle}, or an {@link Outcome.Failed}
     */
    public Object build(VmBuilder builder) {
        Object result = builder.build();
        if (result instanceof VmHandle handle) {
            vms.put(handle.label(), handle);
        }
        return result;
    }

    /** VMs in order of declaration. */
    public List<VmHandle> vms() {
        return List.copyOf(vms.values());
    }

    /** The object behind a name that every script sees: {@code machine}, {@code host}. */
    public Optional<Described> global(String name) {
        return switch (name) {
            case "machine" -> Optional.of(new MachineHandle(this));
            case "host" -> Optional.of(new HostHandle(this));
            default -> Optional.empty();
        };
    }

    /**
     * Something that a host may do at any time happens now.
     *
     * @param fault one of {@link InjectedFault#words()}
     */
    public Outcome inject(String fault) {
        return InjectedFault.of(fault).orElseThrow().strike(this);
    }

    /** Makes guests that run come back soon; the only method another thread may call. */
    public void interrupt() {
        running.ifPresent(now -> {
            for (Vm vm : now.kvm().vms()) {
                vm.vcpus().forEach(Vcpu::interrupt);
            }
        });
    }

    /** The whole machine as it is, as an action that puts it back; it can be done any number of times. */
    public Runnable checkpoint() {
        return snapshot("checkpoint")::restore;
    }

    /** The whole machine as it is. */
    MachineSnapshot snapshot(String label) {
        Running now = running();
        PhysicalMemory.Snapshot bytes = now.memory().snapshot();
        var parts = new ArrayList<Runnable>();
        parts.add(now.kvm().checkpoint());
        parts.add(now.mm().checkpoint());
        barePlatforms.forEach(bare -> parts.add(bare.checkpoint()));
        vms.values().forEach(vm -> vm.pc().ifPresent(pc -> parts.add(pc.checkpoint())));
        var savedVms = new LinkedHashMap<>(vms);
        return new MachineSnapshot(label, () -> {
            now.memory().restore(bytes);
            parts.forEach(Runnable::run);
            vms.clear();
            vms.putAll(savedVms);
        });
    }
}
