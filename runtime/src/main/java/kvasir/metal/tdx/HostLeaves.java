package kvasir.metal.tdx;

import static kvasir.metal.tdx.HostLeaf.Gate.ANY;
import static kvasir.metal.tdx.HostLeaf.Gate.LP_INITIALISED;
import static kvasir.metal.tdx.HostLeaf.Gate.READY;
import static kvasir.metal.tdx.Status.*;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** The SEAMCALL table. A leaf that is not in it answers TDX_OPERAND_INVALID|RAX, as the module does. */
final class HostLeaves {
    /** An explicit private page in a register. */
    private static final Set<Status> PAGE =
            EnumSet.of(OPERAND_INVALID, OPERAND_ADDR_RANGE_ERROR, OPERAND_BUSY, PAGE_METADATA_INCORRECT);
    /** The common check of a leaf that needs the TDCS. */
    private static final Set<Status> TDCS =
            EnumSet.of(TD_FATAL, TD_KEYS_NOT_CONFIGURED, TDCS_NOT_ALLOCATED, OP_STATE_INCORRECT);

    /** The same where a TDVPR leads to the TD: its TDCS is there. */
    private static final Set<Status> VCPU = EnumSet.of(TD_FATAL, TD_KEYS_NOT_CONFIGURED, OP_STATE_INCORRECT);

    private static final Set<Status> SEPT = EnumSet.of(EPT_WALK_FAILED, EPT_ENTRY_STATE_INCORRECT);
    private static final Set<Status> TRACKED = EnumSet.of(GPA_RANGE_NOT_BLOCKED, TLB_TRACKING_NOT_DONE);
    private static final Set<Status> FIELD_READ =
            EnumSet.of(METADATA_FIELD_ID_INCORRECT, METADATA_FIELD_NOT_READABLE, METADATA_FIRST_FIELD_ID_IN_CONTEXT);
    private static final Set<Status> FIELD_WRITE =
            EnumSet.of(METADATA_FIELD_ID_INCORRECT, METADATA_FIELD_NOT_WRITABLE, METADATA_FIELD_VALUE_NOT_VALID);

