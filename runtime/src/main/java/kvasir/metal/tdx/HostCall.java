package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.R9;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import kvasir.event.Topic;
import kvasir.metal.memory.PhysicalMemory;

/**
 * One SEAMCALL under way: its registers, the locks it holds, the objects it has found, and the checks that leaves are
 * made of.
 *
 * <p>Checks are sticky: once one has failed, the later ones do nothing, so a leaf is the list of its checks in the
 * module's order, then {@code if (call.failed()) return}, then its effects.
 */
final class HostCall {
    /** How a leaf holds OP_STATE while it runs. */
    enum OpStateLock {
        NONE,
        SHARED,
        EXCLUSIVE
    }

    static final boolean SHARED = false;
    static final boolean EXCLUSIVE = true;

    final TdxModule module;
    final ModuleState state;
    final PhysicalMemory memory;
    final Pamt pamt;
    final int lp;

    private final long[] in;
    private final long[] out;
    private final List<Held> held = new ArrayList<>();
    private long status;
    private long tdrHpa;
    private long tdvprHpa;
    private long gpa;
    private int level;
    private long entryHpa;
    private int entryLevel;
    private long foundHpa;
    private int foundSize;

    private record Held(TryLock lock, LockObject object, boolean exclusive) {}

    HostCall(TdxModule module, int lp, SeamcallRegs in) {
        this.module = module;
        this.state = module.state();
        this.memory = module.memory();
        this.pamt = module.pamt();
        this.lp = lp;
        this.in = in.toArray();
        this.out = in.toArray();
    }

    int version() {
        return (int) (in[0] >>> 16) & 0xff;
    }

    long in(int register) {
        return in[register];
    }

    void out(int register, long value) {
        out[register] = value;
    }

    boolean failed() {
        return status != 0;
    }

    long status() {
        return status;
    }

    /** Ends the checks with {@code value}, unless an earlier one failed. */
    void fail(long value) {
        if (status == 0) {
            status = value;
        }
    }

    /** Fails with {@code value} unless {@code rule} holds. */
    void check(Predicate<HostCall> rule, long value) {
        if (status == 0 && !rule.test(this)) {
            status = value;
        }
    }

    /** Ends the call: gives the locks back in reverse order and returns the registers. */
    SeamcallRegs finish() {
        releaseAll();
        out[0] = status;
        return SeamcallRegs.copyOf(out);
    }

    private void releaseAll() {
        for (int i = held.size() - 1; i >= 0; i--) {
            held.get(i).lock().release(held.get(i).exclusive());
        }
        held.clear();
    }

    /** Ends TDH.VP.ENTER: RAX is a status with an exit reason, or a reason alone. */
    void exit(long rax) {
        status = rax;
    }

    /** Gives OP_STATE back before the leaf ends, as TDH.VP.ENTER does. */
    void releaseOpState() {
        held.removeIf(one -> {
            boolean opState = one.object() == LockObject.OP_STATE;
            if (opState) {
                one.lock().release(one.exclusive());
            }
            return opState;
        });
    }

    /** Gives back the most recent lock. */
    void releaseLast() {
        Held last = held.removeLast();
        last.lock().release(last.exclusive());
    }

    /** Takes a lock or fails with TDX_OPERAND_BUSY and {@code operand}. */
    void take(TryLock lock, LockObject object, boolean exclusive, int operand) {
        takeOr(lock, object, exclusive, Status.OPERAND_BUSY.on(operand));
    }

    /** Takes a lock or fails with {@code busy}. */
    void takeOr(TryLock lock, LockObject object, boolean exclusive, long busy) {
        if (status != 0) {
            return;
        }
        if (module.conditions().takeBusy(object) || !lock.tryHost(exclusive)) {
            status = busy;
            return;
        }
        held.add(new Held(lock, object, exclusive));
        module.seams().taken(lp, object, exclusive);
    }

