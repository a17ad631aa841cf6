package kvasir.metal.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.IntPredicate;
import kvasir.event.Event;
import kvasir.event.Events;
import kvasir.metal.cpu.fp.FloatMath;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.memory.NativeMemory;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.paging.CheckedNptWalker;
import kvasir.metal.paging.EptWalker;
import kvasir.metal.paging.GuestPhysicalMappings;
import kvasir.metal.paging.GuestWalker;
import kvasir.metal.paging.NptWalker;
import kvasir.metal.paging.SecondStageWalker;
import kvasir.metal.paging.SevWalker;
import kvasir.metal.paging.TdWalker;
import org.jspecify.annotations.Nullable;

/**
 * One logical processor. Confined to one thread at a time, except {@link #kick()}.
 *
 * <p>The hypervisor's loop: {@link #run}, look at the exit, repair what it needs (map a page, set registers,
 * {@link #skip()} an instruction, {@link #inject} an event), {@link #run} again.
 */
public final class Cpu {
    private static final int SEV_ADDRESS_BITS = 52;
    private static final int PAUSES_BETWEEN_YIELDS = 256;

    final PhysicalMemory memory;
    final Events events;
    final CpuidModel model;
    final int apicId;
    final SystemState sys = new SystemState();

    /** RAX to R15, then a constant 0 and the IP of the running block, so that address arithmetic needs no branches. */
    final long[] r = new long[18];

    /** IP of the next instruction, once the running block is through. */
    long ip;

    long retired;

    /** The status flags, see {@link Flags}. */
    long flagResult;

    long flagCarry;

    /** Set by an instruction after which the interpreter must look at events, traps or a waiting exit. */
    boolean attention;

    /** Set by STI and loads of SS: no interrupt before the next instruction is through. */
    boolean shadow;

    /** Set by loads of SS, with {@link #shadow}: no debug exception either, faults of DR7.GD aside. */
    boolean stackShadow;

    // derived from the architectural state by updateMode
    ControlGuard controlGuard = ControlGuard.NONE;

    CodeSize codeSize = CodeSize.BITS16;
    int cpl;
    int modeKey;

    /** What {@link Gate}s decide by. */
    int gateKey;

    /** Where {@link #gateKey} is in {@link #modeKey}. */
    static final int GATE_KEY_SHIFT = 3;

    /** Whether what lies in a block must be looked at before it runs: a code segment with a limit, or breakpoints. */
    boolean bounded;

    long ipMask;
    long stackMask;
    private long linearMask;
    private int canonicalShift;
    private final long[] base = new long[8];
    private final boolean[] limited = new boolean[8];
    GuestWalker walker;
    private final GuestPhysicalMappings guestPhysical = new GuestPhysicalMappings();

    /** Changes when linear addresses may lead elsewhere; {@code hostStamp} when the host may have written code. */
    long stamp;

    /** The last one given out. */
    private long stamps;

    long hostStamp;

    /** The translation whose code runs; absent while the interpreter does. */
    Region.@Nullable Translation running;

    /** Which of its places {@link #running} has the interpreter execute. */
    int regionPlace;

    /** {@link #stamp} and the number of dropped regions when {@link #running} began. */
    long regionStamp;

    long regionDrops;

    final Regions regions = new Regions(this);
    final Unwind unwind = new Unwind();
    final LinearMemory mem;
    final Blocks blocks;
    final Breakpoints breakpoints = new Breakpoints(this);
    final Transaction transaction = new Transaction();
    final Segments segments = new Segments(this);
    final TaskSwitch tasks = new TaskSwitch(this);
    final Delivery delivery = new Delivery(this);
    /** Sources and result of the vector instruction that runs; {@code vectorResult} is never a source. */
    final long[] vectorA = new long[4];

    final long[] vectorB = new long[4];
    final long[] vectorResult = new long[4];

    /** Exceptions that the operands alone decide; if one is not masked, nothing is computed. */
    private static final int BEFORE_COMPUTATION = FloatMath.INVALID | FloatMath.DENORMAL | FloatMath.DIVIDE_BY_ZERO;

    /** Arithmetic of SSE and AVX instructions, always under MXCSR. */
    final FloatMath simd = new FloatMath(false);

    final Fpu fpu;
    final RandomSource random;
    final Interpreter interpreter = new Interpreter(this);
    private final BothEngines both = new BothEngines(this, interpreter);
    private SecondStage secondStage = new SecondStage.None();

    Optional<Injection> pending = Optional.empty();
    boolean windowRequested;
    boolean nmiWindowRequested;

    /** An NMI was delivered and no IRET has retired since. */
    boolean nmiBlocked;

    volatile boolean kicked;

    private int pauses;

    /** Other processors may run at the same time. */
    boolean shared;

    /** No other processor runs just now. */
    boolean alone = true;

    /** The last run ended because the next instruction must run while no other processor does. */
    boolean wantsAlone;

    private Optional<Processors> together = Optional.empty();

    /** Events since this processor began to run beside others. */
    private final List<Event> untold = new ArrayList<>();

