package kvasir.metal.tdx;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import kvasir.event.Events;
import kvasir.event.Topic;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.registry.Bytes;

/**
 * The TDX module of one machine: what SEAMCALL and TDCALL reach. One call runs to its end before the next begins,
 * except at the {@link ModuleSeams}.
 */
public final class TdxModule {
    private static final int LEAF_MASK = 0xffff;
    private static final long RAX_RESERVED = -1L << 24;

    private final PhysicalMemory memory;
    private final Events events;
    private final ModuleState state;
    private final Pamt pamt;
    private final Conditions conditions = new Conditions();
    private final Map<Long, String> labels = new TreeMap<>();
    private final Map<Long, TdGuest> guests = new TreeMap<>();
    private ModuleSeams seams = ModuleSeams.NONE;
    private TdGuest guest = TdGuest.NONE;
    private LongSupplier clock = () -> 0;
    private int underWay;

    /** What a snapshot of the machine keeps of the module beside the frames. */
    public static final class Saved {
        private final ModuleState state;

        private Saved(ModuleState state) {
            this.state = state;
        }
    }

    /**
     * A module that is loaded and not yet initialised.
     *
     * @param memory host memory, where all its tables are
     * @param platform what firmware left
     * @param events where leaves, entry changes and measurements are told
     * @param seed of the random numbers in UUIDs and keys
     */
    public TdxModule(PhysicalMemory memory, Platform platform, Events events, long seed) {
        this.memory = memory;
        this.events = events;
        state = new ModuleState(platform, seed);
        pamt = new Pamt(memory, state);
    }

    /**
     * SEAMCALL on logical processor {@code lp}: VMX root, 64-bit, CPL 0.
     *
     * @param in RAX = leaf in bits 15:0, version in bits 23:16; operands as the leaf wants them
     * @return registers after: RAX the completion status, outputs of the leaf, all others as they were
     */
    public SeamcallRegs seamcall(int lp, SeamcallRegs in) {
        var leaf = HostLeaves.find(in.rax() & LEAF_MASK);
        var call = new HostCall(this, lp, in);
        if ((in.rax() & RAX_RESERVED) != 0
                || leaf.isEmpty()
                || call.version() > leaf.get().maxVersion()) {
            call.fail(Status.OPERAND_INVALID.on(Operand.RAX));
        } else {
            call.fail(gate(lp, leaf.get()));
            if (!call.failed()) {
                underWay++;
                leaf.get().body().accept(call);
                underWay--;
            }
        }
        Topic topic = events.listening() ? call.topic() : Topic.none();
        SeamcallRegs out = call.finish();
        if (events.listening()) {
            events.emit(new LeafDone(leaf.map(HostLeaf::name).orElse(""), lp, in, out, topic));
        }
        return out;
    }

    /** Whether the leaf of that name locks a TDR, so that it can find that busy. */
    public boolean locksTdr(String leaf) {
        return HostLeaves.ALL.stream()
                .anyMatch(row -> row.name().equals(leaf)
                        && row.statuses().contains(Status.OPERAND_BUSY)
                        && row.statuses().contains(Status.TD_FATAL));
    }

    private long gate(int lp, HostLeaf leaf) {
        if (state.sysState == SysState.SYS_SHUTDOWN) {
            return Status.SYS_SHUTDOWN.value();
        }
        return switch (leaf.gate()) {
            case ANY -> 0;
            case LP_INITIALISED -> state.lpInitialised[lp] ? 0 : Status.SYS_LP_INIT_NOT_DONE.value();
            case READY -> {
                if (!state.lpInitialised[lp]) {
                    yield Status.SYS_LP_INIT_NOT_DONE.value();
                }
                yield state.sysState == SysState.SYS_READY ? 0 : Status.SYS_NOT_READY.value();
            }
        };
    }

    /**
     * TDCALL by the vCPU that is inside on behalf of TDVPR {@code tdvpr}.
     *
     * @param in RAX = leaf in bits 15:0, version in bits 23:16
     */
    public TdcallResult tdcall(long tdvpr, SeamcallRegs in) {
        var leaf = GuestLeaves.find(in.rax() & LEAF_MASK);
        var call = new GuestCall(this, new Tdvps(memory, tdvpr), in);
        if ((in.rax() & RAX_RESERVED) != 0
                || leaf.isEmpty()
                || call.version() > leaf.get().maxVersion()) {
            call.fail(Status.OPERAND_INVALID.on(Operand.RAX));
        } else {
            underWay++;
            leaf.get().body().accept(call);
            underWay--;
        }
        TdcallResult result = call.finish();
        if (events.listening() && result instanceof TdcallResult.Returned returned) {
            events.emit(new LeafDone(
                    leaf.map(GuestLeaf::name).orElse(""),
                    new Tdvps(memory, tdvpr).assocLpid(),
                    in,
                    returned.regs(),
                    Topic.of(label(call.tdr().hpa()) + ".sept", in.rcx() & SeptEntry.HPA, 4096)));
        }
        return result;
    }

    /** TDG.VP.VMCALL ends when the host enters again, with the registers that the guest then finds. */
    void vmcallReturned(int lp, Tdvps vcpu, long mask) {
        if (events.listening()) {
            var gpr = new long[16];
            for (int register = 0; register < gpr.length; register++) {
                gpr[register] = vcpu.gpr(register);
            }
            SeamcallRegs in = SeamcallRegs.leaf(0).with(Operand.RCX, mask);
            events.emit(new LeafDone("TDG.VP.VMCALL", lp, in, SeamcallRegs.copyOf(gpr), Topic.none()));
        }
    }