    /** The one lock of most TDH.SYS leaves. */
    void lockSys() {
        takeOr(new TryLock.Sharex(state.sysLock), LockObject.SYS, EXCLUSIVE, Status.SYS_BUSY.value());
    }

    void lockKot(boolean exclusive) {
        take(new TryLock.Sharex(state.kotLock), LockObject.KOT, exclusive, Operand.KOT);
    }

    /** The bit of this LP's package. */
    long packageBit() {
        return 1L << state.platform.packageOfLp().get(lp);
    }

    // ---- pages

    /** An explicit private page: aligned, no key id, within MAXPA. */
    void privateHpa(long hpa, int size, int operand) {
        if ((hpa & Pamt.bytes(size) - 1) != 0 || hpa >>> state.platform.hkidShift() != 0) {
            fail(Status.OPERAND_INVALID.on(operand));
        }
    }

    /** A shared operand: aligned, key id not private, clear of SEAMRR, within host memory. */
    void sharedHpa(int register, long alignment, long bytes) {
        if (status != 0) {
            return;
        }
        long hpa = in[register];
        long plain = plain(hpa);
        boolean good = (hpa & alignment - 1) == 0
                && hpa >>> 52 == 0
                && hpa >>> state.platform.hkidShift() < state.platform.firstPrivateHkid()
                && plain <= memory.size() - bytes
                && !overlapsSeamRange(plain, bytes);
        if (!good) {
            status = Status.OPERAND_INVALID.on(register);
        }
    }

    private boolean overlapsSeamRange(long hpa, long bytes) {
        var seam = state.platform.seamRange();
        return hpa < seam.end() && seam.start() < hpa + bytes;
    }

    /** {@code hpa} without its key id. */
    long plain(long hpa) {
        return hpa & (1L << state.platform.hkidShift()) - 1;
    }

    /** A private 4K page in {@code register}, locked exclusively, that must be free. */
    void freePage(int register) {
        page(in[register], PageType.PT_NDA, EXCLUSIVE, LockObject.PAGE, register);
    }

    /** A private 4K page of one type: address checks, TDMR, PAMT lock, page type, in this order. */
    void page(long hpa, PageType type, boolean exclusive, LockObject object, int operand) {
        privateHpa(hpa, Pamt.SIZE_4K, operand);
        lockPamt(hpa, Pamt.SIZE_4K, exclusive, object, operand);
        check(c -> c.pamt.type(hpa, Pamt.SIZE_4K) == type, Status.PAGE_METADATA_INCORRECT.on(operand));
    }

    /** PAMT walk with locks: larger entries shared, the entry of {@code size} in the mode wanted. */
    void lockPamt(long hpa, int size, boolean exclusive, LockObject object, int operand) {
        if (status != 0) {
            return;
        }
        if (!pamt.covers(hpa)) {
            status = Status.OPERAND_ADDR_RANGE_ERROR.on(operand);
            return;
        }
        for (int larger = Pamt.SIZE_1G; larger > size; larger--) {
            if (pamt.type(hpa, larger) != PageType.PT_NDA) {
                status = Status.PAGE_METADATA_INCORRECT.on(operand);
                return;
            }
            TryLock lock = pamt.lock(hpa, larger);
            if (!lock.tryHost(SHARED)) {
                status = Status.OPERAND_BUSY.on(operand);
                return;
            }
            held.add(new Held(lock, LockObject.PAGE, SHARED));
        }
        take(pamt.lock(hpa, size), object, exclusive, operand);
    }

    /** PAMT walk to whatever entry describes the page, locked; {@link #foundSize()} tells its size. */
    void lockPamtAsFound(long hpa, boolean exclusive, int operand) {
        if (status != 0) {
            return;
        }
        foundHpa = hpa;
        foundSize = pamt.lookup(hpa).map(PamtEntry::size).orElse(Pamt.SIZE_4K);
        lockPamt(hpa, foundSize, exclusive, LockObject.PAGE, operand);
    }