    boolean cpuidExits;
    private int processors = 1;
    IntPredicate msrReadExits = index -> false;
    IntPredicate msrWriteExits = index -> false;

    /** What SEV does, while the second stage is that of a guest with memory encryption. */
    Optional<SevGuest> sev = Optional.empty();

    /** The guest's registers are encrypted: intercepted instructions raise #VC. */
    boolean encryptedState;

    boolean cr8Exits;
    boolean rsmExits;
    boolean debugExits;
    boolean breakpointExits;
    boolean pauseExits;

    /** Whether blocks are made so that a bus lock exits. */
    boolean busLockExits;

    /** Ticks that passed while it executed nothing. */
    private long idle;

    /** Length of the instruction that caused the last exit; 0 if there is nothing to skip. */
    int exitLength;

    /**
     * A processor in the state after RESET.
     *
     * @param memory host physical memory
     * @param events where page walks and exceptions are told, when someone listens
     * @param model what CPUID answers
     * @param apicId initial APIC id
     */
    public Cpu(PhysicalMemory memory, Events events, CpuidModel model, int apicId) {
        this.memory = memory;
        this.events = events;
        this.model = model;
        this.apicId = apicId;
        fpu = new Fpu(this);
        mem = new LinearMemory(this);
        blocks = new Blocks(this);
        random = new RandomSource(apicId);
        walker = newWalker();
        reset();
    }

    /** RESET. */
    public void reset() {
        sys.reset();
        Arrays.fill(r, 0);
        r[Gpr.RDX] = model.signature();
        ip = 0xfff0;
        Flags.setStatus(this, 0);
        pending = Optional.empty();
        shadow = false;
        stackShadow = false;
        nmiBlocked = false;
        breakpoints.traps = 0;
        stateChanged();
        breakpoints.follow();
    }

    /**
     * Executes until an exit, at most {@code budget} instructions.
     *
     * @param budget instructions, at least 1; with exactly that many retired the answer is {@link VmExit.Budget}. An
     *     exception that is delivered takes one from the budget too.
     */
    public VmExit run(long budget) {
        if (together.isPresent()) {
            return together.get().run(this, budget);
        }
        return regions.engine() == Engine.BOTH ? both.run(budget) : interpreter.run(budget);
    }

    /**
     * Executes exactly one instruction (one iteration of a repeated string instruction); its data accesses that the
     * second stage does not map go to {@code bus}.
     */
    public VmExit emulate(MmioBus bus) {
        return together.isPresent() ? together.get().emulate(this, bus) : interpreter.run(1, Optional.of(bus));
    }

    /** Makes it one of several processors that run at the same time. */
    public void join(Processors others) {
        together = Optional.of(others);
        shared = true;
        others.add(this);
        blocks.clear();
    }

    /** Tells the stream of {@code event}; once it stands still, while other processors run too. */
    void tell(Event event) {
        if (alone) {
            events.emit(event);
        } else {
            untold.add(event);
        }
    }

    /** Tells the stream what happened while other processors ran. */
    void tellAll() {
        if (!untold.isEmpty()) {
            untold.forEach(events::emit);
            untold.clear();
        }
    }

    /**
     * What a serializing instruction does beside its own work: stores are visible to all, and code that others changed is
     * fetched anew (Intel SDM volume 3, "Serializing instructions").
     */
    void serialize() {
        if (shared) {
            NativeMemory.fence();
            refetch();
        }
    }

    /** PAUSE while other processors run: now and then their threads get the host's processor. */
    @SuppressWarnings("ThreadPriorityCheck") // nothing waits for it: spinning guests only get on faster
    void spins() {
        if (!alone && ++pauses % PAUSES_BETWEEN_YIELDS == 0) {
            Thread.yield();
        }
    }

    /** Linear addresses may lead elsewhere from now on. */
    void newStamp() {
        stamp = ++stamps;
    }

    /** What is executed next is compared with memory first: others may have written code. */
    void refetch() {
        hostStamp++;
        newStamp();
    }

    /** Length in bytes of the instruction that caused the last exit; 0 if there is nothing to skip. */
    public int exitInstructionLength() {
        return exitLength;
    }

    /** Steps over the instruction that caused the last exit: it counts as retired. */
    public void skip() {
        if (exitLength != 0) {
            ip = (ip + exitLength) & ipMask;
            retired++;
            exitLength = 0;
            interpreter.ended();
        }
    }

    /**
     * Ends an IN or INS with the value read. For INS the destination may refuse the write: then the exit or exception
     * comes from the next {@link #run}, and the port is read again.
     */
    public void completeIn(int value) {
        interpreter.completeIn(value);
    }

    /** Ends an OUT or OUTS. */
    public void completeOut() {
        interpreter.completeOut();
    }

    /** Makes {@code event} pending; it is delivered before the next instruction. At most one is pending. */
    public void inject(Injection event) {
        pending = Optional.of(event);
    }

    /** Whether an injected event waits for delivery. */
    public boolean injectionPending() {
        return pending.isPresent();
    }

