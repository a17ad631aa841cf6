package kvasir.metal.tdx;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;

/**
 * How a leaf is called: its number and which register carries which operand (TDX ABI, the tables of input operands).
 * Leaves that this module does not have are here too, so that they can be tried.
 *
 * @param name as in the ABI, {@code TDH.MEM.PAGE.ADD}
 * @param number RAX bits 15:0
 * @param registers by operand name, {@code source}, the {@link Operand} id of its register; {@code level} shares the
 *     register of {@code gpa}
 */
public record LeafForm(String name, int number, Map<String, Integer> registers) {
    /** The operand that travels in bits 2:0 of another. */
    public static final String LEVEL = "level";

    private static final Map<String, LeafForm> BY_NAME = new LinkedHashMap<>();

    static {
        add(0, "TDH.VP.ENTER", "rcx=tdvpr");
        add(1, "TDH.MNG.ADDCX", "rcx=page rdx=tdr");
        add(2, "TDH.MEM.PAGE.ADD", "rcx=gpa rcx=level rdx=tdr r8=page r9=source");
        add(3, "TDH.MEM.SEPT.ADD", "rcx=gpa rcx=level rdx=tdr r8=page");
        add(4, "TDH.VP.ADDCX", "rcx=page rdx=tdvpr");
        add(5, "TDH.MEM.PAGE.RELOCATE", "rcx=gpa rcx=level rdx=tdr r8=page");
        add(6, "TDH.MEM.PAGE.AUG", "rcx=gpa rcx=level rdx=tdr r8=page");
        add(7, "TDH.MEM.RANGE.BLOCK", "rcx=gpa rcx=level rdx=tdr");
        add(8, "TDH.MNG.KEY.CONFIG", "rcx=tdr");
        add(9, "TDH.MNG.CREATE", "rcx=tdr rdx=hkid");
        add(10, "TDH.VP.CREATE", "rcx=tdvpr rdx=tdr");
        add(11, "TDH.MNG.RD", "rcx=tdr rdx=field");
        add(12, "TDH.MEM.RD", "rcx=gpa rdx=tdr");
        add(13, "TDH.MNG.WR", "rcx=tdr rdx=field r8=value r9=mask");
        add(14, "TDH.MEM.WR", "rcx=gpa rdx=tdr r8=value");
        add(15, "TDH.MEM.PAGE.DEMOTE", "rcx=gpa rcx=level rdx=tdr r8=page");
        add(16, "TDH.MR.EXTEND", "rcx=gpa rdx=tdr");
        add(17, "TDH.MR.FINALIZE", "rcx=tdr");
        add(18, "TDH.VP.FLUSH", "rcx=tdvpr");
        add(19, "TDH.MNG.VPFLUSHDONE", "rcx=tdr");
        add(20, "TDH.MNG.KEY.FREEID", "rcx=tdr");
        add(21, "TDH.MNG.INIT", "rcx=tdr rdx=params");
        add(22, "TDH.VP.INIT", "rcx=tdvpr rdx=hob r8=apic_id");
        add(23, "TDH.MEM.PAGE.PROMOTE", "rcx=gpa rcx=level rdx=tdr");
        add(24, "TDH.PHYMEM.PAGE.RDMD", "rcx=page");
        add(25, "TDH.MEM.SEPT.RD", "rcx=gpa rcx=level rdx=tdr");
        add(26, "TDH.VP.RD", "rcx=tdvpr rdx=field");
        add(27, "TDH.MNG.KEY.RECLAIMID", "rcx=tdr");
        add(28, "TDH.PHYMEM.PAGE.RECLAIM", "rcx=page");
        add(29, "TDH.MEM.PAGE.REMOVE", "rcx=gpa rcx=level rdx=tdr");
        add(30, "TDH.MEM.SEPT.REMOVE", "rcx=gpa rcx=level rdx=tdr");
        add(31, "TDH.SYS.KEY.CONFIG", "");
        add(32, "TDH.SYS.INFO", "rcx=buffer rdx=size r8=cmrs r9=count");
        add(33, "TDH.SYS.INIT", "rcx=attributes");
        add(34, "TDH.SYS.RD", "rdx=field");
        add(35, "TDH.SYS.LP.INIT", "");
        add(36, "TDH.SYS.TDMR.INIT", "rcx=tdmr");
        add(37, "TDH.SYS.RDALL", "rdx=buffer r8=field");
        add(38, "TDH.MEM.TRACK", "rcx=tdr");
        add(39, "TDH.MEM.RANGE.UNBLOCK", "rcx=gpa rcx=level rdx=tdr");
        add(40, "TDH.PHYMEM.CACHE.WB", "rcx=resume");
        add(41, "TDH.PHYMEM.PAGE.WBINVD", "rcx=page");
        add(42, "TDH.MEM.SEPT.WR", "");
        add(43, "TDH.VP.WR", "rcx=tdvpr rdx=field r8=value r9=mask");
        add(44, "TDH.SYS.LP.SHUTDOWN", "");
        add(45, "TDH.SYS.CONFIG", "rcx=tdmrs rdx=count r8=hkid");
        add(48, "TDH.SERVTD.BIND", "");
        add(49, "TDH.SERVTD.PREBIND", "");
        add(52, "TDH.SYS.SHUTDOWN", "");
        add(53, "TDH.SYS.UPDATE", "");
        add(64, "TDH.EXPORT.ABORT", "");
        add(65, "TDH.EXPORT.BLOCKW", "");
        add(66, "TDH.EXPORT.RESTORE", "");
        add(68, "TDH.EXPORT.MEM", "");
        add(70, "TDH.EXPORT.PAUSE", "");
        add(71, "TDH.EXPORT.TRACK", "");
        add(72, "TDH.EXPORT.STATE.IMMUTABLE", "");
        add(73, "TDH.EXPORT.STATE.TD", "");
        add(74, "TDH.EXPORT.STATE.VP", "");
        add(75, "TDH.EXPORT.UNBLOCKW", "");
        add(80, "TDH.IMPORT.ABORT", "");
        add(81, "TDH.IMPORT.END", "");
        add(82, "TDH.IMPORT.COMMIT", "");
        add(83, "TDH.IMPORT.MEM", "");
        add(84, "TDH.IMPORT.TRACK", "");
        add(85, "TDH.IMPORT.STATE.IMMUTABLE", "");
        add(86, "TDH.IMPORT.STATE.TD", "");
        add(87, "TDH.IMPORT.STATE.VP", "");
        add(96, "TDH.MIG.STREAM.CREATE", "");

        add(0, "TDG.VP.VMCALL", "rcx=mask");
        add(1, "TDG.VP.INFO", "");
        add(2, "TDG.MR.RTMR.EXTEND", "rcx=gpa rdx=index");
        add(3, "TDG.VP.VEINFO.GET", "");
        add(4, "TDG.MR.REPORT", "rcx=gpa rdx=data r8=subtype");
        add(5, "TDG.VP.CPUIDVE.SET", "rcx=enable");
        add(6, "TDG.MEM.PAGE.ACCEPT", "rcx=gpa rcx=level");
        add(7, "TDG.VM.RD", "rdx=field");
        add(8, "TDG.VM.WR", "rdx=field r8=value r9=mask");
        add(9, "TDG.VP.RD", "rdx=field");
        add(10, "TDG.VP.WR", "rdx=field r8=value r9=mask");
        add(11, "TDG.SYS.RD", "rdx=field");
        add(12, "TDG.SYS.RDALL", "rdx=buffer r8=field");
        add(18, "TDG.SERVTD.RD", "");
        add(20, "TDG.SERVTD.WR", "");
        add(22, "TDG.MR.VERIFYREPORT", "rcx=gpa");
        add(23, "TDG.MEM.PAGE.ATTR.RD", "rcx=gpa");
        add(24, "TDG.MEM.PAGE.ATTR.WR", "rcx=gpa rcx=level rdx=attributes r8=flags");
        add(25, "TDG.VP.ENTER", "");
        add(26, "TDG.VP.INVEPT", "");
        add(27, "TDG.VP.INVVPID", "");
    }

