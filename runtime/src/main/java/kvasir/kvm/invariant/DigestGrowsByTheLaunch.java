package kvasir.kvm.invariant;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import kvasir.event.Event;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.psp.CommandDone;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.metal.snp.psp.Measured;

/** The launch digest grows with each page of a launch, and with nothing else. */
final class DigestGrowsByTheLaunch implements StreamInvariant {
    private final Map<Long, Integer> records = new TreeMap<>();
    private int measured;

    @Override
    public String name() {
        return "digest_grows_by_the_launch";
    }

    @Override
    public String statement() {
        return "The launch digest changes once for each page of a successful SNP_LAUNCH_UPDATE, and by nothing else:";
    }

    @Override
    public Optional<String> violation(Event event) {
        if (event instanceof Measured page) {
            measured++;
            int before = records.getOrDefault(page.context(), -1);
            records.put(page.context(), page.record().number());
            return before >= 0 && page.record().number() != before + 1
                    ? Optional.of("%s follows record %d".formatted(page.describe(), before))
                    : Optional.empty();
        }
        if (!(event instanceof CommandDone done)) {
            return Optional.empty();
        }
        int pages = measured;
        measured = 0;
        if (done.command().equals("SNP_GCTX_CREATE")) {
            records.remove(done.operand());
        }
        boolean update = done.command().equals("SNP_LAUNCH_UPDATE") && done.status() == FirmwareStatus.SUCCESS;
        boolean good = update ? pages == 1 || pages == PageSize.SIZE_2M.frames() : pages == 0;
        return good ? Optional.empty() : Optional.of("%d pages by %s".formatted(pages, done.describe()));
    }

    @Override
    public void forget() {
        records.clear();
        measured = 0;
    }
}
