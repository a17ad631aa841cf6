package kvasir.kvm.invariant;

import java.util.Optional;
import java.util.TreeSet;
import kvasir.event.Event;
import kvasir.metal.snp.InstructionDone;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.ReturnCode;
import kvasir.metal.snp.RmpChanged;

/** A size mismatch is settled by one PSMASH, and nobody retries an overlap. */
final class SmashedOnce implements StreamInvariant {
    private static final long REGION = -PageSize.SIZE_2M.bytes();

    private final TreeSet<Long> smashed = new TreeSet<>();
    private long overlapped = -1;

    @Override
    public String name() {
        return "smashed_once";
    }

    @Override
    public String statement() {
        return "A 2M entry is smashed at most once, and RMPUPDATE does not meet the same overlap twice in a row:";
    }

    @Override
    public Optional<String> violation(Event event) {
        if (event instanceof RmpChanged change && change.after().size() == PageSize.SIZE_2M) {
            smashed.remove(change.spa() & REGION);
        }
        if (!(event instanceof InstructionDone done)) {
            return Optional.empty();
        }
        boolean again = false;
        if (done.instruction().equals("PSMASH") && done.outcome().equals(ReturnCode.SUCCESS.name())) {
            again = !smashed.add(done.address() & REGION);
        }
        if (done.instruction().equals("RMPUPDATE")) {
            boolean overlap = done.outcome().equals(ReturnCode.FAIL_OVERLAP.name());
            again |= overlap && overlapped == done.address();
            overlapped = overlap ? done.address() : -1;
        }
        return again ? Optional.of(done.describe() + " again") : Optional.empty();
    }

    @Override
    public void forget() {
        smashed.clear();
        overlapped = -1;
    }
}