    /** Runs the code of a vCPU: TDH.VP.ENTER is not under way meanwhile, but waits. */
    TdExit inside(Tdvps vcpu) {
        underWay--;
        TdExit exit = guestOf(vcpu.hpa()).run(this, vcpu);
        underWay++;
        return exit;
    }

    /** Whether no leaf is under way, so that tables, counters and locks must agree. */
    public boolean idle() {
        return underWay == 0;
    }

    /** Names a TD in events and pictures; KVM does so when it has made the TDR. */
    public void label(long tdr, String name) {
        labels.put(tdr, name);
    }

    /** The name of a TD. */
    public String label(long tdr) {
        return labels.getOrDefault(tdr, "tdr@0x" + Long.toHexString(tdr));
    }

    /** Installs what runs guest code when TDH.VP.ENTER enters a vCPU that has no runner of its own. */
    public void guest(TdGuest runner) {
        guest = runner;
    }

    /** Installs what runs the code of one vCPU; KVM does so when it has made the TDVPR. */
    public void guest(long tdvpr, TdGuest runner) {
        guests.put(tdvpr, runner);
    }

    TdGuest guestOf(long tdvpr) {
        return guests.getOrDefault(tdvpr, guest);
    }

    /** Installs what may overtake a leaf after it took a lock. */
    public void seams(ModuleSeams next) {
        seams = next;
    }

    ModuleSeams seams() {
        return seams;
    }

    /** Installs the native time stamp counter; it reads 0 without. */
    public void clock(LongSupplier tsc) {
        clock = tsc;
    }

    long tsc() {
        return clock.getAsLong();
    }

    /** The knobs for what hardware decides. */
    public Conditions conditions() {
        return conditions;
    }

    ModuleState state() {
        return state;
    }

    PhysicalMemory memory() {
        return memory;
    }

    /** The page metadata. */
    public Pamt pamt() {
        return pamt;
    }

    /** What firmware left. */
    public Platform platform() {
        return state.platform;
    }

    /** Global state of the module. */
    public SysState sysState() {
        return state.sysState;
    }

    /** State of a key id in the key ownership table. */
    public HkidState hkidState(int hkid) {
        return state.kot[hkid];
    }

    /** The TD whose root page is at {@code hpa}, if that page is a TDR. */
    public Optional<Tdr> tdr(long hpa) {
        return pamt.lookup(hpa).filter(entry -> entry.type() == PageType.PT_TDR).map(entry -> new Tdr(memory, hpa));
    }

    /** Whether the page at {@code hpa} is the TDVPR of a vCPU with all its pages. */
    public boolean vcpu(long hpa) {
        return pamt.lookup(hpa)
                        .filter(entry -> entry.type() == PageType.PT_TDVPR)
                        .isPresent()
                && new Tdvps(memory, hpa & -4096L).pages() >= Tdvps.PAGES;
    }

    /** What was measured of a TD so far. */
    public Ledger ledger(long tdr) {
        return state.ledgers.getOrDefault(tdr, Ledger.EMPTY);
    }

    /** The secret behind the MAC of reports: the same for the life of the platform. */
    byte[] reportKey() {
        return state.reportKey.clone();
    }

    /** Everything a snapshot must keep beside the frames. */
    public Saved save() {
        return new Saved(state.copy());
    }

    /** What it holds beside memory, as a number that is the same for the same state in every run. */
    public long fingerprint() {
        return state.fingerprint() * 31 + conditions.fingerprint();
    }

    /** Goes back to a saved state; the caller restores the frames. */
    public void restore(Saved saved) {
        state.become(saved.state);
    }

    /** Starts the measurement of a TD. */
    void startMeasurement(Tdr tdr) {
        new Sha384().store(memory, tdr.tdcs().at(Tdcs.MRTD_CONTEXT));
        state.ledgers.put(tdr.hpa(), Ledger.EMPTY);
    }

    /** Appends to MRTD the block that names {@code leaf} and {@code gpa}, then {@code content}. */
    void measure(Tdr tdr, String label, String leaf, long gpa, byte[] content) {
        Tdcs tdcs = tdr.tdcs();
        Sha384 context = tdcs.measurement();
        context.update(Ledger.unit(label, gpa, content));
        context.store(memory, tdcs.at(Tdcs.MRTD_CONTEXT));
        record(tdr, "MRTD", leaf, gpa, content, context.digest());
    }

    /** Writes one record of the ledger. */
    void record(Tdr tdr, String register, String leaf, long gpa, byte[] content, byte[] digest) {
        Ledger ledger = ledger(tdr.hpa()).plus(register, leaf, gpa, Bytes.of(content), Bytes.of(digest));
        state.ledgers.put(tdr.hpa(), ledger);
        if (events.listening()) {
            events.emit(new MeasurementExtended(label(tdr.hpa()), ledger.newest()));
        }
    }

    void septChanged(Tdr tdr, long gpa, int level, long before, long after) {
        if (events.listening()) {
            long first = gpa & -(4096L << 9 * level);
            events.emit(new SeptChanged(label(tdr.hpa()), first, level, before, after));
        }
    }
}