    int foundSize() {
        return foundSize;
    }

    // ---- TD and vCPU

    /** Finds and locks the TDR whose HPA is in {@code register}. */
    void lockTdr(int register, boolean exclusive) {
        lockTdrAt(in[register], register, exclusive);
    }

    void lockTdrAt(long hpa, int operand, boolean exclusive) {
        page(hpa, PageType.PT_TDR, exclusive, LockObject.TDR, operand);
        if (status == 0) {
            tdrHpa = hpa;
        }
    }

    /** Locks the TDR that owns a child page; only the lock can fail. */
    void lockOwner(long childHpa, int childSize) {
        lockOwner(childHpa, childSize, SHARED);
    }

    private void lockOwner(long childHpa, int childSize, boolean exclusive) {
        if (status != 0) {
            return;
        }
        long owner = pamt.owner(childHpa, childSize);
        take(pamt.lock(owner, Pamt.SIZE_4K), LockObject.TDR, exclusive, Operand.TDR);
        tdrHpa = owner;
    }

    /** Finds and locks the TDVPR whose HPA is {@code hpa}, then its owner TDR shared. */
    void lockTdvpr(long hpa, int operand, boolean exclusive) {
        lockTdvpr(hpa, operand, exclusive, SHARED);
    }

    /** As {@link #lockTdvpr(long, int, boolean)}, the owner TDR in a mode of its own. */
    void lockTdvpr(long hpa, int operand, boolean exclusive, boolean ownerExclusive) {
        page(hpa, PageType.PT_TDVPR, exclusive, LockObject.TDVPR, operand);
        lockOwner(hpa, Pamt.SIZE_4K, ownerExclusive);
        if (status == 0) {
            tdvprHpa = hpa;
        }
    }

    Tdr tdr() {
        return new Tdr(memory, tdrHpa);
    }

    Tdcs tdcs() {
        return tdr().tdcs();
    }

    Tdvps tdvps() {
        return new Tdvps(memory, tdvprHpa);
    }

    /** The TD is not fatal. */
    void notFatal() {
        check(c -> !c.tdr().fatal(), Status.TD_FATAL.value());
    }

    /** The check of every leaf that needs the TDCS, OP_STATE held shared. */
    void tdcsCheck(int allowed) {
        tdcsCheck(allowed, OpStateLock.SHARED);
    }

    void tdcsCheck(int allowed, OpStateLock mode) {
        notFatal();
        check(c -> c.tdr().lifecycle() == Lifecycle.TD_KEYS_CONFIGURED, Status.TD_KEYS_NOT_CONFIGURED.value());
        check(c -> c.tdr().hasTdcs(), Status.TDCS_NOT_ALLOCATED.value());
        if (status == 0 && mode != OpStateLock.NONE) {
            take(tdcs().lock(Tdcs.OP_STATE_LOCK), LockObject.OP_STATE, mode == OpStateLock.EXCLUSIVE, Operand.OP_STATE);
        }
        check(c -> c.tdcs().opState().in(allowed), Status.OP_STATE_INCORRECT.value());
    }

    /** All pages of the vCPU are there. */
    void tdvpsComplete() {
        check(c -> c.tdvps().pages() >= Tdvps.PAGES, Status.TDCX_NUM_INCORRECT.value());
    }

    /** Associates the vCPU with this LP, or fails if it is associated with another. */
    void associate() {
        check(
                c -> c.tdvps().assocLpid() == Tdvps.NOT_ASSOCIATED || c.tdvps().assocLpid() == c.lp,
                Status.VCPU_ASSOCIATED.value());
        if (status == 0 && tdvps().assocLpid() == Tdvps.NOT_ASSOCIATED) {
            tdvps().setAssocLpid(lp);
            tdcs().addAssociated(1);
        }
    }

    // ---- metadata fields

