package kvasir.metal.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.metal.memory.NativeMemory;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.paging.Access;
import kvasir.metal.paging.EptWalker;
import kvasir.metal.paging.GuestTranslation;
import kvasir.metal.paging.SecondStageResult;
import kvasir.metal.paging.SevWalker;

/**
 * The processor's access to linear addresses: a software TLB in front of both stages of translation. A value is zero
 * extended. A refused access unwinds the instruction: #PF, #GP, #AC, or an exit.
 */
final class LinearMemory {
    private static final long PAGE = -4096;
    private static final long NOWHERE = -1;

    private final Cpu c;
    private final PhysicalMemory memory;
    private final AddressSpaces spaces = new AddressSpaces();

    /** The one in force. */
    private AddressSpace space = spaces.current();

    /** Never filled: every access takes the slow path, which checks alignment. */
    private final Tlb checked = new Tlb();

    /** In force while a locked instruction runs, and never filled: each of its accesses takes the slow path. */
    private final Tlb locked = new Tlb();

    /** The one in force. */
    Tlb tlb = space.supervisor;

    /** What {@link #locked} stands in for. */
    private Tlb behind = tlb;

    /** Native address of the aligned 8 bytes that hold a locked operand; 0 if it is not in memory. */
    private long lockedAt;

    /** What those bytes were when the operand was read. */
    private long lockedBefore;

    /** Host-physical address of the operand if its page holds code, else -1. */
    private long lockedCode;

    private boolean userMode;
    private boolean mayTouchUser;
    private boolean alignmentChecked;
    private boolean system;
    private long epoch;
    private long busGpa;
    private final byte[] busData = new byte[8];
    private final long[] loaded = new long[4];
    private Optional<MmioBus> bus = Optional.empty();

    LinearMemory(Cpu c) {
        this.c = c;
        memory = c.memory;
        epoch = memory.epoch();
    }

    /** Follows a change of privilege, of EFLAGS.AC or of what CR0 and CR4 say about it. */
    void mode(boolean userMode, boolean mayTouchUser, boolean alignmentChecked) {
        this.userMode = userMode;
        this.mayTouchUser = mayTouchUser;
        this.alignmentChecked = alignmentChecked;
        system = false;
        choose();
    }

    private void choose() {
        if (alignmentChecked) {
            tlb = checked;
        } else if (userMode) {
            tlb = space.user;
        } else {
            tlb = mayTouchUser ? space.supervisorTouchingUser : space.supervisor;
        }
    }

    /** Until {@link Cpu#updatePrivilege}, accesses are the implicit supervisor accesses of descriptor tables. */
    void asSystem() {
        mode(false, false, false);
        system = true;
    }

    /** Where accesses go that the second stage does not map. */
    void setBus(Optional<MmioBus> bus) {
        this.bus = bus;
    }

    boolean busAttached() {
        return bus.isPresent();
    }

    /** Forgets everything, of all address spaces. */
    void flush() {
        spaces.flush();
        c.newStamp();
    }

    /** Forgets what is cached under {@code pcid}, or where PCIDs are off (and it is 0), everything. */
    void flushPcid(long pcid) {
        if (((c.sys.cr3 ^ pcid) & 0xfff) == 0 || (c.sys.cr4 & Bits.CR4_PCIDE) == 0) {
            space.flush();
            c.newStamp();
        }
        spaces.flushLeft(pcid);
    }

    /**
     * CR3 goes from {@code before} to {@code after}, with PCIDs; the walker is the caller's.
     *
     * @param keep whether what is cached under the new PCID stays
     */
    void load(long before, long after, boolean keep) {
        space.stamp = c.stamp;
        space.hostStamp = c.hostStamp;
        spaces.load(before, after, keep);
        space = spaces.current();
        if (space.stamp != AddressSpace.NO_STAMP && space.hostStamp == c.hostStamp) {
            c.stamp = space.stamp;
        } else {
            c.newStamp();
        }
        choose();
    }

    /** Forgets what supervisor mode may write, because CR0.WP was set. */
    void flushSupervisorWrites() {
        spaces.forEach(AddressSpace::flushSupervisorWrites);
    }

    /** What the TLB holds of the address space in force, in the order of addresses. */
    List<Tlb.Cached> cached() {
        var all = new ArrayList<Tlb.Cached>();
        space.supervisor.list("supervisor", all);
        space.supervisorTouchingUser.list("supervisor, AC set", all);
        space.user.list("user", all);
        all.sort((a, b) -> Long.compareUnsigned(a.linear(), b.linear()));
        return all;
    }