    /** The injected event that waits for delivery. */
    public Optional<Injection> injection() {
        return pending;
    }

    /** Forgets the injected event that waits for delivery. */
    public void cancelInjection() {
        pending = Optional.empty();
    }

    /** Whether an external interrupt would be taken now: IF set, no shadow of STI or MOV SS, nothing pending. */
    public boolean interruptible() {
        return (sys.flags & Bits.IF) != 0 && !shadow && pending.isEmpty();
    }

    /** Whether a further NMI must wait: one was delivered and no IRET has retired since. */
    public boolean nmiBlocked() {
        return nmiBlocked;
    }

    /** Makes further NMIs wait, or not. */
    public void blockNmis(boolean blocked) {
        nmiBlocked = blocked;
    }

    /** What the last instruction keeps away from the next (KVM_X86_SHADOW_INT_*): 0 nothing, 1 MOV SS, 2 STI. */
    public int interruptShadow() {
        return stackShadow ? 1 : shadow ? 2 : 0;
    }

    /** Sets what {@link #interruptShadow} answers. */
    public void setInterruptShadow(int kind) {
        shadow = kind != 0;
        stackShadow = (kind & 1) != 0;
    }

    /** Asks for {@link VmExit.InterruptWindow} as soon as {@link #interruptible()}. */
    public void requestInterruptWindow(boolean wanted) {
        windowRequested = wanted;
    }

    /** Asks for {@link VmExit.InterruptWindow} as soon as {@link #nmiAcceptable()}. */
    public void requestNmiWindow(boolean wanted) {
        nmiWindowRequested = wanted;
    }

    /** Whether an NMI would be taken now: none is blocking, no shadow of MOV SS or STI, nothing pending. */
    public boolean nmiAcceptable() {
        return !nmiBlocked && !shadow && pending.isEmpty();
    }

    /**
     * INIT (Intel SDM volume 3, table 10-1): as {@link #reset()}, but the TSC, caching bits of CR0, MSRs of the
     * system-call instructions, and the extended state stay.
     */
    public void init() {
        long caching = sys.cr0 & (Bits.CR0_NW | Bits.CR0_CD);
        var kept = new SystemState();
        kept.copyFrom(sys);
        reset();
        sys.keepOverInit(kept);
        sys.cr0 = Bits.CR0_ET | caching;
        stateChanged();
    }

    /** Continues in real mode at the page that a start-up IPI names. */
    public void startup(int vector) {
        setSegment(Segment.CS, new Segment(vector << 8, (long) vector << 12, 0xffff, 0x9b));
        ip = 0;
        stateChanged();
    }

    /** Virtual time: retired instructions and the ticks told to {@link #setClock}. */
    public long clock() {
        return retired + idle;
    }

    /** Lets time pass, while it executes nothing, until {@code now}; never back. */
    public void setClock(long now) {
        idle = Math.max(idle, now - retired);
    }

    /** Makes {@link #run} return {@link VmExit.Interrupted} soon. From any thread. */
    public void kick() {
        kicked = true;
        together.ifPresent(others -> others.wake(this));
    }

    /** How many processors the package has, which CPUID tells; 1 after construction. */
    public void setProcessors(int count) {
        processors = count;
    }

    /** Whether CPUID exits; it does not after construction. */
    public void interceptCpuid(boolean exits) {
        cpuidExits = exits;
    }

    /** Who judges the guest's writes to control registers; nobody after construction. */
    public void guardControls(ControlGuard guard) {
        controlGuard = guard;
    }

    /** Which registers RDMSR and WRMSR exit for although the processor keeps them; none after construction. */
    public void interceptMsrs(IntPredicate reads, IntPredicate writes) {
        msrReadExits = reads;
        msrWriteExits = writes;
    }

    /** Whether PAUSE exits once it has retired; it does not after construction. */
    public void interceptPause(boolean exits) {
        pauseExits = exits;
    }

    /**
     * Whether {@link VmExit.BusLock} comes after a locked access that straddles cache lines; it does not after
     * construction. To be said before the first instruction runs.
     */
    public void interceptBusLocks(boolean exits) {
        busLockExits = exits;
    }

    /** Whether a write of CR8 exits; it does not after construction. */
    public void interceptCr8(boolean exits) {
        cr8Exits = exits;
    }

    /** Whether RSM exits, as it must in system-management mode; it raises #UD after construction. */
    public void interceptRsm(boolean exits) {
        rsmExits = exits;
    }

    /** Whether #DB, and whether #BP of INT3, exit instead of being delivered; they do not after construction. */
    public void interceptDebug(boolean db, boolean bp) {
        debugExits = db;
        breakpointExits = bp;
    }

    /**
     * Puts the hypervisor's debug registers into force instead of the guest's, which keep their values.
     *
     * @param registers DR0 to DR7, of which 0 to 3 and 7 count; empty gives the guest its own back
     */
    public void forceDebugRegisters(Optional<long[]> registers) {
        breakpoints.force(registers.map(long[]::clone));
    }