    /** The vCPU is complete, in a state with fields, and associated with this LP. */
    void vcpuForFields() {
        tdvpsComplete();
        check(
                c -> c.tdvps().state() == VcpuState.VCPU_READY || c.tdvps().state() == VcpuState.VCPU_DISABLED,
                Status.VCPU_STATE_INCORRECT.value());
        associate();
    }

    /** RDX = field id, out R8 = value; version 1: out RDX = next field id, and the null id asks for the first. */
    <T> void readField(FieldTable<T> table, Function<HostCall, T> object) {
        if (status != 0) {
            return;
        }
        out[R8] = 0;
        long id = in[RDX];
        if (version() > 0 && id == FieldTable.NULL_ID) {
            out[RDX] = table.first(FieldTable.Side.HOST);
            status = Status.METADATA_FIRST_FIELD_ID_IN_CONTEXT.value();
            return;
        }
        var result = table.read(object.apply(this), id, FieldTable.Side.HOST);
        status = result.status();
        if (status == 0) {
            out[R8] = result.value();
            if (version() > 0) {
                out[RDX] = table.next(result.id(), FieldTable.Side.HOST);
            }
        }
    }

    /** RDX = field id, R8 = value, R9 = mask; out R8 = old value. */
    <T> void writeField(FieldTable<T> table, Function<HostCall, T> object) {
        if (status != 0) {
            return;
        }
        var result = table.write(object.apply(this), in[RDX], in[R8], in[R9], FieldTable.Side.HOST);
        out[R8] = result.status() == 0 ? result.value() : 0;
        status = result.status();
    }

    // ---- S-EPT

    /** RCX and RDX are outputs of this leaf and zero until it has details to report. */
    void zeroDetails() {
        out[RCX] = 0;
        out[RDX] = 0;
    }

    /** RCX is a private GPA with a level in bits 2:0. */
    void gpaWithLevel(int lowest, int highest) {
        if (status != 0) {
            return;
        }
        long rcx = in[RCX];
        level = (int) rcx & 7;
        gpa = rcx & ~0xfffL;
        boolean good = (rcx & 0xff8) == 0
                && rcx >>> 52 == 0
                && level >= lowest
                && level <= highest
                && (gpa & (4096L << 9 * level) - 1) == 0
                && tdcs().privateGpa(gpa);
        if (!good) {
            status = Status.OPERAND_INVALID.on(RCX);
        }
    }

    /** As {@link #gpaWithLevel}, up to the level of the S-EPT root. */
    void gpaWithLevel(int lowest) {
        if (status == 0) {
            gpaWithLevel(lowest, tdcs().topLevel());
        }
    }

    /** RCX is a private GPA of that alignment, no level. */
    void gpaAligned(long alignment) {
        if (status != 0) {
            return;
        }
        gpa = in[RCX];
        level = 0;
        if ((gpa & alignment - 1) != 0 || !tdcs().privateGpa(gpa)) {
            status = Status.OPERAND_INVALID.on(RCX);
        }
    }

    long gpa() {
        return gpa;
    }

    int level() {
        return level;
    }

    void lockTree(boolean exclusive) {
        if (status == 0) {
            take(tdcs().lock(Tdcs.SEPT_LOCK), LockObject.SEPT_TREE, exclusive, Operand.SEPT_TREE);
        }
    }

    /** Descends to the entry of the GPA at its level. */
    void walk() {
        if (status != 0) {
            return;
        }
        if (!descend(level)) {
            details();
            status = Status.EPT_WALK_FAILED.on(RCX);
        }
    }

    /** Descends to whatever leaf maps the GPA. */
    void walkToLeaf(long noLeaf) {
        if (status != 0) {
            return;
        }
        descend(0);
        level = entryLevel;
        if (!entryState().leaf()) {
            details();
            status = noLeaf;
        }
    }

