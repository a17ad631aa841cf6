package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

import java.util.ArrayList;
import java.util.List;
import kvasir.registry.Range;

/**
 * TDH.SYS.CONFIG (45): RCX = array of addresses of TDMR_INFO, RDX = their number, R8 = global private HKID. The low 32
 * bits of a TDMR status are bytes: TDMR index, then PAMT level (0 = 4K) or reserved-area index, then the other TDMR.
 */
final class TdhSysConfig {
    static final int MAX_TDMRS = 64;
    static final int MAX_RESERVED = 16;
    private static final long GIB = 1L << 30;
    private static final int TDMR_INFO_BYTES = 512;

    private final HostCall call;
    private final List<Tdmr> accepted = new ArrayList<>();

    private TdhSysConfig(HostCall call) {
        this.call = call;
    }

    static void run(HostCall call) {
        call.lockSys();
        call.check(
                c -> c.state.sysState == SysState.SYSINIT_DONE && allLpsInitialised(c.state),
                Status.SYS_CONFIG_NOT_PENDING.value());
        call.sharedHpa(RCX, 512, 8L * MAX_TDMRS);
        call.check(c -> c.in(RDX) >= 1 && c.in(RDX) <= MAX_TDMRS, Status.OPERAND_INVALID.on(RDX));
        call.check(c -> c.state.platform.privateHkid(c.in(R8)), Status.OPERAND_INVALID.on(R8));
        var config = new TdhSysConfig(call);
        if (!call.failed()) {
            config.acceptAll((int) call.in(RDX));
        }
        if (call.failed()) {
            return;
        }
        ModuleState state = call.state;
        state.tdmrs = List.copyOf(config.accepted);
        state.tdmrInitialised = config.accepted.stream().mapToLong(Tdmr::base).toArray();
        state.kot[(int) call.in(R8)] = HkidState.HKID_RESERVED;
        state.sysState = SysState.SYSCONFIG_DONE;
    }

    private static boolean allLpsInitialised(ModuleState state) {
        for (boolean done : state.lpInitialised) {
            if (!done) {
                return false;
            }
        }
        return true;
    }

    private void acceptAll(int count) {
        long array = call.plain(call.in(RCX));
        for (int index = 0; index < count && !call.failed(); index++) {
            long info = call.memory.read64(array + 8L * index);
            if ((info & TDMR_INFO_BYTES - 1) != 0 || info < 0 || info > call.memory.size() - TDMR_INFO_BYTES) {
                call.fail(Status.OPERAND_INVALID.on(96));
                return;
            }
            accept(index, info);
        }
        for (int index = 0; index < count && !call.failed(); index++) {
            checkPamtOverlap(index);
        }
    }

    private void accept(int index, long info) {
        long base = word(info, 0);
        long size = word(info, 1);
        if ((base & GIB - 1) != 0
                || (size & GIB - 1) != 0
                || size <= 0
                || base < 0
                || base > call.memory.size() - size) {
            call.fail(Status.INVALID_TDMR.on(index));
            return;
        }
        if (!accepted.isEmpty() && base < accepted.getLast().end()) {
            call.fail(Status.NON_ORDERED_TDMR.on(index));
            return;
        }
        List<Range> reserved = reserved(index, info, base, size);
        if (!call.failed()) {
            checkCovered(index, base, size, reserved);
        }
        var pamt = new ArrayList<Long>();
        var bytes = new ArrayList<Long>();
        for (int level = 0; level < 3; level++) {
            pamt.add(word(info, 6 - 2 * level));
            bytes.add(word(info, 7 - 2 * level));
            checkPamt(index, level, size, pamt.getLast(), bytes.getLast());
        }
        accepted.add(new Tdmr(base, size, pamt, bytes, reserved));
    }

    private List<Range> reserved(int index, long info, long base, long size) {
        var areas = new ArrayList<Range>();
        for (int area = 0; area < MAX_RESERVED; area++) {
            long offset = word(info, 8 + 2 * area);
            long bytes = word(info, 9 + 2 * area);
            if (bytes == 0) {
                break;
            }
            if ((offset & 4095) != 0 || (bytes & 4095) != 0 || offset < 0 || bytes < 0 || offset > size - bytes) {
                call.fail(Status.INVALID_RESERVED_IN_TDMR.on(index | area << 8));
                break;
            }
            if (!areas.isEmpty() && base + offset < areas.getLast().end()) {
                call.fail(Status.NON_ORDERED_RESERVED_IN_TDMR.on(index | area << 8));
                break;
            }
            areas.add(new Range(base + offset, base + offset + bytes));
        }
        return areas;
    }

    /** Every byte that is not reserved is convertible. */
    private void checkCovered(int index, long base, long size, List<Range> reserved) {
        long at = base;
        for (Range area : reserved) {
            if (!convertible(at, area.start())) {
                call.fail(Status.TDMR_OUTSIDE_CMRS.on(index));
            }
            at = area.end();
        }
        if (!convertible(at, base + size)) {
            call.fail(Status.TDMR_OUTSIDE_CMRS.on(index));
        }
    }

    private boolean convertible(long start, long end) {
        long at = start;
        for (Range cmr : call.state.platform.convertible()) {
            if (cmr.start() <= at && at < cmr.end()) {
                at = cmr.end();
            }
        }
        return at >= end || start >= end;
    }

    private void checkPamt(int index, int level, long tdmrBytes, long pamt, long bytes) {
        long needed = tdmrBytes / Pamt.bytes(level) * Pamt.ENTRY_BYTES;
        if ((pamt & 4095) != 0
                || (bytes & 4095) != 0
                || pamt < 0
                || bytes < needed
                || pamt > call.memory.size() - bytes) {
            call.fail(Status.INVALID_PAMT.on(index | level << 8));
        } else if (!convertible(pamt, pamt + bytes)) {
            call.fail(Status.PAMT_OUTSIDE_CMRS.on(index | level << 8));
        }
    }

    /** No PAMT array touches another or memory of a TDMR that is not reserved. */
    private void checkPamtOverlap(int index) {
        Tdmr tdmr = accepted.get(index);
        for (int level = 0; level < 3; level++) {
            long start = tdmr.pamt().get(level);
            long end = start + tdmr.pamtBytes().get(level);
            for (int other = 0; other < accepted.size(); other++) {
                if (touchesMemory(accepted.get(other), start, end) || touchesPamt(index, level, other, start, end)) {
                    call.fail(Status.PAMT_OVERLAP.on(index | level << 8 | other << 16));
                }
            }
        }
    }

    private static boolean touchesMemory(Tdmr tdmr, long start, long end) {
        long at = Math.max(start, tdmr.base());
        long stop = Math.min(end, tdmr.end());
        for (Range area : tdmr.reserved()) {
            if (area.start() <= at && at < area.end()) {
                at = area.end();
            }
        }
        return at < stop;
    }

    private boolean touchesPamt(int index, int level, int other, long start, long end) {
        for (int otherLevel = 0; otherLevel < 3; otherLevel++) {
            long otherStart = accepted.get(other).pamt().get(otherLevel);
            long otherEnd = otherStart + accepted.get(other).pamtBytes().get(otherLevel);
            if ((other != index || otherLevel != level) && start < otherEnd && otherStart < end) {
                return true;
            }
        }
        return false;
    }

    private long word(long info, int index) {
        return call.memory.read64(info + 8L * index);
    }
}