    /** Whether {@link VmExit.Stopped} comes after every instruction; the guest cannot tell. */
    public void stepEveryInstruction(boolean wanted) {
        breakpoints.steps = wanted;
        breakpoints.stop = Optional.empty();
    }

    /**
     * From now on {@link VmExit.Stopped} comes before the instruction at {@code linear} runs; the guest cannot tell.
     *
     * @return false if that was so before
     */
    public boolean breakAt(long linear) {
        return breakpoints.addOutside(Breakpoints.Kind.EXECUTE, linear, linear);
    }

    /**
     * From now on {@link VmExit.Stopped} comes behind an instruction that touches a byte from {@code first} to {@code last};
     * the guest cannot tell.
     *
     * @param first linear address
     * @param last linear address, not below {@code first}
     * @param reads whether reads count too, not only writes
     * @return false if that was so before
     */
    public boolean watch(long first, long last, boolean reads) {
        return breakpoints.addOutside(reads ? Breakpoints.Kind.ACCESS : Breakpoints.Kind.WRITE, first, last);
    }

    /** Forgets the breakpoint of {@link #breakAt} at {@code linear}. */
    public void forgetBreakpoint(long linear) {
        breakpoints.removeBreak(linear);
    }

    /** Forgets every breakpoint and watchpoint of {@link #breakAt} and {@link #watch}. */
    public void forgetBreakpoints() {
        breakpoints.clearOutside();
    }

    /** Whether a debug trap waits, which wakes a processor from HLT. */
    public boolean trapPending() {
        return breakpoints.traps != 0;
    }

    /** The second stage in force. */
    public SecondStage secondStage() {
        return secondStage;
    }

    /** Changes the second stage and forgets cached translations. */
    public void setSecondStage(SecondStage stage) {
        secondStage = stage;
        sev = stage instanceof SecondStage.Sev s ? Optional.of(s.guest()) : Optional.empty();
        encryptedState = sev.map(SevGuest::encryptedState).orElse(false);
        flushTranslations();
    }

    /** The first of {@code pfns} that a cached translation leads to; a frame without memory of its own is none. */
    public OptionalLong cachedAmong(long... pfns) {
        OptionalLong linear = mem.cachedAmong(pfns);
        return linear.isPresent()
                ? linear
                : Arrays.stream(pfns)
                        .filter(memory::materialized)
                        .filter(guestPhysical::leadTo)
                        .findFirst();
    }

    /** Forgets every cached translation, as INVEPT or a change of ASID does. */
    public void flushTranslations() {
        guestPhysical.clear();
        flushLinear();
    }

    /** Forgets every cached translation of a linear address, and follows what control registers say of it. */
    void flushLinear() {
        walker = newWalker();
        mem.flush();
    }

    /**
     * Loads CR3 while PCIDs are enabled.
     *
     * @param keep whether what is cached under the new PCID stays
     */
    void loadAddressSpace(long cr3, boolean keep) {
        long before = sys.cr3;
        sys.cr3 = cr3;
        walker = newWalker();
        mem.load(before, cr3, keep);
    }

    /** CR0.WP has changed: what is cached may be refused now, or what was refused is allowed. */
    void writeProtectChanged() {
        walker = newWalker();
        if ((sys.cr0 & Bits.CR0_WP) != 0) {
            mem.flushSupervisorWrites();
        }
    }

    private GuestWalker newWalker() {
        GuestWalker.Mode mode;
        if ((sys.cr0 & Bits.CR0_PG) == 0) {
            mode = GuestWalker.Mode.NONE;
        } else if ((sys.cr4 & Bits.CR4_PAE) == 0) {
            mode = GuestWalker.Mode.BITS32;
        } else if ((sys.efer & Bits.EFER_LMA) == 0) {
            mode = GuestWalker.Mode.PAE;
        } else {
            mode = (sys.cr4 & Bits.CR4_LA57) == 0 ? GuestWalker.Mode.LEVELS4 : GuestWalker.Mode.LEVELS5;
        }
        int hostBits = model.physicalBits();
        SecondStageWalker stage = switch (secondStage) {
            case SecondStage.None none -> SecondStageWalker.NONE;
            case SecondStage.Ept ept -> guestPhysical.before(new EptWalker(ept.eptp(), hostBits, true, ept.pml()));
            case SecondStage.Tdx td ->
                new TdWalker(
                        new EptWalker(td.septp(), hostBits, true),
                        new EptWalker(td.sharedEptp(), hostBits, true),
                        td.sharedBit());
            case SecondStage.Npt npt -> {
                var walker = new NptWalker(npt.ncr3(), npt.levels(), hostBits, npt.encryptionBit());
                yield npt.check().isPresent()
                        ? new CheckedNptWalker(walker, npt.check().get())
                        : guestPhysical.before(walker);
            }
            case SecondStage.Sev npt ->
                new SevWalker(
                        new NptWalker(
                                npt.ncr3(), npt.levels(), hostBits, npt.guest().encryptionBit()),
                        npt.guest().encryptionBit(),
                        mode == GuestWalker.Mode.NONE || mode == GuestWalker.Mode.BITS32,
                        npt.guest());
        };
        return new GuestWalker(
                mode,
                sys.cr3,
                new GuestWalker.Pdptes(sys.pdpte[0], sys.pdpte[1], sys.pdpte[2], sys.pdpte[3]),
                (sys.cr0 & Bits.CR0_WP) != 0,
                (sys.cr4 & Bits.CR4_PSE) != 0,
                (sys.efer & Bits.EFER_NXE) != 0,
                (sys.cr4 & Bits.CR4_SMEP) != 0,
                (sys.cr4 & Bits.CR4_SMAP) != 0,
                (sys.cr4 & Bits.CR4_PKE) != 0,
                model.has(CpuidModel.Feature.PDPE1GB),
                physicalBits(),
                stage);
    }

