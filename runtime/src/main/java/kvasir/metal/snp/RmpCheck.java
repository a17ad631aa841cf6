package kvasir.metal.snp;

/**
 * The check that the RMP makes on a memory access, after the page tables have let it through, in its fixed order (APM 2,
 * 15.36.10; the order of the private chain as in the machine-checked model of microsoft/verismo). No allocation.
 */
public final class RmpCheck {
    private final Rmp rmp;
    private final boolean uncoveredPrivateFaults;
    private final boolean sharedReadIsChecked;
    private final boolean vmsaRefusesWrites;

    /** The check on {@code rmp} under {@code rules}. */
    public RmpCheck(Rmp rmp, Rules rules) {
        this.rmp = rmp;
        uncoveredPrivateFaults = rules.holds(Rule.UNCOVERED_PRIVATE_FAULTS);
        sharedReadIsChecked = rules.holds(Rule.SHARED_READ_IS_CHECKED);
        vmsaRefusesWrites = rules.holds(Rule.VMSA_REFUSES_WRITES);
    }

    /**
     * A write by the host, by a guest without SNP, or by a device. Reads and fetches are never checked.
     *
     * @param level level of the mapping in use: 1 for 4K, 2 for 2M, 3 for 1G. A 1G mapping is checked as the 2M unit
     *     that holds the address; a 2M unit fails when any page in it is assigned (Linux {@code sev.c}, comments on
     *     direct-map splits).
     */
    public RmpVerdict hostWrite(long spa, int level) {
        if (!rmp.covered(spa)) {
            return RmpVerdict.ALLOWED;
        }
        boolean assigned = (rmp.low(spa) & RmpEntry.ASSIGNED) != 0 || level > 1 && rmp.subpageCount(spa) != 0;
        return assigned ? RmpVerdict.NOT_HYPERVISOR_OWNED : RmpVerdict.ALLOWED;
    }

    /** Error code of the host #PF for a refused {@link #hostWrite}: present, write, RMP. */
    public static int hostErrorCode(boolean user) {
        return RmpVerdict.PF_RMP | (user ? 7 : 3);
    }

    /** An access of an SNP guest with effective C=0. A fetch is always private and not legal here. */
    public RmpVerdict guestShared(long spa, Access access, int nestedLevel) {
        return access.writes() || sharedReadIsChecked ? hostWrite(spa, nestedLevel) : RmpVerdict.ALLOWED;
    }

    /**
     * An access of an SNP guest with effective C=1.
     *
     * @param spa where the nested walk ended
     * @param gpa the guest physical address that was translated
     * @param asid of the guest, 1 to 1023
     * @param vmpl of the VMSA in use, 0 to 3
     * @param nestedLevel level of the nested leaf: 1 for 4K, 2 for 2M, 3 for 1G
     */
    public RmpVerdict guestPrivate(long spa, long gpa, int asid, int vmpl, int nestedLevel, Access access) {
        if (!rmp.covered(spa)) {
            return uncoveredPrivateFaults ? RmpVerdict.NOT_COVERED : RmpVerdict.ALLOWED;
        }
        long page = rmp.authority(spa);
        long address = rmp.entryAddress(page);
        long low = rmp.memory().read64(address);
        RmpVerdict owner = owner(low, (gpa & -4096L) - ((spa & -4096L) - page), asid);
        if (!owner.allowed()) {
            return owner;
        }
        if ((low & RmpEntry.SIZE_2M) != 0 != nestedLevel > 1) {
            return RmpVerdict.SIZE_MISMATCH;
        }
        if ((low & RmpEntry.VALIDATED) == 0) {
            return RmpVerdict.NOT_VALIDATED;
        }
        long high = rmp.memory().read64(address + 8);
        if ((high >>> (8 * vmpl) & access.permission()) == 0) {
            return RmpVerdict.VMPL_DENIED;
        }
        return vmsaRefusesWrites && access.writes() && (low & RmpEntry.VMSA) != 0
                ? RmpVerdict.VMSA_WRITE
                : RmpVerdict.ALLOWED;
    }

    /** Steps 2 and 3 of the private chain: GPA, then Immutable, Assigned, ASID. */
    private static RmpVerdict owner(long low, long gpa, int asid) {
        if ((low & RmpEntry.GPA_MASK) != gpa) {
            return RmpVerdict.GPA_MISMATCH;
        }
        if ((low & RmpEntry.IMMUTABLE) != 0) {
            return RmpVerdict.IMMUTABLE;
        }
        if ((low & RmpEntry.ASSIGNED) == 0) {
            return RmpVerdict.NOT_ASSIGNED;
        }
        return RmpEntry.asid(low) == asid ? RmpVerdict.ALLOWED : RmpVerdict.ASID_MISMATCH;
    }

    /**
     * The VMSA page of a VMRUN: assigned to the guest, VMSA=1, validated, 4K (APM 2, 15.36.12).
     *
     * @param spa as the VMCB gives it
     */
    public RmpVerdict vmrunVmsa(long spa, int asid) {
        if (!rmp.covered(spa)) {
            return RmpVerdict.NOT_COVERED;
        }
        long low = rmp.low(spa);
        if ((low & RmpEntry.IMMUTABLE) != 0) {
            return RmpVerdict.IMMUTABLE;
        }
        if ((low & RmpEntry.ASSIGNED) == 0 || (low & RmpEntry.VMSA) == 0) {
            return RmpVerdict.NOT_ASSIGNED;
        }
        if (RmpEntry.asid(low) != asid) {
            return RmpVerdict.ASID_MISMATCH;
        }
        if ((low & RmpEntry.SIZE_2M) != 0) {
            return RmpVerdict.SIZE_MISMATCH;
        }
        return (low & RmpEntry.VALIDATED) == 0 ? RmpVerdict.NOT_VALIDATED : RmpVerdict.ALLOWED;
    }
}