    /** The first of {@code pfns} that a cached translation leads to. */
    OptionalLong cachedAmong(long... pfns) {
        if (memory.epoch() != epoch) {
            return OptionalLong.empty();
        }
        var hosts = new HashSet<Long>();
        spaces.forEach(each -> each.sets().forEach(set -> set.hosts(memory, hosts)));
        return Arrays.stream(pfns)
                .filter(memory::materialized)
                .filter(pfn -> hosts.contains(memory.readable(pfn)))
                .findFirst();
    }

    /** Forgets the page of {@code linear}; a large page wholly (Intel SDM, "Operations that Invalidate TLBs"). */
    void flushPage(long linear) {
        if (masks()) {
            flush();
            return;
        }
        if (space.flushPage(linear)) {
            c.newStamp();
        }
        // global pages are the same everywhere
        spaces.flushPageLeft(linear);
    }

    /** Forgets write translations, because a page began to hold code. */
    void flushWrites() {
        spaces.forEach(AddressSpace::flushWrites);
    }

    /** Forgets native addresses if host memory moved under them. */
    void followEpoch() {
        if (memory.epoch() != epoch) {
            epoch = memory.epoch();
            flush();
        }
    }

    long load8(long linear) {
        int i = Tlb.index(linear, tlb.readTag);
        return tlb.readTag[i] == (linear & PAGE)
                ? NativeMemory.acquire8(linear + tlb.readDelta[i]) & 0xffL
                : slowLoad(linear, 1);
    }

    long load16(long linear) {
        int i = Tlb.index(linear, tlb.readTag);
        return tlb.readTag[i] == (linear & PAGE) && ((int) linear & 0xfff) <= 4094
                ? NativeMemory.acquire16(linear + tlb.readDelta[i]) & 0xffffL
                : slowLoad(linear, 2);
    }

    long load32(long linear) {
        int i = Tlb.index(linear, tlb.readTag);
        return tlb.readTag[i] == (linear & PAGE) && ((int) linear & 0xfff) <= 4092
                ? NativeMemory.acquire32(linear + tlb.readDelta[i]) & 0xffff_ffffL
                : slowLoad(linear, 4);
    }

    long load64(long linear) {
        int i = Tlb.index(linear, tlb.readTag);
        return tlb.readTag[i] == (linear & PAGE) && ((int) linear & 0xfff) <= 4088
                ? NativeMemory.acquire64(linear + tlb.readDelta[i])
                : slowLoad(linear, 8);
    }

    long load(long linear, int bytes) {
        return switch (bytes) {
            case 8 -> load64(linear);
            case 4 -> load32(linear);
            case 2 -> load16(linear);
            default -> load8(linear);
        };
    }

    void store8(long linear, long value) {
        int i = Tlb.index(linear, tlb.writeTag);
        if (tlb.writeTag[i] == (linear & PAGE)) {
            NativeMemory.release8(linear + tlb.writeDelta[i], (byte) value);
        } else {
            slowStore(linear, 1, value);
        }
    }

    void store16(long linear, long value) {
        int i = Tlb.index(linear, tlb.writeTag);
        if (tlb.writeTag[i] == (linear & PAGE) && ((int) linear & 0xfff) <= 4094) {
            NativeMemory.release16(linear + tlb.writeDelta[i], (short) value);
        } else {
            slowStore(linear, 2, value);
        }
    }

    void store32(long linear, long value) {
        int i = Tlb.index(linear, tlb.writeTag);
        if (tlb.writeTag[i] == (linear & PAGE) && ((int) linear & 0xfff) <= 4092) {
            NativeMemory.release32(linear + tlb.writeDelta[i], (int) value);
        } else {
            slowStore(linear, 4, value);
        }
    }

    void store64(long linear, long value) {
        int i = Tlb.index(linear, tlb.writeTag);
        if (tlb.writeTag[i] == (linear & PAGE) && ((int) linear & 0xfff) <= 4088) {
            NativeMemory.release64(linear + tlb.writeDelta[i], value);
        } else {
            slowStore(linear, 8, value);
        }
    }

    void store(long linear, int bytes, long value) {
        switch (bytes) {
            case 8 -> store64(linear, value);
            case 4 -> store32(linear, value);
            case 2 -> store16(linear, value);
            default -> store8(linear, value);
        }
    }

