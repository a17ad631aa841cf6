package kvasir.metal.tdx;

import static kvasir.metal.tdx.Status.*;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The TDCALL table. A leaf that is not in it answers TDX_OPERAND_INVALID|RAX; so do the service TD leaves, which this
 * platform does not offer.
 */
final class GuestLeaves {
    private static final Set<Status> FIELD_WRITE = EnumSet.of(
            OPERAND_INVALID, METADATA_FIELD_ID_INCORRECT, METADATA_FIELD_NOT_WRITABLE, METADATA_FIELD_VALUE_NOT_VALID);

    static final List<GuestLeaf> ALL = List.of(
            leaf(0, "TDG.VP.VMCALL", 0, TdgVpVmcall::run, OPERAND_INVALID),
            leaf(1, "TDG.VP.INFO", 0, TdgVpInfo::run),
            leaf(2, "TDG.MR.RTMR.EXTEND", 0, TdgMrRtmrExtend::run, OPERAND_INVALID, OPERAND_BUSY),
            leaf(3, "TDG.VP.VEINFO.GET", 0, TdgVpVeinfoGet::run, NO_VALID_VE_INFO),
            leaf(4, "TDG.MR.REPORT", 0, TdgMrReport::run, OPERAND_INVALID, OPERAND_BUSY),
            leaf(5, "TDG.VP.CPUIDVE.SET", 0, TdgVpCpuidveSet::run, OPERAND_INVALID),
            leaf(
                    6,
                    "TDG.MEM.PAGE.ACCEPT",
                    0,
                    TdgMemPageAccept::run,
                    OPERAND_INVALID,
                    OPERAND_BUSY,
                    PAGE_ALREADY_ACCEPTED,
                    PAGE_SIZE_MISMATCH),
            leaf(
                    7,
                    "TDG.VM.RD",
                    1,
                    TdgVmRd::run,
                    OPERAND_INVALID,
                    METADATA_FIELD_ID_INCORRECT,
                    METADATA_FIELD_NOT_READABLE,
                    METADATA_FIRST_FIELD_ID_IN_CONTEXT),
            new GuestLeaf(8, "TDG.VM.WR", 0, TdgVmWr::run, FIELD_WRITE),
            leaf(9, "TDG.VP.RD", 0, TdgVpRd::run, METADATA_FIELD_ID_INCORRECT, METADATA_FIELD_NOT_READABLE),
            leaf(10, "TDG.VP.WR", 0, TdgVpWr::run, METADATA_FIELD_ID_INCORRECT, METADATA_FIELD_NOT_WRITABLE),
            leaf(11, "TDG.SYS.RD", 0, TdgSysRd::run, METADATA_FIELD_ID_INCORRECT, METADATA_FIRST_FIELD_ID_IN_CONTEXT),
            leaf(12, "TDG.SYS.RDALL", 0, TdgSysRdall::run, OPERAND_INVALID, METADATA_FIELD_ID_INCORRECT),
            leaf(
                    22,
                    "TDG.MR.VERIFYREPORT",
                    0,
                    TdgMrVerifyreport::run,
                    OPERAND_INVALID,
                    INVALID_REPORTMACSTRUCT,
                    INVALID_CPUSVN),
            leaf(23, "TDG.MEM.PAGE.ATTR.RD", 0, TdgMemPageAttrRd::run, OPERAND_INVALID),
            leaf(
                    24,
                    "TDG.MEM.PAGE.ATTR.WR",
                    0,
                    TdgMemPageAttrWr::run,
                    OPERAND_INVALID,
                    PAGE_ATTR_INVALID,
                    PAGE_SIZE_MISMATCH),
            new GuestLeaf(25, "TDG.VP.ENTER", 0, TdgPartitioning::run, EnumSet.of(OPERAND_INVALID)),
            new GuestLeaf(26, "TDG.VP.INVEPT", 0, TdgPartitioning::run, EnumSet.of(OPERAND_INVALID)),
            new GuestLeaf(27, "TDG.VP.INVVPID", 0, TdgPartitioning::run, EnumSet.of(OPERAND_INVALID)));

    private static final GuestLeaf[] BY_NUMBER = new GuestLeaf[32];

    static {
        ALL.forEach(leaf -> BY_NUMBER[leaf.number()] = leaf);
    }

    private GuestLeaves() {}

    static Optional<GuestLeaf> find(long number) {
        return number < BY_NUMBER.length ? Optional.ofNullable(BY_NUMBER[(int) number]) : Optional.empty();
    }

    private static GuestLeaf leaf(
            int number, String name, int maxVersion, Consumer<GuestCall> body, Status... statuses) {
        var all = EnumSet.of(SUCCESS, statuses);
        return new GuestLeaf(number, name, maxVersion, body, all);
    }
}