    private static void add(int number, String name, String operands) {
        var registers = new LinkedHashMap<String, Integer>();
        for (String operand : operands.isEmpty() ? List.<String>of() : List.of(operands.split(" "))) {
            int at = operand.indexOf('=');
            registers.put(operand.substring(at + 1), register(operand.substring(0, at)));
        }
        BY_NAME.put(name, new LeafForm(name, number, registers));
    }

    private static int register(String name) {
        for (int id = Operand.RAX; id <= Operand.R15; id++) {
            if (Operand.name(id).toLowerCase(Locale.ROOT).equals(name)) {
                return id;
            }
        }
        throw new IllegalArgumentException("no register '" + name + "'");
    }

    /** The leaf of that name. */
    public static Optional<LeafForm> of(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }

    /** Whether it is called by the host with SEAMCALL, not by a guest with TDCALL. */
    public boolean host() {
        return name.startsWith("TDH.");
    }

    /** All leaves, SEAMCALL first, by number. */
    public static List<LeafForm> all() {
        return List.copyOf(BY_NAME.values());
    }

    /** Every operand name that some leaf has, in the order of the tables. */
    public static SequencedSet<String> operandNames() {
        var names = new LinkedHashSet<String>();
        BY_NAME.values().forEach(form -> names.addAll(form.registers().keySet()));
        return names;
    }

    /** Highest version in RAX bits 23:16; −1 if the module does not have the leaf. */
    public int maxVersion() {
        return host()
                ? HostLeaves.find(number).map(HostLeaf::maxVersion).orElse(-1)
                : GuestLeaves.find(number).map(GuestLeaf::maxVersion).orElse(-1);
    }

    /** What it can answer, in the order of the codes; OPERAND_INVALID alone if the module does not have it. */
    public List<Status> statuses() {
        var statuses = new ArrayList<>(
                host()
                        ? HostLeaves.find(number)
                                .map(HostLeaf::statuses)
                                .orElse(java.util.Set.of(Status.OPERAND_INVALID))
                        : GuestLeaves.find(number)
                                .map(GuestLeaf::statuses)
                                .orElse(java.util.Set.of(Status.OPERAND_INVALID)));
        statuses.sort(null);
        return statuses;
    }
}