    /** Loads two or four 64-bit words into {@code to}, from index {@code first} on; all of them or none. */
    void loadWords(long linear, int words, long[] to, int first) {
        int i = Tlb.index(linear, tlb.readTag);
        if (tlb.readTag[i] == (linear & PAGE) && ((int) linear & 0xfff) <= 4096 - 8 * words) {
            long host = linear + tlb.readDelta[i];
            to[first] = NativeMemory.acquire64(host);
            to[first + 1] = NativeMemory.acquire64(host + 8);
            if (words == 4) {
                to[first + 2] = NativeMemory.acquire64(host + 16);
                to[first + 3] = NativeMemory.acquire64(host + 24);
            }
        } else {
            for (int word = 0; word < words; word++) {
                loaded[word] = load64(c.wrap(linear + 8 * word));
            }
            System.arraycopy(loaded, 0, to, first, words);
        }
    }

    /** Stores two or four 64-bit words of {@code from}, from index {@code first} on; all of them or none. */
    void storeWords(long linear, int words, long[] from, int first) {
        int i = Tlb.index(linear, tlb.writeTag);
        if (tlb.writeTag[i] == (linear & PAGE) && ((int) linear & 0xfff) <= 4096 - 8 * words) {
            long host = linear + tlb.writeDelta[i];
            NativeMemory.release64(host, from[first]);
            NativeMemory.release64(host + 8, from[first + 1]);
            if (words == 4) {
                NativeMemory.release64(host + 16, from[first + 2]);
                NativeMemory.release64(host + 24, from[first + 3]);
            }
        } else {
            probeWrite(linear, 8 * words);
            for (int word = 0; word < words; word++) {
                store64(c.wrap(linear + 8 * word), from[first + word]);
            }
        }
    }

    /** The value of an operand that will be written: a refusal is that of a write. */
    long loadForStore(long linear, int bytes) {
        if (tlb == locked) {
            return loadLocked(linear, bytes);
        }
        probeWrite(linear, bytes);
        return load(linear, bytes);
    }

    /**
     * Runs a locked instruction: what it stores takes effect only if its operand is still what it loaded, else it runs
     * again. An operand that does not lie within 8 aligned bytes needs the machine for itself: unwinds for that.
     */
    void runLocked(Op instruction) {
        if (c.alone) {
            instruction.run(c);
            return;
        }
        behind = tlb;
        try {
            while (!happens(instruction)) {
                Thread.onSpinWait();
            }
        } finally {
            tlb = behind;
        }
    }

    /** Whether the instruction happened; if not, another processor changed its operand meanwhile. */
    private boolean happens(Op instruction) {
        tlb = locked;
        try {
            instruction.run(c);
            return true;
        } catch (Unwind u) {
            if (u.kind != Unwind.Kind.LOST) {
                throw u;
            }
            return false;
        }
    }

    private long loadLocked(long linear, int bytes) {
        tlb = behind;
        lockedCode = -1;
        long host = Tlb.host(tlb.writeTag, tlb.writeDelta, linear, 4096 - bytes);
        if (host == 0) {
            if (((int) linear & 7) + bytes > 8) {
                probeWrite(linear, bytes);
                throw c.needsAlone();
            }
            touch(linear, bytes, true);
            checkAlignment(linear, bytes);
            long hpa = translate(linear, Access.WRITE, bytes);
            if (hpa == NOWHERE || hpa >= memory.size()) {
                lockedAt = 0;
                long value = hpa == NOWHERE ? busRead(bytes) : -1L >>> 64 - 8 * bytes;
                tlb = locked;
                return value;
            }
            host = fillWrite(linear, hpa) + (hpa & 0xfff);
            lockedCode = c.blocks.holdsCode(hpa >>> 12) ? hpa : -1;
        } else if (((int) linear & 7) + bytes > 8) {
            throw c.needsAlone();
        }
        lockedAt = host & -8;
        lockedBefore = NativeMemory.acquire64(lockedAt);
        tlb = locked;
        return lockedBefore >>> 8 * ((int) linear & 7) & -1L >>> 64 - 8 * bytes;
    }