    /** Address bits that the guest's tables may use; the C-bit is not reserved, wherever it is. */
    int physicalBits() {
        return sev.isPresent() ? SEV_ADDRESS_BITS : model.physicalBits();
    }

    /** After any change of the architectural state from outside an instruction. */
    private void stateChanged() {
        setMxcsr(sys.mxcsr);
        updateMode();
        flushTranslations();
    }

    /** The bits of MXCSR that may be written. */
    int mxcsrMask() {
        return model.has(CpuidModel.Feature.MISALIGNSSE) ? 0x2_ffff : 0xffff;
    }

    /** Sets MXCSR; reserved bits are the caller's to check. */
    void setMxcsr(int value) {
        sys.mxcsr = value;
        simd.control(value);
    }

    /**
     * Ends a SIMD floating-point instruction before its result is written: {@link #simd}'s flags go into MXCSR; if one is
     * unmasked, unwinds with #XM, or with #UD while CR4.OSXMMEXCPT is clear.
     */
    void concludeSimd() {
        int raised = simd.flags;
        int settled = simd.settled;
        if ((raised | settled) == 0) {
            return;
        }
        simd.flags = 0;
        simd.settled = 0;
        int unmasked = ~(sys.mxcsr >>> 7);
        if ((raised & unmasked & BEFORE_COMPUTATION) != 0) {
            raised &= BEFORE_COMPUTATION;
        }
        if ((~sys.mxcsr & (raised | settled)) != 0) {
            setMxcsr(sys.mxcsr | raised | settled);
        }
        if ((raised & unmasked & 0x3f) != 0) {
            throw exception((sys.cr4 & Bits.CR4_OSXMMEXCPT) != 0 ? Vector.XM : Vector.UD, 0);
        }
    }

    /** Whether CR0.PE is set and EFLAGS.VM clear. */
    boolean protectedMode() {
        return (sys.cr0 & Bits.CR0_PE) != 0 && (sys.flags & Bits.VM) == 0;
    }

    boolean longMode() {
        return (sys.efer & Bits.EFER_LMA) != 0;
    }

    boolean virtual8086() {
        return (sys.flags & Bits.VM) != 0;
    }

    /** I/O privilege level. */
    int iopl() {
        return sys.flags >> 12 & 3;
    }

    /** Follows a change of segments, CR0, CR4, EFER or EFLAGS.VM. */
    void updateMode() {
        boolean lma = longMode();
        int cs = sys.access[Segment.CS];
        boolean bits64 = lma && (cs & 0x2000) != 0;
        boolean flatBefore = codeSize == CodeSize.BITS64;
        codeSize = bits64 ? CodeSize.BITS64 : (cs & 0x4000) != 0 ? CodeSize.BITS32 : CodeSize.BITS16;
        cpl = (sys.cr0 & Bits.CR0_PE) == 0 ? 0 : virtual8086() ? 3 : sys.access[Segment.SS] >> 5 & 3;
        gateKey = Gate.key(sys);
        modeKey = gateKey << GATE_KEY_SHIFT | codeSize.ordinal() * 2 + (protectedMode() ? 1 : 0);
        bounded = !bits64 || breakpoints.code;
        ipMask = bits64 ? -1 : codeSize == CodeSize.BITS32 ? 0xffff_ffffL : 0xffff;
        linearMask = bits64 ? -1 : 0xffff_ffffL;
        canonicalShift = (sys.cr4 & Bits.CR4_LA57) != 0 ? 7 : 16;
        stackMask = bits64 ? -1 : (sys.access[Segment.SS] & 0x4000) != 0 ? 0xffff_ffffL : 0xffff;
        for (int i = bits64 && flatBefore ? Segment.FS : 0; i < 8; i++) {
            boolean ignored = bits64 && i != Segment.FS && i != Segment.GS;
            base[i] = ignored && i < 6 ? 0 : sys.base[i];
            int access = sys.access[i];
            boolean flat = sys.limit[i] == -1 && (access & 0x1009e) == 0x92;
            limited[i] = !bits64 && !flat;
        }
        updatePrivilege();
    }

