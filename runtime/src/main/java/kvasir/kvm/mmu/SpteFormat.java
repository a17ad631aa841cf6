package kvasir.kvm.mmu;

/**
 * The bits of an SPTE that depend on the hardware, chosen once per VM (spte.c, kvm_mmu_set_ept_masks,
 * kvm_mmu_set_me_spte_mask, kvm_mmu_set_mmio_spte_mask, kvm_mmu_reset_all_pte_masks).
 *
 * @param kind EPT or NPT
 * @param presentMask set in every present entry (EPT: suppress-#VE, and R unless execute-only is supported)
 * @param userMask set when the access includes user (EPT: R)
 * @param xMask set in an executable entry (EPT)
 * @param nxMask set in a non-executable entry (NPT)
 * @param accessedMask the A bit
 * @param dirtyMask the D bit
 * @param hostWritable software bit: the host may write the page
 * @param mmuWritable software bit: KVM has not write-protected the page for shadow tracking
 * @param accTrackMask bits cleared when an entry is access-tracked (EPT: RWX; NPT: none)
 * @param mmioMask bits that tell an MMIO entry; 0 when MMIO caching is off
 * @param mmioValue their value in an MMIO entry
 * @param mmioAccessMask access bits kept in an MMIO entry
 * @param leafMemtype memory type bits of a leaf on ordinary memory (EPT)
 * @param meValue memory-encryption bit set by KVM on all mappings (host SME)
 * @param adDisabled no hardware A/D bits
 * @param nonpresentOrRsvd bits inverted out of reach on hosts with L1TF; 0 elsewhere
 */
