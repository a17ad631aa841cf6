package kvasir.metal.tdx;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import kvasir.registry.Bytes;

/**
 * What went into the measurement registers of one TD, in order. Immutable; {@link #plus} gives the longer ledger, so a
 * snapshot may keep an old one.
 */
public final class Ledger {
    /** The ledger of a TD that has measured nothing. */
    public static final Ledger EMPTY = new Ledger(Optional.empty(), 0);

    private final Optional<Link> newest;
    private final int size;

    private record Link(Entry entry, Ledger before) {}

    /**
     * One contribution.
     *
     * @param number position, from 1
     * @param register {@code MRTD} or {@code RTMR0} to {@code RTMR3}
     * @param leaf who contributed: {@code TDH.MEM.PAGE.ADD}, {@code TDH.MR.EXTEND}, {@code TDG.MR.RTMR.EXTEND}
     * @param gpa guest physical address
     * @param content the measured content: empty for PAGE.ADD, 256 bytes for EXTEND, 48 for RTMR.EXTEND
     * @param digest for MRTD the digest if the TD were finalized here, for an RTMR its new value
     */
    public record Entry(int number, String register, String leaf, long gpa, Bytes content, Bytes digest) {}

    private Ledger(Optional<Link> newest, int size) {
        this.newest = newest;
        this.size = size;
    }

    Ledger plus(String register, String leaf, long gpa, Bytes content, Bytes digest) {
        var entry = new Entry(size + 1, register, leaf, gpa, content, digest);
        return new Ledger(Optional.of(new Link(entry, this)), size + 1);
    }

    /** Number of records. */
    public int size() {
        return size;
    }

    /** The last record; there must be one. */
    public Entry newest() {
        return newest.orElseThrow().entry();
    }

    /** All records, oldest first. */
    public List<Entry> records() {
        var list = new ArrayList<Entry>(size);
        Optional<Link> link = newest;
        while (link.isPresent()) {
            list.add(link.get().entry());
            link = link.get().before().newest;
        }
        Collections.reverse(list);
        return list;
    }
}