    private void storeLocked(long linear, int bytes, long value) {
        if (lockedAt == 0) {
            tlb = behind;
            slowStore(linear, bytes, value);
            return;
        }
        int shift = 8 * ((int) linear & 7);
        long mask = (-1L >>> 64 - 8 * bytes) << shift;
        long after = lockedBefore & ~mask | value << shift & mask;
        if (!NativeMemory.compareAndSet64(lockedAt, lockedBefore, after)) {
            throw c.lost();
        }
        if (lockedCode >= 0) {
            c.blocks.written(lockedCode, bytes);
        }
    }

    /** Sets or clears bits of a byte, atomically if other processors run; gives what it was. */
    long changeBits(long linear, int bits, boolean set) {
        if (!c.shared || c.alone) {
            long before = loadForStore(linear, 1);
            store(linear, 1, set ? before | bits : before & ~bits);
            return before;
        }
        behind = tlb;
        try {
            while (true) {
                tlb = locked;
                long before = loadLocked(linear, 1);
                try {
                    storeLocked(linear, 1, set ? before | bits : before & ~bits);
                    return before;
                } catch (Unwind u) {
                    if (u.kind != Unwind.Kind.LOST) {
                        throw u;
                    }
                }
            }
        } finally {
            tlb = behind;
        }
    }

    /** Unwinds if a write of {@code bytes} bytes would be refused. */
    void probeWrite(long linear, int bytes) {
        int i = Tlb.index(linear, tlb.writeTag);
        if (tlb.writeTag[i] == (linear & PAGE) && ((int) linear & 0xfff) <= 4096 - bytes) {
            return;
        }
        if (tlb == locked) {
            throw c.needsAlone();
        }
        touch(linear, bytes, true);
        checkAlignment(linear, bytes);
        long last = c.wrap(linear + bytes - 1);
        translateForWrite(linear, bytes);
        if (((last ^ linear) & PAGE) != 0) {
            translateForWrite(last & PAGE, bytes);
        }
    }

    private void translateForWrite(long linear, int bytes) {
        long hpa = translate(linear, Access.WRITE, bytes);
        if (hpa != NOWHERE && hpa < memory.size()) {
            fillWrite(linear, hpa);
        }
    }

    /** Native address for reading the byte at {@code linear}, if the page is in the TLB or can be brought in; else 0. */
    long hostForRead(long linear) {
        if (tlb.readTag[Tlb.index(linear, tlb.readTag)] != (linear & PAGE)) {
            slowLoad(linear, 1);
        }
        return Tlb.host(tlb.readTag, tlb.readDelta, linear, 4095);
    }

    /** Native address for writing the byte at {@code linear}; 0 if writes there need the slow path. */
    long hostForWrite(long linear) {
        if (tlb.writeTag[Tlb.index(linear, tlb.writeTag)] != (linear & PAGE)) {
            probeWrite(linear, 1);
        }
        return Tlb.host(tlb.writeTag, tlb.writeDelta, linear, 4095);
    }

    /** Frame number that holds the code at {@code linear}. */
    long fetchFrame(long linear) {
        Tlb set = userMode ? space.user : space.supervisor;
        int i = Tlb.index(linear, set.fetchTag);
        if (set.fetchTag[i] == (linear & PAGE)) {
            return set.fetchFrame[i];
        }
        if (!c.canonical(linear)) {
            throw c.exception(Vector.GP, 0);
        }
        long hpa = translate(linear, Access.FETCH, 1);
        if (hpa == NOWHERE || hpa >= memory.size()) {
            throw c.leave(new VmExit.Unsupported("instruction fetch from an address without memory"));
        }
        // before anything is noted: the walk may have given a table bytes of its own, and a flush forgets notes
        followEpoch();
        set.fillFetch(linear, hpa >>> 12);
        space.code.note(linear);
        return hpa >>> 12;
    }

    /** Frame number that holds the code at {@code linear} if its translation is cached, else -1. */
    long cachedFrame(long linear) {
        Tlb set = userMode ? space.user : space.supervisor;
        int i = Tlb.index(linear, set.fetchTag);
        return set.fetchTag[i] == (linear & PAGE) ? set.fetchFrame[i] : NOWHERE;
    }

    /** Eight bytes at a guest-physical address, as the load of the PDPTE registers needs them. */
    long loadGuestPhysical(long gpa) {
        return switch (c.walker.stage().translate(memory, gpa, Access.READ, false)) {
            case SecondStageResult.Mapped m -> m.hpa() < memory.size() ? memory.read64(m.hpa()) : -1;
            case SecondStageResult.Refused refused -> throw c.leave(exitWithoutLinear(refused));
        };
    }