    private boolean descend(int target) {
        Tdcs tdcs = tdcs();
        entryLevel = tdcs.topLevel();
        entryHpa = SeptWalk.entry(tdcs.septRoot(), gpa, entryLevel);
        while (entryLevel > target) {
            if (entryState() != SeptState.NL_MAPPED) {
                return false;
            }
            entryLevel--;
            entryHpa = SeptWalk.entry(SeptEntry.hpa(entryRaw()), gpa, entryLevel);
        }
        return true;
    }

    /** The entry last reached, as it is in memory. */
    long entryRaw() {
        return memory.read64(entryHpa);
    }

    SeptState entryState() {
        return SeptEntry.state(entryRaw());
    }

    /** HPA of the page or table behind the entry. */
    long entryTarget() {
        return SeptEntry.hpa(entryRaw(), level);
    }

    /** HPA of the PAMT page that the entry refers to and its size: a table is a 4K page. */
    int entryPamtSize() {
        return entryState().leaf() ? level : Pamt.SIZE_4K;
    }

    void lockEntry() {
        if (status != 0) {
            return;
        }
        take(new TryLock.Entry(memory, entryHpa), LockObject.SEPT_ENTRY, EXCLUSIVE, RCX);
        if (status != 0) {
            details();
        }
    }

    /** The entry is in one of {@code states}. */
    void entryIn(Set<SeptState> states) {
        if (status == 0 && !states.contains(entryState())) {
            stateIncorrect();
        }
    }

    void stateIncorrect() {
        details();
        fail(Status.EPT_ENTRY_STATE_INCORRECT.on(RCX));
    }

    /** Reports the entry in RCX and RDX. */
    void details() {
        out[RCX] = SeptEntry.architectural(entryRaw());
        out[RDX] = SeptEntry.information(entryRaw(), entryLevel);
    }

    /** Where TLB tracking is enforced: the entry is blocked, and no translation of before the block is in use. */
    void blockedAndTracked() {
        if (status != 0 || !tdcs().opState().tlbTrackingEnforced()) {
            return;
        }
        if (!entryState().anyBlocked()) {
            details();
            fail(Status.GPA_RANGE_NOT_BLOCKED.on(RCX));
            return;
        }
        check(
                c -> c.tdcs().tracked(c.pamt.bepoch(c.entryTarget(), c.entryPamtSize())),
                Status.TLB_TRACKING_NOT_DONE.on(RCX));
    }

    /** Writes the entry last reached; its lock stays as it is. */
    void writeEntry(SeptState next, long hpa) {
        long before = entryRaw();
        long lockBits = before & (SeptEntry.TDEL | SeptEntry.TDHP);
        long after = SeptEntry.encode(next, hpa);
        memory.write64(entryHpa, after | lockBits);
        module.septChanged(tdr(), gpa, entryLevel, before, after);
    }

    /** Copies 4 KiB. */
    void copyPage(long from, long to) {
        var content = new byte[4096];
        memory.read(from, content, 0, content.length);
        memory.write(to, content, 0, content.length);
    }

    /** A range of free memory in R8 at the entry's level: locked, all of it PT_NDA. */
    void freeRange(int size) {
        long hpa = in[R8];
        privateHpa(hpa, size, R8);
        lockPamt(hpa, size, EXCLUSIVE, LockObject.PAGE, R8);
        check(c -> c.pamt.allNda(hpa, size), Status.PAGE_METADATA_INCORRECT.on(R8));
    }

    /** What the call was about, for the event stream. */
    Topic topic() {
        if (entryHpa != 0) {
            return Topic.of(module.label(tdrHpa) + ".sept", gpa, 4096L << 9 * level);
        }
        if (foundHpa != 0) {
            return Topic.of("host", foundHpa, Pamt.bytes(foundSize));
        }
        return tdrHpa == 0 ? Topic.none() : Topic.of(module.label(tdrHpa) + ".tdcs", 0, 1);
    }
}