    /** Follows a change of CPL, EFLAGS.AC, CR0.AM or CR4.SMAP. */
    void updatePrivilege() {
        attention = true;
        boolean ac = (sys.flags & Bits.AC) != 0;
        mem.mode(cpl == 3, ac && cpl != 3, ac && cpl == 3 && (sys.cr0 & Bits.CR0_AM) != 0);
    }

    /** Whether a linear address is canonical; always so outside long mode. */
    boolean canonical(long linear) {
        return !longMode() || canonical64(linear);
    }

    /** As {@link #canonical}, in long mode. */
    boolean canonical64(long linear) {
        return linear << canonicalShift >> canonicalShift == linear;
    }

    /**
     * Whether an address may be loaded into a descriptor-table register, the base of LDTR and TR, or an MSR: there the
     * widest linear address of the model counts, whatever CR4.LA57 says.
     */
    boolean canonicalForLoad(long linear) {
        int shift = model.has(CpuidModel.Feature.LA57) ? 7 : 16;
        return !longMode() || linear << shift >> shift == linear;
    }

    /** A linear address cut to the mode's width. */
    long wrap(long linear) {
        return linear & linearMask;
    }

    /** Linear address of {@code offset} in a segment, after the segment's checks. */
    long linear(int segment, long offset, int bytes, boolean write) {
        if (limited[segment]) {
            segments.check(segment, offset, bytes, write);
        }
        return (base[segment] + offset) & linearMask;
    }

    /** Base that the mode gives a segment: 0 for most of them in 64-bit mode. */
    long segmentBase(int segment) {
        return base[segment];
    }

    /** Linear address of {@code offset} in the code segment. */
    long codeLinear(long offset) {
        return (base[Segment.CS] + offset) & linearMask;
    }

    /** Continues at {@code target}, which must lie in the code segment. */
    void jump(long target) {
        if (codeSize == CodeSize.BITS64) {
            if (!canonical(target)) {
                throw exception(Vector.GP, 0);
            }
        } else if (Long.compareUnsigned(target, sys.limit[Segment.CS] & 0xffff_ffffL) > 0) {
            throw exception(Vector.GP, 0);
        }
        ip = target;
    }

    /** Unwinds with an exception. */
    Unwind exception(int vector, int errorCode) {
        unwind.kind = Unwind.Kind.EXCEPTION;
        unwind.switched = false;
        unwind.vector = vector;
        unwind.errorCode = errorCode;
        return unwind;
    }

    /** Unwinds with #SS or #GP, as the operand's segment decides. */
    Unwind nonCanonical() {
        unwind.kind = Unwind.Kind.NON_CANONICAL;
        unwind.switched = false;
        unwind.errorCode = 0;
        return unwind;
    }

    /** Unwinds with #PF. */
    Unwind pageFault(long linear, int errorCode) {
        sys.cr2 = linear;
        return exception(Vector.PF, errorCode);
    }

    /** Unwinds with a VM exit. */
    Unwind leave(VmExit exit) {
        unwind.kind = Unwind.Kind.EXIT;
        unwind.switched = false;
        unwind.exit = exit;
        return unwind;
    }

    /** Unwinds because the running block is no longer what memory holds. */
    Unwind stale() {
        unwind.kind = Unwind.Kind.STALE;
        unwind.switched = false;
        return unwind;
    }

    /** Unwinds because the instruction must run while no other processor does. */
    Unwind needsAlone() {
        unwind.kind = Unwind.Kind.ALONE;
        unwind.switched = false;
        return unwind;
    }

    /** Unwinds because another processor changed the operand of a locked instruction. */
    Unwind lost() {
        unwind.kind = Unwind.Kind.LOST;
        unwind.switched = false;
        return unwind;
    }

    /** #GP(0) unless the processor is at privilege level 0. */
    void requireCpl0() {
        if (cpl != 0) {
            throw exception(Vector.GP, 0);
        }
    }

    /** Whether it executes 64-bit code: long mode, and CS is a 64-bit segment. */
    public boolean runs64BitCode() {
        return codeSize == CodeSize.BITS64;
    }

    /** EAX, EBX, ECX, EDX that CPUID answers now: the model's leaf with APIC id, OSXSAVE, OSPKE and XSAVE area sizes. */
    public int[] cpuid(int leaf, int subleaf) {
        int[] out = model.answer(leaf, subleaf, apicId, processors);
        if (leaf == 1) {
            out[2] |= (sys.cr4 & Bits.CR4_OSXSAVE) != 0 ? 1 << 27 : 0;
        } else if (leaf == 7 && subleaf == 0) {
            out[2] |= (sys.cr4 & Bits.CR4_PKE) != 0 ? 1 << 4 : 0;
        } else if (leaf == 0xd && (subleaf == 0 || subleaf == 1) && out[1] != 0) {
            out[1] = model.xsaveBytes(sys.xcr0 | (subleaf == 1 ? sys.xss : 0), subleaf == 1);
        }
        return out;
    }

    /** The time-stamp counter before instruction {@code index} of the running block. */
    long tsc(int index) {
        return retired + idle + index + sys.tscOffset;
    }