    private static VmExit exitWithoutLinear(SecondStageResult.Refused refused) {
        return refused instanceof SecondStageResult.Violation v
                ? new VmExit.EptViolation(v.gpa(), 0, v.qualification() & ~EptWalker.QUAL_FINAL)
                : exit(refused, 0);
    }

    private void touch(long linear, int bytes, boolean write) {
        if (!system) {
            c.breakpoints.touch(masked(linear), bytes, write);
        }
    }

    private long slowLoad(long linear, int bytes) {
        touch(linear, bytes, false);
        checkAlignment(linear, bytes);
        int first = Math.min(bytes, 4096 - ((int) linear & 0xfff));
        long value = loadPart(linear, first);
        if (first < bytes) {
            value |= loadPart(c.wrap(linear + first), bytes - first) << (8 * first);
        }
        return value;
    }

    private long loadPart(long linear, int bytes) {
        long hpa = translate(linear, Access.READ, bytes);
        if (hpa == NOWHERE) {
            return busRead(bytes);
        }
        if (hpa >= memory.size()) {
            return -1L >>> (64 - 8 * bytes);
        }
        long host = (c.shared ? memory.writable(hpa >>> 12) : memory.readable(hpa >>> 12)) + (hpa & 0xfff);
        followEpoch();
        if (!alignmentChecked && !c.breakpoints.watchesPage(masked(linear))) {
            tlb.fillRead(linear, host - (linear & 0xfff));
        }
        return switch (bytes) {
            case 8 -> NativeMemory.acquire64(host);
            case 4 -> NativeMemory.acquire32(host) & 0xffff_ffffL;
            case 2 -> NativeMemory.acquire16(host) & 0xffffL;
            default -> bytewise(host, bytes);
        };
    }

