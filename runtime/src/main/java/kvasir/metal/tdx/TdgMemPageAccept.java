package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.RCX;

/**
 * TDG.MEM.PAGE.ACCEPT (6): RCX = GPA and level 0 or 1. Zeroes a pending page and maps it. The detail of
 * ALREADY_ACCEPTED and SIZE_MISMATCH is a level.
 */
final class TdgMemPageAccept {
    private static final int PAGES_IN_2M = 512;

    private final GuestCall call;
    private final long gpa;
    private final int level;
    private final SeptWalk walk;

    private TdgMemPageAccept(GuestCall call) {
        this.call = call;
        level = (int) call.in(RCX) & 7;
        gpa = call.in(RCX) & ~0xfffL;
        walk = SeptWalk.to(call.memory, call.tdcs(), gpa, level);
    }

    static void run(GuestCall call) {
        call.check(TdgMemPageAccept::operandValid, Status.OPERAND_INVALID.on(RCX));
        if (!call.failed()) {
            new TdgMemPageAccept(call).accept();
        }
    }

    private static boolean operandValid(GuestCall call) {
        long rcx = call.in(RCX);
        long level = rcx & 7;
        return level <= 1
                && (rcx & 0xff8) == 0
                && call.tdcs().privateGpa(rcx)
                && (rcx & ~0xfffL & Pamt.bytes((int) level) - 1) == 0;
    }

    private void accept() {
        if (walk.level() > level) {
            if (walk.state().guestReadable()) {
                call.fail(Status.PAGE_ALREADY_ACCEPTED.on(walk.level()));
            } else {
                violation(walk.state());
            }
            return;
        }
        TryLock lock = new TryLock.Entry(call.memory, walk.entryHpa());
        if (call.module.conditions().takeBusy(LockObject.SEPT_ENTRY)
                || lock.tryGuest(HostCall.EXCLUSIVE) != TryLock.Attempt.TAKEN) {
            call.fail(Status.OPERAND_BUSY.on(RCX));
            return;
        }
        call.module.seams().taken(call.vcpu.assocLpid(), LockObject.SEPT_ENTRY, HostCall.EXCLUSIVE);
        locked();
        lock.release(HostCall.EXCLUSIVE);
    }

    private void locked() {
        long raw = call.memory.read64(walk.entryHpa());
        SeptState state = SeptEntry.state(raw);
        if (state == SeptState.NL_MAPPED || state == SeptState.NL_BLOCKED) {
            call.fail(Status.PAGE_SIZE_MISMATCH.on(level));
        } else if (state.guestReadable()) {
            call.fail(Status.PAGE_ALREADY_ACCEPTED.on(level));
        } else if (state == SeptState.PENDING) {
            zeroAndMap(raw, SeptState.MAPPED);
        } else if (state == SeptState.PENDING_EXPORTED_DIRTY) {
            zeroAndMap(raw, SeptState.EXPORTED_DIRTY);
        } else {
            violation(state);
        }
    }

    /** Zeroes page by page; an interrupt leaves the count of finished pages in the entry. */
    private void zeroAndMap(long raw, SeptState next) {
        long page = SeptEntry.hpa(raw, level);
        long lockBits = raw & SeptEntry.TDHP | SeptEntry.TDEL;
        if (level == 0) {
            call.memory.discard(page >>> 12);
        } else {
            int done = (int) ((raw & SeptEntry.ACCEPT_COUNTER) >>> 12);
            for (; done < PAGES_IN_2M; done++) {
                if (call.module.conditions().takePendingInterrupt()) {
                    long progress = raw & ~(SeptEntry.ACCEPT_COUNTER | SeptEntry.TDEL) | (long) done << 12;
                    call.memory.write64(walk.entryHpa(), progress | lockBits);
                    call.exit(new TdExit.Asynchronous(1, 0, 0));
                    return;
                }
                call.memory.discard((page >>> 12) + done);
            }
        }
        long after = SeptEntry.encode(next, page);
        call.memory.write64(walk.entryHpa(), after | lockBits);
        call.module.septChanged(call.tdr(), gpa, level, raw, after);
    }

    /** TD exit with the details of the entry in bits 63:32 of the extended exit qualification. */
    private void violation(SeptState state) {
        long information =
                level | (long) walk.level() << 3 | (long) state.publicNumber() << 6 | (state.leaf() ? 1L << 14 : 0);
        call.exit(new TdExit.EptViolation(gpa, 2, TdExit.EEQ_ACCEPT | information << 32));
    }
}