    /** Whether translated code may no longer go on: code or translations of addresses changed under it. */
    boolean regionMoved() {
        return stamp != regionStamp || regions.dropped() != regionDrops || attention;
    }

    /** Chooses how instructions are executed. */
    public void setEngine(Engine engine) {
        regions.engine(engine);
    }

    /**
     * What became of hot code. The numbers depend on the pace of the host.
     *
     * @param made regions translated since construction
     * @param dropped regions whose code changed or whose page moved
     * @param living regions that may be executed
     */
    public record Translations(long made, long dropped, int living) {}

    public Translations translations() {
        return new Translations(regions.made(), regions.dropped(), regions.living());
    }

    /** General register {@code number}, see {@link Gpr}. */
    public long gpr(int number) {
        return r[number];
    }

    /** Sets a general register. */
    public void setGpr(int number, long value) {
        r[number] = value;
    }

    /** Instruction pointer (an offset in CS). */
    public long rip() {
        return ip;
    }

    /** Sets the instruction pointer. */
    public void setRip(long value) {
        ip = value;
    }

    /** RFLAGS. */
    public long rflags() {
        return eflags();
    }

    int eflags() {
        return sys.flags | Flags.status(this);
    }

    /** Sets RFLAGS; bit 1 reads as one whatever is written. */
    public void setRflags(long value) {
        setEflags((int) value);
    }

    /** Replaces all of EFLAGS. */
    void setEflags(int value) {
        Flags.setStatus(this, value);
        sys.flags = value & ~Bits.STATUS | 2;
        updateMode();
    }

    /** A segment register, see {@link Segment}. */
    public Segment segment(int number) {
        return new Segment(sys.selector[number], sys.base[number], sys.limit[number], sys.access[number]);
    }

    /** Sets a segment register with its hidden part; nothing is checked. */
    public void setSegment(int number, Segment value) {
        sys.selector[number] = value.selector();
        sys.base[number] = value.base();
        sys.limit[number] = value.limit();
        sys.access[number] = value.access();
        updateMode();
    }

    public DescriptorTable gdtr() {
        return new DescriptorTable(sys.gdtBase, sys.gdtLimit);
    }

    public void setGdtr(DescriptorTable table) {
        sys.gdtBase = table.base();
        sys.gdtLimit = table.limit();
    }

    public DescriptorTable idtr() {
        return new DescriptorTable(sys.idtBase, sys.idtLimit);
    }

    public void setIdtr(DescriptorTable table) {
        sys.idtBase = table.base();
        sys.idtLimit = table.limit();
    }

    /** CR0, CR2, CR3, CR4 or CR8. */
    public long cr(int number) {
        return switch (number) {
            case 0 -> sys.cr0;
            case 2 -> sys.cr2;
            case 3 -> sys.cr3;
            case 4 -> sys.cr4;
            case 8 -> sys.cr8;
            default -> throw new IllegalArgumentException("CR" + number);
        };
    }

    /** Sets a control register; nothing is checked, translations are forgotten. */
    public void setCr(int number, long value) {
        switch (number) {
            case 0 -> sys.cr0 = value;
            case 2 -> sys.cr2 = value;
            case 3 -> sys.cr3 = value;
            case 4 -> sys.cr4 = value;
            case 8 -> {
                sys.cr8 = (int) value & 15;
                return;
            }
            default -> throw new IllegalArgumentException("CR" + number);
        }
        stateChanged();
        breakpoints.follow();
    }

    /** The control registers with EFER. */
    public ControlRegisters controlRegisters() {
        return new ControlRegisters(sys.cr0, sys.cr3, sys.cr4, sys.efer);
    }

    /** Whether the processor could be in a state with these. */
    public boolean accepts(ControlRegisters value) {
        return value.legal(this);
    }

    /** Sets them all at once; nothing is checked. */
    public void setControlRegisters(ControlRegisters value) {
        sys.cr0 = value.cr0();
        sys.cr3 = value.cr3();
        sys.cr4 = value.cr4();
        sys.efer = value.efer();
        stateChanged();
        breakpoints.follow();
    }

    /** Sets a PDPTE register of PAE paging, 0 to 3; false if {@code value} has reserved bits. */
    public boolean setPdpte(int number, long value) {
        if (GuestWalker.reservedInPdpte(value, physicalBits())) {
            return false;
        }
        sys.pdpte[number] = value;
        flushTranslations();
        return true;
    }

    /** The bits of CR4 that this processor has. */
    public long cr4Defined() {
        return SystemOps.cr4Defined(model);
    }

    /** PDPTE register 0 to 3 of PAE paging. */
    public long pdpte(int number) {
        return sys.pdpte[number];
    }

    /** Debug register 0 to 3, 6 or 7. */
    public long dr(int number) {
        return sys.dr[number];
    }

    /** Sets a debug register; nothing is checked. */
    public void setDr(int number, long value) {
        sys.dr[number] = value;
        breakpoints.follow();
    }

    /** XCR0. */
    public long xcr0() {
        return sys.xcr0;
    }

    /** Sets XCR0; nothing is checked. */
    public void setXcr0(long value) {
        sys.xcr0 = value;
        stateChanged();
    }