    private static long bytewise(long host, int bytes) {
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (NativeMemory.acquire8(host + i) & 0xffL) << (8 * i);
        }
        return value;
    }

    private void slowStore(long linear, int bytes, long value) {
        if (tlb == locked) {
            storeLocked(linear, bytes, value);
            return;
        }
        touch(linear, bytes, true);
        checkAlignment(linear, bytes);
        int first = Math.min(bytes, 4096 - ((int) linear & 0xfff));
        if (first < bytes) {
            probeWrite(linear, bytes);
        }
        storePart(linear, first, value);
        if (first < bytes) {
            storePart(c.wrap(linear + first), bytes - first, value >>> (8 * first));
        }
    }

    private void storePart(long linear, int bytes, long value) {
        long hpa = translate(linear, Access.WRITE, bytes);
        if (hpa == NOWHERE) {
            busWrite(bytes, value);
            return;
        }
        if (hpa >= memory.size()) {
            return;
        }
        long host = fillWrite(linear, hpa) + (hpa & 0xfff);
        switch (bytes) {
            case 8 -> NativeMemory.release64(host, value);
            case 4 -> NativeMemory.release32(host, (int) value);
            case 2 -> NativeMemory.release16(host, (short) value);
            default -> {
                for (int i = 0; i < bytes; i++) {
                    NativeMemory.release8(host + i, (byte) (value >>> (8 * i)));
                }
            }
        }
        c.blocks.written(hpa, bytes);
    }

    /** Native address of the frame, which is brought into the TLB for writing if it may be. */
    private long fillWrite(long linear, long hpa) {
        followEpoch();
        long host = memory.writable(hpa >>> 12);
        if (memory.epoch() != epoch) {
            // the frame got bytes of its own: only cached reads of it are stale
            epoch = memory.epoch();
            spaces.forEach(AddressSpace::flushReads);
        }
        if (!alignmentChecked && !c.blocks.holdsCode(hpa >>> 12) && !c.breakpoints.watchesPage(masked(linear))) {
            tlb.fillWrite(linear, host);
        }
        return host;
    }

    private void checkAlignment(long linear, int bytes) {
        if (alignmentChecked && (linear & (Math.min(bytes, 8) - 1)) != 0) {
            throw c.exception(Vector.AC, 0);
        }
    }

    /**
     * What linear-address masking makes of a data address (SDM volume 1, "Linear-address masking"): bit 63 decides whose it
     * is, not the privilege level. Accesses to system structures and fetches are not masked.
     */
    private long masked(long linear) {
        if (system || c.codeSize != CodeSize.BITS64) {
            return linear;
        }
        long cr3 = c.sys.cr3;
        boolean user = linear >= 0;
        boolean on = user ? (cr3 & (Bits.CR3_LAM_U48 | Bits.CR3_LAM_U57)) != 0 : (c.sys.cr4 & Bits.CR4_LAM_SUP) != 0;
        if (!on) {
            return linear;
        }
        boolean wide = user ? (cr3 & Bits.CR3_LAM_U57) != 0 : (c.sys.cr4 & Bits.CR4_LA57) != 0;
        int shift = wide ? 7 : 16;
        return linear << shift >> shift & Long.MAX_VALUE | linear & Long.MIN_VALUE;
    }

    /** Whether cached translations may stand under addresses that masking has changed. */
    private boolean masks() {
        return (c.sys.cr3 & (Bits.CR3_LAM_U48 | Bits.CR3_LAM_U57)) != 0 || (c.sys.cr4 & Bits.CR4_LAM_SUP) != 0;
    }

    /** Host-physical address, or {@link #NOWHERE} if the bus takes the access. */
    private long translate(long address, Access access, int bytes) {
        long linear = access == Access.FETCH ? address : masked(address);
        if (!c.canonical(linear)) {
            throw c.nonCanonical();
        }
        return switch (c.walker.translate(memory, linear, access, userMode, mayTouchUser, protectionKeys())) {
            case GuestTranslation.Mapped mapped -> {
                if (c.events.listening()) {
                    boolean encrypted =
                            c.walker.stage() instanceof SevWalker sev && sev.encrypted(mapped.gpa(), access, false);
                    c.tell(new PageWalked(c.apicId, linear, mapped.gpa(), mapped.hpa(), encrypted, access));
                }
                space.large.note(linear, mapped.pageShift());
                yield mapped.hpa();
            }
            case GuestTranslation.PageFault fault -> {
                followEpoch();
                throw c.pageFault(linear, fault.errorCode());
            }
            case GuestTranslation.Refused refused -> {
                followEpoch();
                long gpa = refused.by().gpa();
                if (!refused.tableWalk()
                        && access != Access.FETCH
                        && bus.isPresent()
                        && bus.get().claims(gpa, bytes, access == Access.WRITE)) {
                    busGpa = gpa;
                    yield NOWHERE;
                }
                throw refused(refused.by(), linear);
            }
        };
    }

    /** Unwinds with the exit of a second-stage refusal, or with the #VC that stands for it. */
    Unwind refused(SecondStageResult.Refused refused, long linear) {
        if (refused instanceof SecondStageResult.Communication(long gpa, int errorCode)) {
            if (c.sev.map(SevGuest::communicationSetsCr2).orElse(false)) {
                c.sys.cr2 = linear;
            }
            return c.exception(Vector.VC, errorCode);
        }
        return c.leave(exit(refused, linear));
    }

    /** PKRU in the lower half, IA32_PKRS in the upper as far as it is in force. */
    long protectionKeys() {
        long supervisor = (c.sys.cr4 & Bits.CR4_PKS) != 0 ? c.sys.pkrs : 0;
        return supervisor << 32 | c.sys.pkru & 0xffff_ffffL;
    }

    private static VmExit exit(SecondStageResult.Refused refused, long linear) {
        return switch (refused) {
            case SecondStageResult.Violation v ->
                new VmExit.EptViolation(v.gpa(), linear, v.qualification() | EptWalker.QUAL_LINEAR_VALID);
            case SecondStageResult.Misconfig m -> new VmExit.EptMisconfig(m.gpa());
            case SecondStageResult.LogFull full -> new VmExit.LogFull(full.gpa());
            case SecondStageResult.NestedFault n -> new VmExit.NestedPageFault(n.gpa(), n.errorCode(), linear);
            case SecondStageResult.Communication v ->
                new VmExit.Unsupported("#VC in the load of a page-directory pointer");
        };
    }

    private long busRead(int bytes) {
        if (!bus.orElseThrow().read(busGpa, busData, bytes)) {
            throw c.leave(new VmExit.MmioPending(busGpa, bytes));
        }
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (busData[i] & 0xffL) << (8 * i);
        }
        return value;
    }

    private void busWrite(int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            busData[i] = (byte) (value >>> (8 * i));
        }
        bus.orElseThrow().write(busGpa, busData, bytes);
    }
}
