package kvasir.metal.paging;

import java.util.Optional;
import kvasir.metal.memory.PhysicalMemory;

/**
 * Walks the guest's page tables through the second stage (Intel SDM, "Paging"). One value holds everything from the
 * control registers that decides a translation; a change of them makes a new walker.
 *
 * @param mode which tables
 * @param root CR3's address bits
 * @param pdptes the four PDPTE registers of PAE paging
 * @param writeProtect CR0.WP
 * @param pse CR4.PSE
 * @param noExecute EFER.NXE
 * @param smep CR4.SMEP
 * @param smap CR4.SMAP
 * @param protectionKeys CR4.PKE
 * @param gigabytePages whether CPUID says PDPE1GB
 * @param physicalBits MAXPHYADDR
 * @param stage second stage
 */
public record GuestWalker(
        Mode mode,
        long root,
        Pdptes pdptes,
        boolean writeProtect,
        boolean pse,
        boolean noExecute,
        boolean smep,
        boolean smap,
        boolean protectionKeys,
        boolean gigabytePages,
        int physicalBits,
        SecondStageWalker stage) {

    /** The four PDPTE registers. */
    public record Pdptes(long first, long second, long third, long fourth) {
        long covering(long linear) {
            return switch ((int) (linear >>> 30) & 3) {
                case 0 -> first;
                case 1 -> second;
                case 2 -> third;
                default -> fourth;
            };
        }
    }

    /** Paging modes. */
    public enum Mode {
        NONE,
        BITS32,
        PAE,
        LEVELS4,
        LEVELS5
    }

    /** Bits of the page-fault error code. */
    public static final int PRESENT = 1;

    public static final int WRITE = 1 << 1;
    public static final int USER = 1 << 2;
    public static final int RESERVED = 1 << 3;
    public static final int FETCH = 1 << 4;
    public static final int KEY = 1 << 5;

    private static final long UPPER_IGNORED = 0x7ff0_0000_0000_0000L;

    /**
     * Translates one access and sets accessed and dirty flags if it is allowed.
     *
     * @param linear canonical, or below 2^32 outside 4- and 5-level paging
     * @param user whether it is a user-mode access
     * @param mayTouchUser EFLAGS.AC for an explicit supervisor access: SMAP does not refuse
     * @param keys PKRU in the low half, used with protection keys; IA32_PKRS in the high half, 0 without CR4.PKS
     */
    public GuestTranslation translate(
            PhysicalMemory memory, long linear, Access access, boolean user, boolean mayTouchUser, long keys) {
        return switch (mode) {
            case NONE -> last(memory, linear, access, true, false, PageSize.shift(1));
            case BITS32 -> walk32(memory, linear, access, user, mayTouchUser);
            case PAE -> {
                long pdpte = pdptes.covering(linear);
                yield (pdpte & X86Entry.P) == 0
                        ? new GuestTranslation.PageFault(errorCode(access, user))
                        : walk(memory, linear, access, user, mayTouchUser, keys, pdpte & X86Entry.ADDRESS, 2);
            }
            case LEVELS4 -> walk(memory, linear, access, user, mayTouchUser, keys, root & X86Entry.ADDRESS, 4);
            case LEVELS5 -> walk(memory, linear, access, user, mayTouchUser, keys, root & X86Entry.ADDRESS, 5);
        };
    }

    /** The same walk through another second stage. */
    public GuestWalker through(SecondStageWalker other) {
        return new GuestWalker(
                mode,
                root,
                pdptes,
                writeProtect,
                pse,
                noExecute,
                smep,
                smap,
                protectionKeys,
                gigabytePages,
                physicalBits,
                other);
    }

    /** Whether a PDPTE about to be loaded by MOV to CR3 has a reserved bit set, which is #GP. */
    public static boolean reservedInPdpte(long pdpte, int physicalBits) {
        return (pdpte & X86Entry.P) != 0 && (pdpte & (0x1e6 | -(1L << physicalBits))) != 0;
    }

    private GuestTranslation walk(
            PhysicalMemory memory,
            long linear,
            Access access,
            boolean user,
            boolean mayTouchUser,
            long keys,
            long firstTable,
            int top) {
        long table = firstTable;
        long all = X86Entry.W | X86Entry.U;
        boolean executeDisabled = false;
        long[] entryRaw = new long[6];
        long[] entryGpa = new long[6];
        for (int level = top; ; level--) {
            long at = table + (linear >>> PageSize.shift(level) & 511) * 8;
            long hpa;
            switch (stage.translate(memory, at, Access.READ, true)) {
                case SecondStageResult.Mapped m -> hpa = m.hpa();
                case SecondStageResult.Refused refused -> {
                    return new GuestTranslation.Refused(refused, true);
                }
            }
            entryGpa[level] = at;
            long raw = readEntry(memory, hpa);
            entryRaw[level] = raw;
            if ((raw & X86Entry.P) == 0) {
                return new GuestTranslation.PageFault(errorCode(access, user));
            }
            if (reserved(raw, level)) {
                return new GuestTranslation.PageFault(errorCode(access, user) | PRESENT | RESERVED);
            }
            all &= raw;
            executeDisabled |= raw < 0;
            if (level != 1 && (level > 3 || (raw & X86Entry.LARGE) == 0)) {
                table = raw & X86Entry.ADDRESS;
                continue;
            }
            boolean userPage = (all & X86Entry.U) != 0;
            boolean writable = (all & X86Entry.W) != 0;
            boolean levels4 = mode != Mode.PAE;
            int refusal = refusal(access, user, mayTouchUser, userPage, writable, executeDisabled);
            // the PK bit tells of a key that refuses, whatever else does
            if (levels4 && access != Access.FETCH && (userPage || !user)) {
                int rights = !userPage ? (int) (keys >>> 32) : protectionKeys ? (int) keys : 0;
                refusal |= keyRefusal((int) (raw >>> 59) & 15, rights, access, user);
            }
            if (refusal != 0) {
                return new GuestTranslation.PageFault(errorCode(access, user) | refusal);
            }
            for (int l = top; l >= level; l--) {
                long wanted = X86Entry.ACCESSED | (l == level && access == Access.WRITE ? X86Entry.DIRTY : 0);
                Marked marked = mark(memory, entryGpa[l], entryRaw[l], wanted, 8);
                if (marked.refused().isPresent()) {
                    return new GuestTranslation.Refused(marked.refused().get(), true);
                }
                if (marked.changed()) {
                    return walk(memory, linear, access, user, mayTouchUser, keys, firstTable, top);
                }
            }
            long offset = PageSize.bytes(level) - 1;
            return last(
                    memory,
                    raw & X86Entry.ADDRESS & ~offset | linear & offset,
                    access,
                    userPage,
                    (raw & X86Entry.GLOBAL) != 0,
                    PageSize.shift(level));
        }
    }

    private GuestTranslation walk32(
            PhysicalMemory memory, long linear, Access access, boolean user, boolean mayTouchUser) {
        long[] entryRaw = new long[3];
        long[] entryGpa = new long[3];
        long table = root & 0xffff_f000L;
        long all = X86Entry.W | X86Entry.U;
        for (int level = 2; ; level--) {
            long at = table + (linear >>> (level == 2 ? 22 : 12) & 1023) * 4;
            long hpa;
            switch (stage.translate(memory, at, Access.READ, true)) {
                case SecondStageResult.Mapped m -> hpa = m.hpa();
                case SecondStageResult.Refused refused -> {
                    return new GuestTranslation.Refused(refused, true);
                }
            }
            entryGpa[level] = at;
            long raw = hpa < memory.size() ? memory.read32(hpa) & 0xffff_ffffL : 0;
            entryRaw[level] = raw;
            if ((raw & X86Entry.P) == 0) {
                return new GuestTranslation.PageFault(errorCode(access, user));
            }
            boolean large = level == 2 && pse && (raw & X86Entry.LARGE) != 0;
            long highAddress = (raw >>> 13 & 0xff) << 32;
            if (large && ((raw & 1 << 21) != 0 || (highAddress & -(1L << physicalBits)) != 0)) {
                return new GuestTranslation.PageFault(errorCode(access, user) | PRESENT | RESERVED);
            }
            all &= raw;
            if (level == 2 && !large) {
                table = raw & 0xffff_f000L;
                continue;
            }
            boolean userPage = (all & X86Entry.U) != 0;
            int refusal = refusal(access, user, mayTouchUser, userPage, (all & X86Entry.W) != 0, false);
            if (refusal != 0) {
                return new GuestTranslation.PageFault(errorCode(access, user) | refusal);
            }
            for (int l = 2; l >= level; l--) {
                long wanted = X86Entry.ACCESSED | (l == level && access == Access.WRITE ? X86Entry.DIRTY : 0);
                Marked marked = mark(memory, entryGpa[l], entryRaw[l], wanted, 4);
                if (marked.refused().isPresent()) {
                    return new GuestTranslation.Refused(marked.refused().get(), true);
                }
                if (marked.changed()) {
                    return walk32(memory, linear, access, user, mayTouchUser);
                }
            }
            long gpa =
                    large ? raw & 0xffc0_0000L | highAddress | linear & 0x3f_ffff : raw & 0xffff_f000L | linear & 0xfff;
            return last(memory, gpa, access, userPage, (raw & X86Entry.GLOBAL) != 0, large ? 22 : 12);
        }
    }

    private GuestTranslation last(
            PhysicalMemory memory, long gpa, Access access, boolean user, boolean global, int pageShift) {
        return switch (stage.translate(memory, gpa, access, false)) {
            case SecondStageResult.Mapped m -> new GuestTranslation.Mapped(gpa, m.hpa(), user, global, pageShift);
            case SecondStageResult.Refused refused -> new GuestTranslation.Refused(refused, false);
        };
    }

    /**
     * What became of setting flags in an entry.
     *
     * @param refused the second stage's refusal of that write
     * @param changed the entry is no longer what was walked: another processor changed it
     */
    private record Marked(Optional<SecondStageResult.Refused> refused, boolean changed) {
        static final Marked DONE = new Marked(Optional.empty(), false);
        static final Marked CHANGED = new Marked(Optional.empty(), true);
    }

    /** Sets bits in a guest entry, as a locked access (Intel SDM volume 3, "Accessed and dirty flags"). */
    private Marked mark(PhysicalMemory memory, long gpa, long walked, long bits, int bytes) {
        if ((walked & bits) == bits) {
            return Marked.DONE;
        }
        return switch (stage.translate(memory, gpa, Access.WRITE, true)) {
            case SecondStageResult.Refused refused -> new Marked(Optional.of(refused), false);
            case SecondStageResult.Mapped m -> {
                long raw = walked;
                while ((raw & bits) != bits) {
                    boolean done = bytes == 8
                            ? memory.compareAndSet64(m.hpa(), raw, raw | bits)
                            : memory.compareAndSet32(m.hpa(), (int) raw, (int) (raw | bits));
                    if (done) {
                        break;
                    }
                    raw = bytes == 8 ? memory.read64(m.hpa()) : memory.read32(m.hpa()) & 0xffff_ffffL;
                    if (((raw ^ walked) & ~(X86Entry.ACCESSED | X86Entry.DIRTY)) != 0) {
                        yield Marked.CHANGED;
                    }
                }
                yield Marked.DONE;
            }
        };
    }

    private static long readEntry(PhysicalMemory memory, long hpa) {
        return hpa < memory.size() ? memory.read64(hpa) : 0;
    }

    private boolean reserved(long raw, int level) {
        if ((raw & X86Entry.ADDRESS & -(1L << physicalBits)) != 0 || (!noExecute && raw < 0)) {
            return true;
        }
        if (mode == Mode.PAE && (raw & UPPER_IGNORED) != 0) {
            return true;
        }
        if (level == 1 || (raw & X86Entry.LARGE) == 0) {
            return false;
        }
        if (level > 3 || (level == 3 && !gigabytePages)) {
            return true;
        }
        return (raw & X86Entry.ADDRESS & (PageSize.bytes(level) - 1) & ~0x1fffL) != 0;
    }

    /** PRESENT if the rights refuse the access, else 0. */
    private int refusal(
            Access access,
            boolean user,
            boolean mayTouchUser,
            boolean userPage,
            boolean writable,
            boolean executeDisabled) {
        boolean refused;
        if (user) {
            refused = !userPage || (access == Access.WRITE && !writable) || (access == Access.FETCH && executeDisabled);
        } else {
            refused = switch (access) {
                case FETCH -> executeDisabled || (userPage && smep);
                case READ -> userPage && smap && !mayTouchUser;
                case WRITE -> (userPage && smap && !mayTouchUser) || (!writable && writeProtect);
            };
        }
        return refused ? PRESENT : 0;
    }

    private int keyRefusal(int key, int register, Access access, boolean user) {
        int rights = register >>> (2 * key);
        boolean refused = (rights & 1) != 0 || (access == Access.WRITE && (rights & 2) != 0 && (user || writeProtect));
        return refused ? PRESENT | KEY : 0;
    }

    private int errorCode(Access access, boolean user) {
        return (access == Access.WRITE ? WRITE : 0)
                | (user ? USER : 0)
                | (access == Access.FETCH && (noExecute || smep) ? FETCH : 0);
    }
}
