package kvasir.metal.tdx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
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

    /** MRTD and RTMR0 to RTMR3 by the records, once somebody has asked. */
    private List<Bytes> registers = List.of();

    private static final int RTMRS = 4;

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

    /** MRTD as the records have it: SHA-384 over the blocks of TDH.MEM.PAGE.ADD and TDH.MR.EXTEND. */
    public Bytes mrtd() {
        return registers().getFirst();
    }

    /** An RTMR as the records have it: SHA-384 over its value before and each input.
     * @param index 0 to 3 */
    public Bytes rtmr(int index) {
        return registers().get(1 + index);
    }

    private List<Bytes> registers() {
        if (registers.isEmpty()) {
            MessageDigest mrtd = sha384();
            var rtmrs = new byte[RTMRS][Sha384.DIGEST_BYTES];
            for (Entry entry : records()) {
                if (entry.register().equals("MRTD")) {
                    String name = entry.leaf().substring("TDH.".length());
                    mrtd.update(unit(name, entry.gpa(), entry.content().toArray()));
                } else {
                    int index = entry.register().charAt("RTMR".length()) - '0';
                    MessageDigest sha = sha384();
                    sha.update(rtmrs[index]);
                    rtmrs[index] = sha.digest(entry.content().toArray());
                }
            }
            registers = Stream.concat(Stream.of(mrtd.digest()), Arrays.stream(rtmrs))
                    .map(Bytes::of)
                    .toList();
        }
        return registers;
    }

    /** What one measuring leaf appends to MRTD: a block with its name and the GPA, then the content. */
    static byte[] unit(String name, long gpa, byte[] content) {
        ByteBuffer unit =
                ByteBuffer.allocate(Sha384.BLOCK_BYTES + content.length).order(ByteOrder.LITTLE_ENDIAN);
        unit.put(name.getBytes(StandardCharsets.US_ASCII)).putLong(16, gpa);
        return unit.put(Sha384.BLOCK_BYTES, content).array();
    }

    private static MessageDigest sha384() {
        try {
            return MessageDigest.getInstance("SHA-384");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-384", e);
        }
    }

    /** In words, the first record in which this ledger and {@code other} differ; {@code "equal"} if there is none. */
    public String difference(Ledger other) {
        return new LedgerDifference(this, other).words();
    }
}