    /** A model-specific register that the processor keeps itself (see {@link Msr}); empty for any other. */
    public OptionalLong msr(int index) {
        return Msrs.read(this, index, 0);
    }

    /** Sets a model-specific register that the processor keeps itself; false for any other. Nothing is checked. */
    public boolean setMsr(int index, long value) {
        boolean kept = Msrs.write(this, index, value);
        stateChanged();
        return kept;
    }

    /** The registers of x87, SSE and AVX. */
    public ExtendedRegisters extended() {
        return new ExtendedRegisters(this);
    }

    /** Instructions retired since construction: the virtual time. */
    public long retired() {
        return retired;
    }

    /** Current privilege level, 0 to 3. */
    public int cpl() {
        return cpl;
    }

    /** The instruction at CS:RIP as text; what cannot be fetched or decoded says so. */
    public String disassembly() {
        return interpreter.disassembly();
    }

    /**
     * One instruction as text.
     *
     * @param rip offset in CS
     * @param bytes its length; 1 if there is no instruction, 0 if it cannot be fetched
     * @param undefinedFlags the bits of EFLAGS that the manuals leave undefined behind it
     */
    public record Line(long rip, int bytes, String text, int undefinedFlags) {}

    /** Instructions from {@code rip} on; the list ends early where nothing can be fetched. */
    public List<Line> disassemble(long rip, int count) {
        var lines = new ArrayList<Line>();
        long at = rip;
        for (int i = 0; i < count; i++) {
            Line line = interpreter.line(at);
            lines.add(line);
            if (line.bytes() == 0) {
                break;
            }
            at = (at + line.bytes()) & ipMask;
        }
        return lines;
    }

    /**
     * A translation that the software TLB holds.
     *
     * @param linear address of the 4 KiB page
     * @param privilege {@code supervisor}, {@code supervisor, AC set} or {@code user}
     */
    public record TlbEntry(long linear, String privilege, boolean reads, boolean writes, boolean fetches) {}

    /** What the software TLB holds, in the order of addresses. */
    public List<TlbEntry> tlb() {
        return mem.cached().stream()
                .map(t -> new TlbEntry(t.linear(), t.privilege(), t.reads(), t.writes(), t.fetches()))
                .toList();
    }

    /** What CPUID answers here. */
    public CpuidModel model() {
        return model;
    }

    /** Everything the guest can see of the processor, at one moment. */
    public static final class Image {
        private final long[] r;
        private final SystemState sys = new SystemState();
        private final long ip;
        private final long retired;
        private final int status;
        private final boolean shadow;
        private final boolean stackShadow;
        private final int traps;
        private final boolean nmiBlocked;
        private final Optional<Injection> pending;
        private final long random;
        private final long idle;

        /** Whether two processors that did the same are in these states: every register, every flag. */
        boolean sameAs(Image other) {
            return Arrays.equals(r, 0, 16, other.r, 0, 16)
                    && ip == other.ip
                    && retired == other.retired
                    && status == other.status
                    && shadow == other.shadow
                    && stackShadow == other.stackShadow
                    && traps == other.traps
                    && nmiBlocked == other.nmiBlocked
                    && pending.equals(other.pending)
                    && random == other.random
                    && idle == other.idle
                    && sys.sameAs(other.sys);
        }

        /** A line for what {@link #sameAs} compares. */
        @Override
        public String toString() {
            var text = new StringBuilder("rip=%x rflags=%x retired=%d".formatted(ip, status | sys.flags, retired));
            for (int i = 0; i < 16; i++) {
                text.append(" r%d=%x".formatted(i, r[i]));
            }
            return text.append(" shadow=%b,%b traps=%x nmi=%b pending=%s random=%x idle=%d "
                            .formatted(shadow, stackShadow, traps, nmiBlocked, pending, random, idle))
                    .append(sys)
                    .toString();
        }

        private Image(Cpu cpu) {
            r = cpu.r.clone();
            sys.copyFrom(cpu.sys);
            ip = cpu.ip;
            retired = cpu.retired;
            status = Flags.status(cpu);
            shadow = cpu.shadow;
            stackShadow = cpu.stackShadow;
            traps = cpu.breakpoints.traps;
            nmiBlocked = cpu.nmiBlocked;
            pending = cpu.pending;
            random = cpu.random.state();
            idle = cpu.idle;
        }
    }

    /** The state now. */
    public Image save() {
        return new Image(this);
    }

    /** Makes the state what it was. */
    public void restore(Image image) {
        System.arraycopy(image.r, 0, r, 0, r.length);
        sys.copyFrom(image.sys);
        ip = image.ip;
        retired = image.retired;
        Flags.setStatus(this, image.status);
        shadow = image.shadow;
        stackShadow = image.stackShadow;
        breakpoints.traps = image.traps;
        nmiBlocked = image.nmiBlocked;
        pending = image.pending;
        random.setState(image.random);
        idle = image.idle;
        stateChanged();
        breakpoints.follow();
    }
}
