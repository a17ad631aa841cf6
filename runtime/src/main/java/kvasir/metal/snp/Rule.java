package kvasir.metal.snp;

/**
 * A rule that no public source we could read settles. Each has a default and an alternative, so that a script can run
 * under either; {@code docs/fidelity-snp.md} has a line for each.
 */
public enum Rule {
    /** RMPUPDATE and PSMASH outside an SNP host, PVALIDATE and its kin outside an SNP guest, raise #UD; else #GP. */
    FOREIGN_INSTRUCTION_IS_UD("illegal place raises #UD", "raises #GP"),
    /** RMPUPDATE that unassigns together with immutable or an ASID returns FAIL_INPUT; else FAIL_PERMISSION. */
    UNASSIGN_WITH_OWNER_IS_INPUT("RMPUPDATE unassign with ASID: FAIL_INPUT", "FAIL_PERMISSION"),
    /** RMPUPDATE of a page that the RMP does not cover returns FAIL_INPUT; else FAIL_PERMISSION. */
    RMPUPDATE_UNCOVERED_IS_INPUT("RMPUPDATE of an uncovered page: FAIL_INPUT", "FAIL_PERMISSION"),
    /** PSMASH of an entry that is not an assigned 2M entry returns FAIL_INPUT; else FAIL_PERMISSION. */
    PSMASH_WRONG_ENTRY_IS_INPUT("PSMASH of a wrong entry: FAIL_INPUT", "FAIL_PERMISSION"),
    /** RMPUPDATE that changes neither ASID, GPA, size nor Assigned keeps Validated; else it clears it. */
    RMPUPDATE_KEEPS_VALIDATED("RMPUPDATE with unchanged owner keeps Validated", "clears it"),
    /** RMPUPDATE of the VMSA or VMCB of a running vCPU returns FAIL_INUSE; else the use is not looked at. */
    RUNNING_PAGE_IS_IN_USE("RMPUPDATE of a running VMSA: FAIL_INUSE", "not checked"),
    /** A private access to a page without an RMP entry is a nested page fault; else it passes. */
    UNCOVERED_PRIVATE_FAULTS("private access to an uncovered page faults", "passes"),
    /** A guest read with C=0 wants a hypervisor-owned page; else it is not checked. */
    SHARED_READ_IS_CHECKED("guest read with C=0 wants a hypervisor-owned page", "not checked"),
    /** A guest write to a page with VMSA=1 faults; else permissions alone decide. */
    VMSA_REFUSES_WRITES("guest write to a VMSA page faults", "permissions alone decide"),
    /** PVALIDATE 2M through a 4K nested leaf onto a 2M entry returns FAIL_SIZEMISMATCH; else it succeeds. */
    PVALIDATE_2M_WANTS_2M_LEAF("PVALIDATE 2M through a 4K leaf: FAIL_SIZEMISMATCH", "succeeds"),
    /** The VMSA attribute of RMPADJUST is ignored below VMPL0; else it returns FAIL_PERMISSION. */
    RMPADJUST_VMSA_IGNORED_BELOW_VMPL0("RMPADJUST VMSA bit below VMPL0 is ignored", "FAIL_PERMISSION"),
    /** RMPQUERY for a VMPL above the caller's own in privilege returns FAIL_PERMISSION; else it answers. */
    RMPQUERY_OF_HIGHER_VMPL_REFUSED("RMPQUERY of a more privileged VMPL: FAIL_PERMISSION", "answers"),
    /** A context page has VMSA=1 in its entry; else it looks like a firmware page, and only firmware knows. */
    CONTEXT_PAGE_HAS_VMSA("context pages carry VMSA=1", "look like firmware pages"),
    /** SNP_PAGE_RECLAIM leaves a Pre-Guest page Guest-Invalid and a Pre-Swap page Guest-Valid; else Reclaim. */
    RECLAIM_KEEPS_OWNER("reclaimed Pre-Guest becomes Guest-Invalid", "becomes Reclaim"),
    /** Reserved policy bits are INVALID_PARAM; else POLICY_FAILURE. */
    RESERVED_POLICY_IS_PARAM("reserved policy bits: INVALID_PARAM", "POLICY_FAILURE"),
    /** An unknown key algorithm or curve in the ID authentication page is INVALID_PARAM; else INVALID_CERTIFICATE. */
    KEY_ALGORITHM_IS_PARAM("unknown key algorithm: INVALID_PARAM", "INVALID_CERTIFICATE"),
    /** A guest message whose tag does not fit is BAD_SIGNATURE; else INVALID_PARAM. */
    MESSAGE_AUTHENTICATION_IS_SIGNATURE("bad message tag: BAD_SIGNATURE", "INVALID_PARAM"),
    /** SNP_PAGE_UNSMASH of entries with different owners is INVALID_PAGE_OWNER; else INVALID_PAGE_STATE. */
    UNSMASH_OWNER_IS_OWNER("UNSMASH across owners: INVALID_PAGE_OWNER", "INVALID_PAGE_STATE"),
    /** SNP_DECOMMISSION is refused while an immutable page carries the guest's ASID; else it is not looked at. */
    DECOMMISSION_WANTS_NO_IMMUTABLE("DECOMMISSION with Pre-Guest pages left: INVALID_PAGE_STATE", "not checked"),
    /** SNP_LAUNCH_UPDATE checks CPUID features against the host; else only the count and reserved fields. */
    CPUID_FEATURES_ARE_CHECKED("CPUID page features are masked by the host's", "only count and reserved fields"),
    /** RMPQUERY returns the VMSA bit in RDX bit 16; else it returns permissions alone. */
    RMPQUERY_TELLS_VMSA("RMPQUERY returns the VMSA bit", "permissions alone"),
    /** A #VC for a nested fault (0x400, 0x404) sets CR2 to the linear address; else CR2 stays. */
    VC_SETS_CR2("#VC 0x400 and 0x404 set CR2", "CR2 stays"),
    /** X87_FTW of a VMSA is the abridged tag word of FXSAVE; else the full one of FSAVE. */
    X87_FTW_IS_ABRIDGED("X87_FTW is the abridged tag word", "the full tag word"),
    /** iommu_snp_shutdown of SNP_SHUTDOWN_EX makes firmware pages Reclaim; else they stay as they are. */
    SHUTDOWN_RELEASES_PAGES("SNP_SHUTDOWN_EX bit 0 makes firmware pages Reclaim", "leaves them"),
    /** x86_snp_shutdown of SNP_SHUTDOWN_EX forgets that the RMP was initialised; else it stays so. */
    SHUTDOWN_FORGETS_RMP("SNP_SHUTDOWN_EX bit 1 forgets the RMP", "keeps it"),
    /** SNP_PAGE_MD_INIT stores the owner's context address as the page's GPA; else the page looks like a firmware page. */
    METADATA_PAGE_HAS_GPA("metadata pages carry a GPA", "look like firmware pages"),
    /** SNP_LAUNCH_UPDATE of a 2M page is 512 steps of the digest; else one step over 2M. */
    LARGE_PAGE_IS_MEASURED_IN_4K("a 2M page is 512 steps of the digest", "one step"),
    /** VMRUN wants the VMSA page assigned, validated, 4K and VMSA=1; else only its content counts. */
    VMRUN_CHECKS_VMSA_PAGE("VMRUN checks the VMSA's RMP entry", "its content alone"),
    /** VMRUN of a VMSA that another processor runs exits with BUSY; else it is not checked. */
    VMRUN_OF_RUNNING_VMSA_IS_BUSY("VMRUN of a running VMSA: BUSY", "not checked"),
    /** The firmware writes 3 into the version word of the secrets page; else 2. */
    SECRETS_VERSION_IS_3("the secrets page has version 3", "version 2"),
    /** HLT is one of the automatic exits of a guest with encrypted registers; else it raises #VC 0x78. */
    HLT_EXITS_BY_ITSELF("HLT of an SNP guest exits by itself", "raises #VC 0x78"),
    /** A guest message with another sequence number than the next is INVALID_PARAM; else AEAD_OVERFLOW. */
    MESSAGE_SEQUENCE_IS_PARAM("wrong message sequence number: INVALID_PARAM", "AEAD_OVERFLOW"),
    /**
     * Where AMD's published firmware (of Genoa) answers otherwise than what is remembered of the ABI document the document
     * counts; else the firmware does.
     */
    ABI_DOCUMENT_OVER_PUBLISHED_FIRMWARE(
            "statuses are the ABI document's where the published firmware differs", "the published firmware's");

    private final String standard;
    private final String alternative;

    Rule(String standard, String alternative) {
        this.standard = standard;
        this.alternative = alternative;
    }

    /** What holds by default, in a few words. */
    public String standard() {
        return standard;
    }

    /** What holds when the rule is switched. */
    public String alternative() {
        return alternative;
    }
}