    static final List<HostLeaf> ALL = List.of(
            leaf(0, "TDH.VP.ENTER", TdhVpEnter::run, PAGE, VCPU, vpEnter()),
            leaf(
                    1,
                    "TDH.MNG.ADDCX",
                    TdhMngAddcx::run,
                    PAGE,
                    of(TD_FATAL, TD_KEYS_NOT_CONFIGURED, TDCX_NUM_INCORRECT, OP_STATE_INCORRECT, RND_NO_ENTROPY)),
            leaf(2, "TDH.MEM.PAGE.ADD", TdhMemPageAdd::run, PAGE, TDCS, SEPT),
            leaf(3, "TDH.MEM.SEPT.ADD", 1, TdhMemSeptAdd::run, PAGE, TDCS, SEPT, of(INTERRUPTED_RESTARTABLE)),
            leaf(4, "TDH.VP.ADDCX", TdhVpAddcx::run, PAGE, VCPU, of(VCPU_STATE_INCORRECT, TDCX_NUM_INCORRECT)),
            leaf(5, "TDH.MEM.PAGE.RELOCATE", TdhMemPageRelocate::run, PAGE, TDCS, SEPT, TRACKED),
            leaf(6, "TDH.MEM.PAGE.AUG", TdhMemPageAug::run, PAGE, TDCS, SEPT),
            leaf(7, "TDH.MEM.RANGE.BLOCK", TdhMemRangeBlock::run, PAGE, TDCS, SEPT, of(GPA_RANGE_ALREADY_BLOCKED)),
            leaf(
                    8,
                    "TDH.MNG.KEY.CONFIG",
                    TdhMngKeyConfig::run,
                    PAGE,
                    of(TD_FATAL, LIFECYCLE_STATE_INCORRECT, KEY_CONFIGURED, KEY_GENERATION_FAILED)),
            leaf(9, "TDH.MNG.CREATE", TdhMngCreate::run, PAGE, of(HKID_NOT_FREE, RND_NO_ENTROPY)),
            leaf(10, "TDH.VP.CREATE", TdhVpCreate::run, PAGE, TDCS),
            leaf(11, "TDH.MNG.RD", 1, TdhMngRd::run, PAGE, TDCS, FIELD_READ),
            leaf(12, "TDH.MEM.RD", TdhMemRd::run, PAGE, TDCS, SEPT, of(TD_NON_DEBUG)),
            leaf(13, "TDH.MNG.WR", TdhMngWr::run, PAGE, TDCS, FIELD_WRITE),
            leaf(14, "TDH.MEM.WR", TdhMemWr::run, PAGE, TDCS, SEPT, of(TD_NON_DEBUG)),
            leaf(
                    15,
                    "TDH.MEM.PAGE.DEMOTE",
                    TdhMemPageDemote::run,
                    PAGE,
                    TDCS,
                    SEPT,
                    TRACKED,
                    of(INTERRUPTED_RESTARTABLE)),
            leaf(16, "TDH.MR.EXTEND", TdhMrExtend::run, PAGE, TDCS, of(EPT_ENTRY_NOT_PRESENT)),
            leaf(17, "TDH.MR.FINALIZE", TdhMrFinalize::run, PAGE, TDCS, of(NO_VCPUS)),
            leaf(
                    18,
                    "TDH.VP.FLUSH",
                    TdhVpFlush::run,
                    PAGE,
                    of(TD_KEYS_NOT_CONFIGURED, TDCX_NUM_INCORRECT, VCPU_NOT_ASSOCIATED)),
            leaf(
                    19,
                    "TDH.MNG.VPFLUSHDONE",
                    TdhMngVpflushdone::run,
                    PAGE,
                    of(LIFECYCLE_STATE_INCORRECT, FLUSHVP_NOT_DONE)),
            leaf(
                    20,
                    "TDH.MNG.KEY.FREEID",
                    TdhMngKeyFreeid::run,
                    PAGE,
                    of(LIFECYCLE_STATE_INCORRECT, WBCACHE_NOT_COMPLETE)),
            leaf(21, "TDH.MNG.INIT", TdhMngInit::run, PAGE, TDCS, of(LIMIT_CPUID_MAXVAL_SET, INCONSISTENT_MSR)),
            leaf(
                    22,
                    "TDH.VP.INIT",
                    1,
                    TdhVpInit::run,
                    PAGE,
                    VCPU,
                    of(TDCX_NUM_INCORRECT, VCPU_STATE_INCORRECT, MAX_VCPUS_EXCEEDED)),
            leaf(
                    23,
                    "TDH.MEM.PAGE.PROMOTE",
                    1,
                    TdhMemPagePromote::run,
                    PAGE,
                    TDCS,
                    SEPT,
                    TRACKED,
                    of(EPT_INVALID_PROMOTE_CONDITIONS)),
            leaf(
                    24,
                    "TDH.PHYMEM.PAGE.RDMD",
                    TdhPhymemPageRdmd::run,
                    of(OPERAND_INVALID, OPERAND_ADDR_RANGE_ERROR, OPERAND_BUSY)),
            leaf(25, "TDH.MEM.SEPT.RD", TdhMemSeptRd::run, PAGE, TDCS, of(EPT_WALK_FAILED)),
            leaf(
                    26,
                    "TDH.VP.RD",
                    1,
                    TdhVpRd::run,
                    PAGE,
                    VCPU,
                    FIELD_READ,
                    of(TDCX_NUM_INCORRECT, VCPU_STATE_INCORRECT, VCPU_ASSOCIATED)),
            leaf(27, "TDH.MNG.KEY.RECLAIMID", TdhMngKeyReclaimid::run),
            leaf(
                    28,
                    "TDH.PHYMEM.PAGE.RECLAIM",
                    TdhPhymemPageReclaim::run,
                    PAGE,
                    of(LIFECYCLE_STATE_INCORRECT, TD_ASSOCIATED_PAGES_EXIST)),
            leaf(29, "TDH.MEM.PAGE.REMOVE", TdhMemPageRemove::run, PAGE, TDCS, SEPT, TRACKED),
            leaf(30, "TDH.MEM.SEPT.REMOVE", TdhMemSeptRemove::run, PAGE, TDCS, SEPT, TRACKED, of(EPT_PAGE_NOT_FREE)),
            new HostLeaf(
                    31,
                    "TDH.SYS.KEY.CONFIG",
                    0,
                    LP_INITIALISED,
                    TdhSysKeyConfig::run,
                    of(SYS_BUSY, SYS_KEY_CONFIG_NOT_PENDING, KEY_CONFIGURED, KEY_GENERATION_FAILED)),
            new HostLeaf(32, "TDH.SYS.INFO", 0, LP_INITIALISED, TdhSysInfo::run, of(OPERAND_INVALID, SYS_BUSY)),
            new HostLeaf(
                    33, "TDH.SYS.INIT", 0, ANY, TdhSysInit::run, of(OPERAND_INVALID, SYS_BUSY, SYS_INIT_NOT_PENDING)),
            new HostLeaf(34, "TDH.SYS.RD", 0, LP_INITIALISED, TdhSysRd::run, FIELD_READ),
            new HostLeaf(
                    35,
                    "TDH.SYS.LP.INIT",
                    0,
                    ANY,
                    TdhSysLpInit::run,
                    of(SYS_BUSY, SYS_LP_INIT_NOT_PENDING, SYS_LP_INIT_DONE)),
            leaf(
                    36,
                    "TDH.SYS.TDMR.INIT",
                    TdhSysTdmrInit::run,
                    of(OPERAND_INVALID, OPERAND_BUSY, TDMR_ALREADY_INITIALIZED)),
            new HostLeaf(
                    37,
                    "TDH.SYS.RDALL",
                    0,
                    LP_INITIALISED,
                    TdhSysRdall::run,
                    of(OPERAND_INVALID, METADATA_FIELD_ID_INCORRECT)),
            leaf(38, "TDH.MEM.TRACK", TdhMemTrack::run, PAGE, TDCS, of(PREVIOUS_TLB_EPOCH_BUSY)),
            leaf(39, "TDH.MEM.RANGE.UNBLOCK", TdhMemRangeUnblock::run, PAGE, TDCS, SEPT, of(TLB_TRACKING_NOT_DONE)),
            leaf(
                    40,
                    "TDH.PHYMEM.CACHE.WB",
                    TdhPhymemCacheWb::run,
                    of(
                            OPERAND_INVALID,
                            OPERAND_BUSY,
                            NO_HKID_READY_TO_WBCACHE,
                            WBCACHE_RESUME_ERROR,
                            INTERRUPTED_RESUMABLE)),
            leaf(41, "TDH.PHYMEM.PAGE.WBINVD", TdhPhymemPageWbinvd::run, PAGE),
            leaf(
                    43,
                    "TDH.VP.WR",
                    TdhVpWr::run,
                    PAGE,
                    VCPU,
                    FIELD_WRITE,
                    of(TDCX_NUM_INCORRECT, VCPU_STATE_INCORRECT, VCPU_ASSOCIATED)),
            new HostLeaf(45, "TDH.SYS.CONFIG", 0, LP_INITIALISED, TdhSysConfig::run, sysConfig()));