public record SpteFormat(
        Kind kind,
        long presentMask,
        long userMask,
        long xMask,
        long nxMask,
        long accessedMask,
        long dirtyMask,
        long hostWritable,
        long mmuWritable,
        long accTrackMask,
        long mmioMask,
        long mmioValue,
        long mmioAccessMask,
        long leafMemtype,
        long meValue,
        boolean adDisabled,
        long nonpresentOrRsvd) {
    /** Which hardware reads the entries. */
    public enum Kind {
        /** Intel's extended page tables. */
        EPT,
        /** AMD's nested page tables. */
        NPT
    }

    /** Access: executable. */
    public static final int ACC_EXEC = 1;
    /** Access: writable. */
    public static final int ACC_WRITE = 2;
    /** Access: user, which for second-stage tables means readable. */
    public static final int ACC_USER = 4;
    /** Everything: what a direct mapping is given. */
    public static final int ACC_ALL = 7;

    private static final long EPT_RWX = 7;
    private static final long EPT_MISCONFIG = 6;
    private static final long EPT_IPAT = 1L << 6;
    private static final long EPT_WB = 6L << 3;
    private static final long SUPPRESS_VE = 1L << 63;
    private static final long NX = 1L << 63;
    private static final long MMIO_GEN_LOW = 0x7f8;
    private static final long MMIO_GEN_HIGH = 0x7ffL << 52;
    private static final int L1TF_BITS = 5;

    /**
     * EPT as KVM sets it up (vmx.c and spte.c, kvm_mmu_set_ept_masks).
     *
     * @param adBits hardware A/D bits are enabled in the EPTP
     * @param execOnly the processor supports execute-only entries
     * @param ignoreGuestPat the quirk IGNORE_GUEST_PAT applies: WB and IPAT, not WB alone
     */
    public static SpteFormat ept(boolean adBits, boolean execOnly, boolean ignoreGuestPat) {
        return new SpteFormat(
                Kind.EPT,
                SUPPRESS_VE | (execOnly ? 0 : 1),
                1,
                4,
                0,
                1L << 8,
                1L << 9,
                1L << 57,
                1L << 58,
                EPT_RWX,
                EPT_RWX | SUPPRESS_VE,
                EPT_MISCONFIG,
                0,
                EPT_WB | (ignoreGuestPat ? EPT_IPAT : 0),
                0,
                !adBits,
                0);
    }

    /**
     * NPT as KVM sets it up (spte.c, kvm_mmu_reset_all_pte_masks).
     *
     * @param maxPhyAddr width of a host physical address; with 52 there is no reserved bit left and no MMIO caching
     */
    public static SpteFormat npt(int maxPhyAddr) {
        long mmio = maxPhyAddr < 52 ? 1L << 51 | 1 : 0;
        return new SpteFormat(
                Kind.NPT,
                1,
                4,
                0,
                NX,
                1L << 5,
                1L << 6,
                1L << 9,
                1L << 10,
                0,
                mmio,
                mmio,
                ACC_WRITE | ACC_USER,
                0,
                0,
                false,
                0);
    }

    private SpteFormat with(long otherMmioMask, long otherMmioValue, long otherMeValue, long otherNonpresentOrRsvd) {
        return new SpteFormat(
                kind,
                presentMask,
                userMask,
                xMask,
                nxMask,
                accessedMask,
                dirtyMask,
                hostWritable,
                mmuWritable,
                accTrackMask,
                otherMmioMask,
                otherMmioValue,
                mmioAccessMask,
                leafMemtype,
                otherMeValue,
                adDisabled,
                otherNonpresentOrRsvd);
    }

    /** This format for a TDX VM: an access to a gfn without slot must reach the guest as #VE, so MMIO entries are RWX = 000 with bit 63 clear. */
    public SpteFormat withMmioValue(long value) {
        return with(mmioMask, value, meValue, nonpresentOrRsvd);
    }

    /**
     * This format on an AMD host with memory encryption enabled: the MMIO entry is told by all bits from MAXPHYADDR up, or,
     * where that one is the C-bit, from the next one up, because a lone C-bit is not reserved (svm.c, svm_adjust_mmio_mask).
     *
     * @param maxPhyAddr width of a host physical address
     * @param cBit position of the C-bit
     * @param sme whether host SME is active, so that every mapping carries the C-bit
     */
    public SpteFormat withMemoryEncryption(int maxPhyAddr, int cBit, boolean sme) {
        int bit = cBit == maxPhyAddr ? maxPhyAddr + 1 : maxPhyAddr;
        long mmio = bit < 52 ? (-1L << bit & ((1L << 52) - 1)) | 1 : 0;
        return with(mmio, mmio, sme ? 1L << cBit : 0, nonpresentOrRsvd);
    }

    /**
     * This format on a host that needs the L1TF mitigation: the five top bits of the cacheable physical address are set
     * in an MMIO entry and the gpa's own are moved up.
     *
     * @param cacheBits physical address bits the L1 cache uses; from 47 up there is no room, and nothing is done
     */
    public SpteFormat withL1tf(int cacheBits) {
        if (cacheBits >= 52 - L1TF_BITS) {
            return this;
        }
        long mask = (1L << cacheBits) - (1L << (cacheBits - L1TF_BITS));
        return with(mmioMask, mmioValue, meValue, mask);
    }

    /** Whether an access to a gfn without slot may be remembered in an MMIO entry. */
    public boolean mmioCaching() {
        return mmioMask != 0;
    }

    /** EPTP or NCR3 of a root table: memory type, walk length and A/D enable belong to EPT only. */
    public long pointer(long rootPfn, int levels) {
        return switch (kind) {
            case EPT -> rootPfn << 12 | 6 | (long) (levels - 1) << 3 | (adDisabled ? 0 : 1 << 6);
            case NPT -> rootPfn << 12 | meValue;
        };
    }

    /** The entry that points to {@code table} (spte.c, make_nonleaf_spte). */
    public long nonLeaf(long table) {
        return Spte.MMU_PRESENT
                | table << 12
                | presentMask
                | Spte.WRITABLE
                | userMask
                | xMask
                | meValue
                | (adDisabled ? Spte.TDP_AD_DISABLED : accessedMask);
    }

    /**
     * A leaf, before anything is known about write tracking and dirty logging (spte.c, make_spte). W, MMU-writable and
     * D are set together.
     *
     * @param access {@link #ACC_EXEC}, {@link #ACC_WRITE}, {@link #ACC_USER}
     * @param mapWritable the host lets the page be written; without it, write access is dropped
     * @param hostMmio the frame is no RAM: uncached and never encrypted
     * @param prefetch nobody has accessed the page yet: A stays clear, or the entry is made access-tracked
     */
    public long leaf(long pfn, int level, int access, boolean mapWritable, boolean hostMmio, boolean prefetch) {
        long spte = Spte.MMU_PRESENT | presentMask | pfn << 12;
        if (adDisabled) {
            spte |= Spte.TDP_AD_DISABLED;
        }
        spte |= accessedMask;
        spte |= (access & ACC_EXEC) != 0 ? xMask : nxMask;
        if ((access & ACC_USER) != 0) {
            spte |= userMask;
        }
        if (level > Level.PG_4K) {
            spte |= Spte.PAGE_SIZE;
        }
        if (!hostMmio) {
            spte |= leafMemtype | meValue;
        }
        if (mapWritable) {
            spte |= hostWritable;
            if ((access & ACC_WRITE) != 0) {
                spte |= Spte.WRITABLE | mmuWritable | dirtyMask;
            }
        }
        return prefetch ? markForAccessTrack(spte) : spte;
    }

    /**
     * The entry that remembers that {@code gfn} has no slot (spte.c, make_mmio_spte).
     *
     * @param generation of the memslots; 19 bits of it are kept
     */
    public long mmio(long gfn, long generation, int access) {
        long gpa = gfn << 12;
        return mmioValue
                | (access & mmioAccessMask)
                | generationBits(generation)
                | gpa
                | nonpresentOrRsvd
                | (gpa & nonpresentOrRsvd) << L1TF_BITS;
    }

    /** Whether it is an MMIO entry. */
    public boolean isMmio(long spte) {
        return mmioMask != 0 && (spte & mmioMask) == mmioValue;
    }

    /** The generation kept in an MMIO entry, 19 bits. */
    public static long mmioGeneration(long spte) {
        return (spte & MMIO_GEN_LOW) >>> 3 | (spte & MMIO_GEN_HIGH) >>> 44;
    }

    /** The gfn kept in an MMIO entry. */
    public long mmioGfn(long spte) {
        if (nonpresentOrRsvd == 0) {
            return (spte & Spte.ADDRESS & ~mmioMask) >>> 12;
        }
        long low = Long.lowestOneBit(nonpresentOrRsvd) - 1 & Spte.ADDRESS;
        return (spte & low | spte >>> L1TF_BITS & nonpresentOrRsvd) >>> 12;
    }

    /** Generation bits 7:0 at bits 10:3, 18:8 at bits 62:52. */
    static long generationBits(long generation) {
        return (generation & 0xff) << 3 | (generation >>> 8 & 0x7ff) << 52;
    }

    /** Whether it is access-tracked: A/D bits are off and RWX is saved away. */
    public boolean isAccessTracked(long spte) {
        return Spte.adDisabled(spte) && accTrackMask != 0 && (spte & accTrackMask) == 0;
    }

    /** The entry as if never accessed (spte.c, mark_spte_for_access_track). */
    public long markForAccessTrack(long spte) {
        if (!Spte.adDisabled(spte)) {
            return spte & ~accessedMask;
        }
        if (isAccessTracked(spte)) {
            return spte;
        }
        return (spte | (spte & Spte.ACC_TRACK_SAVED) << Spte.ACC_TRACK_SHIFT) & ~(accTrackMask | accessedMask);
    }

    /** The access-tracked entry with R and X back (spte.c, restore_acc_track_spte); W is not restored here. */
    long restoreAccessTrack(long spte) {
        long saved = spte >>> Spte.ACC_TRACK_SHIFT & Spte.ACC_TRACK_SAVED;
        return spte & ~accTrackMask & ~(Spte.ACC_TRACK_SAVED << Spte.ACC_TRACK_SHIFT) | saved | accessedMask;
    }

    /** Whether the page was accessed since the A bit was last cleared. */
    public boolean isAccessed(long spte) {
        return (spte & accessedMask) != 0;
    }

    /** Whether the page was written since dirtiness was last collected. */
    public boolean isDirty(long spte) {
        return Spte.adNeedsWriteProtect(spte) ? Spte.isWritable(spte) : (spte & dirtyMask) != 0;
    }

    /** Whether the guest may execute from it. */
    public boolean isExecutable(long spte) {
        return (spte & (xMask | nxMask)) == xMask;
    }

    /** Whether the entry lets a read through; the bit is the same in both formats. */
    static boolean isReadable(long spte) {
        return (spte & 1) != 0;
    }

    /** Whether the memory that it maps, or the table that it points to, is encrypted by the host. */
    boolean isEncrypted(long spte) {
        return (spte & meValue) != 0;
    }

    /** Whether the host may write the page. */
    public boolean isHostWritable(long spte) {
        return (spte & hostWritable) != 0;
    }

    /** Whether a fast page fault may set W. */
    public boolean isMmuWritable(long spte) {
        return (spte & mmuWritable) != 0;
    }

    /** Whether another processor may change the entry at any moment, so that it must be changed atomically. A may be lost. */
    boolean isVolatileLeaf(long spte) {
        return !Spte.isWritable(spte) && isMmuWritable(spte)
                || Spte.adDisabled(spte)
                || Spte.isWritable(spte) && (spte & dirtyMask) == 0;
    }

    /**
     * Whether (Host-writable, MMU-writable, W) of a present leaf is one of the four legal triples: 111 writable, 110
     * write-protected for logging or access-tracked, 100 write-protected by shadow tracking, 000 read-only.
     */
    public boolean writableTripleIsLegal(long spte) {
        boolean host = isHostWritable(spte);
        boolean mmu = isMmuWritable(spte);
        return (host || !mmu) && (mmu || !Spte.isWritable(spte));
    }

    /** The entry with X, whatever it was. */
    private long executable(long spte) {
        long set = isAccessTracked(spte) ? xMask << Spte.ACC_TRACK_SHIFT : xMask;
        return spte & ~nxMask | set;
    }

    /** The entry without X. */
    private long nonExecutable(long spte) {
        long clear = isAccessTracked(spte) ? xMask << Spte.ACC_TRACK_SHIFT : xMask;
        return spte & ~clear | nxMask;
    }

    /**
     * Entry {@code index} of the table that replaces a huge leaf (spte.c, make_small_spte).
     *
     * @param childLevel level of the new table
     * @param nxHugePages the NX huge page mitigation is on: X comes back at 4 KiB
     */
    public long splitChild(long huge, int childLevel, int index, boolean nxHugePages) {
        long child = huge + ((long) index * Level.pages(childLevel) << 12);
        if (childLevel == Level.PG_4K) {
            child &= ~Spte.PAGE_SIZE;
            if (nxHugePages) {
                child = executable(child);
            }
        }
        return child;
    }

    /**
     * The huge leaf that replaces a table (spte.c, make_huge_spte).
     *
     * @param small any leaf of the table
     * @param nxHugePages the NX huge page mitigation is on: no X
     */
    public long collapse(long small, int level, boolean nxHugePages) {
        long huge = small & (-Level.bytes(level) | 0xfff) | Spte.PAGE_SIZE;
        return nxHugePages ? nonExecutable(huge) : huge;
    }
}