    private static final HostLeaf[] BY_NUMBER = new HostLeaf[64];

    static {
        ALL.forEach(leaf -> BY_NUMBER[leaf.number()] = leaf);
    }

    private HostLeaves() {}

    static Optional<HostLeaf> find(long number) {
        return number < BY_NUMBER.length ? Optional.ofNullable(BY_NUMBER[(int) number]) : Optional.empty();
    }

    private static Set<Status> vpEnter() {
        return of(
                LIMIT_CPUID_MAXVAL_SET,
                TDCX_NUM_INCORRECT,
                VCPU_STATE_INCORRECT,
                VCPU_ASSOCIATED,
                INCONSISTENT_MSR,
                TSC_ROLLBACK,
                NON_RECOVERABLE_VCPU,
                NON_RECOVERABLE_TD,
                HOST_PRIORITY_BUSY_TIMEOUT);
    }

    private static Set<Status> sysConfig() {
        return of(
                OPERAND_INVALID,
                SYS_BUSY,
                SYS_CONFIG_NOT_PENDING,
                INVALID_TDMR,
                NON_ORDERED_TDMR,
                TDMR_OUTSIDE_CMRS,
                INVALID_PAMT,
                PAMT_OUTSIDE_CMRS,
                PAMT_OVERLAP,
                INVALID_RESERVED_IN_TDMR,
                NON_ORDERED_RESERVED_IN_TDMR);
    }

    private static Set<Status> of(Status first, Status... more) {
        return EnumSet.of(first, more);
    }

    @SafeVarargs
    private static HostLeaf leaf(int number, String name, Consumer<HostCall> body, Set<Status>... statuses) {
        return leaf(number, name, 0, body, statuses);
    }

    @SafeVarargs
    private static HostLeaf leaf(
            int number, String name, int maxVersion, Consumer<HostCall> body, Set<Status>... statuses) {
        var all = EnumSet.of(SUCCESS);
        for (Set<Status> some : statuses) {
            all.addAll(some);
        }
        return new HostLeaf(number, name, maxVersion, READY, body, all);
    }
}
